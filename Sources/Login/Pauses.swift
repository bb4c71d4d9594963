#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How time goes by while a device waits. A test has its own.
struct Pauses {
    /// In seconds, from any beginning; a machine that sleeps counts on.
    var now: () -> Int64 = {
        let begun = ContinuousClock.now
        return { begun.duration(to: .now).components.seconds }
    }()
    var sleep: (_ seconds: Int64) -> Void = { seconds in
        // A signal that ends nothing may cut it short: then it is asked a little earlier what time it is.
        var span = timespec(tv_sec: time_t(seconds), tv_nsec: 0)
        _ = unsafe nanosleep(&span, nil)
    }
}
