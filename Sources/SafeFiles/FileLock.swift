internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An advisory lock (flock) on a file of its own; the system lets it go when the process ends, however that comes about.
public enum FileLock {
    public enum State: Sendable, Hashable {
        case held
        /// Another holds it still.
        case busy
        /// The lock file cannot be made or opened.
        case unavailable(WriteFailure)
    }

    /// Makes the lock file (mode 0600, empty) if need be, waits at most `milliseconds` for the lock, and runs `body`, with the lock in hand where
    /// it was to be had.
    public static func attempt<Result, Failure: Error>(
        _ path: String, waitingAtMost milliseconds: Int, _ body: (State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = unsafe opk_open(path, flags, 0o600)
        guard file >= 0 else { return try body(.unavailable(WriteFailure(path: path, errno: errno))) }
        // A plain number, and closed here: a value that closes itself may be closed by the optimiser before `body` has run, since nobody looks
        // at it any more.
        defer { close(file) }
        let end = now() + Int64(milliseconds)
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { return try body(.unavailable(WriteFailure(path: path, errno: errno))) }
            let left = end - now()
            if left <= 0 { return try body(.busy) }
            usleep(useconds_t(min(left, 10) * 1000))
        }
        return try body(.held)
    }

    /// In milliseconds. By the clock, since on a machine that does much else a pause lasts longer than it should.
    private static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
