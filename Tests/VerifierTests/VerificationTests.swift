import JOSE
import LibCrypto
import MintingKit
import PKToken
import SSHKeys
import Testing
import Verifier
import Vocabulary

private func line(_ principals: String?, _ key: PublicKey = TestKeys.ed25519.publicKey) -> String {
    "cert-authority" + (principals.map { ",principals=\"\($0)\"" } ?? "") + " \(key.sshType) \(Base64.encode(key.sshBlob))"
}

@Suite("A login from the question to the answer")
struct VerificationTests {
    @Test(
        "A good login is admitted with the line of PROTOCOL section 6, each kind of key",
        arguments: [TestKeys.rsa, TestKeys.p256, TestKeys.ed25519].indices)
    func admitted(_ index: Int) throws {
        let key = [TestKeys.rsa, TestKeys.p256, TestKeys.ed25519][index]
        let answer = try Answer(try MintedLogin(userKey: key))
        #expect(answer.lines == [line("opkssh-wildcard", key.publicKey)])
        #expect(answer.asked == ["config", "providers", "keys", "revoked", "authID"], "and nobody else was asked")
    }

    @Test(
        "By email, subject, claim, domain or repository",
        arguments: [
            "alice@example.com", "ALICE@EXAMPLE.COM", "alice-1", "oidc:groups:admins", "oidc-match-end:email:@example.com",
            "'oidc:\"https://x/y\":z'",
        ])
    func identities(_ identity: String) throws {
        let login = try MintedLogin().with {
            $0.claims["groups"] = ["users", "admins"]
            $0.claims["https://x/y"] = "z"
        }
        let admitted = try Answer(login) { $0.authIDText = "guest \(identity) https://issuer.example.com\n" }
        #expect(admitted.lines?.count == 1)
        let elsewhere = try Answer(login) { $0.authIDText = "guest \(identity) https://other.example.com\n" }
        #expect(elsewhere.refusal == .noRowAdmits)
        let another = try Answer(login) { $0.authIDText = "root \(identity) https://issuer.example.com\n" }
        #expect(another.refusal == .noRowAdmits)
    }

    @Test("sshd asks twice and gets the same answer (V68)")
    func twice() throws {
        let login = try MintedLogin()
        let key = Array(Base64.encode(try login.certificate()).utf8)
        let request = LoginRequest(account: Array("guest".utf8), key: key, type: Array("ssh-ed25519-cert-v01@openssh.com".utf8))
        let answers = [Answer(request, TestSources(login)), Answer(request, TestSources(login))]
        #expect(answers[0].lines == answers[1].lines && answers[0].lines != nil)
        #expect(answers[0].logLine == answers[1].logLine)
    }

    @Test("Several rows that admit print the same line once, and are all in the log")
    func severalRows() throws {
        let rows = String(repeating: "guest alice-1 https://issuer.example.com\n", count: 20)
        let answer = try Answer(try MintedLogin()) { $0.authIDText = rows }
        #expect(answer.lines == [line("opkssh-wildcard")])
        #expect(answer.logLine.contains("rows=1,2,3"))
    }

    static let principals: [(names: [String], account: String, written: String??)] = [
        (["opkssh-wildcard"], "guest", .some("opkssh-wildcard")), (["root", "guest"], "guest", .some("guest")),
        (["guest"], "guest", .some("guest")),
        (["root", "opkssh-wildcard"], "guest", .some("opkssh-wildcard")), ([], "guest", .some(nil)), (["root"], "guest", nil),
        (["Guest"], "guest", nil),
        (["guest2", "gues"], "guest", nil),
    ]

    @Test(
        "principals= names the wildcard of the certificate or the one account that was asked for, never another (V53)",
        arguments: principals.indices)
    func principalsOption(_ index: Int) throws {
        let (names, account, written) = Self.principals[index]
        let login = try MintedLogin().with { $0.rewriteCertificate = { $0.principals = names.map { Array($0.utf8) } } }
        let answer = try Answer(login, as: account)
        if let written {
            #expect(answer.lines == [line(written)])
        } else {
            #expect(answer.refusal == .accountNotInCertificate)
            #expect(answer.asked == [], "nobody is asked about a certificate for other accounts")
        }
    }

