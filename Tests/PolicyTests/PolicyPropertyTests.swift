import JOSE
import SSHKeys
import TestSupport
import Testing
import Vocabulary

@testable import Policy

/// Policies, people, times and addresses by chance, the same for the same seed; every part is likely enough to fit that about half of them admit.
private struct Chance {
    var random: Seeded

    init(_ seed: UInt64) { random = Seeded(state: seed) }

    mutating func one(of parts: [String]) -> String { parts.randomElement(using: &random) ?? "" }
    mutating func isOne(in number: Int) -> Bool { Int.random(in: 0..<number, using: &random) == 0 }
    mutating func some(_ range: ClosedRange<Int>, of make: (inout Chance) -> String) -> [String] {
        (0..<Int.random(in: range, using: &random)).map { _ in make(&self) }
    }

    static let blocks = [
        "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.1.1.1", "192.0.2.0/24", "2001:db8::/32", "2001:db8:1::/48", "0.0.0.0/0", "::/0",
    ]
    static let addresses = ["10.0.0.1", "10.1.0.1", "10.1.1.1", "10.1.1.2", "192.0.2.7", "11.0.0.1", "2001:db8::1", "2001:db8:1::1", "::1"]

    /// Of blocks, perhaps with some left out.
    mutating func sources() -> String {
        let entries = some(1...3) { $0.one(of: Chance.blocks) } + (isOne(in: 3) ? ["!" + one(of: Chance.blocks)] : [])
        return entries.shuffled(using: &random).joined(separator: ",")
    }

    mutating func option() -> String {
        switch Int.random(in: 0..<22, using: &random) {
        case 0: "expires=\"" + one(of: ["2026-11-23T12:00Z", "2026-11-23T12:00:01Z", "2027-01-01T00:00Z"]) + "\""
        case 1: "starts=\"" + one(of: ["2026-11-23T12:00Z", "2026-11-23T12:00:01Z", "2026-01-01T00:00Z"]) + "\""
        case 2: "hours=\"" + one(of: ["mon 11:00-13:00", "09:00-17:00 Europe/Berlin", "22:00-06:00"]) + "\""
        case 3: "claim=\"" + one(of: ["dept:it", "groups:a", "\\\"dept\\\":it", "email:a@b.c"]) + "\""
        case 4: "amr=\"" + one(of: ["hwk", "pwd|hwk", "fido"]) + "\""
        case 5: "acr=\"phr\""
        case 6: "max-age=\"" + one(of: ["1m", "61s", "1h"]) + "\""
        case 7: "max-auth-age=\"1h\""
        case 8: "account-claim=\"name\""
        case 9: "reason=\"CHG, 1\""
        case 10: "break-glass"
        case 11, 12: "from=\"" + sources() + "\""
        case 13: "command=\"echo \\\"x\\\"\""
        case 14: "restrict"
        case 15: one(of: ["pty", "no-pty"])
        case 16: "permitopen=\"h:" + one(of: ["1", "2"]) + "\""
        case 17: "environment=\"A=b\""
        default: "no-user-rc"
        }
    }

    mutating func row(_ moreOptions: ClosedRange<Int> = 0...2) -> String {
        let account = one(of: ["root", "root", "root", "*", "deploy"])
        var options = some(moreOptions) { $0.option() }
        if account == "*" { options.append("account-claim=\"name\"") }
        let identity = one(of: ["sub-1", "a@b.c", "oidc:groups:a", "oidc:groups:b", "oidc-match-end:email:@b.c", "sub-2", "repo:x/*"])
        return "\(account) \(identity) \(someIssuer.string) " + options.joined(separator: ",")
    }

