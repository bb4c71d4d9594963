import JOSE
import Testing
import Vocabulary

@testable import Policy

@Suite("Requirements of config.yml")
struct RequirementTests {
    private func verdict(
        _ rules: [String], _ claims: JSON = [:], at now: UnixTime = someMonday, from address: String? = nil, rows: String? = nil
    ) throws -> Deliberation.Verdict {
        try Question {
            $0.config = "require:\n" + rules.map { "  - {\($0)}\n" }.joined()
            $0.claims = claims
            $0.now = now
            $0.address = address
            if let rows { $0.rows = rows }
        }.verdict()
    }

    static let cases: [(rule: String, claims: JSON, second: Int64, holds: Bool)] = [
        ("groups: [a, b]", ["groups": ["b"]], 0, true), ("groups: [a, b]", ["groups": "a"], 0, true),
        ("groups: [a, b]", ["groups": ["c"]], 0, false), ("groups: [a]", ["groups": ["A"]], 0, false), ("groups: [a]", [:], 0, false),
        ("groups: ['5']", ["groups": [5]], 0, true), ("groups: [a]", ["groups": ["a": 1]], 0, false),
        ("groups: [a]", ["_claim_names": ["groups": "src1"]], 0, false), ("amr: [hwk, fido]", ["amr": ["pwd", "fido"]], 0, true),
        ("amr: [hwk, fido]", ["amr": "hwk"], 0, true), ("amr: [hwk, fido]", ["amr": ["pwd"]], 0, false), ("amr: [hwk]", [:], 0, false),
        ("acr: phr", ["acr": "phr"], 0, true), ("acr: phr", ["acr": "phrh"], 0, false), ("acr: '1'", ["acr": "1"], 0, true),
        ("acr: phr", [:], 0, false), ("max_age: 4h", ["iat": 1_795_435_200], 14_399, true),
        ("max_age: 4h", ["iat": 1_795_435_200], 14_400, false), ("max_auth_age: 1h", ["auth_time": 1_795_435_200], 3599, true),
        ("max_auth_age: 1h", ["auth_time": 1_795_435_200], 3600, false), ("max_auth_age: 1h", [:], 0, false),
        ("max_auth_age: 1h", ["auth_time": 1_795_435_200], -61, false), ("hours: '12:00-12:01'", [:], 0, true),
        ("hours: '12:00-12:01'", [:], 59, true), ("hours: '12:00-12:01'", [:], 60, false), ("hours: 'mon 12:00-13:00'", [:], -1, false),
        ("hours: 'tue 12:00-13:00'", [:], 0, false), ("hours: 'mon 12:30-13:30 Europe/Berlin'", [:], 0, true),
        ("verified_email: true", ["email": "a@b.c", "email_verified": true], 0, true),
        ("verified_email: true", ["email": "a@b.c", "email_verified": "true"], 0, true),
        ("verified_email: true", ["email": "a@b.c", "email_verified": false], 0, false),
        ("verified_email: true", ["email": "a@b.c"], 0, false), ("verified_email: true", ["email_verified": true], 0, false),
        ("verified_email: true", [:], 0, false), ("amr: [hwk], groups: [a]", ["amr": "hwk", "groups": "a"], 0, true),
        ("amr: [hwk], groups: [a]", ["amr": "hwk"], 0, false), ("amr: [hwk], groups: [a]", ["groups": "a"], 0, false),
        ("amr: [hwk], except_groups: [oncall, x]", ["groups": "oncall"], 0, true),
        ("amr: [hwk], except_groups: [oncall]", ["groups": "Oncall"], 0, false), ("amr: [hwk], except_groups: [oncall]", [:], 0, false),
        ("amr: [hwk], except_groups: [oncall]", ["_claim_names": ["groups": "src1"]], 0, false),
        ("amr: [hwk], except_break_glass: true", [:], 0, false), ("amr: [hwk], except_break_glass: false", ["amr": "hwk"], 0, true),
    ]

