public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A moment as a person types it: RFC 3339 (`2026-12-24T18:00Z`), or in this machine's own time zone `2026-12-24 18:00`, `2026-12-24`, `18:00`.
public enum TimeArgument {
    /// For what. Where a reading is open, that one is taken which lets fewer people in.
    public enum Use: Sendable {
        /// A day counts whole: its end. An hour that the clock strikes twice: the first time.
        case end
        /// A day begins at midnight. An hour that the clock strikes twice: the second time.
        case start
    }

    /// A length of time from now, up to the next whole minute.
    public static func after(_ span: Text, now: UnixTime) throws(PolicyError) -> UnixTime {
        guard let length = TimeSpan(span) else { throw .span(span) }
        let end = now + length.seconds
        let up = end.seconds + (end.nanoseconds > 0 ? 1 : 0)
        return UnixTime(seconds: (up + 59) / 60 * 60)
    }

    public static func parse(_ text: Text, _ use: Use, now: UnixTime) throws(PolicyError) -> UnixTime {
        // Whole seconds: a fraction is nothing that somebody means.
        if let time = UnixTime(rfc3339: text) { return UnixTime(seconds: time.seconds + (time.nanoseconds > 0 ? 1 : 0)) }
        if let (hour, minute) = clock(text.utf8[...]) { return try next(hour, minute, use, now, text) }
        let bytes = text.utf8
        guard bytes.count >= 10, let day = day(bytes[..<10]) else { throw .time(text) }
        if bytes.count == 10 {
            guard local(day, 12, 0, use) != nil, let midnight = use == .end ? day.next : day else { throw .time(text) }
            // Some zones change their clocks at midnight, which is missing then.
            guard let time = local(midnight, 0, 0, use) ?? morning(of: midnight) else { throw .time(text) }
            return time
        }
        guard bytes[10] == UInt8(ascii: " ") || bytes[10] == UInt8(ascii: "T"), let (hour, minute) = clock(bytes[11...]),
            let time = local(day, hour, minute, use)
        else { throw .time(text) }
        return time
    }

    /// As rows have it: UTC, without seconds where they are 0.
    public static func written(_ time: UnixTime) -> Text {
        let text = time.description
        return Text(text.hasSuffix(":00Z") ? text.dropLast(4) + "Z" : text)
    }

    private struct Day: Equatable {
        var year: Int32
        var month: Int32
        var day: Int32

        /// By the clock of the system's time zone; nil where that cannot be told.
        var next: Day? {
            var parts = unsafe TimeArgument.parts(self, 12, 0, -1)
            unsafe parts.tm_mday += 1
            let seconds = unsafe mktime(&parts)
            return Day(at: UnixTime(seconds: Int64(seconds)))
        }

        init(year: Int32, month: Int32, day: Int32) {
            (self.year, self.month, self.day) = (year, month, day)
        }

        init?(at time: UnixTime) {
            var seconds = time_t(time.seconds)
            var parts = unsafe tm()
            guard unsafe localtime_r(&seconds, &parts) != nil else { return nil }
            unsafe (year, month, day) = (parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday)
        }
    }

    /// The next time that the clock shows this: today, else tomorrow.
    private static func next(_ hour: Int32, _ minute: Int32, _ use: Use, _ now: UnixTime, _ text: Text) throws(PolicyError) -> UnixTime {
        var day = Day(at: now)
        // A day on which the clock leaves this time out is passed over.
        for _ in 0..<3 {
            guard let today = day else { break }
            if let time = local(today, hour, minute, use), time > now { return time }
            day = today.next
        }
        throw .time(text)
    }

    /// `HH:MM`.
    private static func clock(_ bytes: ArraySlice<UInt8>) -> (Int32, Int32)? {
        let bytes = Array(bytes)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":"), let hour = number(bytes[0..<2]), let minute = number(bytes[3..<5]),
            hour < 24,
            minute < 60
        else { return nil }
        return (hour, minute)
    }

    /// `YYYY-MM-DD`; whether there is such a day is seen when it is looked for.
    private static func day(_ bytes: ArraySlice<UInt8>) -> Day? {
        let bytes = Array(bytes)
        guard bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), let year = number(bytes[0..<4]),
            let month = number(bytes[5..<7]),
            let day = number(bytes[8..<10]), year >= 1970, (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        return Day(year: year, month: month, day: day)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int32? {
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int32($1 - 0x30) }
    }

    /// The moment at which the clocks here show this; nil where they never do.
    private static func local(_ day: Day, _ hour: Int32, _ minute: Int32, _ use: Use) -> UnixTime? {
        var found: [UnixTime] = []
        for summer: Int32 in [0, 1] {
            var parts = unsafe parts(day, hour, minute, summer)
            var seconds = unsafe mktime(&parts)
            var back = unsafe tm()
            guard unsafe localtime_r(&seconds, &back) != nil, unsafe back.tm_hour == hour && back.tm_min == minute,
                unsafe back.tm_mday == day.day && back.tm_mon == day.month - 1
            else { continue }
            found.append(UnixTime(seconds: Int64(seconds)))
        }
        return use == .end ? found.min() : found.max()
    }

    /// The first moment of a day that has no midnight.
    private static func morning(of day: Day) -> UnixTime? {
        var parts = unsafe parts(day, 0, 0, -1)
        let time = unsafe UnixTime(seconds: Int64(mktime(&parts)))
        return Day(at: time) == day ? time : nil
    }

    private static func parts(_ day: Day, _ hour: Int32, _ minute: Int32, _ summer: Int32) -> tm {
        var parts = unsafe tm()
        unsafe (parts.tm_year, parts.tm_mon, parts.tm_mday) = (day.year - 1900, day.month - 1, day.day)
        unsafe (parts.tm_hour, parts.tm_min, parts.tm_isdst) = (hour, minute, summer)
        return unsafe parts
    }
}
