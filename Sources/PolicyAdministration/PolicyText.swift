import Policy
import Vocabulary

/// Changes to a file of rows that touch no other line than those they are about: comments, order, blanks, a byte order mark and the kind of
/// line ends stay as they are. Lines are counted from 1, as the readers count them.
enum PolicyText {
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// The text with one more line at its end, and that line's number. A last line that had no end gets one.
    static func appending(_ row: Text, to text: [UInt8]) -> (text: [UInt8], line: Int) {
        let end = lineEnd(of: text)
        var result = text
        if let last = text.last, last != lineFeed, text != mark { result += end }
        let line = result.count { $0 == lineFeed } + 1
        return (result + row.utf8 + end, line)
    }

    /// The text without these lines. A byte order mark stays where it was.
    static func removing(_ lines: Set<Int>, from text: [UInt8]) -> [UInt8] {
        rewriting(text) { lines.contains($0) ? .removed : .kept }
    }

    /// The text with `row` in the place of one line, and without some others; and the number that it has there.
    static func replacing(_ line: Int, with row: Text, removing others: Set<Int>, in text: [UInt8]) -> (text: [UInt8], line: Int) {
        let result = rewriting(text) { number in number == line ? .replaced(row) : others.contains(number) ? .removed : .kept }
        return (result, line - others.count { $0 < line })
    }

    /// Whether `new` is `old` without these lines, and with that row in the place of one; seen from both, however it was made.
    static func isOnly(removed: Set<Int>, replaced: (line: Int, row: Text)? = nil, of old: [UInt8], in new: [UInt8]) -> Bool {
        guard old.starts(with: mark) == new.starts(with: mark) else { return false }
        var rest = new.starts(with: mark) ? new[mark.count...] : new[...]
        var number = 0
        var holds = true
        func expect(_ bytes: some Collection<UInt8>) {
            if rest.starts(with: bytes) { rest = rest.dropFirst(bytes.count) } else { holds = false }
        }
        eachLine(of: old) { line, end in
            number += 1
            if removed.contains(number) { return }
            if let replaced, replaced.line == number { expect(replaced.row.utf8) } else { expect(line) }
            expect(end)
        }
        return holds && rest.isEmpty
    }

    /// A line without its end, and without the mark; nil where there is no such line or it is not UTF-8.
    static func line(_ number: Int, of text: [UInt8]) -> Text? { lines([number], of: text)[number] }

    /// The same of any bytes.
    static func bytes(ofLine wanted: Int, of text: [UInt8]) -> [UInt8]? {
        var found: [UInt8]?
        var number = 0
        eachLine(of: text) { line, _ in
            number += 1
            if number == wanted { found = Array(line) }
        }
        return found
    }

    /// Of these lines those that are there and UTF-8, by their numbers.
    static func lines(_ numbers: Set<Int>, of text: [UInt8]) -> [Int: Text] {
        var found: [Int: Text] = [:]
        var number = 0
        eachLine(of: text) { line, _ in
            number += 1
            if numbers.contains(number) { found[number] = Text(validating: line) }
        }
        return found
    }

    private enum Fate {
        case kept, removed
        case replaced(Text)
    }

    private static func rewriting(_ text: [UInt8], _ fate: (Int) -> Fate) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        if text.starts(with: mark) { result += mark }
        var number = 0
        eachLine(of: text) { line, end in
            number += 1
            switch fate(number) {
            case .kept: result += line + end
            case .removed: break
            case .replaced(let row): result += row.utf8 + end
            }
        }
        return result
    }

    /// Each line apart from its end, which is LF, CRLF or, at the last line, nothing.
    private static func eachLine(of text: [UInt8], _ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Void) {
        var rest = text.starts(with: mark) ? text[mark.count...] : text[...]
        while !rest.isEmpty {
            let feed = rest.firstIndex(of: lineFeed)
            let whole = rest[..<(feed.map { $0 + 1 } ?? rest.endIndex)]
            rest = rest[whole.endIndex...]
            var line = feed == nil ? whole : whole.dropLast()
            if feed != nil && line.last == carriageReturn { line.removeLast() }
            body(line, whole[line.endIndex...])
        }
    }

    /// As the last line that has an end ends; LF where none has.
    private static func lineEnd(of text: [UInt8]) -> [UInt8] {
        guard let feed = text.lastIndex(of: lineFeed), feed > 0, text[feed - 1] == carriageReturn else { return [lineFeed] }
        return [carriageReturn, lineFeed]
    }
}
