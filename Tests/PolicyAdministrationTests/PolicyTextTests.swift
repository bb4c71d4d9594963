import Testing
import Vocabulary

@testable import PolicyAdministration

@Suite("Changes of a text touch no other line")
struct PolicyTextTests {
    private static let mark = "\u{FEFF}"

    @Test(
        "A row is put at the end, with the file's own kind of line end, and a last line that has none gets one",
        arguments: [
            ("", "new\n", 1), ("a\n", "a\nnew\n", 2), ("a", "a\nnew\n", 2), ("a\r\n", "a\r\nnew\r\n", 2),
            ("a\r\nb", "a\r\nb\r\nnew\r\n", 3),
            ("a\r\nb\n", "a\r\nb\nnew\n", 3), ("\n\n", "\n\nnew\n", 3), ("# c", "# c\nnew\n", 2), ("\u{FEFF}", "\u{FEFF}new\n", 1),
            ("\u{FEFF}a\n", "\u{FEFF}a\nnew\n", 2), ("\n", "\nnew\n", 2), ("a\r", "a\r\nnew\n", 2),
        ])
    func appending(old: String, new: String, line: Int) {
        let result = PolicyText.appending("new", to: Array(old.utf8))
        #expect(result.text == Array(new.utf8) && result.line == line, "\(String(decoding: result.text, as: UTF8.self).debugDescription)")
    }

    @Test(
        "A removed line goes with its end and nothing else, whatever the file's kind of line end, mark and last line",
        arguments: [
            ("a\nb\nc\n", [2], "a\nc\n"), ("a\r\nb\r\nc", [2], "a\r\nc"), ("a\r\nb\r\nc", [3], "a\r\nb\r\n"),
            ("a\n# b\n\nc\n", [1, 4], "# b\n\n"),
            ("\u{FEFF}a\nb\n", [1], "\u{FEFF}b\n"), ("\u{FEFF}a", [1], "\u{FEFF}"), ("a\n", [1], ""), ("a\n\n\nb\n", [4], "a\n\n\n"),
            ("a\nb\n", [3], "a\nb\n"), ("a\n \t\nb", [2], "a\nb"),
        ])
    func removing(old: String, lines: [Int], new: String) {
        let result = PolicyText.removing(Set(lines), from: Array(old.utf8))
        #expect(result == Array(new.utf8), "\(String(decoding: result, as: UTF8.self).debugDescription)")
    }

    @Test(
        "A replaced line keeps its place and its end",
        arguments: [
            ("a\nb\nc\n", 2, [], "a\nnew\nc\n", 2), ("a\r\nb\r\n", 1, [2], "new\r\n", 1), ("a\nb\nc", 3, [1], "b\nnew", 2),
            ("\u{FEFF}a\nb", 1, [], "\u{FEFF}new\nb", 1),
        ])
    func replacing(old: String, line: Int, others: [Int], new: String, place: Int) {
        let result = PolicyText.replacing(line, with: "new", removing: Set(others), in: Array(old.utf8))
        #expect(result.text == Array(new.utf8) && result.line == place)
    }

    @Test("Bytes that are no text stay what they are")
    func foreign() {
        let old: [UInt8] = [0xFF, 0xFE, 0x0A, 0x80, 0x0D, 0x0A, 0xC3]
        #expect(PolicyText.appending("x", to: old).text == old + [0x0D, 0x0A, 0x78, 0x0D, 0x0A])
        #expect(PolicyText.removing([2], from: old) == [0xFF, 0xFE, 0x0A, 0xC3])
        #expect(PolicyText.lines([1, 2, 3, 4], of: old).isEmpty)
        #expect(PolicyText.line(2, of: Array("\u{FEFF}a\r\nb\r\n".utf8)) == "b")
    }

    @Test("A text that lacks another line, or has another byte, is noticed")
    func noticed() {
        let old = Array("\u{FEFF}a\r\nb\nc".utf8)
        func holds(_ new: String, _ removed: Set<Int>, _ replaced: (line: Int, row: Text)? = nil) -> Bool {
            PolicyText.isOnly(removed: removed, replaced: replaced, of: old, in: Array(new.utf8))
        }
        #expect(holds("\u{FEFF}a\r\nc", [2]) && holds("\u{FEFF}a\r\nx\nc", [], (2, "x")) && holds("\u{FEFF}x\r\nc", [2], (1, "x")))
        for (new, removed) in [
            ("a\r\nc", [2]), ("\u{FEFF}a\nc", [2]), ("\u{FEFF}a\r\nc\n", [2]), ("\u{FEFF}a\r\nc", [1]), ("\u{FEFF}a\r\nb", [2]),
            ("\u{FEFF}a\r\nb\nc", [2]),
            ("\u{FEFF}a\r\n", [2]), ("\u{FEFF}A\r\nc", [2]),
        ] as [(String, Set<Int>)] { #expect(!holds(new, removed), "\(new.debugDescription)") }
        #expect(!holds("\u{FEFF}a\r\ny\nc", [], (2, "x")))
    }
}