    mutating func rule() -> String {
        let accounts = one(of: ["[root]", "['*']", "[deploy]", "[root, deploy]"])
        let asked = some(1...2) { chance in
            switch Int.random(in: 0..<8, using: &chance.random) {
            case 0: "groups: [a, c]"
            case 1: "amr: [hwk]"
            case 2: "acr: phr"
            case 3: "max_age: 1h"
            case 4: "hours: '" + chance.one(of: ["09:00-17:00", "mon 12:00-12:01", "tue 00:00-24:00"]) + "'"
            case 5: "verified_email: true"
            default: "from: [" + chance.some(1...3) { "'\($0.one(of: Chance.blocks))'" }.joined(separator: ", ") + "]"
            }
        }
        var unique: [String] = []
        for part in asked where !unique.contains(where: { $0.prefix(4) == part.prefix(4) }) { unique.append(part) }
        if isOne(in: 4) { unique.append("except_groups: [b]") }
        if isOne(in: 4) { unique.append("except_break_glass: true") }
        return "  - {accounts: \(accounts), \(unique.joined(separator: ", "))}\n"
    }

    mutating func claims() -> JSON {
        var claims = JSONObject()
        if !isOne(in: 4) { claims["email"] = .string(Text(one(of: ["a@b.c", "A@b.c", "x@b.c"]))) }
        if isOne(in: 2) { claims["email_verified"] = .bool(!isOne(in: 3)) }
        if !isOne(in: 3) { claims["groups"] = .array(some(0...3) { $0.one(of: ["a", "b", "c", "d"]) }.map { .string(Text($0)) }) }
        if isOne(in: 12) { claims["_claim_names"] = ["groups": "src1"] }
        if isOne(in: 2) { claims["amr"] = isOne(in: 2) ? ["pwd", "hwk"] : "hwk" }
        if isOne(in: 2) { claims["acr"] = "phr" }
        if isOne(in: 2) { claims["dept"] = "it" }
        if !isOne(in: 3) { claims["name"] = .string(Text(one(of: ["root", "root", "deploy"]))) }
        if isOne(in: 2) { claims["auth_time"] = .number(JSONNumber(someMonday.seconds - 1800)) }
        return .object(claims)
    }
}

/// A policy, somebody, and what every other source would say if it were asked.
private struct World {
    var rows: [String]
    var rules: [String]
    var denials: String
    var revoked = ""
    var claims: JSON
    var userinfo: JSON?
    var address: NetworkAddress?
    var now: UnixTime
    var home: [String]?
    var plugin: Bool?
    var userID: UserIDAnswer

    init(_ chance: inout Chance, denying: Bool = true) {
        rows = chance.some(0...5) { $0.row() }
        rules = chance.isOne(in: 2) ? [] : chance.some(1...3) { $0.rule() }
        denials =
            denying && chance.isOne(in: 3)
            ? chance.one(of: ["deny_groups: [D]\n", "deny_emails: [x@b.c]\n", "deny_users: [deploy]\n"]) : ""
        claims = chance.claims()
        userinfo = chance.isOne(in: 2) ? chance.claims() : nil
        address = chance.isOne(in: 2) ? nil : NetworkAddress(Text(chance.one(of: Chance.addresses)))
        now = someMonday + Int64(chance.isOne(in: 2) ? 0 : 1 - 2 * (chance.isOne(in: 2) ? 1 : 0))
        home = chance.isOne(in: 2) ? chance.some(0...2) { $0.row() } : nil
        plugin = chance.isOne(in: 2) ? chance.isOne(in: 2) : nil
        userID = [.known(0), .known(1000), .known(5000), .unknown].randomElement(using: &chance.random) ?? .unknown
    }

    var config: ServerConfig {
        get throws { try ServerConfig(parsing: Array((denials + (rules.isEmpty ? "" : "require:\n" + rules.joined())).utf8)) }
    }

    static func bytes(_ rows: [String]) -> [UInt8] { Array(rows.map { $0 + "\n" }.joined().utf8) }

