import AuditTrail
import ChildProcess
import Foundation
import JOSE
import RecentRefusals
import Testing
import Vocabulary

@testable import PolicyExplanation

@Suite("what has an id") struct RecordedEventTests {
    let place: Place
    let now = UnixTime(seconds: 1_795_600_000)
    var log: String { place.stateFolder + "/audit.jsonl" }
    var ring: String { RecentRefusals.path(in: place.stateFolder) }

    init() throws { place = try Place() }

    private func decision(_ id: String, _ change: (inout AuditEvent) -> Void) -> AuditEvent {
        var event = AuditEvent(.decision, id: id, at: now + -3600, host: "server", program: "opk-verify")
        event.set(.attempt, "attempt2aa")
        event.set(.account, "root")
        event.set(.issuer, "https://idp.example.com")
        event.set(.subject, "alice-1")
        event.set(.email, "alice@example.com")
        event.set(.sourceAddress, "192.0.2.7")
        change(&event)
        return event
    }

    private func refusal(_ id: String, _ change: (inout AuditEvent) -> Void = { _ in }) -> AuditEvent {
        decision(id) {
            $0.set(.granted, false)
            $0.set(.verified, true)
            $0.set(.step, 9)
            $0.set(.reason, "denied")
            $0.set(.detail, "deny_emails has alice@example.com")
            var list = AuditObject()
            list.set(.kind, "deny")
            list.set(.file, "/etc/opk/config.yml")
            list.set(.line, 4)
            $0.set(.decidedBy, [list])
            change(&$0)
        }
    }

    private func write(_ name: String, _ events: [AuditEvent]) throws {
        try place.put(place.stateFolder + "/" + name, events.flatMap(\.line), 0o640)
    }

    private func find(_ id: Text) throws -> RecordedEvent { try RecordedEvent(id, stateFolder: place.stateFolder, auditLog: log, at: now) }

