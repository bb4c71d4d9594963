import AuditTrail
import Foundation
import JOSE
import TestSupport
import Testing
import Vocabulary

@testable import PolicyAdministration

/// /etc/opk and /var/log are a test's own for the commands that it runs, and nobody else's.
private enum Namespace {
    static let canBeHad: Bool = {
        guard geteuid() == 0 else { return false }
        return (try? Desk.run(["/usr/bin/unshare", "--mount", "mount", "--bind", "/tmp", "/etc"]))?.status == 0
    }()
}

@Suite("Changes of policy are in the audit log", .serialized)
struct AuditedChangeTests {
    let desk: Desk
    private var log: String { desk.folder + "/log/opk/audit.jsonl" }

    init() throws {
        desk = try Desk("# who\nroot alice@example.com \(Desk.google)\n")
        for folder in ["/log", "/log/opk"] {
            try FileManager.default.createDirectory(
                atPath: desk.folder + folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        }
        try makeLog()
    }

    private func makeLog() throws {
        guard FileManager.default.createFile(atPath: log, contents: Data(), attributes: [.posixPermissions: 0o640]) else {
            throw CocoaError(.fileWriteUnknown)
        }
    }

    /// The machine's own policy, as root sees it.
    private func opk(_ words: String...) throws -> Desk.Run {
        let etc = desk.folder + "/machine"
        let script = """
            mkdir -p \(etc)/opk && cp /etc/passwd /etc/group /etc/nsswitch.conf \(etc)/ && mount --bind \(desk.config) \(etc)/opk \
            && mount --rbind \(etc) /etc && mount --bind \(desk.folder)/log /var/log || exit 99; export SUDO_USER=carol; exec "$@"
            """
        return try Desk.run(["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, "sh", Desk.opk] + words)
    }

    private func events() throws -> [JSONObject] {
        let bytes = FileManager.default.contents(atPath: log).map(Array.init) ?? []
        #expect(try EventSchema.problems(String(decoding: bytes, as: UTF8.self)) == [])
        return try bytes.split(separator: 0x0A).map { try JSONObject(parsing: Array($0)) }
    }

    @Test(
        "Each command that changes a file is an event: who, which command, which rows, and both digests",
        .enabled(if: Namespace.canBeHad, "not root, or no mounting"))
    func commands() throws {
        let before = try Desk.run(["/usr/bin/sha256sum", desk.authID]).output.prefix(64)
        #expect(try opk("add", "deploy", "bob@example.com", "google", "--reason", "CHG-1\u{202E}").status == 0)
        #expect(try opk("add", "deploy", "bob@example.com", "google", "--reason", "CHG-1\u{202E}").status == 0)
        #expect(try opk("remove", "root", "alice@example.com", "--dry-run").status == 0)
        #expect(try opk("remove", "root", "alice@example.com").status == 0)
        #expect(try opk("revoke", "mallory@example.com").status == 0)
        #expect(try opk("restore", "mallory@example.com").status == 0)
        let events = try events()
        #expect(events.map { $0["command"]?.string } == ["opk add", "opk remove", "opk revoke", "opk restore"])
        for event in events {
            #expect(event["type"] == "policy.changed" && event["program"] == "opk")
            #expect(event["actor"]?["account"] == "root" && event["actor"]?["sudo_user"] == "carol")
        }
        #expect(events[0]["change"]?["file"] == "/etc/opk/auth_id" && events[2]["change"]?["file"] == "/etc/opk/revoked")
        #expect(events[0]["change"]?["action"] == "changed" && events[2]["change"]?["action"] == "created")
        #expect(events[0]["change"]?["sha256_before"]?.string?.string == String(before))
        #expect(events[0]["change"]?["sha256_after"] == events[1]["change"]?["sha256_before"])
        let row = try #require(events[0]["change"]?["rows"]?.array?.first?.string?.string)
        #expect(row.hasPrefix("+deploy bob@example.com \(Desk.google)") && row.contains("CHG-1\u{202E}"))
        #expect(events[1]["change"]?["rows"] == [.string(Text("-root alice@example.com \(Desk.google)"))])
    }

    @Test(
        "What cannot be recorded is said and stands; where nothing is installed nothing is said",
        .enabled(if: Namespace.canBeHad, "not root, or no mounting"))
    func unwritable() throws {
        unlink(log)
        try FileManager.default.createSymbolicLink(atPath: log, withDestinationPath: desk.folder + "/elsewhere")
        let run = try opk("add", "deploy", "bob@example.com", "google")
        #expect(run.status == 0 && run.errors.contains("opk: warning: this change is not in the audit log"), "\(run)")
        #expect(desk.text().contains("deploy bob@example.com"))
        try FileManager.default.removeItem(atPath: desk.folder + "/log/opk")
        let quiet = try opk("remove", "deploy")
        #expect(quiet.status == 0 && quiet.errors == "", "\(quiet)")
    }

    @Test("A policy in another folder is not this machine's")
    func elsewhere() throws {
        #expect(desk.place.authID.isAudited == false)
        #expect(PolicyPlace(system: "/etc/opk").authID.isAudited == (geteuid() == 0))
        #expect(PolicyPlace(system: "/etc/opk2").authID.isAudited == false)
    }

    @Test("Rows are told apart line by line, as often as they are there")
    func differences() {
        func difference(_ before: String, _ after: String) -> [String] {
            PolicyChangeRecord.differences(Array(before.utf8), Array(after.utf8))
        }
        #expect(difference("a\nb\n", "b\na\n") == [])
        #expect(difference("a\nb\n", "a\nc\n") == ["+c", "-b"])
        #expect(difference("a\n", "a\na\n") == ["+a"])
        #expect(difference("a\na\na", "a\n") == ["-a", "-a"])
        #expect(difference("", "x\n") == ["+x"])
        #expect(difference("# a\n\n \t# b\nx\n", "x\n\r\n# c\n") == [])

        let many = PolicyChangeRecord(
            command: "edit", path: "/x", before: [],
            after: Array((0..<5000).map { "row \($0) \(String(repeating: "y", count: 400))" }.joined(separator: "\n").utf8))
        #expect(many.event.line.count < AuditEvent.longestLine)
    }

    private func record(_ path: String, _ before: String, _ after: String) throws -> JSONObject {
        let change = PolicyChangeRecord(command: "edit", path: path, before: Array(before.utf8), after: Array(after.utf8))
        return try JSONObject(parsing: Array(change.event.line.dropLast()))
    }

    @Test("Whom a change lets in stands first, however much it takes away, and what has no room is counted")
    func additionsFirst() throws {
        let gone = (0..<20).map { "root user\($0)@example.com https://idp.example.com" }.joined(separator: "\n")
        let event = try record("/etc/opk/auth_id", "# a\n# b\n" + gone, "root mallory@evil.example https://idp.example.com\n")
        let rows = try #require(event["change"]?["rows"]?.array)
        #expect(rows.count == 12 && rows.first == "+root mallory@evil.example https://idp.example.com")
        #expect(event["notes"] == ["9 more rows changed"])
    }

    @Test(
        "What may hold a secret is not written down: of config.yml and plugins there are digests alone",
        arguments: ["config.yml", "policy.d/x.yml"])
    func secrets(file: String) throws {
        let event = try record("/etc/opk/" + file, "", "notify:\n  - webhook: https://chat.example.com/hooks/SECRET\n")
        #expect(!"\(event)".contains("SECRET") && event["change"]?["rows"] == nil)
        #expect(event["change"]?["sha256_after"]?.string?.count == 64)
    }
}
