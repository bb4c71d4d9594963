import AuditTrail
import Testing
import Vocabulary

@testable import AuditReading

@Suite struct ScannerTests {
    @Test("every event that is written is read, with all that it says")
    func written() throws {
        for event in EventSamples.all {
            let record = try #require(AuditRecord(EventSamples.line(event)))
            #expect(record.kind == event.kind && record.text(.id) == event.id && record.time == EventSamples.began)
        }
        let record = try #require(AuditRecord(EventSamples.line(EventSamples.full(.decision))))
        #expect(record.text(.email) == "alice@example.com" && record.flag(.verified) == true && record.number(.groupsMore) == 3)
        #expect(record.texts(.groups) == ["dev", "ops"] && record.objects(.decidedBy).first?.number(.line) == 3)
        #expect(record.moment(.authTime) == UnixTime(seconds: EventSamples.began.seconds - 60))
        #expect(record.text(.granted) == nil && record.flag(.email) == nil && record.object(.actor) == nil)
        #expect(
            AuditRecord(EventSamples.line(EventSamples.hostile))?.text(.subject)?.hasPrefix("\u{1B}]0;x\u{7}\u{9B}2J\u{202E}\n\"}{\\")
                == true)
    }

    @Test("a field's index is its place in the list")
    func indices() {
        for (index, field) in EventFields.all.enumerated() { #expect(field.index == index) }
    }

    static let good = String(
        decoding: EventSamples.line(EventSamples.full(.login).with { $0.set(.tty, "pts/3") }), as: UTF8.self)
    static let none: [(String, String)] = [
        ("a torn end", String(good.dropLast(9))), ("two objects", good + good),
        ("white space", good.replacing(",\"type\"", with: ", \"type\"")),
        ("a member twice", good.replacing("\"tty\":\"pts/3\"", with: "\"host\":\"other\"")),
        ("null", good.replacing("\"silver\"", with: "null")),
        ("a text for a number", good.replacing("\"process\":4321", with: "\"process\":\"4321\"")),
        ("a fraction", good.replacing("4321", with: "4321.5")), ("a leading zero", good.replacing("4321", with: "04321")),
        ("a huge number", good.replacing("4321", with: String(repeating: "9", count: 30))),
        ("an unknown type", good.replacing("\"type\":\"login\"", with: "\"type\":\"logins\"")),
        ("no id", good.replacing("\"id\"", with: "\"ix\"")),
        ("month 13", good.replacing("\"time\":\"2026-11", with: "\"time\":\"2026-13")),
        ("30 February", good.replacing("\"time\":\"2026-11-01", with: "\"time\":\"2026-02-30")),
        ("another version", good.replacing("\"v\":1", with: "\"v\":2")), ("an unknown escape", good.replacing("pts/3", with: "\\x")),
        ("half a pair", good.replacing("pts/3", with: "\\ud800")), ("a control character", good.replacing("pts/3", with: "\u{1}")),
        ("deep", good.replacing("[\"dev\",\"ops\"]", with: String(repeating: "[", count: 50) + String(repeating: "]", count: 50))),
        ("an open list", good.replacing("\"ops\"]", with: "\"ops\"")), ("a comma too many", good.replacing("\"ops\"]", with: "\"ops\",]")),
        ("something behind it", good + " "), ("longer than a line", good.replacing("pts/3", with: String(repeating: "a", count: 8200))),
        ("nothing", ""), ("JSON of others", "{\"a\":1}"), ("NUL", String(repeating: "\0", count: 200)),
    ]

    @Test("what is no event is none", arguments: none)
    func spoiled(name: String, line: String) {
        #expect(line != ScannerTests.good && AuditRecord(Array(line.utf8)) == nil, "\(name)")
    }

    @Test("bytes that are not UTF-8 are no event; members that are not known are passed over")
    func foreign() {
        let bytes = Array(ScannerTests.good.utf8)
        var broken = bytes
        broken[bytes.count - 5] = 0xFF
        #expect(AuditRecord(broken) == nil)
        let later = ScannerTests.good.replacing("\"tty\"", with: "\"later\":{\"a\":[1,true,\"x\"]},\"tty\"")
        #expect(AuditRecord(Array(later.utf8))?.text(.tty) == "pts/3")
    }

    @Test("what a line has does not depend on those before it, whose members stood in another order, had longer names, or were unknown")
    func independent() {
        let known = EventSamples.all.map { EventSamples.line($0) }
        let good = ScannerTests.good
        let others = [
            ("\"tty\"", "\"tt\""), ("\"tty\"", "\"ttys\""), ("\"tty\"", "\"tty\\\"\""), ("\"tty\"", "\"t\\u0074y\""),
            ("\"tty\":", "\"tty\""),
            ("\"session_began\"", "\"session_begun\""), ("\"certificate_ends\"", "\"certificate_endz\""),
            ("\"token_fingerprint\"", "\"token_fingerprinx\""), ("\"token_fingerprint\"", "\"token_fingerprint_\""),
            ("\"tty\"", "\"later\":{\"a\":[1,true,\"x\"]},\"tty\""), ("\"process\":4321,", ""), ("\"tty\":\"pts/3\"", "\"host\":\"other\""),
        ].map { Array(good.replacing($0.0, with: $0.1).utf8) }
        let lines = known + others
        var used = EventScanner()
        for line in lines + lines.reversed() + lines {
            var fresh = EventScanner()
            let padded = line + [UInt8](repeating: 0, count: EventScanner.margin)
            let isEvent = fresh.scan(padded.span, 0..<line.count)
            #expect(used.scan(padded.span, 0..<line.count) == isEvent, "\(String(decoding: line, as: UTF8.self))")
            guard isEvent else { continue }
            #expect(used.kind == fresh.kind && used.found == fresh.found)
            for index in EventFields.all.indices { #expect(used.range(index) == fresh.range(index)) }
        }
    }

    @Test("cut anywhere, or with any byte changed, a line is read whole or not at all")
    func cut() {
        let bytes = EventSamples.line(EventSamples.full(.policyChanged))
        for end in 0..<bytes.count { #expect(AuditRecord(Array(bytes.prefix(end))) == nil) }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x10
            guard let record = AuditRecord(changed) else { continue }
            #expect(Text(validating: record.line) != nil && record.time <= UnixTime.endOfYear9999)
        }
    }
}