    @Test("each key, with what holds and what does not", arguments: cases.indices)
    func keys(_ index: Int) throws {
        let (rule, claims, second, holds) = Self.cases[index]
        for accounts in ["[root]", "['*']", "[deploy, root]", "[Root]"] {
            let verdict = try verdict(["accounts: \(accounts), \(rule)"], claims, at: someMonday + second)
            #expect(verdict.isAdmitted == holds, "\(rule) \(claims) \(second): \(verdict)")
            if !holds { #expect(verdict.code == .requirementNotMet) }
        }
        for accounts in ["[deploy]", "[root2, roo]"] {
            #expect(try verdict(["accounts: \(accounts), \(rule)"], claims, at: someMonday + second).lines == [1], "about others")
        }
    }

    @Test("every rule that is about the account must hold, whatever row admits")
    func all() throws {
        let rules = ["accounts: [root], amr: [hwk]", "accounts: ['*'], groups: [a]", "accounts: [deploy], acr: x"]
        let rows = Question.row("pty") + Question.row("reason=\"x\"") + Question.row("", "oidc:groups:a")
        #expect(try verdict(rules, ["amr": "hwk", "groups": "a"], rows: rows).lines == [1, 2, 3])
        #expect(try verdict(rules, ["amr": "hwk"], rows: rows).code == .requirementNotMet)
        #expect(try verdict(rules, ["groups": "a"], rows: rows).code == .requirementNotMet)
        #expect(try verdict(rules.reversed(), ["groups": "a"], rows: rows).code == .requirementNotMet)
        let detail = try verdict(rules, ["groups": "a"], rows: rows).detail
        #expect(detail == "the requirement in line 2 of config.yml wants amr hwk; the token has no amr")
        #expect(try verdict(rules, [:], rows: Question.row("", "bob")).code == .noRowAdmits, "no row is the reason where there is none")
    }

    @Test("a rule binds home files and plugins too")
    func everybody() throws {
        var question = Question {
            $0.rows = ""
            $0.config = "require: [{accounts: ['*'], amr: [hwk]}]"
            $0.evidence.home = .rows(AuthID(home: Array(Question.row("").utf8), of: principal("root")))
            $0.evidence.plugins = .allowed(name: "p", notes: [])
        }
        #expect(try question.verdict().code == .requirementNotMet)
        question.claims = ["amr": "hwk"]
        #expect(try question.verdict().grants?.map(\.source) == [.home(1)])
        question.evidence.home = .absent
        #expect(try question.verdict().grants?.map(\.source) == [.plugin("p")])
        question.claims = [:]
        #expect(try question.verdict().code == .noRowAdmits)
        #expect(try question.verdict().detail?.contains("besides, the requirement in line 1 of config.yml wants amr hwk") == true)
    }

    @Test("userinfo can make a rule about groups and emails hold, and except by a group; never one about how somebody authenticated")
    func userinfo() throws {
        func question(_ rule: String, _ userinfo: JSON?) -> Question {
            Question {
                $0.config = "require: [{accounts: ['*'], \(rule)}]"
                $0.accessToken = true
                $0.userinfo = userinfo
            }
        }
        for (rule, good) in [
            ("groups: [a]", ["groups": ["a"]]), ("verified_email: true", ["email": "a@b.c", "email_verified": true]),
            ("amr: [hwk], except_groups: [a]", ["groups": "a"]),
        ] as [(String, JSON)] {
            #expect(try question(rule, nil).verdict() == .needs(.userinfo), "\(rule)")
            #expect(try question(rule, good).verdict().lines == [1], "\(rule)")
            #expect(try question(rule, [:]).verdict().code == .requirementNotMet, "\(rule)")
        }
        for (rule, claims) in [
            ("amr: [hwk]", ["amr": "hwk"]), ("acr: x", ["acr": "x"]), ("max_auth_age: 1h", ["auth_time": 1_795_435_200]),
            ("max_age: 1s", ["iat": 1_795_435_200]),
        ] as [(String, JSON)] {
            #expect(try question(rule, nil).verdict().code == .requirementNotMet, "\(rule)")
            #expect(try question(rule, claims).verdict().code == .requirementNotMet, "\(rule)")
        }
    }

    // MARK: - from

    @Test(
        "from is held against a known address, and then not printed",
        arguments: [
            ("10.1.1.1", true), ("::ffff:10.1.1.1", true), ("2001:db8::5", true), ("11.1.1.1", false), ("2001:db9::", false),
            ("::1", false),
        ])
    func knownAddress(address: String, admits: Bool) throws {
        let rule = "accounts: ['*'], from: [10.0.0.0/8, \"2001:db8::/32\"]"
        let verdict = try verdict([rule], from: address)
        #expect(verdict.isAdmitted == admits)
        if admits { #expect(verdict.from == [nil]) } else { #expect(verdict.code == .requirementNotMet) }
        #expect(
            try self.verdict([rule, "accounts: [root], from: [10.1.0.0/16]"], from: address).isAdmitted == address.hasSuffix("10.1.1.1"))
    }

    /// Rules' lists, the row's own, and what is printed; nil: refused.
    static let printed: [(rules: [String], own: String?, printed: String?)] = [
        (["10.0.0.0/8"], nil, "10.0.0.0/8"), (["10.0.0.0/8, '2001:db8::/32'"], nil, "10.0.0.0/8,2001:db8::/32"),
        (["10.0.0.0/8", "10.1.0.0/16"], nil, "10.1.0.0/16"), (["10.1.0.0/16", "10.0.0.0/8"], nil, "10.1.0.0/16"),
        (["10.0.0.0/8, 192.0.2.0/24", "192.0.2.1, 10.9.0.0/16, 11.0.0.0/8"], nil, "10.9.0.0/16,192.0.2.1"),
        (["10.0.0.0/8", "11.0.0.0/8"], nil, nil),
        (["10.0.0.0/8", "'::/0'"], nil, nil), (["10.0.0.0/8"], "10.1.0.0/16", "10.1.0.0/16"), (["10.0.0.0/8"], "0.0.0.0/0", "10.0.0.0/8"),
        (["10.0.0.0/8"], "192.0.2.0/24", nil), (["10.0.0.0/8"], "10.0.0.0/8,!10.9.0.0/16", "!10.9.0.0/16,10.0.0.0/8"),
        (["10.0.0.0/8"], "!10.0.0.0/8,0.0.0.0/0", nil), (["10.0.0.0/8"], "*", "10.0.0.0/8"), (["10.0.0.0/8"], "*.example.com", nil),
        (["10.0.0.0/8"], "10.1.0.0/16,*.example.com", nil),
        (["10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24"], "10.1.1.1,10.2.2.2", "10.1.1.1"),
    ]

    @Test(
        "from is printed where the address is not known: what rules and row have in common, or nothing admits", arguments: printed.indices)
    func unknownAddress(_ index: Int) throws {
        let (rules, own, printed) = Self.printed[index]
        let texts = rules.map { "accounts: ['*'], from: [\($0)]" }
        let rows = own.map { Question.row("from=\"\($0)\"") } ?? Question.row("")
        let verdict = try verdict(texts, rows: rows)
        if let printed {
            #expect(verdict.from == [printed])
        } else {
            #expect(verdict.code == .conditionNotMet, "\(verdict)")
        }
    }

    @Test("a plugin's grant gets what the rules have in common; where that is nothing, it is none")
    func plugin() throws {
        func verdict(_ lists: [String]) throws -> Deliberation.Verdict {
            try Question {
                $0.rows = ""
                $0.config = "require:\n" + lists.map { "  - {accounts: ['*'], from: [\($0)]}\n" }.joined()
                $0.evidence.plugins = .allowed(name: "p", notes: [])
            }.verdict()
        }
        #expect(try verdict(["10.0.0.0/8", "10.1.0.0/16"]).from == ["10.1.0.0/16"])
        #expect(try verdict(["10.0.0.0/8", "11.0.0.0/8"]).code == .noRowAdmits)
    }

    @Test("who is excepted by a group, or by break-glass, gets no from of the rule; the row's own stays")
    func exceptedFrom() throws {
        let rule = "accounts: ['*'], from: [10.0.0.0/8], except_groups: [oncall], except_break_glass: true"
        let rows = Question.row("from=\"192.0.2.1\"") + Question.row("") + Question.row("break-glass")
        #expect(try verdict([rule], ["groups": "oncall"], rows: rows).from == ["192.0.2.1", nil, nil])
        #expect(try verdict([rule], rows: rows).from == ["10.0.0.0/8", nil])
        #expect(try verdict([rule], rows: rows).lines == [2, 3])
        #expect(try verdict([rule], from: "11.0.0.1", rows: rows).lines == [3])
    }

    @Test("where userinfo may know a group that excepts from addresses for sshd to check, it is asked before they are printed")
    func exceptedByUserinfo() throws {
        var question = Question {
            $0.config = "require: [{accounts: ['*'], from: [10.0.0.0/8], except_groups: [oncall]}]"
            $0.accessToken = true
        }
        #expect(try question.verdict() == .needs(.userinfo))
        question.userinfo = [:]
        #expect(try question.verdict().from == ["10.0.0.0/8"])
        question.userinfo = ["groups": "oncall"]
        #expect(try question.verdict().from == [nil])
        question.userinfo = nil
        question.rows = Question.row("from=\"192.0.2.1\"")
        #expect(try question.verdict() == .needs(.userinfo))
        question.userinfo = ["groups": "oncall"]
        #expect(try question.verdict().from == ["192.0.2.1"])
        question.userinfo = nil
        question.address = "10.0.0.1"
        question.rows = Question.row("")
        #expect(try question.verdict().from == [nil], "not where there is nothing to check")
        question.address = nil
        question.config = "require: [{accounts: ['*'], from: [10.0.0.0/8]}]"
        #expect(try question.verdict().from == ["10.0.0.0/8"])
    }

    // MARK: - The file

    @Test(
        "a rule that cannot be read, binds nobody or asks for nothing is an error with its line",
        arguments: [
            ("{accounts: [root], amr: [hwk], amrs: [x]}", 3), ("{amr: [hwk]}", 3), ("{accounts: [root]}", 3),
            ("{accounts: [root], except_groups: [a]}", 3), ("{accounts: [root], verified_email: false}", 3),
            ("{accounts: [root], except_break_glass: true}", 3), ("{}", 3), ("{accounts: [], amr: [hwk]}", 3),
            ("{accounts: , amr: [hwk]}", 3), ("{accounts: root, amr: [hwk]}", 3), ("{accounts: ['ro*t'], amr: [hwk]}", 3),
            ("{accounts: ['-v'], amr: [hwk]}", 3), ("{accounts: [''], amr: [hwk]}", 3), ("{accounts: [root], amr: []}", 3),
            ("{accounts: [root], amr: }", 3), ("{accounts: [root], amr: hwk}", 3), ("{accounts: [root], amr: ['']}", 3),
            ("{accounts: [root], groups: []}", 3), ("{accounts: [root], groups: {a: b}}", 3), ("{accounts: [root], acr: }", 3),
            ("{accounts: [root], acr: ''}", 3), ("{accounts: [root], acr: [a]}", 3), ("{accounts: [root], max_age: 4}", 3),
            ("{accounts: [root], max_age: 0h}", 3), ("{accounts: [root], max_age: never}", 3), ("{accounts: [root], max-age: 4h}", 3),
            ("{accounts: [root], max_auth_age: [4h]}", 3), ("{accounts: [root], hours: always}", 3),
            ("{accounts: [root], hours: '25:00-26:00'}", 3), ("{accounts: [root], hours: '06:00-22:00 Mars/Olympus'}", 3),
            ("{accounts: [root], from: [10.0.0.0/33]}", 3), ("{accounts: [root], from: [10.0.0.1/8]}", 3),
            ("{accounts: [root], from: ['*.example.com']}", 3), ("{accounts: [root], from: ['!10.0.0.1']}", 3),
            ("{accounts: [root], from: ['*']}", 3), ("{accounts: [root], from: []}", 3), ("{accounts: [root], from: 10.0.0.0/8}", 3),
            ("{accounts: [root], from: ['10.0.0.1,10.0.0.2']}", 3), ("{accounts: [root], verified_email: yes}", 3),
            ("{accounts: [root], verified_email: 'true'}", 3), ("{accounts: [root], verified_email: True}", 3),
            ("{accounts: [root], amr: [hwk], except_groups: []}", 3), ("{accounts: [root], amr: [hwk], except_break_glass: 1}", 3),
            ("{accounts: [root], amr: [hwk], amr: [fido]}", 3), ("root", 3), ("[root]", 3), ("~", 3),
            ("accounts: [root]\n    amr: [hwk]\n    max_age: 4 h", 5), ("accounts: [root]\n    amr:\n      - hwk\n      - []", 6),
        ])
    func faults(rule: String, line: Int) {
        let text = "require:\n  - {accounts: [a], acr: b}\n  - \(rule)\n"
        let fault = #expect(throws: ConfigurationError.self) { try ServerConfig(parsing: Array(text.utf8)) }
        #expect(fault?.line == line, "\(fault as Any)")
    }

    @Test("what is no list of rules is an error; nothing and an empty list are no rules")
    func shapes() throws {
        for text in ["require: x", "require: {accounts: [root], amr: [hwk]}", "require: ['x']", "require: [[]]", "require: true"] {
            #expect(throws: ConfigurationError.self) { try ServerConfig(parsing: Array(text.utf8)) }
        }
        for text in ["require:", "require: []", "require: ~"] {
            #expect(try ServerConfig(parsing: Array(text.utf8)).requirements == [])
        }
    }

    @Test("the example of POLICY.md is read as it is meant")
    func example() throws {
        let config = try ServerConfig(
            parsing: Array(
                """
                deny_users: [postgres]                 # accounts
                deny_emails: [mallory@example.com]
                deny_groups: [contractors-ended]
                home_policy: true
                require:                               # every rule that applies must hold, whichever row, home file or plugin admits
                  - accounts: [root, deploy]
                    groups: [production-access]        # any of
                    amr: [hwk, fido]
                    max_age: 4h
                    hours: "06:00-22:00 UTC"
                    except_groups: [oncall]            # or: except_break_glass: true, for rows marked break-glass
                  - accounts: ["*"]
                    verified_email: true
                    from: [10.0.0.0/8, "2001:db8::/32"]
                keys: {max_age: 24h, refresh_after: 1h, timeout: 5s}
                skew: 60s
                env_vars: {HTTPS_PROXY: "http://proxy.example.com:3128"}   # for fetching only
                """.utf8))
        #expect(config.denyGroups == ["contractors-ended"] && config.homePolicy && config.skew == 60)
        #expect(config.requirements.map(\.line) == [6, 12])
        let first = config.requirements[0]
        #expect(first.accounts == ["root", "deploy"] && first.groups == ["production-access"] && first.amr == ["hwk", "fido"])
        #expect(first.maximumAge?.seconds == 14_400 && first.hours?.description == "06:00-22:00 UTC" && first.exceptGroups == ["oncall"])
        #expect(!first.exceptBreakGlass && !first.verifiedEmail && first.from == nil && first.acr == nil && first.maximumAuthAge == nil)
        #expect(config.requirements[1].verifiedEmail && config.requirements[1].from?.map(\.description) == ["10.0.0.0/8", "2001:db8::/32"])
    }

    @Test("home_policy and skew: what they take, and what they do not")
    func settings() throws {
        func config(_ text: String) throws(ConfigurationError) -> ServerConfig { try ServerConfig(parsing: Array(text.utf8)) }
        #expect(try config("home_policy: false").homePolicy == false && config("").homePolicy)
        for (text, seconds) in [("0s", 0), ("0", 0), ("1s", 1), ("10m", 600), ("600s", 600)] as [(String, Int64)] {
            #expect(try config("skew: \(text)").skew == seconds)
        }
        for bad in [
            "home_policy: 'false'", "home_policy: no", "home_policy: 0", "home_policy:", "home_policy: [false]", "skew: 60", "skew: 601s",
            "skew: 11m", "skew: -1s", "skew:", "skew: [60s]", "deny_groups: x", "deny_groups: ['']", "deny_groups: [~]",
            "deny_groups: {a: b}",
        ] {
            #expect(throws: ConfigurationError.self, "\(bad)") { try config(bad) }
        }
    }
}
