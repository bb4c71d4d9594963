import SafeFiles
import Testing

@Suite struct LineSplitterTests {
    struct Line: Equatable {
        let number: Int
        let text: String
        var isWhole = true
    }

    func lines(_ text: String, chunk: Int, longest: Int = LineSplitter.longest) -> [Line] {
        var lines: [Line] = []
        var splitter = LineSplitter(longest: longest)
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

    @Test("nothing has no lines")
    func empty() {
        #expect(lines("", chunk: 1) == [])
    }
}
