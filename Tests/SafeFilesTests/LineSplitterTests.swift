import SafeFiles
import Testing

@Suite struct LineSplitterTests {
    struct Line: Equatable {
        let number: Int
        let text: String
        var isWhole = true
    }

    func lines(_ text: String, chunk: Int, longest: Int = LineSplitter.longest, word: String? = nil) -> [Line] {
        var lines: [Line] = []
        var splitter = LineSplitter(longest: longest, beginningWith: word.map { FirstWord(Array($0.utf8)) })
        let bytes = Array(text.utf8)
        let collect = { (line: ScannedLine) in
            lines.append(Line(number: line.number, text: String(decoding: line.bytes, as: UTF8.self), isWhole: line.isWhole))
        }
        var begin = 0
        while begin < bytes.count {
            let end = min(begin + chunk, bytes.count)
            splitter.feed(bytes[begin..<end], collect)
            begin = end
        }
        splitter.finish(collect)
        return lines
    }

    @Test("the lines are the same wherever the chunks are cut", arguments: [1, 2, 3, 4, 5, 7, 11, 16, 1000])
    func chunks(size: Int) {
        let expected = ["one", "", "three four", "", "last"].enumerated().map { Line(number: $0 + 1, text: $1) }
        #expect(lines("one\n\nthree four\n\nlast", chunk: size) == expected)
        #expect(lines("one\n\nthree four\n\nlast\n", chunk: size) == expected)
        #expect(lines("\u{FEFF}one\r\n\r\nthree four\r\n\r\nlast\r\n", chunk: size) == expected, "BOM and CRLF are tolerated (V66)")
    }

    @Test("a byte order mark counts only at the very beginning")
    func mark() {
        #expect(lines("a\n\u{FEFF}b", chunk: 3) == [Line(number: 1, text: "a"), Line(number: 2, text: "\u{FEFF}b")])
    }

    @Test("a carriage return inside a line is left there")
    func carriageReturn() {
        #expect(lines("a\rb\r\r\n", chunk: 2) == [Line(number: 1, text: "a\rb\r")])
    }

    @Test("of a line that is too long only the beginning is kept, and the next line is whole again", arguments: [1, 3, 8, 64])
    func long(size: Int) {
        let expected = [
            Line(number: 1, text: "12345678"), Line(number: 2, text: "12345678", isWhole: false), Line(number: 3, text: "x"),
            Line(number: 4, text: "abcdefgh", isWhole: false),
        ]
        #expect(lines("12345678\n123456789\nx\nabcdefghi", chunk: size, longest: 8) == expected)
    }

    @Test(
        "asked for lines that begin with a word, it passes over those that cannot and goes on counting, wherever the chunks are cut",
        arguments: [1, 2, 3, 5, 8, 13, 1000])
    func beginning(size: Int) {
        let text =
            "\u{FEFF}dev 1\r\nroot\r\nroot 3\ndev\r\n\n  dev 6\ndev\t7\ndevel\nde\n'dev' 10\nd\\ev\nde\"v\"\ndev#\n#dev\ndev\r\r\nx'\ndev"
        let expected = [1, 4, 6, 7, 10, 11, 12, 13, 17]
        #expect(lines(text, chunk: size, word: "dev").map(\.number) == expected)
        #expect(lines(text, chunk: size, word: "dev") == lines(text, chunk: size).filter { expected.contains($0.number) })
        #expect(lines("root 1\ndev 2", chunk: size, word: "dev").map(\.number) == [2], "the first line is no exception")
        #expect(lines("dev 345678\nroot 45678\ndev", chunk: size, longest: 5, word: "dev").map(\.number) == [1, 3])
        #expect(
            lines("dev\r345\ndev\r\n", chunk: size, longest: 4, word: "dev").map(\.number) == [2],
            "cut before its end it has no return there")
    }

    @Test("nothing has no lines")
    func empty() {
        #expect(lines("", chunk: 1) == [])
    }
}