    /// Asks and answers until there is a decision, as the verifier does.
    func decided() throws -> (verdict: Deliberation.Verdict, asked: [Evidence.Kind]) {
        var login = login(claims, at: now, accessToken: userinfo != nil)
        var evidence = Evidence(revocations: try Revocations(parsing: Array(revoked.utf8)), clientAddress: address)
        let (authID, config) = (AuthID(parsing: World.bytes(rows), for: principal("root"), of: someIssuer), try config)
        var asked: [Evidence.Kind] = []
        while true {
            let verdict = login.deliberate(authID, config, evidence).verdict
            guard case .needs(let kind) = verdict else { return (verdict, asked) }
            asked.append(kind)
            try #require(asked.count <= 4)
            switch kind {
            case .userID: evidence.userID = userID
            case .home: evidence.home = home.map { .rows(AuthID(home: World.bytes($0), of: principal("root"))) } ?? .absent
            case .userinfo: login.hear(userinfo?.object ?? JSONObject())
            case .plugins:
                // They are told what userinfo says, so it is asked before.
                if let userinfo, case .notAsked = login.userinfo { login.hear(userinfo.object ?? JSONObject()) }
                evidence.plugins = plugin.map { $0 ? .allowed(name: "p", notes: []) : .refused([]) } ?? .none
            }
        }
    }

    /// Who may be at the other end.
    var clients: [NetworkAddress] { address.map { [$0] } ?? Chance.addresses.compactMap { NetworkAddress(Text($0)) } }

    /// Whether this client would come in by what is printed.
    func letsIn(_ client: NetworkAddress) throws -> Bool {
        try decided().verdict.grants?.contains { $0.from?.admits(client) ?? true } ?? false
    }
}

/// What a grant is, wherever its row stands.
private func meaning(_ grant: Grant) -> String {
    let kind =
        switch grant.source {
        case .row: "row";
        case .home: "home";
        case .plugin(let name): name
        }
    let from = grant.from?.description.split(separator: ",").sorted().joined(separator: ",")
    return "\(kind) \(from ?? "-") \(grant.session) \(grant.reason.map { "\($0)" } ?? "-") \(grant.isBreakGlass)"
}

@Suite("What is true of every policy")
struct PolicyPropertyTests {
    private func worlds(_ group: UInt64, _ count: UInt64 = 400, denying: Bool = true, _ check: (inout Chance, World) throws -> Void) throws
    {
        for seed in 0..<count {
            var chance = Chance(group << 32 | seed)
            let world = World(&chance, denying: denying)
            try check(&chance, world)
        }
    }

