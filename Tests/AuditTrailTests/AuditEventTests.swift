import JOSE
import Testing
import Vocabulary

@testable import AuditTrail

@Suite struct AuditEventTests {
    private func event(_ fill: (inout AuditEvent) -> Void) throws -> JSONObject {
        var event = AuditEvent(
            .decision, id: "abcdefghij", at: UnixTime(seconds: 1_700_000_000, nanoseconds: 1_002_003), host: "h", program: "p")
        fill(&event)
        let line = event.line
        #expect(line.count <= AuditEvent.longestLine && line.last == 0x0A && line.filter { $0 == 0x0A }.count == 1)
        return try JSONObject(parsing: Array(line.dropLast()))
    }

    @Test func `it begins with version, time, id, type, host and program`() throws {
        let object = try event { _ in }
        #expect(object.members.map(\.name) == ["v", "time", "id", "type", "host", "program"])
        #expect(object["time"] == "2023-11-14T22:13:20.001002Z" && object["v"] == 1)
    }

    @Test func `texts come out as they went in, whatever is in them`() throws {
        for text in ["", "a\"b\\c/d", "\0\u{1}\n\r\t\u{7F}", "\u{202E}\u{2028}é😀\u{E000}", "</script>"] {
            let object = try event {
                $0.set(.email, text)
                $0.set(.groups, [text, text])
            }
            #expect(object["email"] == .string(Text(text)) && object["groups"] == [.string(Text(text)), .string(Text(text))])
        }
    }

    @Test func `what a terminal obeys, and what turns the direction of writing, is not in a line as it is`() {
        var event = AuditEvent(.decision, id: "abcdefghij", at: UnixTime(seconds: 1), host: "h", program: "p")
        let hostile: [Unicode.Scalar] = [
            "\0", "\n", "\u{1B}", "\u{7F}", "\u{9B}", "\u{200E}", "\u{202E}", "\u{2028}", "\u{2066}", "\u{FEFF}",
        ]
        event.set(.email, String(String.UnicodeScalarView(hostile)))
        let written = String(decoding: event.line.dropLast(), as: UTF8.self).unicodeScalars
        for scalar in hostile { #expect(!written.contains(scalar), "\(scalar.value)") }
    }

    @Test func `a text is cut, a list is cut and says how much of it is there, and what has no room is left out`() throws {
        let object = try event { event in
            event.set(.email, String(repeating: "x", count: 600))
            event.set(.subject, String(repeating: "\u{1}", count: 600))
            #expect(event.set(.groups, (0..<100).map { "g\($0)" }) == 64)
            #expect(event.set(.notes, Array(repeating: String(repeating: "y", count: 500), count: 5)) == 2)
        }
        #expect(object["email"] == .string(Text(String(repeating: "x", count: 512) + "…")))
        #expect(object["subject"]?.string.map { $0.count < 200 && $0.hasSuffix("…") } == true)
        #expect(object["groups"]?.array?.count == 64 && object["notes"]?.array?.count == 2)
        let full = try event { event in
            for field in AuditField.allCases where ![.version, .time, .id, .type, .host, .program].contains(field) {
                event.set(field, String(repeating: "😀\u{2}", count: 600))
            }
        }
        #expect(full.members.count > 8 && full.members.count < AuditField.allCases.count)
    }

    @Test func `the fields are those of the document, and the document has no others`() throws {
        let document = try SharedText.auditLog()
        for field in AuditField.allCases { #expect(document.contains("`\(field.rawValue)`"), "\(field.rawValue)") }
        for kind in AuditKind.allCases { #expect(document.contains("`\(kind.rawValue)`"), "\(kind.rawValue)") }
    }

    @Test func `last words are the event with another time and a step`() throws {
        var event = AuditEvent(.decision, id: "abcdefghij", at: .now(), host: "h", program: "p")
        event.set(.account, "guest")
        event.leaveStepOpen()
        event.set(.reason, "timed-out")
        let parts = event.aroundTimeAndStep
        let text = [parts.0, Array("TIME".utf8), parts.1, Array("7".utf8), parts.2].reduce([], +)
        let object = try JSONObject(parsing: Array(text.dropLast()))
        #expect(object["time"] == "TIME" && object["step"] == 7 && object["reason"] == "timed-out" && object["account"] == "guest")
    }

    @Test func `who changed something is known by more than one name`() throws {
        let object = try event { $0.set(.actor, AuditActor.current) }
        #expect(object["actor"]?["uid"]?.number != nil && object["actor"]?["account"]?.string != nil)
    }
}
