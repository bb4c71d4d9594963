internal import CSystem
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An advisory lock (flock) on a file of its own; the system lets it go when the process ends, however that comes about. Who holds it may remove the file.
public enum FileLock {
    public enum State: Sendable, Hashable {
        /// - Parameter before: when it was taken the last time; nil where it was not.
        case held(before: UnixTime?)
        /// Another holds it still.
        case busy
        /// Another has held it for longer than its work can take: it is stopped, or stuck.
        case stuck
        /// The lock file cannot be made or opened.
        case unavailable(WriteFailure)
    }

    /// Makes the lock file (mode 0600, empty) if need be, waits at most `milliseconds` for the lock, and runs `body`, with the lock in hand where
    /// it was to be had. The file's time of change says since when.
    ///
    /// - Parameter patience: milliseconds after which whoever holds it is taken for stuck, and not waited for.
    public static func attempt<Result, Failure: Error>(
        _ path: String, waitingAtMost milliseconds: Int, stuckAfter patience: Int = .max, _ body: (State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var (file, isNew) = open(path)
        // A plain number, and closed here: a value that closes itself may be closed by the optimiser before `body` has run, since nobody looks
        // at it any more.
        defer { close(file) }
        let end = now() + Int64(milliseconds)
        var removed = 0
        while true {
            guard file >= 0 else { return try body(.unavailable(WriteFailure(path: path, errno: errno))) }
            while flock(file, LOCK_EX | LOCK_NB) != 0 {
                guard errno == EWOULDBLOCK || errno == EINTR else { return try body(.unavailable(WriteFailure(path: path, errno: errno))) }
                if heldSince(file).map({ age(of: $0) > patience }) ?? false { return try body(.stuck) }
                let left = end - now()
                if left <= 0 { return try body(.busy) }
                usleep(useconds_t(min(left, 10) * 1000))
            }
            // Whoever held it may have removed it: then another one is the lock by now. On a file system that gives a file no lasting number it is never seen there.
            if isAt(path, file) || removed == 100 { break }
            removed += 1
            close(file)
            (file, isNew) = open(path)
        }
        // Just made: by whoever asks now.
        let before = isNew ? nil : heldSince(file)
        // Needs no space, so that it is known on a full disk, too.
        futimens(file, nil)
        return try body(.held(before: before))
    }

    private static func open(_ path: String) -> (file: Int32, isNew: Bool) {
        let flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let new = unsafe opk_open(path, flags | O_CREAT | O_EXCL, 0o600)
        if new >= 0 || errno != EEXIST { return (new, true) }
        return (unsafe opk_open(path, flags, 0o600), false)
    }

    private static func isAt(_ path: String, _ file: Int32) -> Bool {
        var (named, held) = (stat(), stat())
        return unsafe lstat(path, &named) == 0 && fstat(file, &held) == 0 && named.st_ino == held.st_ino && named.st_dev == held.st_dev
    }

    private static func heldSince(_ file: Int32) -> UnixTime? {
        var facts = stat()
        return unsafe fstat(file, &facts) == 0 ? time(facts) : nil
    }

    private static func time(_ facts: stat) -> UnixTime {
        #if canImport(Darwin)
            let time = facts.st_mtimespec
        #else
            let time = facts.st_mtim
        #endif
        return UnixTime(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }

    /// When a file was changed the last time; nil where it is not there. A link is not followed.
    public static func changed(_ path: String) -> UnixTime? {
        var facts = stat()
        return unsafe lstat(path, &facts) == 0 ? time(facts) : nil
    }

    /// In milliseconds; negative where the clock was set back.
    private static func age(of time: UnixTime) -> Int {
        let now = UnixTime.now()
        return Int(clamping: now.seconds - time.seconds) * 1000 + Int(now.nanoseconds - time.nanoseconds) / 1_000_000
    }

    /// In milliseconds. By the clock, since on a machine that does much else a pause lasts longer than it should.
    private static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
