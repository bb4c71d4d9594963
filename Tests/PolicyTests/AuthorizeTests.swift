import Foundation
import JOSE
import SSHKeys
import Testing
import Vocabulary

@testable import Policy

private let issuer = someIssuer

/// Who logs in, in short. The subject is `sub-1` unless the claims say otherwise. There is no home file and no plugin.
private func decide(
    _ claims: JSON, _ rows: String, account: String = "root", config: ServerConfig = ServerConfig(), accessToken: Bool = false,
    userinfo: JSON? = nil, userinfoFailed: Bool = false, emailTrust: EmailTrust = .unlessUnverified
) -> Deliberation.Verdict {
    var login = login(claims, account: account, accessToken: accessToken, emailTrust: emailTrust)
    if userinfoFailed { login.userinfo = .unavailable }
    if let userinfo { login.hear(userinfo.object ?? JSONObject()) }
    return login.deliberate(
        AuthID(parsing: Array(rows.utf8), for: principal(account), of: issuer), config, .withoutHomeAndPlugins
    ).verdict
}

/// One row for root with this identity.
private func row(_ identity: String) -> String { "root \(identity) \(issuer.string)\n" }

private func config(_ text: String) throws -> ServerConfig { try ServerConfig(parsing: Array(text.utf8)) }

@Suite struct AuthorizeTests {
    @Test("all rows that admit are returned, in the file's order, and no others")
    func rows() {
        let text = """
            root bob@example.com https://idp.example.com
            root alice@example.com https://idp.example.com
            user alice@example.com https://idp.example.com
            root alice@example.com https://other.example.com
            root sub-1 https://idp.example.com
            root oidc:groups:admin https://idp.example.com
            """
        #expect(decide(["email": "alice@example.com", "groups": ["x", "admin"]], text).lines == [2, 5, 6])
        #expect(decide(["email": "carol@example.com", "sub": "sub-2"], text).code == .noRowAdmits)
    }

    @Test(
        "V58 a row of an issuer that only looks the same does not count",
        arguments: ["https://idp.example.com/", "https://IDP.example.com", "https://idp.example.com:443"])
    func issuers(other: String) {
        #expect(decide(["sub": "s"], "root s \(other)").code == .noRowAdmits)
    }

    @Test("the subject matches byte for byte")
    func subject() {
        #expect(decide(["sub": "sub-Alice"], row("sub-Alice")).lines == [1])
        for other in ["sub-alice", "sub-Alice ", "sub-Alic", "sub-Alice2", "SUB-ALICE"] {
            #expect(decide(["sub": .string(Text(other))], row("sub-Alice")).code == .noRowAdmits)
        }
        // The same to the eye, and to Swift's own comparison, but not the same bytes.
        #expect(decide(["sub": "e\u{301}"], row("\u{E9}")).code == .noRowAdmits)
        #expect(decide(["sub": "alice@example.com", "email_verified": false], row("alice@example.com")).lines == [1], "as opkssh does")
        #expect(decide(["email": "alice"], row("alice")).code == .noRowAdmits, "without @ it is a subject only")
    }

    @Test(
        "V63 emails match but for the case of A to Z and nothing else",
        arguments: [
            ("alice@example.com", true), ("ALICE@Example.COM", true), ("alice@example.com ", false), (" alice@example.com", false),
            ("alice@example.com.", false), ("alice@example.com\0", false), ("alice@example.co", false), ("aliceexample.com", false),
            ("alice\u{FF20}example.com", false), ("al\u{131}ce@example.com", false), ("alice@xn--example.com", false),
            ("alıce@example.com", false),
        ])
    func emails(email: String, admits: Bool) {
        #expect(decide(["email": .string(Text(email))], row("alice@example.com")).lines == (admits ? [1] : nil))
    }

    @Test("V63 no Unicode folding: KELVIN SIGN is not k, LONG S is not s")
    func folding() {
        #expect(decide(["email": "\u{212A}ate@example.com"], row("kate@example.com")).code == .noRowAdmits)
        #expect(decide(["email": "kate@example.com"], row("\u{212A}ate@example.com")).code == .noRowAdmits)
        #expect(decide(["email": "\u{17F}am@example.com"], row("sam@example.com")).code == .noRowAdmits)
        #expect(decide(["email": "x@ma\u{17F}ter.com"], row("oidc-match-end:email:@master.com")).code == .noRowAdmits)
    }

