public import Vocabulary

/// The hours of a week in which something holds: `mon-fri 08:00-12:00 13:00-18:00 Europe/Berlin` (POLICY.md, `hours`).
///
/// The clock on the wall decides: where an hour comes twice because the clocks are put back, it counts twice, and one that is left out does not
/// come. A time span over midnight belongs to the day on which it begins.
public struct WeeklyHours: Hashable, Sendable {
    /// A bit for each day, Monday's the lowest; at least one.
    let days: UInt8
    /// At least one.
    let spans: [Span]
    let zone: Zone

    /// Minutes since midnight, the end exclusive; an end at or before the begin is on the next day. Begin is 0 to 1439, end 0 to 1440.
    struct Span: Hashable, Sendable {
        let begin: Int
        let end: Int
    }

    static let everyDay: UInt8 = 0b111_1111

    public func contains(_ time: UnixTime) -> Bool {
        // Closed where the system cannot tell the local time.
        guard let offset = zone.offset(at: time.seconds) else { return false }
        return isOpen(time.seconds, offset)
    }

    /// The first point in time, this one or a later one, that is in these hours. Nil where there is none within 15 days: an hour once a week can
    /// be left out when the clocks are put forward, so a week is not enough.
    public func nextOpening(after time: UnixTime) -> UnixTime? {
        if contains(time) { return time }
        let (begin, overflow) = time.seconds.addingReportingOverflow(1)
        guard !overflow, begin < UnixTime.endOfYear9999.seconds, begin > -UnixTime.endOfYear9999.seconds else { return nil }
        let quarter: Int64 = 900
        for day in Int64(0)..<15 {
            let first = begin + day * 86_400
            guard let offsets = zone.offsets(from: first, step: quarter, count: 97) else { return nil }
            for index in 0..<96 {
                let start = first + Int64(index) * quarter
                guard let opening = firstOpening(from: start, seconds: quarter, Int64(offsets[index]), Int64(offsets[index + 1])) else {
                    continue
                }
                return UnixTime(seconds: opening)
            }
        }
        return nil
    }

    /// Within so many seconds, at whose begin and end the offsets are these.
    private func firstOpening(from start: Int64, seconds: Int64, _ before: Int64, _ after: Int64) -> Int64? {
        guard before == after else {
            // The clocks are changed in these minutes: look at every second.
            guard let offsets = zone.offsets(from: start, step: 1, count: Int(seconds)) else { return nil }
            for index in offsets.indices where isOpen(start + Int64(index), Int64(offsets[index])) { return start + Int64(index) }
            return nil
        }
        // Nothing begins but at a full minute.
        var time = start
        while time < start + seconds {
            if isOpen(time, before) { return time }
            time += 60 - floorRemainder(time + before, 60)
        }
        return nil
    }

    private func isOpen(_ time: Int64, _ offset: Int64) -> Bool {
        let (local, overflow) = time.addingReportingOverflow(offset)
        if overflow { return false }
        let secondOfDay = floorRemainder(local, 86_400)
        let minute = Int(secondOfDay / 60)
        // 1970-01-01 was a Thursday.
        let day = floorRemainder((local - secondOfDay) / 86_400 + 3, 7)
        for span in spans {
            if span.begin < span.end {
                if has(day) && minute >= span.begin && minute < span.end { return true }
            } else if minute >= span.begin && has(day) || minute < span.end && has(floorRemainder(day - 1, 7)) {
                return true
            }
        }
        return false
    }

    private func has(_ day: Int64) -> Bool { days >> UInt8(truncatingIfNeeded: day) & 1 == 1 }
}

/// 0 to `divisor` - 1.
private func floorRemainder(_ number: Int64, _ divisor: Int64) -> Int64 {
    let remainder = number % divisor
    return remainder < 0 ? remainder + divisor : remainder
}
