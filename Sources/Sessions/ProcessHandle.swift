internal import CSystem

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A hold on one process, so that a signal never reaches another which got its number: a pidfd (Linux 5.3), opened before the start is compared. An older
/// kernel has none; there the start is compared right before each signal.
struct ProcessHandle: ~Copyable {
    private let stamp: ProcessStamp
    private let descriptor: Int32

    /// Nil where that process is gone.
    init?(_ stamp: ProcessStamp) {
        guard stamp.id > 1 else { return nil }
        let descriptor = opk_pidfd(stamp.id)
        guard descriptor >= 0 || errno == ENOSYS || errno == EPERM, stamp.isRunning else {
            if descriptor >= 0 { close(descriptor) }
            return nil
        }
        self.stamp = stamp
        self.descriptor = descriptor
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// False where it was not sent: it is gone, or not ours to end.
    @discardableResult
    borrowing func send(_ signal: Int32) -> Bool {
        if descriptor >= 0 { return opk_pidfd_signal(descriptor, signal) == 0 }
        return stamp.isRunning && kill(stamp.id, signal) == 0
    }
}