    @Test(
        "An account name that could be an option, a path or more than one word is refused (V56)",
        arguments: [
            "-v", "--config=/tmp/x", "root\n", "../x", "a b", "$(id)", "", "r\u{F6}\u{F6}t", "a\"", "a,b",
            String(repeating: "a", count: 4096),
        ])
    func accounts(_ account: String) throws {
        let answer = try Answer(try MintedLogin(), as: account) { $0.authIDText = "\"\(account)\" alice-1 https://issuer.example.com\n" }
        #expect(answer.refusal == .unsafeAccount)
        #expect(answer.asked == [])
    }

    static let localFailures: [(about: String, code: Refusal.Code, change: @Sendable (inout MintedLogin) -> Void)] = [
        ("V50 an expired certificate", .certificateExpired, { $0.rewriteCertificate = { $0.validBefore = 5 } }),
        (
            "V47 a critical option", .criticalOption,
            { $0.rewriteCertificate = { $0.criticalOptions = [.init("force-command", value: [1])] } }
        ),
        ("V20 no token", .tokenMalformed, { $0.rewriteToken = { _ in [] } }),
        ("V58 an unknown issuer", .issuerUnknown, { $0.claims["iss"] = "https://evil.example" }),
        ("V57 another audience", .audience, { $0.claims["aud"] = "other" }),
        ("V30 no commitment", .commitment, { $0.claims["nonce"] = "x" }),
        ("V60 an expired token", .expired, { $0.claims["iat"] = 5 }),
        ("V02 none", .algorithm, { $0.header["alg"] = "none" }),
        ("V14 crit", .criticalHeader, { $0.header["crit"] = ["x"] }),
    ]

    @Test("Nothing touches the network until everything local holds (V07, V13)", arguments: localFailures.indices)
    func localFirst(_ index: Int) throws {
        let (about, code, change) = Self.localFailures[index]
        let answer = try Answer(try MintedLogin().with { change(&$0) })
        #expect(answer.refusal == code, "\(about)")
        #expect(!answer.asked.contains("keys") && !answer.asked.contains("userinfo"), "\(about)")
    }

    @Test("Keys that cannot be had, or a signature that does not hold, refuse before policy is looked at (V69)")
    func keys() throws {
        let unavailable = try Answer(try MintedLogin()) { $0.failure = ("keys", Refusal(.keysUnavailable)) }
        #expect(unavailable.refusal == .keysUnavailable && unavailable.asked == ["config", "providers", "keys"])
        let forged = try Answer(try MintedLogin().with { $0.providerKey = TestKeys.otherP256 })
        #expect(forged.refusal == .providerSignature && !forged.asked.contains("authID"))
    }

    @Test(
        "A file that is unsafe or malformed as a whole refuses everybody, as a matter of configuration (V66)",
        arguments: ["config", "providers", "authID"])
    func unsafeFiles(_ source: String) throws {
        let answer = try Answer(try MintedLogin()) { $0.failure = (source, Refusal(.unsafeFile)) }
        #expect(answer.refusal == .unsafeFile)
        #expect(answer.refusal?.isConfiguration == true)
        let malformed = try Answer(try MintedLogin()) { $0.configText = "unknown_key: 1\n" }
        #expect(malformed.refusal == .configuration)
    }

    @Test("A row of providers that does not count is named where none fits")
    func problemInProviders() throws {
        let badExpiry = try Answer(try MintedLogin()) { $0.providersText = "https://issuer.example.com test-client 24H\n" }
        #expect(badExpiry.refusal == .issuerUnknown)
        #expect(badExpiry.logLine.contains("providers, line 1: "))
        let otherClient = try Answer(try MintedLogin()) {
            $0.providersText = "https://issuer.example.com other 24h\nhttps://issuer.example.com test-client 24h keybinding\n"
        }
        #expect(otherClient.refusal == .audience)
        #expect(otherClient.logLine.contains("providers, line 2: "))
    }

    @Test("What the sources have to say beside the decision stands in the log line, admitted or refused")
    func notes() throws {
        let admitted = try Answer(try MintedLogin()) { $0.notes = ["keys: old ones were used"] }
        #expect(admitted.lines?.count == 1)
        #expect(admitted.logLine.hasSuffix("| keys: old ones were used"))
        let refused = try Answer(try MintedLogin(), as: "root") { $0.notes = ["keys: old ones were used"] }
        #expect(refused.refusal == .noRowAdmits)
        #expect(refused.logLine.hasSuffix("| keys: old ones were used"))
    }

