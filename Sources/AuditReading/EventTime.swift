import Vocabulary

/// The time of a line, which stands at the same place in all of them: `{"v":1,"time":"2026-11-28T22:31:49.123456Z"`. Compared as it is written, in UTC.
struct EventTime: Comparable {
    static let offset = 15
    /// `2026-11-28T22:31:49.123456Z`
    static let length = 27

    /// Its characters as numbers, the first ones in the highest bits: 8, 8, 8 and, from the nineteenth on, 8.
    private var parts: (UInt64, UInt64, UInt64, UInt64)

    private static let version = EventWords(#"{"v":1,""#).first
    private static let name = EventWords(#""time":""#).first

    /// Whether the line begins as every event does. What stands in the time's place is looked at by `init`.
    @inline(__always)
    static func hasPlace(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Bool {
        line.count > offset + length && bytes.eight(at: line.lowerBound) == version && bytes.eight(at: line.lowerBound + 7) == name
    }

    /// Of a line that has the place; nil unless a time of the calendar stands there, in UTC and to the microsecond.
    @inline(__always)
    init?(_ bytes: Span<UInt8>, _ line: Range<Int>) {
        let start = line.lowerBound + EventTime.offset
        parts = (
            bytes.eight(at: start).byteSwapped, bytes.eight(at: start + 8).byteSwapped, bytes.eight(at: start + 16).byteSwapped,
            bytes.eight(at: start + 19).byteSwapped
        )
        // Digits are 0x30 to 0x39; where another character belongs, it must be that one.
        guard EventTime.fits(parts.0, 0xFFFF_FFFF_00FF_FF00, 0x2D_0000_2D),
            EventTime.fits(parts.1, 0xFFFF_00FF_FF00_FFFF, 0x54_0000_3A_0000),
            EventTime.fits(parts.2, 0x00FF_FF00_FFFF_FFFF, 0x3A00_002E_0000_0000),
            EventTime.fits(parts.3, 0x00FF_FFFF_FFFF_FF00, 0x2E00_0000_0000_005A)
        else { return nil }
        guard 1...12 ~= number(0, 8), 0...23 ~= number(1, 24), 0...59 ~= number(1, 0), 0...59 ~= number(2, 40), 1...lastDay ~= number(1, 48)
        else {
            return nil
        }
    }

    /// Two figures of a part, the second of them so many bits from its end.
    private func number(_ part: Int, _ shift: UInt64) -> UInt64 {
        let word = part == 0 ? parts.0 : part == 1 ? parts.1 : parts.2
        return (word &>> (shift + 8) & 0xF) &* 10 &+ (word &>> shift & 0xF)
    }

    private var lastDay: UInt64 {
        switch number(0, 8) {
        case 2:
            let (century, year) = (number(0, 48), number(0, 32))
            return year & 3 == 0 && (year != 0 || century & 3 == 0) ? 29 : 28
        case 4, 6, 9, 11: return 30
        default: return 31
        }
    }

    init(_ time: UnixTime) {
        let text = Array(AuditTimestamp.text(time).utf8)
        func part(_ start: Int) -> UInt64 { text[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
        parts = (part(0), part(8), part(16), part(19))
    }

    /// - Parameters:
    ///   - digits: a byte of ones where a digit belongs.
    ///   - others: the other characters.
    @inline(__always)
    private static func fits(_ word: UInt64, _ digits: UInt64, _ others: UInt64) -> Bool {
        guard word & ~digits == others else { return false }
        let figures = (word & digits) | (~digits & 0x3030_3030_3030_3030)
        // Each byte from 0x30 to 0x39: neither sum reaches the next byte.
        return (figures & 0xF0F0_F0F0_F0F0_F0F0) == 0x3030_3030_3030_3030
            && ((figures &+ 0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0) == 0x3030_3030_3030_3030
    }

    static func == (left: EventTime, right: EventTime) -> Bool { left.parts == right.parts }
    static func < (left: EventTime, right: EventTime) -> Bool { left.parts < right.parts }
}

/// A time as events have it.
enum AuditTimestamp {
    /// To the microsecond: `2026-11-28T22:31:49.123456Z`; years beyond 9999 as the end of that one.
    static func text(_ time: UnixTime) -> String {
        let bounded = min(max(time, UnixTime(seconds: 0)), UnixTime.endOfYear9999)
        let micros = String(bounded.nanoseconds / 1000)
        return bounded.description.dropLast() + "." + String(repeating: "0", count: 6 - micros.utf8.count) + micros + "Z"
    }
}
