import Foundation
import Testing
import Vocabulary

@Suite("opk remove, opk prune, opk list", .serialized)
struct RemoveTests {
    private static let rows = """
        # people
        root alice@example.com https://accounts.google.com
        root bob@example.com https://accounts.google.com   # leaves in May
        deploy alice@example.com https://accounts.google.com restrict

        deploy oidc:groups:release https://idp.example.com expires="2020-01-01T00:00Z"
        broken row
        root alice@example.com https://idp.example.com
        deploy alice@example.com https://accounts.google.com reason="x"

        """

    private static func without(_ lines: Int...) -> String {
        rows.split(separator: "\n", omittingEmptySubsequences: false).enumerated().filter { !lines.contains($0.offset + 1) }.map(\.element)
            .joined(separator: "\n")
    }

    @Test(
        "Rows that are named go, and no others",
        arguments: [
            (["root", "bob@example.com", "google"], [3]), (["root", "BOB@example.com"], [3]),
            (["root", "alice@example.com", Desk.idp], [8]),
            (["deploy", "alice@example.com"], [4, 9]), (["deploy", "oidc:groups:release"], [6]), (["deploy", "--all"], [4, 6, 9]),
            (["root", "alice@example.com", "--all"], [2, 8]), (["--line", "7"], [7]), (["--line", "2"], [2]),
            (["--line", "2", "root", "alice@example.com", "google"], [2]),
        ])
    func named(words: [String], lines: [Int]) throws {
        let desk = try Desk(Self.rows)
        let trial = try desk.opk(["remove"] + words + ["--dry-run"])
        #expect(trial.status == 0 && trial.lines.count == lines.count && desk.text() == Self.rows, "\(trial)")
        let run = try desk.opk(["remove"] + words)
        #expect(run.status == 0 && run.lines.count == lines.count, "\(run)")
        for (line, text) in zip(lines, run.lines) { #expect(text.hasPrefix("removed \(desk.authID):\(line): ")) }
        let left = Self.rows.split(separator: "\n", omittingEmptySubsequences: false).enumerated().filter { !lines.contains($0.offset + 1) }
        #expect(desk.text() == left.map(\.element).joined(separator: "\n"))
    }

    @Test(
        "What is not there, not clear or another row changes nothing, and says what is near",
        arguments: [
            (["root"], 1, "--line NUMBER"), (["root", "alice@example.com"], 1, ":8: root alice@example.com"), (["deploy"], 1, "3 rows"),
            (["root", "carol@example.com"], 1, ":2: root alice"), (["www", "bob@example.com"], 1, ":3: root bob"),
            (["Root", "bob@example.com"], 1, "no row"),
            (["root", "bob@example.com", Desk.idp], 1, ":3: root bob"), (["--line", "1"], 1, "no row is there"),
            (["--line", "99"], 1, "no row is there"),
            (["--line", "0"], 64, "not the number of a line"), (["--line", "2", "root", "bob@example.com"], 1, "another one"),
            (["--line", "7", "root"], 1, "cannot be read"), ([], 64, "which row"), (["--line", "2", "--all"], 64, "do not go together"),
            (["root", "bob@example.com", "gogle"], 64, "aliases"), (["root", "bob"], 1, "no row"),
        ])
    func notThere(words: [String], status: Int32, said: String) throws {
        let desk = try Desk(Self.rows)
        let run = try desk.opk(["remove"] + words)
        #expect(run.status == status && run.errors.contains(said) && run.output.isEmpty, "\(words): \(run)")
        #expect(desk.text() == Self.rows)
    }

    @Test("In JSON the removed rows have the lines on which they stood")
    func json() throws {
        let desk = try Desk(Self.rows)
        let json = try desk.opk("remove", "deploy", "alice@example.com", "--json").json()
        #expect(json["removed"]?.array?.compactMap { $0["line"]?.number?.integer } == [4, 9] && json["written"]?.bool == true)
    }

    @Test("opk prune takes expired rows, and not a comment")
    func prune() throws {
        let desk = try Desk(
            "# c\nroot a@b.c \(Desk.idp) expires=\"2020-01-01T00:00Z\"\r\nroot b@b.c \(Desk.idp) expires=\"2099-01-01T00:00Z\"\n#x expires=\"2020-01-01T00:00Z\"\nbad\n"
        )
        let old = desk.text()
        let trial = try desk.opk("prune", "--dry-run")
        #expect(trial.status == 0 && trial.output.hasPrefix("would be removed, expired ") && desk.text() == old, "\(trial)")
        let json = try desk.opk("prune", "--json").json()
        #expect(json["removed"]?.array?.first?["line"] == 2 && json["removed"]?.array?.first?["expired"]?.string == "2020-01-01T00:00:00Z")
        #expect(desk.text() == "# c\nroot b@b.c \(Desk.idp) expires=\"2099-01-01T00:00Z\"\n#x expires=\"2020-01-01T00:00Z\"\nbad\n")
        let run = try desk.opk("prune")
        #expect(run.status == 0 && run.output.contains("no row whose time is over"))
        #expect(try desk.opk("prune", "--json").json()["written"]?.bool == false)
    }

    @Test("opk list shows who may be what, what is left of each limit, and rows that cannot be read")
    func list() throws {
        let desk = try Desk(
            """
            root alice@example.com https://accounts.google.com
            root bob@example.com https://idp.example.com expires="2020-01-01T00:00Z"
            www oidc-match-end:email:@example.com https://idp.example.com starts="2099-01-01T00:00Z",restrict,command="a \\"b\\""
            ops oidc:groups:ops https://idp.example.com break-glass,reason="fire \u{202E}",expires="2099-01-01T00:00Z"
            bad row

            """)
        let run = try desk.opk("list")
        #expect(run.status == 0 && run.lines[0].hasPrefix("LINE  ACCOUNT  WHO ") && run.lines[1].hasSuffix("  -"), "\(run)")
        #expect(
            run.lines[2].contains("EXPIRED ") && run.lines[3].contains("starts in ")
                && run.lines[3].contains("restrict, command=\"a \\\"b\\\"\""))
        #expect(run.lines[4].contains("BREAK-GLASS, reason \"fire \\u{202e}\", expires in ") && !run.output.contains("\u{202E}"))
        #expect(run.output.contains("    \(desk.authID):5: a row has three columns"))
        let json = try desk.opk("list", "--json").json()
        #expect(json["rows"]?.array?.compactMap { $0["state"]?.string } == ["active", "expired", "not-started", "active"])
        #expect(json["rows"]?.array?.last?["break_glass"]?.bool == true && json["problems"]?.array?.first?["line"] == 5)
        func lines(_ words: String...) throws -> [Int64] {
            try desk.opk(["list", "--json"] + words).json()["rows"]?.array?.compactMap { $0["line"]?.number?.integer } ?? []
        }
        #expect(try lines("--account", "root") == [1, 2] && lines("--expired") == [2] && lines("--who", "ALICE@example.com") == [1, 3])
        #expect(try lines("--who", "oidc:groups:ops") == [4] && lines("--account", "nobody") == [] && lines("--who", "@example.com") == [])
    }

