/// A length of time as administrators write it: a number from 1 to 9,999,999 without a leading zero, and `s`, `m`, `h` or `d`.
public struct TimeSpan: Hashable, Comparable, Sendable {
    public let seconds: Int64

    public init(seconds: Int64) { self.seconds = seconds }

    /// Nil for anything else: a limit that cannot be read is not one without limit (V61).
    public init?(_ text: Text) {
        let digits = text.utf8.dropLast()
        guard (1...7).contains(digits.count), digits.first != UInt8(ascii: "0"), let unit = TimeSpan.unit(text.utf8.last),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        seconds = digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) } * unit
    }

    private static func unit(_ byte: UInt8?) -> Int64? {
        switch byte {
        case UInt8(ascii: "s"): 1
        case UInt8(ascii: "m"): 60
        case UInt8(ascii: "h"): 3600
        case UInt8(ascii: "d"): 86_400
        default: nil
        }
    }

    public static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.seconds < right.seconds }
}

extension TimeSpan: CustomStringConvertible {
    /// In the largest unit that has no remainder: `90m`, `2h`, `7d`.
    public var description: String {
        for (length, name) in [(Int64(86_400), "d"), (3600, "h"), (60, "m")] where seconds != 0 && seconds.isMultiple(of: length) {
            return "\(seconds / length)\(name)"
        }
        return "\(seconds)s"
    }
}
