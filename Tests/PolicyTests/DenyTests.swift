import JOSE
import Testing
import Vocabulary

@testable import Policy

@Suite("Deny lists and revocations")
struct DenyTests {
    static let list = "deny_groups: [contractors-ended, '5', Über]"

    static let lists: [(claims: JSON, code: Refusal.Code?)] = [
        ([:], nil), (["groups": []], nil), (["groups": nil], nil), (["groups": ["staff"]], nil), (["groups": "staff"], nil),
        (["groups": ["contractors-ended"]], .denied), (["groups": ["staff", "Contractors-ENDED"]], .denied),
        (["groups": "CONTRACTORS-ended"], .denied), (["groups": ["contractors-ended "]], nil), (["groups": ["contractors"]], nil),
        (["groups": "staff contractors-ended"], nil), (["groups": [5]], .denied), (["groups": 5], .denied), (["groups": ["05", 55]], nil),
        (["groups": ["Über"]], .denied), (["groups": ["über"]], nil), (["groups": [true]], nil), (["groups": true], nil),
        (["Groups": ["contractors-ended"]], nil), (["roles": ["contractors-ended"]], nil),
        (["groups": ["contractors-ended": true]], .groupsUnknown), (["groups": [:]], .groupsUnknown),
        (["groups": [["contractors-ended"]]], .groupsUnknown), (["groups": ["staff", nil]], .groupsUnknown),
        (["groups": [["name": "x"]]], .groupsUnknown), (["groups": [nil, "contractors-ended"]], .denied),
        (["_claim_names": ["groups": "src1"]], .groupsUnknown),
        (["_claim_names": ["groups": "src1"], "groups": ["staff"]], .groupsUnknown),
        (["_claim_names": ["groups": "src1"], "groups": ["contractors-ended"]], .denied), (["_claim_names": ["address": "src1"]], nil),
        (["_claim_names": [:]], nil), (["_claim_names": "groups"], .groupsUnknown), (["_claim_names": nil], .groupsUnknown),
        (["_claim_names": ["groups"]], .groupsUnknown), (["hasgroups": true], .groupsUnknown), (["hasgroups": "true"], .groupsUnknown),
        (["hasgroups": false], nil), (["hasgroups": true, "groups": ["staff"]], nil), (["hasgroups": true, "groups": nil], .groupsUnknown),
    ]

