import JOSE
import MintingKit
import Policy
import Testing
import Vocabulary

@testable import Verifier

private let issuer = "https://issuer.example.com"
private let key = "ssh-ed25519 "

/// A login whose certificate carries an access token.
private func loginWithAccessToken() throws -> MintedLogin {
    try MintedLogin().with {
        $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array("act-secret".utf8)), at: 0) }
    }
}

private func row(_ options: String = "", _ identity: String = "alice-1", account: String = "guest") -> String {
    "\(account) \(identity) \(issuer) \(options)\n"
}

/// The printed lines without what the certificate decides.
private func options(_ answer: Answer) -> [String]? {
    answer.lines?.map { line in
        let begin = "cert-authority,principals=\"opkssh-wildcard\""
        #expect(line.hasPrefix(begin))
        let end = line.range(of: " ssh-ed25519 ")?.lowerBound ?? line.endIndex
        return String(line[line.index(line.startIndex, offsetBy: begin.count)..<end])
    }
}

extension String {
    fileprivate func range(of part: String) -> Range<Index>? {
        indices.last { self[$0...].hasPrefix(part) }.map { $0..<index($0, offsetBy: part.count) }
    }
}

@Suite("What is asked, and in which order")
struct EvidenceTests {
    static let start = ["config", "providers", "keys", "revoked", "authID"]

    private func asked(_ login: MintedLogin? = nil, as account: String = "guest", _ change: (inout TestSources) -> Void) throws -> [String]
    {
        let answer = try Answer(login ?? MintedLogin(), as: account, change)
        #expect(answer.asked.prefix(5) == Self.start[...])
        return Array(answer.asked.dropFirst(5))
    }

    @Test("a row that admits is enough: nobody else is asked")
    func rowAdmits() throws {
        #expect(try asked { $0.hasPlugins = true } == [])
        #expect(try asked(loginWithAccessToken()) { $0.hasPlugins = true } == [])
    }

