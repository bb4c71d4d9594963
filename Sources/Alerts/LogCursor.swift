public import AuditReading
import JOSE
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A place in the audit log up to which every event has been dealt with: which file, and how many of its bytes. Rotating renames a file and keeps its inode,
/// so nothing is read twice and nothing is left out.
public struct LogCursor: Hashable, Sendable {
    /// 0 before anything was read.
    var inode: UInt64 = 0
    var offset: Int64 = 0

    public init() {}

    init?(_ json: JSON?) {
        guard let inode = json?["inode"]?.number?.integer, let offset = json?["offset"]?.number?.integer, inode >= 0, offset >= 0 else {
            return nil
        }
        (self.inode, self.offset) = (UInt64(inode), offset)
    }

    var json: JSON {
        ["inode": .number(JSONNumber(Int64(clamping: inode))), "offset": .number(JSONNumber(offset))]
    }

    /// What was found on the way.
    public struct Findings: Hashable, Sendable {
        /// Lines that are no events.
        public internal(set) var torn = 0
        /// The file that was read last is gone with what was in it.
        public internal(set) var isInterrupted = false
    }

    /// Moves to the end: what is there by now is of no interest.
    public mutating func skip(in path: String) throws(AlertError) {
        guard let file = try LogPiece(path) else { return self = LogCursor() }
        (inode, offset) = (file.inode, file.size)
    }

    /// Each event behind the cursor, the oldest first, and moves over it. A line without its end is left for the next time.
    public mutating func read(_ path: String, _ body: (AuditRecord) -> Void) throws(AlertError) -> Findings {
        var findings = Findings()
        guard let current = try LogPiece(path) else { return findings }
        if inode != 0, inode != current.inode {
            if let rotated = try LogPiece.rotated(of: path, inode: inode) {
                try rotated.read(from: offset, &findings, body)
            } else {
                findings.isInterrupted = true
            }
        }
        let start = inode == current.inode && offset <= current.size ? offset : 0
        // Somebody cut it short.
        if inode == current.inode, offset > current.size { findings.isInterrupted = true }
        offset = try current.read(from: start, &findings, body)
        inode = current.inode
        return findings
    }
}

/// One file of the log, open.
private struct LogPiece: ~Copyable {
    let inode: UInt64
    let size: Int64
    private let path: String
    private let descriptor: Int32

    private static let chunk = 256 << 10
    /// Bytes of a line that are kept; a longer one is no event.
    private static let longest = 64 << 10

    /// Nil where there is none.
    init?(_ path: String) throws(AlertError) {
        // The path is copied.
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw .log(path: path, errno: errno)
        }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .log(path: path, errno: EINVAL)
        }
        (self.path, self.descriptor) = (path, descriptor)
        (inode, size) = (UInt64(facts.st_ino), Int64(facts.st_size))
    }

    deinit { close(descriptor) }

    /// The file that the log was before it was rotated; nil where it is gone, or packed.
    static func rotated(of path: String, inode: UInt64) throws(AlertError) -> LogPiece? {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let name = String(path.utf8.dropFirst(folder.utf8.count + 1)) ?? ""
        let names = (try? Folder.names(in: folder.isEmpty ? "/" : folder, atMost: 10_000)) ?? []
        for other in names where other != name && other.utf8.starts(with: name.utf8) {
            if let piece = try? LogPiece(folder + "/" + other), piece.inode == inode { return piece }
        }
        return nil
    }

    /// Where the last whole line ends.
    @discardableResult
    func read(from start: Int64, _ findings: inout LogCursor.Findings, _ body: (AuditRecord) -> Void) throws(AlertError) -> Int64 {
        var (place, end) = (start, start)
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: LogPiece.chunk)
        // What is appended meanwhile belongs to the next time.
        while place < size {
            let wanted = min(buffer.count, Int(size - place))
            // Writes at most the buffer's length.
            let count = unsafe pread(descriptor, &buffer, wanted, off_t(place))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .log(path: path, errno: errno) }
            guard count > 0 else { break }
            var rest = buffer[..<count]
            while let feed = rest.firstIndex(of: 0x0A) {
                line += rest[..<feed]
                end = place + Int64(feed) + 1
                LogPiece.take(line, &findings, body)
                line.removeAll(keepingCapacity: true)
                rest = rest[(feed + 1)...]
            }
            if line.count <= LogPiece.longest { line += rest }
            place += Int64(count)
        }
        return end
    }

    private static func take(_ line: [UInt8], _ findings: inout LogCursor.Findings, _ body: (AuditRecord) -> Void) {
        if line.isEmpty { return }
        guard line.count <= longest, let record = AuditRecord(line) else {
            findings.torn += 1
            return
        }
        body(record)
    }
}
