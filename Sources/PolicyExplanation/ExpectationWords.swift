import Vocabulary

/// One line of a file of expectations, cut into words as a shell would: quotes, backslashes, and `#` behind a blank.
enum ExpectationWords {
    struct Word: Hashable {
        var text: [UInt8] = []
        /// Whether none of it stood in quotes: only such a word can be a keyword.
        var isPlain = true
    }

    struct Fault: Error {
        let text: String
    }

    static func split(_ line: ArraySlice<UInt8>) throws(Fault) -> [Word] {
        var words: [Word] = []
        var word: Word?
        var quote: UInt8?
        var rest = line
        while let byte = rest.popFirst() {
            if let open = quote {
                if byte == open {
                    quote = nil
                } else if byte == UInt8(ascii: "\\"), open == UInt8(ascii: "\""), let next = rest.first, next == 0x22 || next == 0x5C {
                    word?.text.append(rest.removeFirst())
                } else {
                    word?.text.append(byte)
                }
                continue
            }
            switch byte {
            case 0x20, 0x09:
                if let done = word { words.append(done) }
                word = nil
            case UInt8(ascii: "#") where word == nil: return words
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                quote = byte
                word = word ?? Word()
                word?.isPlain = false
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst() else { throw Fault(text: "a backslash at the end of the line") }
                word = word ?? Word()
                word?.text.append(next)
                word?.isPlain = false
            case 0..<0x20, 0x7F: throw Fault(text: "a control character")
            default:
                word = word ?? Word()
                word?.text.append(byte)
            }
        }
        if quote != nil { throw Fault(text: "a quote is not closed") }
        if let done = word { words.append(done) }
        return words
    }
}