    @Test("where no row admits: the home file, then userinfo, then plugins, each once")
    func order() throws {
        #expect(try asked { $0.authIDText = "" } == ["home"])
        #expect(
            try asked {
                $0.authIDText = ""; $0.hasPlugins = true
            } == ["home", "plugins"])
        #expect(try asked(loginWithAccessToken()) { $0.authIDText = "" } == ["home"], "there is no row that userinfo could help")
        #expect(
            try asked(loginWithAccessToken()) {
                $0.authIDText = ""
                $0.hasPlugins = true
            } == ["home", "userinfo", "plugins"], "a plugin is told what userinfo says")
        let all = try asked(loginWithAccessToken()) {
            $0.authIDText = row("", "oidc:groups:x")
            $0.homeText = row("", "oidc:groups:y")
            $0.userinfoAnswer = #"{"sub":"alice-1","groups":["z"]}"#
            $0.hasPlugins = true
        }
        #expect(all == ["home", "userinfo", "revoked", "plugins"], "userinfo may know an email that is revoked")
        #expect(
            try asked(loginWithAccessToken()) {
                $0.authIDText = row("", "oidc:groups:x")
                $0.hasPlugins = true
            } == ["home", "userinfo", "plugins"], "an answer that is none is not asked for again")
    }

    @Test("what answers ends the questions")
    func ends() throws {
        let home = try Answer(loginWithAccessToken()) {
            $0.authIDText = row("", "oidc:groups:x")
            $0.homeText = row("no-pty")
            $0.hasPlugins = true
        }
        #expect(home.asked == Self.start + ["home"] && options(home) == [",no-pty"])
        let userinfo = try Answer(loginWithAccessToken()) {
            $0.authIDText = row("", "oidc:groups:x")
            $0.userinfoAnswer = #"{"sub":"alice-1","groups":["x"]}"#
            $0.hasPlugins = true
        }
        #expect(userinfo.asked == Self.start + ["home", "userinfo", "revoked"] && options(userinfo) == [""])
        let plugin = try Answer(try MintedLogin()) {
            $0.authIDText = ""
            $0.hasPlugins = true
            $0.pluginAnswer = .allowed(name: "ldap", notes: [])
        }
        #expect(plugin.asked == Self.start + ["home", "plugins"] && options(plugin) == [""])
    }

    @Test("a home file counts for its own account, and says no more than root allows")
    func home() throws {
        func answer(_ home: String, _ config: String = "") throws -> Answer {
            try Answer(try MintedLogin()) {
                $0.authIDText = ""
                $0.homeText = home
                $0.configText = config
            }
        }
        #expect(try options(answer(row("from=\"10.0.0.0/8\",restrict"))) == [",from=\"10.0.0.0/8\",restrict"])
        #expect(try answer(row("", account: "root")).refusal == .noRowAdmits)
        #expect(try answer(row("break-glass")).refusal == .noRowAdmits)
        #expect(try answer("guest alice-1 https://other.example.com\n").refusal == .noRowAdmits)
        #expect(try answer(row(), "deny_users: [guest]\n").refusal == .denied)
        #expect(try answer(row(), "require: [{accounts: ['*'], amr: [hwk]}]\n").refusal == .noRowAdmits)
        #expect(try answer(row("expires=\"2020-01-01T00:00Z\"")).refusal == .conditionNotMet)
        #expect(try answer(row("expires=\"2020-01-01T00:00Z\"")).logLine.contains("the home file, line 1: expired"))
    }

    @Test("home_policy: false: the home file is not asked for")
    func homePolicy() throws {
        let answer = try Answer(try MintedLogin()) {
            $0.authIDText = ""
            $0.homeText = row()
            $0.configText = "home_policy: false\n"
            $0.hasPlugins = true
        }
        #expect(answer.asked == Self.start + ["plugins"] && answer.refusal == .noRowAdmits)
    }

    @Test("under a requirement that cannot hold, neither home file, userinfo nor plugins are asked")
    func cannotHold() throws {
        for config in ["amr: [hwk]", "max_age: 1s", "hours: '00:00-00:01'", "acr: phr", "max_auth_age: 1h"] {
            let answer = try Answer(loginWithAccessToken()) {
                $0.authIDText = ""
                $0.homeText = row()
                $0.configText = "require: [{accounts: ['*'], \(config)}]\n"
                $0.hasPlugins = true
                $0.pluginAnswer = .allowed(name: "p", notes: [])
            }
            #expect(answer.asked == Self.start && answer.refusal == .noRowAdmits, "\(config)")
        }
        let groups = "require: [{accounts: [guest], groups: [x]}]\n"
        #expect(
            try asked {
                $0.configText = groups; $0.hasPlugins = true
            } == [], "without an access token it cannot")
        let open = try Answer(loginWithAccessToken()) {
            $0.configText = groups
            $0.userinfoAnswer = #"{"sub":"alice-1","groups":["x"]}"#
            $0.authIDText = row()
        }
        #expect(open.asked == Self.start + ["home", "userinfo", "revoked"] && open.lines?.count == 1)
        let plugin = try Answer(loginWithAccessToken()) {
            $0.configText = groups
            $0.userinfoAnswer = #"{"sub":"alice-1","groups":["x"]}"#
            $0.authIDText = ""
            $0.hasPlugins = true
            $0.pluginAnswer = .allowed(name: "p", notes: [])
        }
        #expect(plugin.asked == Self.start + ["home", "userinfo", "revoked", "plugins"] && plugin.lines?.count == 1)
        let late = try Answer(loginWithAccessToken()) {
            $0.configText = groups
            $0.userinfoAnswer = #"{"sub":"alice-1","groups":["y"]}"#
            $0.authIDText = ""
            $0.hasPlugins = true
            $0.pluginAnswer = .allowed(name: "p", notes: [])
        }
        #expect(late.asked == Self.start + ["home", "userinfo", "revoked"] && late.refusal == .noRowAdmits)
    }

    @Test("the account's number is asked for where only that is missing")
    func userID() throws {
        let claims = try MintedLogin().with { $0.claims["name"] = "guest" }
        let text = row("account-claim=\"name\"", account: "*")
        #expect(
            try asked(claims) {
                $0.authIDText = text; $0.number = .known(1000)
            } == ["userID"])
        #expect(
            try Answer(claims) {
                $0.authIDText = text; $0.number = .known(1000)
            }.lines?.count == 1)
        for number: UserIDAnswer in [.known(999), .known(0), .unknown] {
            let answer = try Answer(claims) {
                $0.authIDText = text; $0.number = number
            }
            #expect(answer.asked == Self.start + ["userID", "home"] && answer.refusal == .conditionNotMet)
        }
        #expect(try asked { $0.authIDText = text } == ["home"], "the claim does not name the account")
        let atHome = try Answer(claims) {
            $0.authIDText = ""
            $0.homeText = text
            $0.number = .known(1000)
        }
        #expect(atHome.asked == Self.start + ["home", "userID"] && atHome.lines?.count == 1)
    }

    @Test(
        "who is denied or revoked costs nobody a question",
        arguments: ["deny_users: [GUEST]", "deny_emails: [alice@example.com]", "deny_groups: [G]"])
    func denied(config: String) throws {
        let login = try loginWithAccessToken().with { $0.claims["groups"] = ["g"] }
        let answer = try Answer(login) {
            $0.configText = config
            $0.authIDText = ""
            $0.homeText = row()
            $0.hasPlugins = true
            $0.pluginAnswer = .allowed(name: "p", notes: [])
        }
        #expect(answer.asked == Self.start && answer.refusal == .denied)
    }

    @Test("revoked: by email, subject, key, issuer, or by an email that only userinfo knows; a file that cannot be read refuses")
    func revoked() throws {
        let fingerprint = TestKeys.ed25519.publicKey.sshFingerprint
        for text in ["email:ALICE@example.com", "sub:alice-1@\(issuer)", "key:\(fingerprint)", "issuer:\(issuer)"] {
            #expect(try Answer(try MintedLogin()) { $0.revokedText = text + "\n" }.refusal == .revoked, "\(text)")
            #expect(try Answer(try MintedLogin()) { $0.revokedText = text + " 2020-01-01T00:00Z\n" }.lines?.count == 1, "\(text)")
        }
        #expect(try Answer(try MintedLogin()) { $0.revokedText = "email:bob@example.com\n" }.lines?.count == 1)
        let userinfo = try Answer(loginWithAccessToken()) {
            $0.authIDText = row("", "oidc:groups:x")
            $0.userinfoAnswer = #"{"sub":"alice-1","groups":["x"],"email":"Work@example.com"}"#
            $0.revokedText = "email:work@example.com\n"
        }
        #expect(userinfo.refusal == .revoked)
        let broken = try Answer(try MintedLogin()) { $0.revokedText = "bob\n" }
        #expect(broken.refusal == .configuration && !broken.asked.contains("authID"))
    }

    @Test("a group list that the token leaves open is asked of userinfo, and refuses where that does not say either")
    func openGroups() throws {
        let login = try loginWithAccessToken().with { $0.claims["_claim_names"] = ["groups": "src1"] }
        func answer(_ userinfo: String?, _ login: MintedLogin) throws -> Answer {
            try Answer(login) {
                $0.configText = "deny_groups: [ended]\n"
                $0.authIDText = row()
                $0.userinfoAnswer = userinfo
            }
        }
        let good = try answer(#"{"sub":"alice-1","groups":["x"]}"#, login)
        #expect(good.lines?.count == 1 && good.asked == Self.start + ["userinfo", "revoked"])
        #expect(try answer(#"{"sub":"alice-1","groups":["Ended"]}"#, login).refusal == .denied)
        for useless in [nil, "{}", #"{"sub":"alice-1"}"#, #"{"sub":"bob","groups":["x"]}"#] {
            #expect(try answer(useless, login).refusal == .groupsUnknown)
        }
        let plain = try MintedLogin().with { $0.claims["_claim_names"] = ["groups": "src1"] }
        #expect(try answer(nil, plain).refusal == .groupsUnknown && answer(nil, plain).asked == Self.start)
    }

    @Test("skew of config.yml is by how much the provider's clock may be ahead, and max-auth-age goes by it too")
    func skew() throws {
        for (config, seconds) in [("", 60), ("skew: 0s\n", 0), ("skew: 5s\n", 5), ("skew: 10m\n", 600)] as [(String, Int64)] {
            for name: Text in ["iat", "nbf", "auth_time"] {
                func refusal(_ ahead: Int64) throws -> Refusal.Code? {
                    let login = try MintedLogin().with { $0.claims[name] = .number(JSONNumber(MintedLogin.now.seconds + ahead)) }
                    return try Answer(login) {
                        $0.configText = config
                        $0.authIDText = row("max-auth-age=\"1h\"").replacingAge(name != "auth_time")
                    }.refusal
                }
                #expect(try refusal(seconds) == nil, "\(config)\(name)")
                let code: Refusal.Code = name == "iat" ? .issuedInFuture : name == "nbf" ? .notYetValid : .conditionNotMet
                #expect(try refusal(seconds + 1) == code, "\(config)\(name)")
            }
        }
    }
}