    @Test("deny_groups: whoever is in one is out, and so is everybody of whom it cannot be known", arguments: lists.indices)
    func groups(_ index: Int) throws {
        let (claims, code) = Self.lists[index]
        let verdict = try Question {
            $0.claims = claims; $0.config = Self.list
        }.verdict()
        #expect(verdict.code == code && verdict.isAdmitted == (code == nil), "\(claims): \(verdict)")
        #expect(try Question { $0.claims = claims }.verdict().isAdmitted, "without the list, all are admitted")
        #expect(
            try Question {
                $0.claims = claims; $0.config = "deny_groups: []"
            }.verdict().isAdmitted)
    }

    @Test(
        "a claim that the provider's row names must be there",
        arguments: [
            ([:], .groupsUnknown), (["groups": ["staff"]], .groupsUnknown), (["roles": nil], .groupsUnknown), (["roles": []], nil),
            (["roles": ["staff"]], nil), (["roles": ["contractors-ended"]], .denied), (["roles": "contractors-ended"], .denied),
            (["groups": ["contractors-ended"], "roles": ["staff"]], nil), (["roles": ["a": "b"]], .groupsUnknown),
            (["roles": ["staff"], "_claim_names": ["groups": "src1"]], nil), (["roles": ["staff"], "hasgroups": true], nil),
            (["roles": ["staff"], "_claim_names": ["roles": "src1"]], .groupsUnknown),
        ] as [(JSON, Refusal.Code?)])
    func named(claims: JSON, code: Refusal.Code?) throws {
        let question = Question {
            $0.claims = claims
            $0.config = Self.list
            $0.groupsClaim = "roles"
        }
        #expect(try question.verdict().code == code)
        #expect(try question.verdict().isAdmitted == (code == nil))
    }

    static let answers: [(token: JSON, userinfo: JSON, code: Refusal.Code?)] = [
        (["_claim_names": ["groups": "s"]], ["groups": ["staff"]], nil),
        (["_claim_names": ["groups": "s"]], ["groups": ["contractors-ended"]], .denied),
        (["_claim_names": ["groups": "s"]], [:], .groupsUnknown),
        (["_claim_names": ["groups": "s"]], ["_claim_names": ["groups": "s"]], .groupsUnknown),
        (["_claim_names": ["groups": "s"], "groups": ["Contractors-ended"]], ["groups": ["staff"]], .denied),
        (["groups": ["contractors-ended", nil]], ["groups": ["staff"]], .denied), (["hasgroups": true], ["groups": ["staff"]], nil),
        (["hasgroups": true], [:], .groupsUnknown), (["groups": ["staff"]], ["groups": ["contractors-ended"]], .denied),
        (["groups": ["contractors-ended"]], ["groups": ["staff"]], .denied), (["groups": ["staff"]], ["groups": ["x": 1]], .groupsUnknown),
        ([:], ["groups": "contractors-ended"], .denied), ([:], [:], nil),
    ]

    @Test("userinfo's groups count too, and may say what the token leaves open; what the token says stands", arguments: answers.indices)
    func userinfo(_ index: Int) throws {
        let (token, userinfo, code) = Self.answers[index]
        var question = Question {
            $0.claims = token
            $0.config = Self.list
            $0.accessToken = true
            $0.userinfo = userinfo
        }
        #expect(try question.verdict().code == code, "\(token) \(userinfo)")
        #expect(try question.verdict().isAdmitted == (code == nil))
        question.userinfo = nil
        let isOpen =
            try Question {
                $0.claims = token; $0.config = Self.list
            }.verdict().code == .groupsUnknown
        if isOpen { #expect(try question.verdict() == .needs(.userinfo)) }
        question.config += "\ndeny_users: [root]"
        #expect(try question.verdict().code == .denied, "userinfo is not asked where a list names the login anyhow")
    }

    @Test(
        "revoked: an email, a subject, a key, an issuer; each with and without a time",
        arguments: [
            ("email:a@b.c", true), ("email:A@B.C", true), ("email:x@b.c", false), ("sub:sub-1@https://idp.example.com", true),
            ("sub:sub-2@https://idp.example.com", false), ("sub:sub-1@https://other.example.com", false),
            ("sub:SUB-1@https://idp.example.com", false), ("key:SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", true),
            ("key:SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE", false), ("issuer:https://idp.example.com", true),
            ("issuer:https://other.example.com", false),
        ])
    func revoked(row: String, isOut: Bool) throws {
        func verdict(_ text: String) throws -> Deliberation.Verdict {
            var login = login(
                ["email": "a@b.c", "email_verified": false, "iat": 1_795_435_100],
                key: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
            var evidence = Evidence.withoutHomeAndPlugins
            evidence.revocations = try Revocations(parsing: Array(text.utf8))
            return login.deliberate(AuthID(parsing: Array(Question.row("").utf8)), ServerConfig(), evidence).verdict
        }
        #expect(try verdict(row).code == (isOut ? .revoked : nil))
        #expect(try verdict("# c\nemail:other@b.c\n\(row)").code == (isOut ? .revoked : nil))
        // iat is 2026-11-23T11:58:20Z.
        #expect(try verdict(row + " 2026-11-23T11:58:20Z").isAdmitted, "issued at that very moment, so not before it")
        #expect(try verdict(row + " 2026-11-23T11:58:21Z").code == (isOut ? .revoked : nil))
        if isOut { #expect(try verdict(row).detail == "line 1 of revoked: \(row)") }
    }

    @Test("an email that only userinfo knows is revoked and denied all the same")
    func userinfoEmail() throws {
        let question = Question {
            $0.rows = Question.row("", "oidc:groups:a")
            $0.userinfo = ["groups": "a", "email": "U@b.c", "email_verified": false]
        }
        #expect(try question.verdict().isAdmitted)
        var revoked = question
        revoked.revoked = "email:u@B.c"
        #expect(try revoked.verdict().code == .revoked)
        var denied = question
        denied.config = "deny_emails: [u@B.c]"
        #expect(try denied.verdict().code == .denied)
    }

    @Test("a denial beats every row, break-glass, every exception, home files and plugins, and asks for nothing")
    func beats() throws {
        for (config, revoked) in [
            ("deny_users: [ROOT]", ""), ("deny_emails: [A@b.c]", ""), ("deny_groups: [G]", ""), ("", "issuer:https://idp.example.com"),
            ("", "email:a@b.c"),
        ] {
            var question = Question {
                $0.claims = ["email": "a@b.c", "groups": ["g"], "preferred": "root"]
                $0.rows = Question.row("break-glass") + Question.row("") + Question.row("account-claim=\"preferred\"", account: "*")
                $0.config = config + "\nrequire: [{accounts: ['*'], amr: [x], except_groups: [g], except_break_glass: true}]"
                $0.revoked = revoked
                $0.accessToken = true
                $0.evidence = Evidence()
                $0.evidence.home = .rows(AuthID(home: Array(Question.row("").utf8), of: principal("root")))
                $0.evidence.plugins = .allowed(name: "p", notes: [])
            }
            let code: Refusal.Code = revoked.isEmpty ? .denied : .revoked
            #expect(try question.verdict().code == code)
            #expect(try question.asked().denials.count == 1)
            question.evidence = Evidence()
            question.rows = ""
            #expect(try question.verdict().code == code)
        }
    }

    @Test(
        "each list that denies says in which line: a block, a flow, a name twice, and a list that cannot be held against the login",
        arguments: [
            ("deny_users: [bob, ROOT]", ["email": "a@b.c"], [1]),
            ("# c\ndeny_users:\n  - bob\n\n  - Root\n  - root\n", ["email": "a@b.c"], [5]),
            (
                "deny_groups:\n  - x\n  - \"G\"\ndeny_emails: [\n  c@d.e,\n  A@b.c]\ndeny_users:\n- root",
                ["email": "a@b.c", "groups": ["g"]], [8, 6, 3]
            ),
            ("skew: 60s\ndeny_groups:\n  - x\n  - y", ["hasgroups": true], [3]),
            ("deny_groups:\n  - x\n  - g\n", ["groups": ["a", "g"]], [3]),
        ] as [(String, JSON, [Int])])
    func lines(config: String, claims: JSON, lines: [Int]) throws {
        let question = Question {
            $0.claims = claims
            $0.config = config
        }
        #expect(try question.asked().denials.map(\.line) == lines)
    }
}
