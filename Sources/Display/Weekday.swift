public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension UnixTime {
    /// When that is, for somebody to whom now is `now`: `mon 08:00` within the next six days, else `2026-12-24 08:00`; in the person's own time zone.
    public func clock(from now: UnixTime) -> String {
        let days: Int64 = 6
        return formatted(self >= now && self - now < days * 86_400 ? "%a %H:%M" : "%Y-%m-%d %H:%M")
    }

    private func formatted(_ format: String) -> String {
        var seconds = time_t(self.seconds)
        var parts = unsafe tm()
        guard unsafe localtime_r(&seconds, &parts) != nil else { return description }
        var buffer = [CChar](repeating: 0, count: 96)
        let count = unsafe strftime(&buffer, buffer.count, format, &parts)
        guard count > 0 else { return description }
        return Text(String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)).lowercasedASCII.escaped
    }
}
