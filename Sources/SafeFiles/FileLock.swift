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
        var left = milliseconds
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { return try body(.unavailable(WriteFailure(path: path, errno: errno))) }
            if left <= 0 { return try body(.busy) }
            let pause = min(left, 10)
            usleep(useconds_t(pause * 1000))
            left -= pause
        }
        return try body(.held)
    }
}
