import AuditReading
import AuditTrail
import JOSE
import Vocabulary

/// Reads the bytes as a line of the audit log. What is an event is JSON for the strict reader too, and can be shown and mapped.
@Sendable func auditEvent(_ bytes: [UInt8]) {
    guard let record = AuditRecord(bytes) else { return }
    must(bytes.count <= AuditEvent.longestLine && record.line == bytes, "a line that is too long, or another one")
    must(!bytes.contains { $0 < 0x20 }, "a control character as it is")
    must(Text(validating: bytes) != nil, "not UTF-8")
    must(record.text(.id) != nil, "an event without its id")
    for field in AuditField.allCases {
        let values = [record.text(field) != nil, record.number(field) != nil, record.flag(field) != nil].count { $0 }
        must(values <= 1 && (values == 0 || record.has(field)), "a member of two types, or that is not there")
    }
    let line = LogLine(LogEntry(record))
    for text in [LogLine.local(line.time), line.subject, line.source, line.words] {
        must(text.unicodeScalars.allSatisfy(isHarmless), "something that a terminal could obey")
    }
    for mapped in [OCSFEvent.json(record), ECSEvent.json(record)] {
        must((try? JSON(parsing: mapped)) != nil, "a mapped event that is no JSON")
    }
    // Depth, numbers and members inside of members are the strict reader's to refuse; at the top it must agree.
    if let whole = try? JSONObject(parsing: bytes) {
        must(whole["type"]?.string?.string == record.kind.rawValue, "two types of one event")
    }
}

var auditEventSeeds: [[UInt8]] {
    AuditKind.allCases.map { kind in
        var event = AuditEvent(
            kind, id: "abcdefghij", at: UnixTime(seconds: 1_790_000_000, nanoseconds: 5000), host: "server", program: "opk")
        event.set(.attempt, "attempt2aa")
        event.set(.account, "root")
        event.set(.granted, kind != .decision)
        event.set(.step, 9)
        event.set(.reason, "no-row-admits")
        event.set(.detail, "\u{1B}[2J\u{202E}\"\\é")
        event.set(.email, "alice@example.com")
        event.set(.verified, true)
        event.set(.amr, ["pwd", "otp"])
        event.set(.sourceAddress, "2001:db8::1")
        event.set(.sessionBegan, UnixTime(seconds: 1_780_000_000))
        event.set(.lost, 3)
        var row = AuditObject()
        row.set(.file, "/etc/opk/auth_id")
        row.set(.line, 3)
        row.set(.kind, "row")
        event.set(.decidedBy, [row, row])
        event.set(.actor, row)
        event.set(.change, row)
        return Array(event.line.dropLast())
    }
}