    @Test("What the last refusals have is shown from there; what they have forgotten from the audit log, or the rotated file that has it")
    func found() throws {
        try place.put(ring, [UInt8](repeating: 0, count: RecentRefusals.size), 0o600)
        #expect(
            RecentRefusals.keep(
                Array("id abcdefghij\nreason expired\naccount root\n".utf8), kind: 0, at: now, in: place.stateFolder))
        try write("audit.jsonl", [refusal("abcdefghij"), refusal("newestaaaa")])
        try write("audit.jsonl.2", [refusal("oldestaaaa")])
        _ = try ChildProcess.run(
            "/usr/bin/gzip", [log + ".2"], environment: ProcessEnvironment(entries: []), outputLimit: 0, errorOutput: .captured(limit: 100),
            deadline: 10_000)
        #expect(try find("abcdefghij").path == ring && find("newestaaaa").path == log && find("id=oldestaaaa").path == log + ".2.gz")
        #expect(try find("abcdefghij").lines.contains("  found in \(ring)"))
        #expect(
            try find("oldestaaaa").lines == [
                "\(Words.when(now + -3600, now))  id oldestaaaa",
                "  account root, alice@example.com, sub alice-1 of https://idp.example.com",
                "  step 9, denied: deny_emails has alice@example.com",
                "  to look closer: opk explain root --email=alice@example.com --sub=alice-1 --issuer=https://idp.example.com",
                "  decided by deny /etc/opk/config.yml:4", "  from 192.0.2.7", "  of the connection attempt2aa", "  found in \(log).2.gz",
            ])
        let json = try find("oldestaaaa").json.array?.first
        #expect(json?["found_in"]?.string?.string == log + ".2.gz" && json?["reason"] == "denied" && json?["event"]?["type"] == "decision")
        try FileManager.default.removeItem(atPath: ring)
        #expect(try find("abcdefghij").path == log)
    }

    @Test("An admission says what admitted, and another event what it was")
    func others() throws {
        let admitted = decision("admittedaa") {
            $0.set(.granted, true)
            $0.set(.verified, true)
            $0.set(.grantReason, "CHG-0881")
            $0.set(.breakGlass, true)
            var row = AuditObject()
            row.set(.kind, "row")
            row.set(.file, "/etc/opk/auth_id")
            row.set(.line, 3)
            $0.set(.decidedBy, [row])
        }
        var change = AuditEvent(.policyChanged, id: "changeaaaa", at: now, host: "server", program: "opk")
        var actor = AuditObject()
        actor.set(.name, "alice")
        change.set(.actor, actor)
        change.set(.command, "opk add")
        try write("audit.jsonl", [admitted, change])
        let lines = try find("admittedaa").lines
        #expect(lines.contains("  admitted, by a break-glass row alone, for CHG-0881"))
        #expect(lines.contains("  decided by row /etc/opk/auth_id:3"))
        #expect(try find("changeaaaa").lines.dropFirst() == ["  policy.changed: alice", "  opk add", "  found in \(log)"])
    }

    @Test("What is nowhere names both places, what could not be read of them, and the next command")
    func nowhere() throws {
        func failure(_ id: String) throws -> String {
            let run = try place.opk("explain", "--id", id, "--audit-log", log)
            #expect(run.status == 1)
            return run.errors
        }
        var errors = try failure("aaaaaaaaaa")
        #expect(errors.contains("\(ring) is not there") && errors.contains("there is no \(log)"), "\(errors)")
        try place.put(ring, [UInt8](repeating: 0, count: RecentRefusals.size), 0o600)
        try write("audit.jsonl", [refusal("abcdefghij")])
        errors = try failure("aaaaaaaaaa")
        #expect(errors.contains("nothing with the id aaaaaaaaaa was found: the last refusals (\(ring)) do not have it"), "\(errors)")
        #expect(errors.contains("the audit log (\(log) and its rotated files) does not have it"))
        #expect(errors.contains("hint: ") && errors.contains("journalctl -t opk-verify") && errors.contains("opk log --since 30d --json"))
        try place.put(log + ".1.gz", Array("no gzip".utf8), 0o640)
        errors = try failure("aaaaaaaaaa")
        #expect(errors.contains("what can be read of the audit log") && errors.contains("\(log).1.gz cannot be unpacked"), "\(errors)")
        // Found all the same.
        #expect(try place.opk("explain", "--id", "abcdefghij", "--audit-log", log).output.contains("found in \(log)"))
    }

    @Test("Hostile text of an event is shown as text, and makes no command")
    func hostile() throws {
        let texts = ["\u{1B}[2J\u{202E}", "\u{9B}2J\n", "\u{1B}]0;x\u{7}", "';rm -rf /", "-rf"]
        func event(_ kind: AuditKind, _ id: String) -> AuditEvent {
            var event = AuditEvent(kind, id: id, at: now, host: texts[0], program: texts[1])
            let fields: [AuditField] = [
                .attempt, .account, .reason, .detail, .issuer, .subject, .email, .sourceAddress, .command, .endedBy, .grantReason,
            ]
            for (index, field) in fields.enumerated() { event.set(field, texts[(index + id.utf8.count) % texts.count]) }
            var decider = AuditObject()
            for field in [AuditField.kind, .file, .name] { decider.set(field, texts[0]) }
            event.set(.decidedBy, [decider])
            return event
        }
        let events = AuditKind.allCases.enumerated().map { event($1, "evil\($0)" + String(repeating: "a", count: $0 % 5)) }
        try write("audit.jsonl", events)
        for id in events.map(\.id) {
            let event = try find(Text(id))
            #expect(!event.lines.contains { $0.contains("opk explain") })
            for line in event.lines + event.json.pretty().split(separator: "\n").map(String.init) {
                #expect(line.unicodeScalars.allSatisfy { isHarmless($0) }, "\(line)")
            }
        }
    }
}
