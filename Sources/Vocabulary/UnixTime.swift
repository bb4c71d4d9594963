#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A point in time: whole seconds since 1970-01-01T00:00:00Z without leap seconds (POSIX; RFC 7519 NumericDate), and nanoseconds.
public struct UnixTime: Hashable, Comparable, Sendable {
    public let seconds: Int64
    /// 0 to 999,999,999.
    public let nanoseconds: Int32

    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// 9999-12-31T23:59:59Z: no date in a token may lie beyond it.
    public static let endOfYear9999 = UnixTime(seconds: 253_402_300_799)

    /// The system's clock.
    public static func now() -> UnixTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UnixTime(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }

    public static func < (left: UnixTime, right: UnixTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// Saturates instead of overflowing.
    public static func + (time: UnixTime, seconds: Int64) -> UnixTime {
        let (sum, overflow) = time.seconds.addingReportingOverflow(seconds)
        return UnixTime(seconds: overflow ? (seconds > 0 ? .max : .min) : sum, nanoseconds: time.nanoseconds)
    }

    /// The seconds from `earlier` to `later`, rounded down; saturates.
    public static func - (later: UnixTime, earlier: UnixTime) -> Int64 {
        let (difference, overflow) = later.seconds.subtractingReportingOverflow(earlier.seconds)
        if overflow { return later.seconds > earlier.seconds ? .max : .min }
        return later.nanoseconds < earlier.nanoseconds && difference > .min ? difference - 1 : difference
    }
}

extension UnixTime: CustomStringConvertible {
    /// RFC 3339 in UTC, to the second: `2026-11-22T06:46:12Z`.
    public var description: String {
        let days = floorDivide(seconds, 86_400)
        let rest = seconds &- days &* 86_400  // 0 to 86,399 even where the product lies below Int64.min
        let (year, month, day) = civil(days)
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(rest / 3600, 2)):\(pad(rest / 60 % 60, 2)):\(pad(rest % 60, 2))Z"
    }
}

private func pad(_ number: Int64, _ width: Int) -> String {
    let digits = String(number.magnitude)
    return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
}

private func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    a >= 0 ? a / b : -((-(a + 1)) / b) - 1
}

/// Days since 1970-01-01 to a proleptic Gregorian date (Howard Hinnant's algorithm).
private func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days.addingReportingOverflow(719_468).partialValue
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}
