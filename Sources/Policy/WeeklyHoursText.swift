import Vocabulary

extension WeeklyHours {
    /// Days or ranges of days with commas between, which may be left out; one or more `HH:MM-HH:MM`, blanks or commas between; then perhaps the
    /// name of a time zone, else it is UTC.
    init(_ text: Text) throws(RowFault) {
        var known: Text?
        try self.init(text, knownZone: &known)
    }

    /// `knownZone` need not be looked for again, and becomes this one's zone.
    init(_ text: Text, knownZone: inout Text?) throws(RowFault) {
        var words = WeeklyHours.words(text.utf8[...], isBlank)[...]
        var days = WeeklyHours.everyDay
        if let first = words.first?.first, !WeeklyHours.isDigit(first), let word = words.popFirst() {
            days = try WeeklyHours.days(word)
        }
        var spans: [Span] = []
        while let word = words.first, let first = word.first, WeeklyHours.isDigit(first) {
            words = words.dropFirst()
            for span in word.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
                spans.append(try WeeklyHours.span(span))
            }
        }
        if spans.isEmpty { throw RowFault("hours are missing: HH:MM-HH:MM, with days before and a time zone behind, if any") }
        var zone = Zone.utc
        if let word = words.popFirst() {
            let name = WeeklyHours.text(word)
            zone = name == knownZone ? Zone(known: name) : try Zone(name)
            knownZone = name
        }
        if let word = words.first { throw RowFault("\(WeeklyHours.text(word)) follows the time zone, with which hours end") }
        self.init(days: days, spans: spans, zone: zone)
    }

    private static let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// `mon`, `mon-fri`, `sat-mon`, `mon,wed-fri`.
    private static func days(_ word: ArraySlice<UInt8>) throws(RowFault) -> UInt8 {
        var days: UInt8 = 0
        for part in word.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let ends = part.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
            guard ends.count <= 2, let first = day(ends[0]), let last = day(ends[ends.count - 1]) else {
                throw RowFault("\(text(part)) is neither a day (mon, tue, wed, thu, fri, sat, sun), a range of days nor a time span")
            }
            var day = first
            while day != last {
                days |= 1 << UInt8(day)
                day = (day + 1) % 7
            }
            days |= 1 << UInt8(last)
        }
        return days
    }

    private static func day(_ word: ArraySlice<UInt8>) -> Int? {
        let name = text(word)
        return dayNames.firstIndex { name.equalsIgnoringASCIICase(Text($0)) }
    }

    /// `HH:MM-HH:MM`; 24:00 only as an end.
    private static func span(_ word: ArraySlice<UInt8>) throws(RowFault) -> Span {
        let ends = word.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard ends.count == 2, let begin = minute(ends[0]), let end = minute(ends[1]), begin < 1440 else {
            throw RowFault("\(text(word)) is not a time span HH:MM-HH:MM")
        }
        if begin == end { throw RowFault("\(text(word)) begins when it ends: the whole day is 00:00-24:00") }
        return Span(begin: begin, end: end)
    }

    /// Since midnight; 0 to 1440.
    private static func minute(_ word: ArraySlice<UInt8>) -> Int? {
        let bytes = Array(word)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
        for index in [0, 1, 3, 4] where !isDigit(bytes[index]) { return nil }
        let hour = Int(bytes[0] - 0x30) * 10 + Int(bytes[1] - 0x30)
        let minute = Int(bytes[3] - 0x30) * 10 + Int(bytes[4] - 0x30)
        return minute < 60 && (hour < 24 || hour == 24 && minute == 0) ? hour * 60 + minute : nil
    }

    private static func words(_ bytes: ArraySlice<UInt8>, _ isSeparator: (UInt8) -> Bool) -> [ArraySlice<UInt8>] {
        bytes.split(omittingEmptySubsequences: true, whereSeparator: isSeparator)
    }

    /// Of a part between two ASCII characters of a text, so it is UTF-8 too.
    private static func text(_ word: ArraySlice<UInt8>) -> Text { Text(validating: word) ?? "" }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

extension WeeklyHours: CustomStringConvertible {
    /// As `hours` may be written, with the zone: `mon-fri 08:00-18:00 Europe/Berlin`, `22:00-06:00 UTC`.
    public var description: String {
        var words: [String] = days == WeeklyHours.everyDay ? [] : [dayList]
        for span in spans { words.append("\(WeeklyHours.clock(span.begin))-\(WeeklyHours.clock(span.end))") }
        words.append("\(zone.name)")
        return words.joined(separator: " ")
    }

    /// Runs of days as ranges, those over the week's end too: `fri-mon`.
    private var dayList: String {
        func has(_ day: Int) -> Bool { days >> UInt8(day % 7) & 1 == 1 }
        var parts: [String] = []
        for first in 0..<7 where has(first) && !has(first + 6) {
            var last = first
            while has(last + 1) { last += 1 }
            parts.append(WeeklyHours.dayNames[first] + (last == first ? "" : "-" + WeeklyHours.dayNames[last % 7]))
        }
        return parts.joined(separator: ",")
    }

    private static func clock(_ minute: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }
}
