internal import CSystem
internal import SafeFiles
internal import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The file that events are appended to. Each event is one write(2) at the file's end, so lines of several writers do not mix; the file is opened for each
/// event, so that one that was renamed away is let go of at once.
public struct AuditTrail: Sendable {
    public static let defaultPath = "/var/log/opk/audit.jsonl"

    public let path: String

    public init(path: String = AuditTrail.defaultPath) { self.path = path }

    /// Why an event is not in the file. What was decided stands all the same.
    public enum Failure: Error, Hashable, Sendable {
        /// There is none: nothing is to be audited here.
        case absent
        /// A link, a folder, another's.
        case unsafe
        case unwritable(errno: Int32)
        case tooLong
    }

    /// Adds one event, whole or not at all.
    public func append(_ event: AuditEvent) throws(Failure) {
        let line = event.line
        guard line.count <= AuditEvent.longestLine else { throw .tooLong }
        let flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
        // The path is copied.
        let descriptor = unsafe open(path, flags)
        guard descriptor >= 0 else { throw errno == ENOENT ? .absent : errno == ELOOP ? .unsafe : .unwritable(errno: errno) }
        defer { close(descriptor) }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_nlink == 1 else { throw .unsafe }
        // Reads no more than the bytes.
        let written = unsafe write(descriptor, line, line.count)
        guard written == line.count else { throw .unwritable(errno: written < 0 ? errno : ENOSPC) }
    }
}
