internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An advisory lock (flock) that several may hold at once, on a file of its own: others see whether anybody does. The system lets it go when the
/// process ends.
public struct SharedLock: Sendable {
    private let descriptor: Int32

    /// Makes the file (mode 0600, empty) if need be. Nil where it cannot be made or locked.
    public init?(_ path: String) {
        descriptor = unsafe opk_open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        // Who asks holds it exclusively, for a moment.
        while flock(descriptor, LOCK_SH) != 0 {
            guard errno == EINTR else {
                _ = close(descriptor)
                return nil
            }
        }
    }

    public func release() { _ = close(descriptor) }

    /// Whether anybody holds it; false where there is no such file, or no locks.
    public static func isHeld(_ path: String) -> Bool {
        let descriptor = unsafe opk_open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
