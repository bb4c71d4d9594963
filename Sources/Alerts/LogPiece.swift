import LibCrypto

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The log, open.
struct LogPiece: ~Copyable {
    let inode: UInt64
    let size: Int64
    private let path: String
    private let descriptor: Int32

    private static let chunk = 256 << 10

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

    /// From there to where it ended when it was opened: what is appended meanwhile belongs to the next time.
    func read(from start: Int64, _ body: (ArraySlice<UInt8>) -> Void) throws(AlertError) { try read(start, to: size, body) }

    private func read(_ start: Int64, to end: Int64, _ body: (ArraySlice<UInt8>) -> Void) throws(AlertError) {
        var place = start
        var buffer = [UInt8](repeating: 0, count: LogPiece.chunk)
        while place < end {
            let wanted = min(buffer.count, Int(end - place))
            // Writes at most the buffer's length.
            let count = unsafe pread(descriptor, &buffer, wanted, off_t(place))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .log(path: path, errno: errno) }
            guard count > 0 else { break }
            body(buffer[..<count])
            place += Int64(count)
        }
    }

    /// By which the place is known again: what stands before it.
    func mark(at offset: Int64) throws(AlertError) -> String {
        var tail: [UInt8] = []
        try read(max(0, offset - Int64(LogPiece.marked)), to: offset) { tail += $0 }
        return LogPiece.mark(tail)
    }

    /// Bytes before a place that make its mark.
    static let marked = 1024

    static func mark(_ tail: [UInt8]) -> String { Digest.sha256Text(tail) }
}
