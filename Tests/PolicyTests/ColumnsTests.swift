import Testing

@testable import Policy

@Suite struct ColumnsTests {
    func split(_ line: String) throws -> [String]? {
        try Columns(Array(line.utf8)[...]).map { $0.words.map(\.string) + ($0.rest.isEmpty ? [] : ["rest: " + $0.rest.string]) }
    }

    @Test(
        "columns are split as a shell splits words",
        arguments: [
            ("a b c", ["a", "b", "c"]), ("  a\tb \t c  ", ["a", "b", "c"]), ("1 \"2 3\" 4", ["1", "2 3", "4"]),
            ("1 '2 3' 4", ["1", "2 3", "4"]),
            ("a '' \"\"", ["a", "", ""]), ("a\\ b c", ["a b", "c"]), ("a'b'\"c\"\\d e", ["abcd", "e"]), ("'a\\b' c", ["a\\b", "c"]),
            ("\"a\\\"b\\\\c\\$d\\`e\\f\" g", ["a\"b\\c$d`e\\f", "g"]),
            ("'oidc:\"https://acme.com/roles\":dev' x", ["oidc:\"https://acme.com/roles\":dev", "x"]),
            (
                "1 'oidc:claims[\"https://example.com/my-custom-groups\"].contains(\"group with space and :\")' 3",
                ["1", "oidc:claims[\"https://example.com/my-custom-groups\"].contains(\"group with space and :\")", "3"]
            ),
            ("ü 'é' 𐍈", ["ü", "é", "𐍈"]), ("a 'b'#", nil), ("a \"#b\" '#c'", ["a", "#b", "#c"]),
        ] as [(String, [String]?)])
    func words(line: String, expected: [String]?) throws {
        if let expected {
            #expect(try split(line) == expected)
        } else {
            #expect(throws: RowFault.self) { try split(line) }
        }
    }

    @Test(
        "# begins a comment at the start of a line or after a blank",
        arguments: [
            ("# all", nil), ("   # all", nil), ("", nil), (" \t ", nil), ("a b c # d", ["a", "b", "c"]), ("a b # c", ["a", "b"]),
            ("a b c #d 'e", ["a", "b", "c"]), ("a #\"", ["a"]),
        ] as [(String, [String]?)])
    func comments(line: String, expected: [String]?) throws {
        #expect(try split(line) == expected)
    }

    @Test(
        "# elsewhere outside quotes makes the row bad: opkssh would cut it there",
        arguments: ["a#b c d", "a b# c", "a b c#", "a b 'c'#d", "a \\# c", "a b\\#c d"])
    func strayHash(line: String) {
        #expect(throws: RowFault.self) { try split(line) }
    }

    @Test("what is not closed is bad", arguments: ["a 'b", "a \"b", "a \"b\\", "a b\\", "'", "\"\\\"", "a b 'c"])
    func open(line: String) {
        #expect(throws: RowFault.self) { try split(line) }
    }

    @Test("what follows the third column is the fourth, raw, quotes and # included")
    func rest() throws {
        #expect(try split("a b c command=\"x # y\" #z") == ["a", "b", "c", "rest: command=\"x # y\" #z"])
        #expect(try split("a b c ''") == ["a", "b", "c", "rest: ''"])
    }

    @Test("V66 a control character or invalid UTF-8 makes the row bad")
    func bytes() {
        for bad: [UInt8] in [[0], [0x1B], [0x0B], [0x0D], [0x7F], [0xFF], [0xC3], [0xED, 0xA0, 0x80]] {
            #expect(throws: RowFault.self) { try Columns((Array("a b".utf8) + bad + Array("c d".utf8))[...]) }
        }
    }

    @Test("any line of bytes is read or refused, never a crash")
    func anything() {
        let alphabet: [UInt8] = Array("a '\"\\#\t$".utf8) + [0xC3, 0xA9]
        for seed in 0..<50_000 {
            var state = UInt64(seed) &* 6_364_136_223_846_793_005 &+ 1
            let line = (0..<(seed % 12)).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return alphabet[Int(state >> 33) % alphabet.count]
            }
            if let columns = try? Columns(line[...]) { #expect(columns.words.count <= 3) }
        }
    }
}
