/// The word that a line must begin with to be worth reading, in a file whose lines are words as a shell splits them. Which of a million lines
/// can be somebody's is seen here, at their first bytes, and whoever asked takes the few that are left apart.
public struct FirstWord: Sendable {
    private let word: [UInt8]
    /// A line that begins with it is wanted, too: no word that is asked for does.
    private let wildcard: UInt8?

    public init(_ word: [UInt8], orBeginningWith wildcard: UInt8? = nil) {
        self.word = word
        self.wildcard = wildcard
    }

    /// Whether the line's first word can be this one, or it begins with the wildcard: true where it is, or where quotes or a backslash come before that is decided.
    func mayBegin(_ line: Span<UInt8>) -> Bool {
        var position = 0
        while position < line.count && FirstWord.isBlank(line[position]) { position += 1 }
        if position < line.count && line[position] == wildcard { return true }
        for byte in word {
            guard position < line.count else { return false }
            let read = line[position]
            if read != byte { return FirstWord.isQuoting(read) }
            position += 1
        }
        // A longer word goes on with a character of its own; what a quote or a # means is for a parser to say.
        guard position < line.count, !FirstWord.isBlank(line[position]) else { return true }
        return FirstWord.isQuoting(line[position]) || line[position] == UInt8(ascii: "#")
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func isQuoting(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }
}
