internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a process gives up, since it does not need it: a mistake in it, or whoever takes it over, then has less to work with.
///
/// Nothing here can be taken back, and what is started from here on (opk-fetch) inherits all of it but the time.
public enum Confinement {
    /// Seconds for everything that a decision takes: below sshd's LoginGraceTime, above what one fetch may take.
    public static let seconds = 8

    /// 1 GiB of addresses. A decision takes 18 MiB, one about a million rows that all admit 285, and one with 16 MiB of one-letter names in
    /// config.yml, the worst that is accepted, 770; opk-fetch takes 30 and what its resolver's thread reserves.
    static let memory: UInt64 = 1 << 30
    static let descriptors: UInt64 = 64
    /// The cache of a provider's keys is at most 2 MiB.
    public static let fileSize: UInt64 = 16 << 20

    /// The first thing that a program does: no core dump and no look into it, no descriptor that somebody left open, bounded memory, time and
    /// descriptors. Limits that are lower already stay.
    ///
    /// - Parameters:
    ///   - seconds: of wall time, after which the process says its `LastWords` and ends.
    ///   - lowersLimits: false where that comes later (`lowerLimits`), since a process that is started before needs more.
    public static func begin(seconds: Int = Confinement.seconds, lowersLimits: Bool = true) {
        opk_close_from(3)
        if lowersLimits { lowerLimits(seconds: seconds) }
        opk_hide_memory()
        // A write beyond the largest file is then an error of write(2).
        signal(SIGXFSZ, SIG_IGN)
        opk_watchdog_start(UInt32(seconds), graceMilliseconds)
    }

    /// Bounded memory, descriptors, processor time and size of files, for this process and those that it starts from here on.
    ///
    /// - Parameter fileSize: bytes, for who appends to a file that others have filled.
    public static func lowerLimits(seconds: Int = Confinement.seconds, fileSize: UInt64 = Confinement.fileSize) {
        // Each of these can fail only where the limit was lower before.
        var limits = opk_limits()
        limits.memory = memory
        limits.fileSize = fileSize
        limits.descriptors = descriptors
        // More than the wall time: a last resort, should the timers fail.
        limits.cpuSeconds = UInt64(seconds + 2)
        unsafe opk_lower_limits(&limits)
    }

    /// So many seconds from now: an administrator gives a fetch more time than there would be.
    public static func extend(to seconds: Int) { opk_watchdog_set(UInt32(clamping: seconds), graceMilliseconds) }

    /// Between the last words and SIGKILL: the log may take 200 ms.
    private static let graceMilliseconds: UInt32 = 500
}
