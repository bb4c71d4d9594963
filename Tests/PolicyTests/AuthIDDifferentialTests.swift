import Foundation
import JOSE
import SafeFiles
import TestSupport
import Testing
import Vocabulary

@testable import Policy

/// The reader of `auth_id` passes over most rows after a look at a few of their bytes. Here is one that takes every line apart, and both
/// must say the same about files that are made to be hard.
@Suite struct AuthIDDifferentialTests {
    static let account = "dev"
    static let issuer: Text = "https://a.example"

    /// An email as people write it, an email that is the subject, one that looks like another where only letters may look alike.
    static let people = [
        person(subject: "1234", claims: ["email": "alice@example.com"]),
        person(subject: "bob@example.com", claims: ["email": "Alice@Example.COM", "email_verified": false]),
        person(subject: "repo:a/b", claims: ["groups": ["x", "y"]]),
        person(subject: "[email]", claims: ["email": "{@[\\]^_`"]),
    ]

    private static func person(subject: Text, claims: JSON) -> Person {
        Person(subject: subject, claims: claims.object ?? JSONObject(), emailTrust: .unlessUnverified)
    }

    static let accounts = [
        "dev", "dev", "dev", "dev", "dev", "dev", "dev", "dev", "\"dev\"", "d'e'v", "\\dev", "de", "dev2", "devel", "root", "*", "#dev",
        "dev#", "", "'dev", "dév",
    ]
    static let blanks = [" ", " ", " ", " ", " ", "\t", "   ", " \t ", ""]
    static let identities = [
        "1234", "alice@example.com", "ALICE@example.com", "bob@example.com", "BOB@example.com", "carol@example.com", "5678", "\"1234\"",
        "oidc:groups:x", "OIDC:groups:x", "oidc:email:alice@example.com", "oidc-match-end:email:@example.com", "repo:a/*", "repo:a/b",
        "auth0:12", "'a b'", "a b", "12\\34", "12#34", "#", "''", "12\u{7F}34", "ü234", "12\u{1}34", "[email]", "{EMAIL}", "[@{|}^_`",
        "12345", "123",
    ]
    static let issuers = [
        "https://a.example", "https://a.example", "https://a.example", "https://a.example", "https://a.example", "https://a.example",
        "https://b.example", "'https://a.example'", "https://a.exampl",
        "https://a.example/", "http://a.example", "https://a.example#", "https://a'b.example", "\"https://a.example/it's\"",
        "https://a.example/it's",
        "xhttps://a.example", "",
    ]
    static let endings = [
        "", "", "", "", "", "", "", " ", " # why", "#", " restrict", " expires=\"2030-01-01T00:00Z\"", "\t'", "\r", " \r",
    ]
    static let breaks = ["\n", "\n", "\n", "\r\n", "\n\n"]

    static func file(_ seed: UInt64) -> [UInt8] {
        var random = Seeded(state: seed)
        var text = Bool.random(using: &random) ? "" : "\u{FEFF}"
        for _ in 0..<Int.random(in: 0...60, using: &random) {
            for parts in [blanks, accounts, blanks, identities, blanks, issuers, endings, breaks] {
                // A blank before the first column is the exception.
                if parts == blanks && text.hasSuffix("\n") && Int.random(in: 0..<4, using: &random) > 0 { continue }
                text += parts.randomElement(using: &random) ?? ""
            }
        }
        var bytes = Array(text.utf8)
        if Int.random(in: 0..<8, using: &random) == 0 {
            bytes += Array("dev ".utf8) + [UInt8](repeating: 0x78, count: 70_000) + Array("\ndev 5678 https://a.example\n".utf8)
        }
        if Int.random(in: 0..<4, using: &random) == 0 { bytes.insert(0xFF, at: bytes.indices.randomElement(using: &random) ?? 0) }
        return bytes
    }

    @Test("a row is passed over only where reading it would have come to the same", arguments: 0..<10)
    func agrees(group: UInt64) throws {
        let folder = NSTemporaryDirectory() + "/opk-differential-" + UUID().uuidString
        mkdir(folder, 0o755)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/auth_id"
        for seed in (group * 50)..<(group * 50 + 50) {
            let bytes = Self.file(seed)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            chmod(path, 0o640)
            for person in Self.people {
                var request = AuthID.Request(account: principal(Self.account), issuer: Self.issuer)
                request.others = Bystanders(account: Text(Self.account), apartFrom: person)
                var asked = person
                let found = try AuthID(request, at: path, .rootOrUser(getuid())) { asked.isMeant(by: $0) != .no }
                let wanted = Naive(bytes, for: person)
                #expect(found.rows == wanted.rows, "seed \(seed)")
                // What is wrong with the options of somebody else's row need not be seen; the row is counted all the same.
                #expect(found.problems.allSatisfy(wanted.problems.contains), "seed \(seed)")
                #expect(found.accountRows + found.problems.count == wanted.accountRows + wanted.problems.count, "seed \(seed)")
            }
        }
    }

    @Test("the files have rows that are kept, passed over and bad")
    func isHard() {
        var (kept, passedOver, bad) = (0, 0, 0)
        for seed in UInt64(0)..<200 {
            let found = Naive(Self.file(seed), for: Self.people[0])
            kept += found.rows.count
            passedOver += found.accountRows - found.rows.count
            bad += found.problems.count
        }
        #expect(kept > 100 && passedOver > 200 && bad > 200, "\(kept) \(passedOver) \(bad)")
    }
}

/// Splits the whole text, takes every line apart, and then looks whose it is.
private struct Naive {
    var rows: [AuthRow] = []
    var problems: [RowProblem] = []
    var accountRows = 0
    var issuerRows = 0

    init(_ bytes: [UInt8], for person: Person) {
        var person = person
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines[0].starts(with: [0xEF, 0xBB, 0xBF]) { lines[0] = lines[0].dropFirst(3) }
        for (index, var line) in lines.enumerated() {
            let isWhole = line.count <= LineSplitter.longest
            if isWhole, line.last == 0x0D { line = line.dropLast() }
            do throws(RowFault) {
                if !isWhole { throw RowFault("the line is longer than \(LineSplitter.longest) bytes") }
                guard let columns = try Columns(line) else { continue }
                var none: Text?
                let row = try AuthRow(columns, line: index + 1, knownIssuer: &none)
                guard row.account.includes(principal(AuthIDDifferentialTests.account)) else { continue }
                accountRows += 1
                guard row.issuer == AuthIDDifferentialTests.issuer else { continue }
                issuerRows += 1
                if person.isMeant(by: row.identity) != .no { rows.append(row) }
            } catch {
                if Naive.mayBeOurs(line) { problems.append(RowProblem(line: index + 1, text: error.text)) }
            }
        }
    }

    /// A bad row is the account's problem where it begins with the account, or with quoting before that is decided.
    private static func mayBeOurs(_ line: ArraySlice<UInt8>) -> Bool {
        let account = Array(AuthIDDifferentialTests.account.utf8)
        let quoting = Array("'\"\\".utf8)
        let rest = line.drop { $0 == 0x20 || $0 == 0x09 }
        if rest.first == UInt8(ascii: "*") { return true }
        let same = zip(rest, account).prefix { $0 == $1 }.count
        if same < account.count { return rest.dropFirst(same).first.map(quoting.contains) ?? false }
        guard let next = rest.dropFirst(same).first else { return true }
        return next == 0x20 || next == 0x09 || next == 0x23 || quoting.contains(next)
    }
}
