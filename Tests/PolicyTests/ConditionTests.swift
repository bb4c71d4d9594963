import JOSE
import Testing
import Vocabulary

@testable import Policy

/// Conditions of rows, held against logins: what holds, what does not, and the very second between the two.
@Suite("Conditions of a row")
struct ConditionTests {
    private func verdict(
        _ options: String, _ claims: JSON = [:], at now: UnixTime = someMonday, from address: String? = nil
    ) throws -> Deliberation.Verdict {
        try Question {
            $0.rows = Question.row(options)
            $0.claims = claims
            $0.now = now
            $0.address = address
        }.verdict()
    }

    static func seconds(_ number: Int64) -> UnixTime { UnixTime(seconds: number) }

    /// Options, claims, and seconds after 2026-11-23 12:00:00 UTC. `iat` is a minute before that, unless a claim says otherwise.
    static let moments: [(options: String, claims: JSON, second: Int64, admits: Bool)] = [
        ("expires=\"2026-11-23T12:00Z\"", [:], -1, true), ("expires=\"2026-11-23T12:00Z\"", [:], 0, false),
        ("expires=\"2026-11-23T13:00:00+01:00\"", [:], -1, true), ("expires=\"2026-11-23T13:00:00+01:00\"", [:], 0, false),
        ("expires=\"2026-11-23T12:00Z\"", [:], 1_000_000, false), ("starts=\"2026-11-23T12:00Z\"", [:], -1, false),
        ("starts=\"2026-11-23T12:00Z\"", [:], 0, true), ("starts=\"2026-11-23T12:00Z\"", [:], 1_000_000, true),
        ("starts=\"2026-11-23T12:00Z\",expires=\"2026-11-23T12:00:01Z\"", [:], -1, false),
        ("starts=\"2026-11-23T12:00Z\",expires=\"2026-11-23T12:00:01Z\"", [:], 0, true),
        ("starts=\"2026-11-23T12:00Z\",expires=\"2026-11-23T12:00:01Z\"", [:], 1, false),
        ("hours=\"mon 12:00-12:01\"", [:], -1, false), ("hours=\"mon 12:00-12:01\"", [:], 0, true),
        ("hours=\"mon 12:00-12:01\"", [:], 59, true), ("hours=\"mon 12:00-12:01\"", [:], 60, false),
        ("hours=\"tue 12:00-12:01\"", [:], 0, false), ("hours=\"mon 13:00-14:00 Europe/Berlin\"", [:], 0, true),
        ("hours=\"mon 12:00-13:00 Europe/Berlin\"", [:], 0, false), ("hours=\"sun 22:00-13:00\"", [:], 0, true),
        ("max-age=\"1h\"", ["iat": 1_795_435_200], -1, true), ("max-age=\"1h\"", ["iat": 1_795_435_200], 3599, true),
        ("max-age=\"1h\"", ["iat": 1_795_435_200], 3600, false), ("max-age=\"1s\"", ["iat": 1_795_435_200], 0, true),
        ("max-age=\"1s\"", ["iat": 1_795_435_200], 1, false), ("max-auth-age=\"4h\"", ["auth_time": 1_795_435_200], 14_399, true),
        ("max-auth-age=\"4h\"", ["auth_time": 1_795_435_200], 14_400, false),
        ("max-auth-age=\"4h\"", ["auth_time": 1_795_435_200], -60, true),
        ("max-auth-age=\"4h\"", ["auth_time": 1_795_435_200], -61, false), ("max-auth-age=\"4h\"", [:], 0, false),
        ("max-auth-age=\"4h\"", ["auth_time": "1795435200"], 0, false), ("max-auth-age=\"4h\"", ["auth_time": nil], 0, false),
        ("max-auth-age=\"4h\"", ["auth_time": [1_795_435_200]], 0, false), ("max-auth-age=\"4h\"", ["auth_time": 0], 0, false),
    ]