    @Test("A file that cannot be used is logged with the step at which it was needed")
    func stepOfAFile() throws {
        let answer = try Answer(try MintedLogin()) {
            $0.failure = ("providers", Refusal(.unsafeFile, "x", step: .providerRow))
        }
        #expect(answer.refusal == .unsafeFile)
        #expect(answer.logLine.contains("step=5 reason=unsafe-file"))
    }

    @Test("Deny lists come before every row")
    func denied() throws {
        #expect(try Answer(try MintedLogin()) { $0.configText = "deny_users: [guest]\n" }.refusal == .denied)
        #expect(try Answer(try MintedLogin()) { $0.configText = "deny_emails: [Alice@Example.com]\n" }.refusal == .denied)
        #expect(try Answer(try MintedLogin()) { $0.configText = "deny_users: [root]\ndeny_emails: [bob@example.com]\n" }.lines?.count == 1)
    }

    @Test("An empty providers or auth_id admits nobody; a bad row only that row")
    func rows() throws {
        #expect(try Answer(try MintedLogin()) { $0.providersText = "" }.refusal == .issuerUnknown)
        #expect(try Answer(try MintedLogin()) { $0.authIDText = "" }.refusal == .noRowAdmits)
        #expect(
            try Answer(try MintedLogin()) { $0.providersText = "https://issuer.example.com test-client 24H\n" }.refusal == .issuerUnknown,
            "V61")
        let mixed = try Answer(try MintedLogin()) { $0.authIDText = "guest 'alice-1\n" + $0.authIDText }
        #expect(mixed.lines?.count == 1)
        #expect(
            try Answer(try MintedLogin()) { $0.providersText = "https://issuer.example.com test-client 24h option\n" }.refusal
                == .issuerUnknown)
    }
}

@Suite("Userinfo")
struct UserinfoTests {
    private func login() throws -> MintedLogin {
        try MintedLogin().with {
            $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array("act-secret".utf8)), at: 0) }
        }
    }

    private func answer(_ userinfo: String?, _ rows: String = "guest oidc:groups:admins https://issuer.example.com\n") throws -> Answer {
        try Answer(try login()) {
            $0.authIDText = rows
            $0.userinfoAnswer = userinfo
        }
    }

    @Test("It is asked only where the ID token alone does not admit, and then admits")
    func asked() throws {
        let needed = try answer(#"{"sub":"alice-1","groups":["admins"]}"#)
        #expect(needed.lines?.count == 1 && needed.asked.suffix(3) == ["home", "userinfo", "revoked"])
        let unneeded = try answer(nil, "guest alice-1 https://issuer.example.com\n")
        #expect(unneeded.lines?.count == 1 && !unneeded.asked.contains("userinfo"))
    }

    @Test(
        "Another's, a failed or a malformed answer is no claims (C28)",
        arguments: [
            nil, "", "{}", #"{"sub":"bob","groups":["admins"]}"#, #"{"sub":["alice-1"],"groups":["admins"]}"#, #"{"groups":["admins"]}"#,
            #"{"sub":"alice-1","sub":"alice-1","groups":["admins"]}"#, #"{"sub":"alice-1","groups":["users"]}"#, "<html>",
        ])
    func useless(_ userinfo: String?) throws {
        #expect(try answer(userinfo).refusal == .noRowAdmits)
    }

    @Test("It cannot undo a deny list, and is not asked then")
    func denied() throws {
        let answer = try Answer(try login()) {
            $0.configText = "deny_users: [guest]\n"
            $0.userinfoAnswer = #"{"sub":"alice-1","groups":["admins"]}"#
        }
        #expect(answer.refusal == .denied && !answer.asked.contains("userinfo"))
    }

    @Test("Without an access token nobody is asked")
    func noToken() throws {
        let answer = try Answer(try MintedLogin()) {
            $0.authIDText = "guest oidc:groups:admins https://issuer.example.com\n"
            $0.userinfoAnswer = #"{"sub":"alice-1","groups":["admins"]}"#
        }
        #expect(answer.refusal == .noRowAdmits && !answer.asked.contains("userinfo"))
    }
}
