package import Vocabulary

/// A text as the value of a YAML mapping, the way Go's yaml.v3 writes it: plain where that means the same text, in single quotes where it
/// has an indicator of YAML, in double quotes where it would mean something that is no text, or has a character that needs an escape.
/// A text of several lines, which yaml.v3 writes with `|-`, is in double quotes too: another form of the same text.
package enum YAMLScalar {
    package static func written(_ text: Text) -> [UInt8] {
        let bytes = text.utf8
        if text.string.unicodeScalars.contains(where: needsEscape) || isNoText(bytes) { return doubleQuoted(text) }
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
        let begins =
            isDigit(first) || ((first == UInt8(ascii: "+") || first == UInt8(ascii: "-") || first == UInt8(ascii: ".")) && bytes.count > 1)
        return begins && bytes.contains(where: isDigit) && bytes.allSatisfy { isDigit($0) || numerals.contains($0) }
    }

    private static func doubleQuoted(_ text: Text) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "\"")]
        for scalar in text.string.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += [UInt8(ascii: "\\"), UInt8(scalar.value)]
            case "\n": out += "\\n".utf8
            case "\r": out += "\\r".utf8
            case "\t": out += "\\t".utf8
            case "\u{85}": out += "\\N".utf8
            case "\u{2028}": out += "\\L".utf8
            case "\u{2029}": out += "\\P".utf8
            case _ where needsEscape(scalar): out += scalar.value < 0x100 ? hexadecimal(scalar, "\\x", 2) : hexadecimal(scalar, "\\u", 4)
            default: out += UTF8.encode(scalar).map(Array.init) ?? []
            }
        }
        return out + [UInt8(ascii: "\"")]
    }

    /// What YAML takes for a line break, or does not print. All of it lies below U+10000.
    private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }

    private static func hexadecimal(_ scalar: Unicode.Scalar, _ start: String, _ width: Int) -> [UInt8] {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return Array((start + String(repeating: "0", count: width - digits.utf8.count) + digits).utf8)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

private let blank: UInt8 = 0x20
private let quote = UInt8(ascii: "'")
private let indicators = Array("#,[]{}&*!|>'\"%@`".utf8)
private let numerals = Array("+-._:eExXoabcdfABCDFTZ".utf8)
private let words: [Text] = ["~", "null", "true", "false", "y", "n", "yes", "no", "on", "off", ".inf", "-.inf", "+.inf", ".nan"]
