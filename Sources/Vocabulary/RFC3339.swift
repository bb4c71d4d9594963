extension UnixTime {
    /// A point in time as administrators write it, a strict form of RFC 3339 section 5.6: `2026-12-24T18:00Z`.
    ///
    /// `YYYY-MM-DDTHH:MM`, then perhaps `:SS` and a fraction of 1 to 9 digits, then `Z` or `±HH:MM`; T and Z in either case. Days are the
    /// calendar's, years 1970 to 9999, hours 00 to 23, seconds 00 to 59, offsets up to 23:59; the result too lies in those years of UTC.
    /// Nil for anything else: no zone would mean a zone that is guessed.
    public init?(rfc3339 text: Text) {
        var reader = TimeReader(rest: text.utf8[...])
        guard let days = reader.date(), reader.skip("t"), let minutes = reader.hoursAndMinutes() else { return nil }
        var second: Int64 = 0
        var fraction: Int64 = 0
        if reader.skip(":") {
            guard let number = reader.number(digits: 2, 0...59) else { return nil }
            second = number
            if reader.skip(".") {
                guard let number = reader.fraction() else { return nil }
                fraction = number
            }
        }
        guard let offset = reader.offset(), reader.rest.isEmpty else { return nil }
        let seconds = days * 86_400 + (minutes - offset) * 60 + second
        guard (0...UnixTime.endOfYear9999.seconds).contains(seconds) else { return nil }
        self.init(seconds: seconds, nanoseconds: Int32(fraction))
    }
}

private struct TimeReader {
    var rest: ArraySlice<UInt8>

    /// The days from 1970-01-01 to `YYYY-MM-DD`.
    mutating func date() -> Int64? {
        guard let year = number(digits: 4, 1970...9999), skip("-"), let month = number(digits: 2, 1...12), skip("-"),
            let day = number(digits: 2, 1...TimeReader.lastDay(of: month, year))
        else { return nil }
        return TimeReader.days(year, month, day)
    }

    /// The minutes since midnight of `HH:MM`.
    mutating func hoursAndMinutes() -> Int64? {
        guard let hours = number(digits: 2, 0...23), skip(":"), let minutes = number(digits: 2, 0...59) else { return nil }
        return hours * 60 + minutes
    }

    /// The minutes by which local time is ahead of UTC.
    mutating func offset() -> Int64? {
        if skip("z") { return 0 }
        let isAhead = skip("+")
        guard isAhead || skip("-"), let minutes = hoursAndMinutes() else { return nil }
        return isAhead ? minutes : -minutes
    }

    /// 1 to 9 digits, as nanoseconds.
    mutating func fraction() -> Int64? {
        var nanoseconds: Int64 = 0
        var count = 0
        while count < 9, let digit = number(digits: 1, 0...9) {
            nanoseconds = nanoseconds * 10 + digit
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in count..<9 { nanoseconds *= 10 }
        return nanoseconds
    }

    /// Exactly so many digits.
    mutating func number(digits: Int, _ bounds: ClosedRange<Int64>) -> Int64? {
        guard rest.count >= digits else { return nil }
        var number: Int64 = 0
        for byte in rest.prefix(digits) {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            number = number * 10 + Int64(byte - 0x30)
        }
        guard bounds.contains(number) else { return nil }
        rest = rest.dropFirst(digits)
        return number
    }

    /// A letter in either case.
    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, Text.lowercased(first) == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func lastDay(of month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant's algorithm), for years from 1 on.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1  // The year begins in March: a leap day is its last.
        let (era, yearOfEra) = shifted.quotientAndRemainder(dividingBy: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
