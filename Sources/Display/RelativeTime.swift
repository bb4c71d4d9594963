public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A time as seen from another: "in 3 h", "3 h ago".
public enum RelativeTime {
    /// The two largest units of a span: "45 s", "23 h 59 min", "2 d 4 h". The sign is dropped.
    public static func span(_ seconds: Int64) -> String {
        let units: [(UInt64, String)] = [(31_556_952, "y"), (86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]
        let total = seconds.magnitude
        guard let first = units.firstIndex(where: { total >= $0.0 }) else { return "0 s" }
        let (size, name) = units[first]
        let head = "\(total / size) \(name)"
        guard first + 1 < units.count else { return head }
        let (nextSize, nextName) = units[first + 1]
        let rest = total % size / nextSize
        return rest == 0 ? head : head + " \(rest) \(nextName)"
    }

    public static func text(_ time: UnixTime, from now: UnixTime) -> String {
        // Whole seconds, so that a time of this second is now.
        let difference = time.seconds.subtractingReportingOverflow(now.seconds).partialValue
        if difference == 0 { return "now" }
        return difference > 0 ? "in " + span(difference) : span(difference) + " ago"
    }
}

extension UnixTime {
    /// In the person's own time zone: `2026-11-22 07:46:12 CET`.
    public var local: String {
        var seconds = time_t(self.seconds)
        var parts = unsafe tm()
        guard unsafe localtime_r(&seconds, &parts) != nil else { return description }
        var buffer = [CChar](repeating: 0, count: 96)
        let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S %Z", &parts)
        guard count > 0 else { return description }
        return Text(String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)).escaped
    }
}
