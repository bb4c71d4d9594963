internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An advisory lock (flock) that is held as long as the value lives; the system lets it go when the process ends.
public struct FileLock: ~Copyable {
    private let descriptor: Descriptor

    /// Makes the lock file (mode 0600, empty) if need be and waits at most `milliseconds` for it; nil if another holds it still.
    public init?(_ path: String, waitingAtMost milliseconds: Int) throws(WriteFailure) {
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        guard let file = Descriptor(unsafe opk_open(path, flags, 0o600)) else { throw WriteFailure(path: path, errno: errno) }
        let end = FileLock.now() + Int64(milliseconds)
        while flock(file.number, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw WriteFailure(path: path, errno: errno) }
            let left = end - FileLock.now()
            if left <= 0 { return nil }
            usleep(useconds_t(min(left, 10) * 1000))
        }
        descriptor = file
    }

    /// In milliseconds. By the clock, since on a machine that does much else a pause lasts longer than it should.
    private static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
