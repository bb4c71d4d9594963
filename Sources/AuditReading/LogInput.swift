import ChildProcess
import SafeFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An open file of the log, read from its beginning, unpacked where it has to be.
struct LogInput: ~Copyable {
    let path: String
    let descriptor: Int32
    private var unpacked: ProgramOutput?
    private let program: String
    /// Bytes that were read of it, as they are in the log.
    private(set) var offset = 0

    /// A file is unpacked within ten minutes or not at all.
    static let deadline = 600_000
    private static let folders = ["/usr/bin/", "/bin/", "/usr/local/bin/"]

    /// The file that was found, or the error that another one has its name by now.
    init(_ file: LogFile) throws(LogError) { try self.init(file.path, found: file.id) }

    /// - Parameter path: `-` is standard input.
    init(_ path: String, found: LogFile.ID? = nil) throws(LogError) {
        self.path = path
        // Not blocking: a FIFO would else wait for a writer. Not following: nobody puts another file in the log's place.
        descriptor = path == "-" ? dup(STDIN_FILENO) : unsafe open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        program = LogFile.Packing(path).program ?? ""
        unpacked = nil
        guard descriptor >= 0 else { throw LogFile.failure(path, errno) }
        guard path != "-" else { return }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0, UInt32(facts.st_mode) & UInt32(S_IFMT) == UInt32(S_IFREG) else {
            throw .notAFile(path: path)
        }
        if let found, LogFile.ID(facts) != found { throw .rotated(path: path) }
        if !program.isEmpty { unpacked = try LogInput.unpack(path, program, descriptor) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static func unpack(_ path: String, _ name: String, _ descriptor: Int32) throws(LogError) -> ProgramOutput {
        guard let program = folders.map({ $0 + name }).first(where: { unsafe access($0, X_OK) == 0 }) else {
            throw .unpacking(path: path, why: "\(name) is not installed")
        }
        do {
            return try ProgramOutput(
                program, ["-d", "-c"], environment: ProcessEnvironment(entries: []), input: descriptor, deadline: deadline)
        } catch {
            throw .unpacking(path: path, why: "\(error)")
        }
    }

    /// At most `count` bytes into `buffer` from `place` on; 0 at the end.
    mutating func read(into buffer: inout [UInt8], at place: Int, count: Int) throws(LogError) -> Int {
        if unpacked != nil {
            guard let received = unpacked?.read(into: &buffer, at: place, count: count) else {
                throw .unpacking(path: path, why: "\(program) did not end in time")
            }
            if received == 0 {
                let ending = try? unpacked?.finish()
                guard ending == .exited(0) else { throw .unpacking(path: path, why: "\(program) says that it is broken") }
            }
            offset += received
            return received
        }
        while true {
            let received = receive(descriptor, &buffer, place, count)
            if received >= 0 {
                offset += received
                return received
            }
            if errno != EINTR { throw .unreadable(path: path, errno: errno) }
        }
    }

    /// From the beginning again: the file was cut short in its place.
    mutating func rewind() {
        offset = 0
        _ = lseek(descriptor, 0, SEEK_SET)
    }
}

// Inside of the type the name is its own.
private func receive(_ descriptor: Int32, _ buffer: inout [UInt8], _ place: Int, _ count: Int) -> Int {
    guard place + count <= buffer.count else { return 0 }
    // So many bytes are in the buffer from there on.
    return unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress?.advanced(by: place), count) }
}