extension String {
    /// Without options, if so.
    fileprivate func replacingAge(_ isPlain: Bool) -> String { isPlain ? row() : self }
}

@Suite("The lines for sshd, and the line for the log")
struct GrantLineTests {
    private func answer(_ rows: String, _ change: (inout TestSources) -> Void = { _ in }) throws -> Answer {
        try Answer(try MintedLogin()) {
            $0.authIDText = rows
            change(&$0)
        }
    }

    @Test("a row's options stand between cert-authority and the key: from first, then sshd's own in the row's order")
    func line() throws {
        let rows = row("restrict,command=\"echo \\\"a b\\\", c\\d\",pty,from=\"10.0.0.0/8\",environment=\"A=b\",reason=\"x\",amr=\"hwk\"")
        let login = try MintedLogin().with { $0.claims["amr"] = "hwk" }
        let printed = try Answer(login) { $0.authIDText = rows }
        #expect(options(printed) == [",from=\"10.0.0.0/8\",restrict,command=\"echo \\\"a b\\\", c\\d\",pty,environment=\"A=b\""])
        #expect(printed.lines?[0].contains("reason") == false && printed.lines?[0].contains("amr") == false)
    }

    @Test("from of a requirement is printed where the client's address is not known, with the row's own as their intersection")
    func from() throws {
        let config = "require: [{accounts: ['*'], from: [10.0.0.0/8, '2001:db8::/32']}]\n"
        let rows = row() + row("from=\"10.1.0.0/16,192.0.2.0/24\",pty") + row("from=\"192.0.2.0/24\"")
        let unknown = try answer(rows) { $0.configText = config }
        #expect(options(unknown) == [",from=\"10.0.0.0/8,2001:db8::/32\"", ",from=\"10.1.0.0/16\",pty"])
        let inside = try answer(rows) {
            $0.configText = config; $0.clientAddress = NetworkAddress("10.1.0.1")
        }
        #expect(options(inside) == ["", ",from=\"10.1.0.0/16,192.0.2.0/24\",pty"])
        let outside = try answer(rows) {
            $0.configText = config; $0.clientAddress = NetworkAddress("192.0.2.1")
        }
        #expect(outside.refusal == .requirementNotMet)
    }

