import AuditReading
import PolicyAdministration
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A moment in the past as a person types it: `2h` ago, `now`, `today`, `yesterday`, a date (its beginning), a time of this day or else of the day before, RFC 3339.
enum LogTime {
    static func parse(_ text: Text, now: UnixTime) throws(LogError) -> UnixTime {
        if text == "now" { return now }
        if let span = TimeSpan(text) { return now + -span.seconds }
        if text == "today" { return try midnight(now, text) }
        if text == "yesterday" { return try midnight(try midnight(now, text) + -43_200, text) }
        // RFC 3339 to its fraction, which the policy's reader rounds.
        if let time = UnixTime(rfc3339: text) { return time }
        do throws(PolicyError) {
            let time = try TimeArgument.parse(text, .end, now: now + -86_400)
            guard text.count == 10 else { return time }
            return try TimeArgument.parse(text, .start, now: now)
        } catch {
            throw .time(text)
        }
    }

    /// The beginning of the day of that moment, by the clock here.
    private static func midnight(_ time: UnixTime, _ text: Text) throws(LogError) -> UnixTime {
        let day = Text(String(LogLine.local(time).prefix(10)))
        guard let midnight = try? TimeArgument.parse(day, .start, now: time) else { throw .time(text) }
        return midnight
    }
}
