import Vocabulary

/// A text as the value of a YAML mapping, the way Go's yaml.v3 writes it: plain where that means the same text, in single quotes where it
/// has an indicator of YAML, in double quotes where it would mean something that is no text, or has a character that needs an escape.
enum YAMLScalar {
    static func written(_ text: Text) -> [UInt8] {
        let bytes = text.utf8
        if bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) || isNoText(bytes) { return doubleQuoted(bytes) }
        if isPlain(bytes) { return bytes }
        return [quote] + bytes.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
    }

    private static func isPlain(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, first != blank, bytes.last != blank else { return false }
        if indicators.contains(first) || bytes.starts(with: Array("---".utf8)) || bytes.starts(with: Array("...".utf8)) { return false }
        for (index, byte) in bytes.enumerated() {
            let endsOrBlank = index + 1 == bytes.count || bytes[index + 1] == blank
            switch byte {
            case UInt8(ascii: "-"), UInt8(ascii: "?"): if index == 0 && endsOrBlank { return false }
            case UInt8(ascii: ":"): if endsOrBlank { return false }
            case UInt8(ascii: "#"): if index > 0 && bytes[index - 1] == blank { return false }
            default: break
            }
        }
        return true
    }

    /// A null, a boolean (of YAML 1.1 too) or something like a number or a date.
    private static func isNoText(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first else { return true }
        if words.contains(Text(validating: bytes)?.lowercasedASCII ?? "") { return true }
        let begins = isDigit(first) || ((first == UInt8(ascii: "+") || first == UInt8(ascii: "-") || first == UInt8(ascii: ".")) && bytes.count > 1)
        return begins && bytes.contains(where: isDigit) && bytes.allSatisfy { isDigit($0) || numerals.contains($0) }
    }

    private static func doubleQuoted(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "\"")]
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
            case 0x0A: out += "\\n".utf8
            case 0x0D: out += "\\r".utf8
            case 0x09: out += "\\t".utf8
            case 0x00..<0x20, 0x7F: out += "\\x".utf8 + [hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            default: out.append(byte)
            }
        }
        return out + [UInt8(ascii: "\"")]
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

private let blank: UInt8 = 0x20
private let quote = UInt8(ascii: "'")
private let indicators = Array("#,[]{}&*!|>'\"%@`".utf8)
private let numerals = Array("+-._:eExXoabcdfABCDFTZ ".utf8)
private let words: [Text] = ["~", "null", "true", "false", "y", "n", "yes", "no", "on", "off", "<<", ".inf", "-.inf", "+.inf", ".nan"]
private let hexadecimal = Array("0123456789ABCDEF".utf8)
