public import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// When `opk sessions enforce` last came to its end: a file beside the sessions' records, gone with the machine's next start. A limit that nobody enforces must
/// not look like one.
public struct EnforcementRun {
    /// The timer calls it every minute.
    public static let patience: Int64 = 300

    public let path: String

    public init(_ folder: SessionFolder) { path = folder.path + "/enforced" }

    public func note() throws(WriteFailure) { try AtomicFile.write([], to: path, mode: 0o600) }

    /// Nil where it has not run since the machine's start.
    public var last: UnixTime? {
        var facts = stat()
        // The path is copied.
        guard unsafe lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
        return UnixTime(seconds: Int64(facts.st_mtim.tv_sec))
    }

    public func isOverdue(at now: UnixTime) -> Bool { last.map { $0 + EnforcementRun.patience < now } ?? true }
}
