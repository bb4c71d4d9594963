#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How long this process has been at work, from its first statement on: the loader's work before is not in it.
enum RunningTime {
    private static let start = now()

    /// To be called first of all.
    static func begin() { _ = start }

    static var microseconds: Int64 { max(0, now() - start) }

    /// Of a clock that nobody sets.
    private static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
