import Vocabulary

/// The command of a plugin, cut into words as opkssh's go-shellquote does: blanks and line breaks separate; `'…'` is literal; in `"…"` a
/// backslash escapes `$ ` " \`; elsewhere it escapes any character; a backslash before a line break takes that away, in and outside `"…"`.
/// Nothing else means anything: no variable, no pattern, no comment, no `;` or `|`.
enum CommandWords {
    /// In words.
    static let maximum = 64

    static func split(_ command: Text) throws(RowFault) -> [Text] {
        var words: [Text] = []
        var rest = command.utf8[...]
        while let first = rest.first {
            if isSeparator(first) {
                rest.removeFirst()
            } else if rest.starts(with: [backslash, lineBreak]) {
                rest.removeFirst(2)
            } else {
                guard words.count < maximum else { throw RowFault("the command has more than \(maximum) words") }
                guard let word = Text(validating: try word(from: &rest)) else { throw RowFault("a word of the command is not UTF-8") }
                words.append(word)
            }
        }
        return words
    }

    private static func word(from rest: inout ArraySlice<UInt8>) throws(RowFault) -> [UInt8] {
        var word: [UInt8] = []
        while let byte = rest.popFirst(), !isSeparator(byte) {
            switch byte {
            case singleQuote:
                guard let end = rest.firstIndex(of: singleQuote) else { throw RowFault("a ' of the command is not closed") }
                word += rest[..<end]
                rest = rest[(end + 1)...]
            case doubleQuote: try quoted(from: &rest, into: &word)
            case backslash:
                guard let escaped = rest.popFirst() else { throw RowFault("the command ends with a backslash") }
                if escaped != lineBreak { word.append(escaped) }
            default: word.append(byte)
            }
        }
        return word
    }

    private static func quoted(from rest: inout ArraySlice<UInt8>, into word: inout [UInt8]) throws(RowFault) {
        while let byte = rest.popFirst() {
            if byte == doubleQuote { return }
            guard byte == backslash else {
                word.append(byte)
                continue
            }
            guard let escaped = rest.popFirst() else { break }
            if escaped == lineBreak { continue }
            if !escapable.contains(escaped) { word.append(backslash) }
            word.append(escaped)
        }
        throw RowFault("a \" of the command is not closed")
    }

    private static func isSeparator(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == lineBreak }
}

private let lineBreak: UInt8 = 0x0A
private let singleQuote = UInt8(ascii: "'")
private let doubleQuote = UInt8(ascii: "\"")
private let backslash = UInt8(ascii: "\\")
private let escapable = Array("$`\"\\".utf8)