    @Test("every question ends: each kind of evidence is asked for once at most, and many policies admit and many refuse", arguments: 0..<5)
    func total(group: UInt64) throws {
        var (admitted, asked) = (0, 0)
        try worlds(group) { _, world in
            let (verdict, kinds) = try world.decided()
            #expect(Set(kinds).count == kinds.count, "\(kinds)")
            if let grants = verdict.grants { #expect(!grants.isEmpty) }
            admitted += verdict.isAdmitted ? 1 : 0
            asked += kinds.count
            #expect(try world.decided().verdict == verdict, "the same answer both times")
        }
        #expect((80...360).contains(admitted) && asked > 300, "\(admitted) \(asked)")
    }

    @Test("a deny list or a revocation that names the login always wins", arguments: 0..<5)
    func denyWins(group: UInt64) throws {
        try worlds(100 + group) { chance, world in
            var denied = world
            let choice = chance.one(of: ["user", "group", "issuer", "subject"])
            switch choice {
            case "user": denied.denials = "deny_users: [Root]\n"
            case "group":
                denied.denials = "deny_groups: [Everybody]\n"
                var claims = denied.claims.object ?? JSONObject()
                claims["groups"] = .array((claims["groups"]?.array ?? []) + ["everyBODY"])
                denied.claims = .object(claims)
            case "issuer": (denied.denials, denied.revoked) = ("", "issuer:\(someIssuer.string)")
            default: (denied.denials, denied.revoked) = ("", "sub:sub-1@\(someIssuer.string)")
            }
            let (verdict, asked) = try denied.decided()
            #expect(verdict.code == (denied.revoked.isEmpty ? .denied : .revoked), "\(choice): \(verdict)")
            #expect(asked == [])
        }
    }

    @Test("one more requirement never admits anybody, nor widens what is printed", arguments: 0..<5)
    func requirements(group: UInt64) throws {
        try worlds(200 + group) { chance, world in
            var stricter = world
            stricter.rules.insert(chance.rule(), at: Int.random(in: 0...world.rules.count, using: &chance.random))
            let (before, after) = (try world.decided().verdict, try stricter.decided().verdict)
            if after.isAdmitted {
                #expect(before.isAdmitted, "\(stricter)")
                if before.from?.contains(nil) == false { #expect(after.from?.contains(nil) == false, "\(stricter)") }
            }
            for address in world.clients where try stricter.letsIn(address) {
                #expect(try world.letsIn(address), "\(address) \(stricter)")
            }
        }
    }

    @Test("a denial more never admits anybody", arguments: 0..<2)
    func denials(group: UInt64) throws {
        try worlds(250 + group, denying: false) { chance, world in
            var stricter = world
            stricter.denials = chance.one(of: [
                "deny_groups: [a]\n", "deny_emails: [a@b.c]\n", "deny_users: [deploy]\n", "deny_groups: [zzz]\n",
            ])
            if try stricter.decided().verdict.isAdmitted { #expect(try world.decided().verdict.isAdmitted, "\(stricter)") }
        }
    }

    @Test("the order of rows changes only the order of the lines", arguments: 0..<5)
    func order(group: UInt64) throws {
        try worlds(300 + group) { chance, world in
            var shuffled = world
            shuffled.rows.shuffle(using: &chance.random)
            shuffled.rules.shuffle(using: &chance.random)
            let (one, other) = (try world.decided(), try shuffled.decided())
            #expect(one.verdict.grants?.map(meaning).sorted() == other.verdict.grants?.map(meaning).sorted(), "\(world)")
            #expect(one.asked == other.asked, "\(world)")
            let lines = other.verdict.lines ?? []
            #expect(lines == lines.sorted(), "in the file's order")
        }
    }

    @Test("more rows never take away what others grant", arguments: 0..<5)
    func moreRows(group: UInt64) throws {
        // Userinfo may be asked for the sake of a row, and then it may name a group that is denied: that is another matter.
        try worlds(400 + group, denying: false) { chance, world in
            var more = world
            more.rows.append(chance.row())
            let (before, asked) = try world.decided()
            let after = try more.decided().verdict
            if before.isAdmitted { #expect(after.isAdmitted, "\(more)") }
            // What admits only by userinfo is not looked for where another row admits already.
            for grant in before.grants ?? [] where !asked.contains(.userinfo) {
                if case .row = grant.source { #expect(after.grants?.contains(grant) == true, "\(more)") }
            }
            for address in world.clients where try world.letsIn(address) {
                #expect(try more.letsIn(address), "\(address) \(more)")
            }
        }
    }

    @Test("what is printed for sshd to check lets in who would be let in were the address known, and nobody else", arguments: 0..<5)
    func addresses(group: UInt64) throws {
        try worlds(500 + group, denying: false) { _, world in
            var unknown = world
            unknown.address = nil
            for text in Chance.addresses {
                var known = world
                known.address = NetworkAddress(Text(text))
                guard let address = known.address else { continue }
                let (isLetIn, isLetInBySSHD) = (try known.letsIn(address), try unknown.letsIn(address))
                #expect(isLetIn == isLetInBySSHD, "\(text) \(world)")
            }
        }
    }

    @Test("a row that does not name the person, or is of another account or issuer, changes nothing", arguments: 0..<2)
    func strangers(group: UInt64) throws {
        try worlds(600 + group) { chance, world in
            var more = world
            let options = chance.some(0...2) { $0.option() }.joined(separator: ",")
            more.rows.append(
                chance.one(of: ["root sub-9 \(someIssuer.string) ", "www sub-1 \(someIssuer.string) ", "root sub-1 https://other.example "])
                    + options)
            let (before, after) = (try world.decided().verdict, try more.decided().verdict)
            #expect(before.grants == after.grants, "\(more)")
        }
    }

    @Test(
        "a row with any byte changed admits what it says then or nothing: never without a condition that is still in it", arguments: 0..<4)
    func damaged(group: UInt64) throws {
        var stillThere = 0
        let replacements = Array("\"\\,=# \tx0|!*".utf8) + [0x00, 0x7F, 0xC3, 0xFF]
        for seed in 0..<60 {
            var chance = Chance((700 + group) << 32 | UInt64(seed))
            let condition = chance.one(of: [
                "expires=\"2020-01-01T00:00Z\"", "starts=\"2029-01-01T00:00Z\"", "claim=\"dept:none\"", "amr=\"never\"", "acr=\"never\"",
                "max-auth-age=\"1s\"", "hours=\"tue 01:00-02:00\"", "from=\"203.0.113.9\"",
            ])
            let others = chance.some(0...2) { $0.option() }.filter { $0.prefix(4) != condition.prefix(4) }
            let options = Array(([condition] + others).shuffled(using: &chance.random).joined(separator: ",").utf8)
            for index in options.indices {
                var changed = options
                changed[index] = replacements.randomElement(using: &chance.random) ?? 0
                if changed[index] == options[index] { continue }
                let row = Array("root sub-1 \(someIssuer.string) ".utf8) + changed + [0x0A]
                let authID = AuthID(parsing: row, for: principal("root"), of: someIssuer)
                #expect(authID.rows.count + authID.problems.count == 1)
                guard let found = authID.rows.first else { continue }
                guard try understood(found, changed).contains(condition) else { continue }
                // The condition is in it still, and it does not hold.
                var login = login(["groups": "a", "amr": "hwk", "dept": "it", "name": "root", "acr": "phr", "email": "a@b.c"])
                var evidence = Evidence.withoutHomeAndPlugins
                evidence.clientAddress = NetworkAddress("10.1.1.1")
                evidence.userID = .known(1000)
                let verdict = login.deliberate(authID, ServerConfig(), evidence).verdict
                #expect(!verdict.isAdmitted, "\(String(decoding: changed, as: UTF8.self))")
                stillThere += 1
            }
        }
        #expect(stillThere > 20)
    }

    /// The options of a row that was read, written as they were understood: each that stands there has left its mark.
    private func understood(_ row: AuthRow, _ column: [UInt8]) throws -> [String] {
        let columns = try #require(try Columns((Array("a b c ".utf8) + column)[...]))
        let list = try OptionList(columns.rest).options
        let options = row.options
        for option in list {
            let isThere: Bool
            switch option.name {
            case "expires": isThere = options.expires == option.value.flatMap { UnixTime(rfc3339: $0) }
            case "starts": isThere = options.starts == option.value.flatMap { UnixTime(rfc3339: $0) }
            case "hours": isThere = options.hours != nil
            case "claim": isThere = !options.claims.isEmpty
            case "amr": isThere = !options.amr.isEmpty
            case "acr": isThere = options.acr == option.value && options.acr != nil
            case "max-age": isThere = options.maximumAge == option.value.flatMap { TimeSpan($0) } && options.maximumAge != nil
            case "max-auth-age": isThere = options.maximumAuthAge != nil
            case "account-claim": isThere = options.accountClaim == option.value && options.accountClaim != nil
            case "reason": isThere = options.reason == option.value && options.reason != nil
            case "break-glass": isThere = options.isBreakGlass
            case "from": isThere = options.from != nil
            default: isThere = options.session.contains { $0.name == option.name && $0.value == option.value }
            }
            #expect(isThere, "\(option) of \(columns.rest)")
        }
        #expect(options.session.count + options.claims.count <= list.count)
        return list.map { OptionList.written($0.name, $0.value) }
    }
}
