internal import SafeFiles
import Vocabulary

/// A row of `providers` or `auth_id`, cut into columns as a shell cuts words (POLICY.md; opkssh uses go-shellquote, which does the same).
///
/// - Blanks (space, tab) separate. `'…'` is literal; in `"…"` a backslash escapes `$ ` " \`; elsewhere it escapes any character.
/// - `#` at the start of a line or after a blank begins a comment; elsewhere outside quotes it makes the row bad.
/// - The first three columns are split so; what follows them is the fourth, raw.
struct Columns: Equatable {
    /// At most three.
    var words: [Text] = []
    /// Everything behind the third column, from its first character that is not a blank; empty if that begins a comment.
    var rest: Text = ""

    static let maximum = 3

    /// Nil for a line that is empty or only a comment.
    init?(_ line: ScannedLine) throws(RowFault) {
        guard line.isWhole else { throw RowFault("the line is longer than \(LineSplitter.longest) bytes") }
        try self.init(line.bytes)
    }

    init?(_ line: ArraySlice<UInt8>) throws(RowFault) {
        guard Text(validating: line) != nil else { throw RowFault("the line is not UTF-8") }
        if line.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) { throw RowFault("the line has a control character") }
        var reader = WordReader(rest: line)
        while words.count < Columns.maximum {
            guard let word = try reader.next() else { break }
            guard let text = Text(validating: word) else { throw RowFault("a column is not UTF-8") }
            words.append(text)
        }
        if words.isEmpty { return nil }
        rest = Text(validating: reader.remainder()) ?? ""
    }
}

/// Takes words off the front of a line.
private struct WordReader {
    var rest: ArraySlice<UInt8>

    /// Nil at the end of the line and at a comment.
    mutating func next() throws(RowFault) -> [UInt8]? {
        skipBlanks()
        guard let first = rest.first, first != hash else { return nil }
        var word: [UInt8] = []
        while let byte = rest.first, !isBlank(byte) {
            rest.removeFirst()
            switch byte {
            case singleQuote: word += try upTo(singleQuote)
            case doubleQuote: try quoted(into: &word)
            case backslash:
                guard let escaped = rest.popFirst() else { throw RowFault("a backslash at the end of the line") }
                // opkssh would begin a comment here.
                if escaped == hash { throw RowFault("a # outside quotes that does not begin a comment: put quotes around it") }
                word.append(escaped)
            case hash: throw RowFault("a # outside quotes that does not begin a comment: put a blank before it, or quotes around it")
            default: word.append(byte)
            }
        }
        return word
    }

    mutating func remainder() -> ArraySlice<UInt8> {
        skipBlanks()
        return rest.first == hash ? [] : rest
    }

    private mutating func skipBlanks() {
        rest = rest.drop(while: isBlank)
    }

    /// Up to the closing quote, which is taken as well.
    private mutating func upTo(_ quote: UInt8) throws(RowFault) -> ArraySlice<UInt8> {
        guard let end = rest.firstIndex(of: quote) else { throw RowFault("a quote is not closed") }
        defer { rest = rest[(end + 1)...] }
        return rest[..<end]
    }

    private mutating func quoted(into word: inout [UInt8]) throws(RowFault) {
        while let byte = rest.popFirst() {
            if byte == doubleQuote { return }
            guard byte == backslash else {
                word.append(byte)
                continue
            }
            guard let escaped = rest.popFirst() else { break }
            if !escapable.contains(escaped) { word.append(backslash) }
            word.append(escaped)
        }
        throw RowFault("a quote is not closed")
    }
}

private let hash = UInt8(ascii: "#")
private let singleQuote = UInt8(ascii: "'")
private let doubleQuote = UInt8(ascii: "\"")
private let backslash = UInt8(ascii: "\\")
private let escapable = Array("$`\"\\".utf8)

func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