    @Test(
        "V16 V63 an email that is no string, or another member's, matches nothing",
        arguments: [
            ["email": ["alice@example.com"]], ["email": 5], ["email": nil], ["email": ["a": "alice@example.com"]], ["email": true],
            ["Email": "alice@example.com"], ["EMAIL": "alice@example.com"], [:],
        ] as [JSON])
    func noEmail(claims: JSON) {
        for identity in ["alice@example.com", "oidc-match-end:email:@example.com", "oidc:email:alice@example.com"] {
            #expect(decide(claims, row(identity)).code == .noRowAdmits)
        }
    }

    @Test(
        "V63 email_verified decides wherever the email does: absent, true and \"true\" admit, everything else refuses",
        arguments: [
            (nil, true), (true, true), ("true", true), (false, false), ("false", false), (1, false), (0, false), ("True", false),
            ("", false),
            (.null, false), ([true], false), ([:], false),
        ] as [(JSON?, Bool)])
    func verified(verified: JSON?, admits: Bool) {
        var claims: JSONObject = JSONObject()
        claims["email"] = "alice@example.com"
        claims["email_verified"] = verified
        for identity in ["alice@example.com", "oidc-match-end:email:@example.com", "oidc:email:alice@example.com"] {
            let decision = decide(.object(claims), row(identity))
            if admits { #expect(decision.lines == [1]) } else { #expect(decision.code == .emailNotVerified) }
            #expect(decide(.object(claims), row(identity), emailTrust: .evenUnverified).lines == [1])
        }
        #expect(decide(.object(claims), row("sub-1")).lines == [1], "where the subject decides, it does not matter")
        #expect(decide(.object(claims), row("bob@example.com")).code == .noRowAdmits, "nor does it where no row fits")
    }

    @Test(
        "V64 an email's domain matches whole, behind the one @",
        arguments: [
            ("user@corp.com", true), ("USER@CORP.COM", true), ("user@evilcorp.com", false), ("user@sub.corp.com", false),
            ("@corp.com", false),
            ("corp.com", false), ("user@corp.com.evil.com", false), ("mallory@evil.com@corp.com", false),
            ("mallory@evil.com @corp.com", false),
            ("a\0@corp.com", false), ("a\n@corp.com", false), ("jürgen@corp.com", true), ("user@corp.com ", false),
        ])
    func domain(email: String, admits: Bool) {
        #expect(decide(["email": .string(Text(email))], row("oidc-match-end:email:@corp.com")).lines == (admits ? [1] : nil))
    }

    @Test(
        "V65 a claim matches as a scalar by its JSON text, or as a list that contains it",
        arguments: [
            ("oidc:groups:a", ["groups": ["a", "b"]], true), ("oidc:groups:a", ["groups": "a"], true),
            ("oidc:groups:a", ["groups": ["A"]], false),
            ("oidc:groups:admin", ["groups": "admin,users"], false), ("oidc:groups:admin", ["groups": "admin users"], false),
            ("oidc:groups:a", ["groups": [["a"]]], false), ("oidc:groups:a", ["groups": ["a": "a"]], false),
            ("oidc:groups:a", ["groups": [["a": "a"]]], false), ("oidc:groups:null", ["groups": nil], false),
            ("oidc:groups:null", ["groups": [nil]], false), ("oidc:groups:null", ["groups": "null"], true),
            ("oidc:level:5", ["level": 5], true),
            ("oidc:level:5", ["level": "5"], true), ("oidc:level:5", ["level": [4, 5]], true),
            ("oidc:level:12345678", ["level": 12_345_678], true),
            ("oidc:level:05", ["level": 5], false), ("oidc:b:true", ["b": true], true), ("oidc:b:false", ["b": false], true),
            ("oidc:b:true", ["b": "true"], true), ("oidc:b:1", ["b": true], false), ("oidc:b:true", ["b": [true]], true),
            ("oidc:groups:a:b", ["groups": ["b"]], false), ("oidc:groups:a:b", ["groups": ["a"]], false),
            ("oidc:groups:a:b", ["groups": ["a:b"]], true),
            ("'oidc:\"https://acme.com/roles\":dev'", ["https://acme.com/roles": ["dev"]], true),
            ("'oidc:\"https://acme.com/roles\":dev'", ["https": ["//acme.com/roles:dev"]], false),
            ("'oidc:\"a:b\":c:d'", ["a:b": "c:d"], true),
            ("'oidc:groups:dev team'", ["groups": ["dev team"]], true),
            ("oidc:groups:it.infra@my_domain.com", ["groups": ["it.infra@my_domain.com"]], true),
            ("oidc:groups:a", ["Groups": ["a"]], false), ("oidc:groups:a", [:], false), ("oidc:groups:a", ["groups": []], false),
            ("oidc:sub:sub-1", ["sub": "sub-1"], true),
        ] as [(String, JSON, Bool)])
    func claims(identity: String, claims: JSON, admits: Bool) {
        #expect(decide(claims, row(identity)).lines == (admits ? [1] : nil))
    }

    @Test("V65 a hundred thousand groups and a thousand rows take little time")
    func manyGroups() {
        let groups = (0..<100_000).map { JSON.string(Text("group-\($0)")) }
        let rows = (0..<1000).map { row("oidc:groups:no-\($0)") }.joined() + row("oidc:groups:group-99999")
        let begin = Date()
        #expect(decide(["groups": .array(groups)], rows).lines == [1001])
        #expect(Date().timeIntervalSince(begin) < 5)
    }

    @Test(
        "a repository's pattern matches the whole subject, and its stars stop at a slash",
        arguments: [
            ("repo:acme/app:ref:refs/heads/*", "repo:acme/app:ref:refs/heads/main", true),
            ("repo:acme/app:ref:refs/heads/*", "repo:acme/app:ref:refs/heads/a/b", false),
            ("repo:acme/*:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/main", true),
            ("repo:acme/*:ref:refs/heads/main", "repo:acme/app/x:ref:refs/heads/main", false),
            ("repo:acme/app:*", "repo:acme/app:environment:prod", true), ("repo:acme/app:*", "repo:acme/app2:environment:prod", false),
            ("repo:acme/app", "repo:acme/app", true), ("repo:acme/app", "xrepo:acme/app", false),
            ("repo:acme/app", "repo:acme/app:ref", false),
            ("repo:acme/ap?", "repo:acme/app", true), ("repo:acme/ap?", "repo:acme/ap/", false), ("repo:*", "repo:acme/app", false),
            ("repo:Acme/app", "repo:acme/app", false),
        ])
    func repositories(identity: String, subject: String, admits: Bool) {
        #expect(decide(["sub": .string(Text(subject))], row(identity)).lines == (admits ? [1] : nil))
    }

    @Test("the account's rows decide: another account's, another case's and nobody's do not")
    func accounts() {
        let text = "deploy sub-1 https://idp.example.com\n* sub-1 https://idp.example.com"
        #expect(decide([:], text, account: "deploy").lines == [1])
        for account in ["Deploy", "root", "deploy2"] { #expect(decide([:], text, account: account).code == .noRowAdmits) }
    }

    @Test("of a whole file, too, only the rows of the account and the issuer decide")
    func wholeFile() {
        let text = """
            deploy sub-1 https://idp.example.com
            root sub-1 https://other.example.com
            root sub-1 https://idp.example.com
            Root sub-1 https://idp.example.com
            """
        var login = login()
        let verdict = login.deliberate(AuthID(parsing: Array(text.utf8)), ServerConfig(), .withoutHomeAndPlugins).verdict
        #expect(verdict.lines == [3])
    }

    @Test("deny lists come first, and ignore ASCII case and whether the email is verified")
    func denied() throws {
        let lists = try config("deny_users: [Postgres]\ndeny_emails: [Mallory@Example.com]")
        let rows = row("sub-1") + row("mallory@example.com") + "postgres sub-1 \(issuer.string)\n"
        #expect(decide([:], rows, config: lists).lines == [1])
        #expect(decide([:], rows, account: "postgres", config: lists).code == .denied)
        for verified: JSON in [true, false, "false", "x", nil] {
            #expect(decide(["email": "mallory@EXAMPLE.com", "email_verified": verified], rows, config: lists).code == .denied)
        }
        #expect(decide(["email": ["x", "mallory@example.com"]], rows, config: lists).code == .denied, "a strange shape does not help")
        #expect(decide(["email": "\u{1E3E}allory@example.com"], rows, config: lists).lines == [1])
        let decision = decide(["email": "mallory@example.com"], rows, config: lists, accessToken: true)
        #expect(decision.code == .denied, "userinfo is not even asked")
        #expect(decision.detail == "deny_emails has mallory@example.com")
    }

    @Test("userinfo is asked only if the ID token alone does not admit and there is an access token")
    func asks() {
        let rows = row("oidc:groups:ui")
        #expect(decide(["groups": ["ui"]], rows, accessToken: true).lines == [1])
        #expect(decide([:], rows, accessToken: true) == .needs(.userinfo))
        #expect(decide([:], rows).code == .noRowAdmits)
        #expect(decide([:], rows, accessToken: true, userinfoFailed: true).code == .noRowAdmits)
        #expect(decide([:], "", accessToken: true).code == .noRowAdmits, "V68 nothing that userinfo could say would help")
        #expect(decide([:], row("other") + row("repo:a/b"), accessToken: true).code == .noRowAdmits)
        #expect(decide([:], "root oidc:groups:ui https://other.example", accessToken: true).code == .noRowAdmits)
        #expect(decide(["email": "a@b.c", "email_verified": false], row("a@b.c"), accessToken: true) == .needs(.userinfo))
        #expect(
            decide(["email": "a@b.c", "email_verified": false], row("a@b.c"), accessToken: true, userinfoFailed: true).code
                == .emailNotVerified)
    }

    @Test("userinfo's claims count additionally, with an email_verified of their own")
    func userinfo() throws {
        #expect(decide([:], row("oidc:groups:ui"), userinfo: ["groups": ["ui"]]).lines == [1])
        #expect(decide(["groups": ["ui"]], row("oidc:groups:ui"), userinfo: ["groups": []]).lines == [1], "it never takes away")
        #expect(decide(["email": "a@x.y"], row("ui@x.y"), userinfo: ["email": "ui@x.y"]).lines == [1])
        #expect(
            decide(["email": "a@x.y"], row("ui@x.y"), userinfo: ["email": "ui@x.y", "email_verified": false]).code == .emailNotVerified)
        let unverified: JSON = ["email": "a@x.y", "email_verified": false]
        #expect(decide(unverified, row("a@x.y"), userinfo: ["email": "a@x.y", "email_verified": true]).lines == [1])
        #expect(decide(unverified, row("a@x.y"), userinfo: ["email": "a@x.y"]).code == .emailNotVerified, "silence is no verification here")
        let verified: JSON = ["email": "a@x.y", "email_verified": true]
        #expect(
            decide(verified, row("victim@x.y"), userinfo: ["email": "victim@x.y"], emailTrust: .onlyVerified).code == .emailNotVerified,
            "what is vouched for is another address")
        #expect(decide(verified, row("oidc:email:A@x.y"), userinfo: ["email": "A@x.y"], emailTrust: .onlyVerified).lines == [1])
        #expect(decide([:], row("other"), userinfo: ["sub": "other"]).code == .noRowAdmits, "the subject is the ID token's")
        let lists = try config("deny_emails: [ui@x.y]")
        #expect(decide(["groups": ["ui"]], row("oidc:groups:ui"), config: lists, userinfo: ["email": "UI@x.y"]).code == .denied)
        let two = decide(["email": "a@x.y", "groups": ["ui"]], row("oidc:groups:ui"), config: lists, userinfo: ["email": "UI@x.y"])
        #expect(two.code == .denied, "whatever address the ID token has")
    }

    @Test("the refusal tells the administrator what came nearest")
    func nearest() {
        #expect(decide([:], "deploy sub-1 \(issuer.string)").detail == "auth_id has no row for account root")
        #expect(
            decide(["email": "eve@x.y", "sub": "s\n2"], row("a") + row("b") + "root c https://other.example").detail
                == "3 rows for account root, 2 of this issuer, none names this identity (email eve@x.y, sub s\\u{a}2)")
        #expect(
            decide([:], "root c https://other.example").detail == "1 row for account root, none of issuer https://idp.example.com")
        #expect(
            decide([:], row("sub-1 ").replacing("\n", with: " unheard-of")).detail
                == "auth_id has no row for account root; line 1: the option unheard-of is not known in this version (so it grants nothing)"
        )
    }
}
