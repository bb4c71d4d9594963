public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Times by the clock here, to the second, for one who writes many of them: events of one minute share all but the seconds.
public struct LocalTime {
    private var minute: Int64?
    private var upToSeconds = ""

    public init() {}

    /// `2026-11-28 22:31:49`
    public mutating func text(_ time: UnixTime) -> String {
        let (minute, second) = (time.seconds / 60, time.seconds % 60)
        if minute != self.minute || time.seconds < LocalTime.wholeMinutes {
            let text = LocalTime.text(time)
            // A clock whose minutes begin elsewhere, or that cannot be asked.
            guard time.seconds >= LocalTime.wholeMinutes, text.utf8.count == 19, text.hasSuffix(LocalTime.two(second)) else { return text }
            (self.minute, upToSeconds) = (minute, String(text.dropLast(2)))
            return text
        }
        return upToSeconds + LocalTime.two(second)
    }

    /// 1973: from then on every clock's offset is of whole minutes.
    private static let wholeMinutes: Int64 = 94_694_400

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

    static func text(_ time: UnixTime) -> String {
        var seconds = time_t(time.seconds)
        var parts = unsafe tm()
        guard unsafe localtime_r(&seconds, &parts) != nil else { return time.description }
        var buffer = [CChar](repeating: 0, count: 32)
        // At most so many bytes are written.
        let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
