internal import AuditTrail
internal import CSystem

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The lines at the end of a log and of the file that it was before its last rotation, the newest first. Read in blocks from the end, so that who finds what
/// was looked for has read little, whatever anybody wrote before it.
struct NewestLines {
    private let paths: [String]
    /// Bytes of each file's end that are looked at.
    private let reach: Int
    /// Bytes that were read.
    private(set) var bytesRead = 0

    /// Bytes that are read at once: many lines of the longest.
    static let block = 256 << 10
    /// A line that is longer is none of ours: its end is passed over.
    static let longestLine = 16 << 10

    /// - Parameter path: the log; the one before it has `.1` behind its name.
    init(log path: String, reach: Int) {
        paths = [path, path + ".1"]
        self.reach = reach
    }

    /// Where a line lies in the bytes that were read.
    struct Line {
        let block: [UInt8]
        let start: Int
        let end: Int

        var bytes: [UInt8] { Array(block[start..<end]) }

        /// Where the piece begins; nil where the line does not have it.
        func position(of piece: [UInt8]) -> Int? {
            // Both outlive the call, which reads no further than `end` and the piece's length.
            let found = unsafe opk_find(block, start, end, piece, piece.count)
            return found < 0 ? nil : found
        }
    }

    /// Each line until `body` says that it has seen enough.
    mutating func search(_ body: (Line) -> Bool) {
        for path in paths {
            guard let file = LogEnd(path) else { continue }
            if search(file, body) { return }
        }
    }

    private mutating func search(_ file: borrowing LogEnd, _ body: (Line) -> Bool) -> Bool {
        let first = max(0, file.size - reach)
        var end = file.size
        // The beginning of what was read, which is the end of a line that begins further in front.
        var rest: [UInt8] = []
        while end > first {
            let start = max(first, end - NewestLines.block)
            guard var bytes = file.bytes(start, end) else { return false }
            bytesRead += bytes.count
            bytes += rest
            let isWhole = start == 0
            let begin = isWhole ? 0 : (bytes.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count)
            var lineEnd = bytes.count
            while lineEnd > begin {
                if bytes[lineEnd - 1] == UInt8(ascii: "\n") { lineEnd -= 1 }
                // The block outlives the call, which reads nothing outside of the two.
                let lineStart = unsafe opk_last_line(bytes, begin, lineEnd)
                if lineStart < lineEnd, body(Line(block: bytes, start: lineStart, end: lineEnd)) { return true }
                lineEnd = lineStart
            }
            rest = begin <= NewestLines.longestLine ? Array(bytes[..<begin]) : []
            end = start
        }
        return false
    }
}

/// A plain file that not everybody may write, open to be read: with one name, or in root's folder, as the log's writers have it.
private struct LogEnd: ~Copyable {
    private let descriptor: Int32
    let size: Int

    init?(_ path: String) {
        // The path is copied.
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_mode & 0o002 == 0,
            facts.st_nlink <= 1 || AuditTrail(path: path).isFolderRoots
        else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        size = Int(facts.st_size)
    }

    deinit { close(descriptor) }

    /// Nil where they cannot be read, or are not there any more.
    func bytes(_ start: Int, _ end: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: end - start)
        var filled = 0
        while filled < bytes.count {
            // At most the bytes that the array has left, and it outlives the call.
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled, off_t(start + filled))
            }
            guard count > 0 else { return nil }
            filled += count
        }
        return bytes
    }
}
