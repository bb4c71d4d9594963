public import Vocabulary

/// A JSON number, kept as its text: nothing is lost or rounded, and 12345678 never becomes 1.2345678e+07.
public struct JSONNumber: Hashable, Sendable {
    /// What RFC 8259 section 6 calls a number, of at most 256 characters.
    public let text: Text

    public init(_ integer: Int64) {
        text = Text(String(integer))
    }

    /// For the parser, which has checked the grammar.
    init(checked text: Text) {
        self.text = text
    }

    /// The value of a number written as an integer, without fraction or exponent; nil for any other, and beyond 64 bits.
    public var integer: Int64? {
        Int64(text.string)
    }

    /// A NumericDate (RFC 7519 section 2): seconds since 1970 from 0 to the year 9999, fraction and exponent allowed. What is finer
    /// than a nanosecond is cut off. Nil for any other number.
    public var time: UnixTime? {
        var digits: [UInt8] = []
        var beforePoint = 0
        var exponent = 0
        var seenPoint = false
        var bytes = text.utf8[...]
        let negative = bytes.first == UInt8(ascii: "-")
        if negative { bytes.removeFirst() }
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "."): seenPoint = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                exponent = JSONNumber.clampedExponent(bytes)
                bytes = []
            default:
                digits.append(byte - UInt8(ascii: "0"))
                if !seenPoint { beforePoint += 1 }
            }
        }
        let leadingZeros = digits.prefix { $0 == 0 }.count
        if leadingZeros == digits.count { return UnixTime(seconds: 0) }
        guard !negative else { return nil }
        // The value is 0.d₁d₂d₃… times ten to the power of `point`.
        let point = beforePoint - leadingZeros + exponent
        digits.removeFirst(leadingZeros)
        guard point <= 12 else { return nil }
        func digit(_ position: Int) -> Int64 { digits.indices.contains(position) ? Int64(digits[position]) : 0 }
        let seconds = (0..<max(point, 0)).reduce(Int64(0)) { $0 * 10 + digit($1) }
        let nanoseconds = (point..<(point + 9)).reduce(Int64(0)) { $0 * 10 + digit($1) }
        guard seconds <= UnixTime.endOfYear9999.seconds else { return nil }
        return UnixTime(seconds: seconds, nanoseconds: Int32(nanoseconds))
    }

    /// An exponent far enough out that no number of 256 characters brings it back is as good as any other such.
    private static func clampedExponent(_ bytes: ArraySlice<UInt8>) -> Int {
        var value = 0
        for byte in bytes where byte >= UInt8(ascii: "0") { value = min(value * 10 + Int(byte - UInt8(ascii: "0")), 100_000) }
        return bytes.first == UInt8(ascii: "-") ? -value : value
    }
}
