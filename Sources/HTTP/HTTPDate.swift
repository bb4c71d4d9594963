import Vocabulary

/// A date of HTTP (RFC 9110 section 5.6.7), in any of the three forms that a recipient has to read: `Sun, 06 Nov 1994 08:49:37 GMT`,
/// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`. The name of the day is not compared with the date.
enum HTTPDate {
    /// The time that a Date header says, and the seconds of an Age header on top of it. Nil for anything that is not such a date.
    static func time(_ header: String?, age: String?) -> UnixTime? {
        guard let header, header.utf8.count <= 64, let time = time(header) else { return nil }
        return time + (age.flatMap { CacheControl.deltaSeconds(CacheControl.trimmed(Substring($0))) } ?? 0)
    }

    private static func time(_ text: String) -> UnixTime? {
        let words = text.split(separator: " ").map(String.init)
        switch words.count {
        case 6 where words[5] == "GMT" && words[0].hasSuffix(","):
            return time(day: words[1], month: words[2], year: words[3], clock: words[4])
        case 4 where words[3] == "GMT" && words[0].hasSuffix(","):
            let parts = words[1].split(separator: "-").map(String.init)
            guard parts.count == 3, parts[2].utf8.count == 2, let short = number(parts[2]) else { return nil }
            // Two digits that would be more than fifty years ahead are the last century's.
            return time(day: parts[0], month: parts[1], year: "\(short < 76 ? 2000 + short : 1900 + short)", clock: words[2])
        case 5:
            return time(day: words[2], month: words[1], year: words[4], clock: words[3])
        default: return nil
        }
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// By way of RFC 3339, whose reader knows the calendar.
    private static func time(day: String, month: String, year: String, clock: String) -> UnixTime? {
        guard let index = months.firstIndex(of: month), number(day) != nil, year.utf8.count == 4, clock.utf8.count == 8 else { return nil }
        // A leap second is the second before it to us.
        let seconds = clock.hasSuffix(":60") ? clock.dropLast(2) + "59" : clock[...]
        return UnixTime(rfc3339: Text("\(year)-\(twoDigits(String(index + 1)))-\(twoDigits(day))T\(seconds)Z"))
    }

    private static func number(_ digits: String) -> Int? {
        guard (1...2).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(digits)
    }

    private static func twoDigits(_ digits: String) -> String { digits.utf8.count == 1 ? "0" + digits : digits }
}