    @Test("a time holds from its first second to its last and not one longer", arguments: moments.indices)
    func times(_ index: Int) throws {
        let (options, claims, second, admits) = Self.moments[index]
        let verdict = try verdict(options, claims, at: someMonday + second)
        #expect(verdict.isAdmitted == admits, "\(options) at \(second): \(verdict)")
        if !admits { #expect(verdict.code == .conditionNotMet) }
    }

    static let facts: [(options: String, claims: JSON, admits: Bool)] = [
        ("amr=\"hwk\"", ["amr": ["pwd", "hwk"]], true), ("amr=\"hwk|fido\"", ["amr": ["fido"]], true),
        ("amr=\"hwk|fido\"", ["amr": "fido"], true), ("amr=\"hwk\"", ["amr": ["HWK"]], false), ("amr=\"hwk\"", ["amr": ["hwk2"]], false),
        ("amr=\"hwk\"", ["amr": "pwd hwk"], false), ("amr=\"hwk\"", ["amr": [["hwk"]]], false),
        ("amr=\"hwk\"", ["amr": ["hwk": true]], false),
        ("amr=\"hwk\"", ["amr": nil], false), ("amr=\"hwk\"", ["amr": []], false), ("amr=\"hwk\"", [:], false),
        ("amr=\"hwk\"", ["amr": "hwk|fido"], false), ("acr=\"phr\"", ["acr": "phr"], true), ("acr=\"phr\"", ["acr": "phrh"], false),
        ("acr=\"phr\"", ["acr": "PHR"], false), ("acr=\"phr\"", ["acr": ["phr", "x"]], false),
        ("acr=\"phr\"", ["acr": ["x", "phr"]], false),
        ("acr=\"1\"", ["acr": 1], true), ("acr=\"phr\"", ["acr": nil], false), ("acr=\"phr\"", [:], false),
        ("acr=\"urn:a,b\"", ["acr": "urn:a,b"], true), ("claim=\"a:b\"", ["a": "b"], true), ("claim=\"a:b\"", ["a": ["x", "b"]], true),
        ("claim=\"a:b\"", ["a": "B"], false), ("claim=\"a:b\"", ["A": "b"], false), ("claim=\"a:b\"", [:], false),
        ("claim=\"a:b:c\"", ["a": "b:c"], true), ("claim=\"a:null\"", ["a": nil], false), ("claim=\"a:true\"", ["a": true], true),
        ("claim=\"a:5\"", ["a": 5], true), ("claim=\"a:b\"", ["a": ["b": 1]], false), ("claim=\"a:b\"", ["a": [["b"]]], false),
        ("claim=\"a:b\",claim=\"c:d\"", ["a": "b", "c": "d"], true), ("claim=\"a:b\",claim=\"c:d\"", ["a": "b"], false),
        ("claim=\"a:b\",claim=\"c:d\"", ["c": "d"], false), ("claim=\"a:b\",claim=\"a:c\"", ["a": ["b", "c"]], true),
        ("claim=\"a:b\",claim=\"a:c\"", ["a": "b"], false),
        (#"claim="\"https://acme.com/roles\":dev""#, ["https://acme.com/roles": ["dev"]], true),
        (#"claim="\"https://acme.com/roles\":dev""#, ["https": "//acme.com/roles:dev"], false),
        ("claim=\"email:a@b.c\"", ["email": "a@b.c"], true), ("claim=\"email:a@b.c\"", ["email": "a@b.c", "email_verified": true], true),
        ("claim=\"email:a@b.c\"", ["email": "a@b.c", "email_verified": false], false),
        ("claim=\"email:a@b.c\"", ["email": "a@b.c", "email_verified": "false"], false),
        ("claim=\"email:a@b.c\"", ["email": "x@b.c", "email_verified": true], false),
        ("claim=\"email_verified:true\"", ["email_verified": true], true),
        ("claim=\"email_verified:true\"", ["email_verified": false], false),
        ("reason=\"why\"", [:], true), ("break-glass", [:], true),
    ]

    @Test("what the token says of itself", arguments: facts.indices)
    func claims(_ index: Int) throws {
        let (options, claims, admits) = Self.facts[index]
        let verdict = try verdict(options, claims)
        #expect(verdict.isAdmitted == admits, "\(options) \(claims): \(verdict)")
        let isTheEmail = claims.object?["email_verified"] != nil && claims.object?["email"] == "a@b.c"
        if !admits { #expect(verdict.code == (isTheEmail ? .emailNotVerified : .conditionNotMet)) }
    }

    @Test("one condition of several that does not hold is enough, and each that does not is named")
    func together() throws {
        let options = "amr=\"hwk\",claim=\"a:b\",hours=\"mon 11:00-13:00\",from=\"10.0.0.0/8\",expires=\"2026-11-24T00:00Z\",max-age=\"1h\""
        let claims: JSON = ["amr": ["hwk"], "a": "b"]
        #expect(try verdict(options, claims, from: "10.1.1.1").lines == [1])
        #expect(try verdict(options, ["amr": ["hwk"]], from: "10.1.1.1").code == .conditionNotMet)
        #expect(try verdict(options, claims, from: "11.1.1.1").code == .conditionNotMet)
        let question = Question {
            $0.rows = Question.row(options)
            $0.now = someMonday + 86_400
            $0.address = "11.1.1.1"
        }
        let asked = try question.asked()
        #expect(asked.rows.count == 1 && asked.rows[0].obstacles.count == 5)
        #expect(asked.verdict.detail?.hasPrefix("auth_id, line 1: expired 12 h ago (2026-11-24T00:00:00Z); ") == true)
    }

    @Test("a row whose condition does not hold leaves the others alone")
    func others() throws {
        let rows = Question.row("expires=\"2020-01-01T00:00Z\"") + Question.row("pty") + Question.row("amr=\"hwk\"")
        #expect(try Question { $0.rows = rows }.verdict().lines == [2])
        #expect(
            try Question {
                $0.rows = rows; $0.claims = ["amr": "hwk"]
            }.verdict().lines == [2, 3])
    }
}

@Suite("account-claim, break-glass and from")
struct PlaceTests {
    private func verdict(
        _ claims: JSON, account: String = "alice", named: String = "*", _ number: UserIDAnswer = .known(1000), options: String = ""
    ) throws -> Deliberation.Verdict {
        try Question {
            $0.rows = Question.row("account-claim=\"name\"" + options, account: named)
            $0.claims = claims
            $0.account = account
            $0.evidence.userID = number
        }.verdict()
    }

    @Test("account-claim admits to the account that the claim names, and to no other")
    func names() throws {
        for named in ["*", "alice"] {
            #expect(try verdict(["name": "alice"], named: named).lines == [1])
            for other: JSON in ["bob", "Alice", "alice ", "", nil, ["alice"], [["alice"]], ["alice": 1], true, 1000, ["a": "alice"]] {
                #expect(try verdict(["name": other], named: named).code == .conditionNotMet, "\(named) \(other)")
            }
            #expect(try verdict([:], named: named).code == .conditionNotMet)
            #expect(try verdict(["Name": "alice"], named: named).code == .conditionNotMet)
        }
        #expect(try verdict(["name": "alice"], named: "bob").code == .noRowAdmits)
        #expect(try verdict(["name": "alice"], account: "bob", named: "alice").code == .noRowAdmits)
        #expect(try verdict(["name": "5"], account: "5").lines == [1])
        #expect(try verdict(["name": 5], account: "5").code == .conditionNotMet, "a number is no name")
        #expect(try verdict(["name": "alice"], options: ",claim=\"a:b\"").code == .conditionNotMet)
    }

    @Test(
        "account-claim never admits to an account below 1000, to nobody, or to one whose number is not known",
        arguments: [
            (.known(0), false), (.known(1), false), (.known(999), false), (.known(1000), true), (.known(1001), true), (.known(.max), true),
            (.unknown, false), (.known(65_533), true), (.known(65_534), false),
        ] as [(UserIDAnswer, Bool)])
    func numbers(number: UserIDAnswer, admits: Bool) throws {
        for named in ["*", "alice"] {
            #expect(try verdict(["name": "alice"], named: named, number).isAdmitted == admits)
            if !admits { #expect(try verdict(["name": "alice"], named: named, number).code == .conditionNotMet) }
        }
    }

    @Test("the number is asked for where a row lacks nothing else, and only there")
    func asks() throws {
        #expect(try verdict(["name": "alice"], .notAsked) == .needs(.userID))
        #expect(try verdict(["name": "bob"], .notAsked).code == .conditionNotMet)
        #expect(try verdict(["name": "alice"], .notAsked, options: ",amr=\"hwk\"").code == .conditionNotMet)
        #expect(try Question { $0.rows = Question.row("pty") }.verdict().lines == [1])
    }

    @Test(
        "V63 an email names the account only where it may decide",
        arguments: [(true, true), (nil, true), (false, false), ("false", false)] as [(JSON?, Bool)])
    func email(verified: JSON?, admits: Bool) throws {
        var claims: JSON = ["email": "boss@corp.example"]
        if let verified { claims = ["email": "boss@corp.example", "email_verified": verified] }
        let verdict = try Question {
            $0.rows = Question.row("account-claim=\"email\"", account: "*")
            $0.account = "boss@corp.example"
            $0.claims = claims
            $0.evidence.userID = .known(4321)
        }.verdict()
        #expect(verdict.isAdmitted == admits)
    }

    @Test("userinfo may name the account")
    func userinfo() throws {
        var question = Question {
            $0.rows = Question.row("account-claim=\"name\"", account: "*")
            $0.account = "alice"
            $0.accessToken = true
            $0.evidence.userID = .known(1000)
        }
        #expect(try question.verdict() == .needs(.userinfo))
        question.userinfo = ["name": "alice"]
        #expect(try question.verdict().lines == [1])
        question.userinfo = ["name": "bob"]
        #expect(try question.verdict().code == .conditionNotMet)
    }

    @Test("a row marked break-glass admits under a requirement that names it as its exception, and is marked in the grant")
    func breakGlass() throws {
        let rule = "require: [{accounts: [root], amr: [hwk]}]"
        let excepting = "require: [{accounts: [root], amr: [hwk], except_break_glass: true}]"
        let rows = Question.row("pty") + Question.row("break-glass")
        #expect(
            try Question {
                $0.rows = rows; $0.config = rule
            }.verdict().code == .requirementNotMet)
        let verdict = try Question {
            $0.rows = rows; $0.config = excepting
        }.verdict()
        #expect(verdict.lines == [2] && verdict.grants?[0].isBreakGlass == true)
        #expect(
            try Question {
                $0.rows = Question.row("pty"); $0.config = excepting
            }.verdict().code == .requirementNotMet)
        let both = try Question {
            $0.rows = rows; $0.config = excepting; $0.claims = ["amr": "hwk"]
        }.verdict()
        #expect(both.lines == [1, 2] && both.grants?.map(\.isBreakGlass) == [false, true])
        #expect(
            try Question {
                $0.rows = rows; $0.config = excepting.replacing("}]", with: "}, {accounts: ['*'], acr: x}]")
            }.verdict().code
                == .requirementNotMet, "another rule binds it still")
        #expect(
            try Question {
                $0.rows = rows; $0.config = excepting + "\ndeny_users: [root]"
            }.verdict().code == .denied)
        #expect(
            try Question {
                $0.rows = Question.row("break-glass,expires=\"2020-01-01T00:00Z\""); $0.config = excepting
            }.verdict().code
                == .conditionNotMet, "its own conditions hold all the same")
    }

    @Test("in a home file, break-glass makes a bad row")
    func breakGlassAtHome() throws {
        let home = AuthID(home: Array((Question.row("break-glass") + Question.row("restrict")).utf8), of: principal("root"))
        #expect(home.rows.map(\.line) == [2] && home.problems.map(\.line) == [1])
        let question = Question {
            $0.rows = ""
            $0.config = "require: [{accounts: [root], amr: [hwk], except_break_glass: true}]"
            $0.evidence.home = .rows(home)
        }
        #expect(try question.verdict().code == .requirementNotMet)
    }

    static let places: [(from: String, address: String, admits: Bool?)] = [
        ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.0.0.0/8", "9.255.255.255", false),
        ("10.0.0.1", "10.0.0.1", true), ("10.0.0.1", "10.0.0.2", false), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("::ffff:10.0.0.0/104", "10.1.2.3", true), ("10.0.0.0/8", "::10.1.2.3", false), ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false), ("2001:db8::/32", "10.0.0.1", false), ("fe80::/10", "fe80::1%eth0", true),
        ("10.0.0.0/8,!10.9.0.0/16", "10.9.0.1", false), ("!10.9.0.0/16,10.0.0.0/8", "10.8.0.1", true),
        ("10.0.0.0/8,2001:db8::/32", "2001:db8::1", true), ("*", "192.0.2.1", true), ("192.0.2.*", "192.0.2.77", true),
        ("*.example.com", "10.0.0.1", nil), ("10.0.0.0/8,*.example.com", "10.0.0.1", true), ("10.0.0.0/8,!*.example.com", "10.0.0.1", nil),
        ("10.0.0.0/8,!*.example.com", "11.0.0.1", false),
    ]

    @Test(
        "from is checked where the address is known, and printed as well; where a host's name decides, sshd does", arguments: places.indices
    )
    func from(_ index: Int) throws {
        let (from, address, admits) = Self.places[index]
        let question = Question {
            $0.rows = Question.row("from=\"\(from)\"")
            $0.address = address
        }
        let verdict = try question.verdict()
        #expect(verdict.isAdmitted == (admits ?? true), "\(verdict)")
        if admits == false {
            #expect(verdict.code == .conditionNotMet)
        } else {
            let list = try SourceList(Text(from))
            #expect(verdict.grants?[0].from == list)
            #expect(verdict.grants?[0].isConditional == (admits == nil))
        }
        let unknown = try Question { $0.rows = Question.row("from=\"\(from)\"") }.verdict()
        #expect(unknown.grants?[0].isConditional == true)
        #expect(try unknown.grants?[0].from == SourceList(Text(from)), "for sshd to check")
    }

    @Test("a row that sshd may turn down does not keep a home file, userinfo or a plugin from being asked; one that is sure does")
    func conditional() throws {
        var question = Question {
            $0.rows = Question.row("from=\"10.0.0.0/8\"")
            $0.evidence = Evidence()
        }
        #expect(try question.verdict() == .needs(.home))
        question.address = "10.0.0.1"
        #expect(try question.verdict().lines == [1])
        question.rows = Question.row("from=\"*.example.com\"")
        #expect(try question.verdict() == .needs(.home))
        question.evidence.home = .rows(AuthID(home: Array(Question.row("no-pty").utf8), of: principal("root")))
        #expect(try question.verdict().grants?.map(\.source) == [.row(1), .home(1)])
        question.evidence.home = .absent
        #expect(try question.verdict() == .needs(.plugins))
        question.evidence.plugins = .allowed(name: "p", notes: [])
        #expect(try question.verdict().grants?.map(\.source) == [.row(1), .plugin("p")])
        question.evidence.plugins = .refused([])
        #expect(try question.verdict().grants?.map(\.source) == [.row(1)])
        question.rows = Question.row("from=\"*.example.com\"") + Question.row("", "oidc:groups:x")
        question.accessToken = true
        #expect(try question.verdict() == .needs(.userinfo))
        question.rows += Question.row("pty")
        #expect(try question.verdict().lines == [1, 3])
    }
}