    @Test("Hours are open or closed until they open")
    func hours() throws {
        let desk = try Desk(
            "a x https://idp.example.com hours=\"00:00-24:00\"\nb x https://idp.example.com hours=\"mon-sun 00:00-23:59 UTC\"\n")
        let first = try desk.opk("list")
        #expect(first.lines[1].contains("open now"), "\(first)")
        // One of two neighbouring hours is closed whatever the time is.
        let now = Int(Date().timeIntervalSince1970) / 3600 % 24
        let closed = String(format: "%02d:00-%02d:00", (now + 2) % 24, (now + 3) % 24)
        try desk.write("auth_id", "a x https://idp.example.com hours=\"\(closed)\"\n")
        let run = try desk.opk("list")
        #expect(run.lines[1].contains("closed until ") && run.lines[1].contains(closed), "\(run)")
        let row = try desk.opk("list", "--json").json()["rows"]?.array?.first
        #expect(row?["state"]?.string == "closed" && row?["opens_seconds"]?.number != nil)
    }

    @Test("A file that is not there has no rows")
    func absent() throws {
        let desk = try Desk()
        #expect(
            try desk.opk("list").output.contains("has no such row") && desk.opk("remove", "root").status == 1
                && desk.opk("prune").status == 0)
        #expect(desk.bytes() == nil)
    }
}
