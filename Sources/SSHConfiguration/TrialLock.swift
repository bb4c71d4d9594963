import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An advisory lock (flock) on the folder of a trial itself, so that two who set ssh up at once try one after the other. It goes with the folder, and with
/// the process.
struct TrialLock {
    private let descriptor: Int32

    /// In milliseconds: longer than ssh is asked.
    static let patience = 90_000

    /// Makes the folder (mode 0700) if need be.
    ///
    /// - Throws: `busy` where somebody else has it for longer than `milliseconds`.
    init(_ folder: String, waitingAtMost milliseconds: Int = patience) throws(SetupError) {
        var left = milliseconds
        while true {
            do throws(WriteFailure) {
                try Folder.create(folder, mode: 0o700)
            } catch {
                // Whoever had it is just taking it away.
                guard error.errno == ENOENT else { throw .writing(error) }
                continue
            }
            let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            if descriptor < 0 {
                guard errno == ENOENT else { throw .writing(WriteFailure(path: folder, errno: errno)) }
                continue
            }
            while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR, left > 0 {
                usleep(10_000)
                left -= 10
            }
            if left <= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
                _ = close(descriptor)
                throw .busy
            }
            if TrialLock.isStill(folder, descriptor) {
                self.descriptor = descriptor
                return
            }
            // It was another's, and went with them.
            _ = close(descriptor)
        }
    }

    func release() { _ = close(descriptor) }

    private static func isStill(_ folder: String, _ descriptor: Int32) -> Bool {
        var (opened, named) = (stat(), stat())
        return unsafe fstat(descriptor, &opened) == 0 && lstat(folder, &named) == 0 && opened.st_ino == named.st_ino
            && opened.st_dev == named.st_dev
    }
}