    @Test("one line for each row that admits, in order, the same line once")
    func once() throws {
        let rows = row("pty") + row() + row("pty") + row("expires=\"2020-01-01T00:00Z\",no-pty") + row("reason=\"x\"") + row("restrict")
        #expect(try options(answer(rows)) == [",pty", "", ",restrict"])
    }

    @Test("at most 16 lines, the first")
    func sixteen() throws {
        let rows = (1...40).map { row("permitopen=\"h:\($0)\"") }.joined()
        let printed = try #require(options(answer(rows)))
        #expect(printed == (1...16).map { ",permitopen=\"h:\($0)\"" })
        let repeated = (1...40).map { row("permitopen=\"h:\(($0 + 3) / 4)\"") }.joined()
        #expect(try options(answer(repeated))?.count == 10)
        #expect(try options(answer((1...16).map { row("permitopen=\"h:\($0)\"") }.joined()))?.count == 16)
    }

    @Test("the log names the row behind each line that is printed, however many give the same")
    func hidden() throws {
        let many = String(repeating: row("restrict"), count: 20) + row("reason=\"shell\"")
        let line = try answer(many).logLine
        #expect(line.contains(",21 ") && line.contains("grant-reason=\"shell\""), "\(line)")
    }

    @Test("V67 a log line is bounded, whatever an account's owner writes into the home file")
    func bounded() throws {
        let options = (1...500).map { "claim=\"\(String(repeating: "\u{80}", count: 21))\($0):0\"" }.joined(separator: ",")
        let line = try answer("") { $0.homeText = row(options) }.logLine
        #expect(line.hasPrefix("refused ") && line.utf8.count < 4096 && line.contains("condition-not-met"), "\(line.utf8.count)")
    }

