#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The file that events are appended to, by processes that know nothing of each other and hold no lock.
///
/// Each event is one writev(2) at the file's end, so lines of several writers do not mix. The file is opened for each event, so that one that was renamed away
/// is let go of; nothing is made, renamed, shortened or removed. What can tear a line, and what then holds, is in docs/audit-log.md.
public struct AuditTrail: Sendable {
    public static let defaultPath = "/var/log/opk/audit.jsonl"

    /// Bytes that the file never exceeds.
    public static let hardSize: Int64 = 1 << 30

    public let path: String

    public init(path: String = AuditTrail.defaultPath) { self.path = path }

    /// Whose doing an event is: the fewer can cause it, the longer there is room for it, so that nobody takes the room of what matters more.
    public enum Cause: Sendable, CaseIterable {
        /// Anybody's who reaches sshd: a refusal before the provider's signature held.
        case anybody
        /// A person's for whom the provider vouches, and whom nothing admits: of a public provider, that may be anybody, too.
        case person
        /// A person's who may log in here: a decision that admits.
        case admission
        /// An administrator's, or the server's own: sessions, changes, who was told, gaps.
        case server

        /// Bytes of the file from which on such an event is not written any more.
        public var largest: Int64 {
            switch self {
            case .anybody: 256 << 20
            case .person: 384 << 20
            case .admission: 768 << 20
            case .server: AuditTrail.hardSize
            }
        }

        /// Bytes of the disk that such an event leaves free, or a sixteenth of a small one: nobody who may not log in fills a disk.
        public var leavesFree: Int64 {
            switch self {
            case .anybody, .person: 16 << 20
            case .admission, .server: 0
            }
        }
    }

    /// Why an event is not in the file. What was decided stands all the same.
    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// There is none, nor its folder: nothing is to be audited here.
        case notInstalled
        /// The folder is there and the file is not.
        case absent
        /// A link, a folder, another's, one that others may write, or one with a second name in a folder that is not root's alone.
        case unsafe
        case unwritable(errno: Int32)
        /// The disk is full, or nearly so and the event is a refusal; or the file is as large as it may be for such an event.
        case full
        case tooLong

        /// A sentence without its file.
        public var description: String {
            switch self {
            case .notInstalled, .absent: "it is not there"
            case .unsafe: "it is no plain file of root's or opksshuser's alone"
            case .full: "the disk is full, or the file as large as it may be"
            case .tooLong: "the event is too long"
            // The text is copied before anything else can ask for one.
            case .unwritable(let number): unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
            }
        }
    }

    /// Adds one event, whole or not at all.
    public func append(_ event: AuditEvent, by cause: Cause = .server) throws(Failure) {
        let file = try open()
        defer { file.close() }
        try file.append(event, by: cause)
    }

    /// The file, to be written to once, soon. To be called before this process confines itself. Where the folder is there and the file is not, since it is being
    /// rotated at this moment, it is waited for, 100 ms in all.
    public func open() throws(Failure) -> AuditFile {
        let flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
        var descriptor: Int32 = -1
        for attempt in 0... {
            // The path is copied.
            descriptor = Self.open(path, flags)
            if descriptor >= 0 { break }
            guard errno == ENOENT else { throw errno == ELOOP ? .unsafe : .unwritable(errno: errno) }
            if attempt == 0, !hasFolder { throw .notInstalled }
            if attempt == 20 { throw .absent }
            usleep(attempt < 10 ? 1000 : 9000)
        }
        let file = AuditFile(descriptor: descriptor)
        guard file.isSafe(inRootsFolder: { isFolderRoots }) else {
            file.close()
            throw .unsafe
        }
        return file
    }

    private var folder: String {
        let bytes = Array(path.utf8)
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return String(decoding: bytes[...slash], as: UTF8.self)
    }

    // The path is copied.
    private var hasFolder: Bool { unsafe access(folder, F_OK) == 0 }

    /// Whether nobody but root can put a file into its folder: a second name that the log has somewhere else then means nothing.
    package var isFolderRoots: Bool {
        var facts = stat()
        // The path is copied.
        return unsafe stat(folder, &facts) == 0 && facts.st_uid == 0 && facts.st_mode & 0o022 == 0
    }

    // `open` means the method here.
    private static func open(_ path: String, _ flags: Int32) -> Int32 {
        #if canImport(Glibc)
            unsafe Glibc.open(path, flags)
        #else
            unsafe Darwin.open(path, flags)
        #endif
    }
}