    @Test("the log says which rows, home rows or plugin admitted, the first reason, and that a glass was broken")
    func log() throws {
        let rows = try answer(row("reason=\"CHG-1\"") + row() + "other alice-1 \(issuer)\n" + row("pty,reason=\"CHG-2\"")).logLine
        #expect(rows.hasPrefix("admitted account=\"guest\" issuer=\"\(issuer)\" "))
        #expect(rows.hasSuffix(" rows=1,2,4 grant-reason=\"CHG-1\"") && !rows.contains("break-glass"))
        let home = try answer("") { $0.homeText = "# mine\n" + row("reason=\"mine\"") + row() }.logLine
        #expect(home.hasSuffix(" home-rows=2,3 grant-reason=\"mine\"") && !home.contains(" rows="))
        let both = try answer(row("from=\"10.0.0.0/8\"")) { $0.homeText = row() }.logLine
        #expect(both.hasSuffix(" rows=1 home-rows=1"))
        let plugin = try answer("") {
            $0.hasPlugins = true
            $0.pluginAnswer = .allowed(name: "a\"b\nc", notes: [])
        }.logLine
        #expect(plugin.contains(" plugin=\"a\\") && !plugin.contains("\n") && !plugin.contains("rows="))
        let glass = try answer(row("break-glass,reason=\"fire\"")).logLine
        #expect(glass.hasSuffix(" rows=1 grant-reason=\"fire\" break-glass"))
        #expect(try !answer("").logLine.contains("rows="))
    }

    @Test("a reason is escaped and cut")
    func escaped() throws {
        let reason = try answer(row("reason=\"a\\\" break-glass rows=9 \u{202E}x\"")).logLine
        #expect(
            reason.contains("grant-reason=\"a\\\" break-glass rows=9 \\u{202e}x\"") || reason.contains("grant-reason=\"a\\u{22}"),
            "\(reason)")
        #expect(!reason.contains("\u{202E}"))
        let long = try answer(row("reason=\"" + String(repeating: "r", count: 5000) + "\"")).logLine
        #expect(long.count < 1200)
    }

    @Test("a refusal by requirement or condition says which line and what was wanted")
    func refusals() throws {
        let rule = try answer(row()) { $0.configText = "deny_users: []\nrequire: [{accounts: [guest], amr: [hwk]}]\n" }
        #expect(rule.refusal == .requirementNotMet)
        #expect(rule.logLine.contains("step=9 reason=requirement-not-met") && rule.logLine.contains("line 2 of config.yml wants amr hwk"))
        let condition = try answer(row("pty").replacing("pty", with: "acr=\"x\""))
        #expect(condition.refusal == .conditionNotMet && condition.logLine.contains("auth_id, line 1: wants acr x"))
    }
}
