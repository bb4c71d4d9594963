internal import AuditTrail

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// One process and no other: its number, which will be another's some day, and its start, which will not.
public struct ProcessStamp: Hashable, Sendable {
    public let id: Int32
    /// Clock ticks since the machine's start: field 22 of /proc/PID/stat.
    public let start: UInt64

    public init(id: Int32, start: UInt64) { (self.id, self.start) = (id, start) }

    /// The process that has the number now; nil where there is none, or /proc does not say.
    public init?(running id: Int32) {
        guard let status = ProcessStatus(id) else { return nil }
        self = status.stamp
    }

    /// Whether it is still there: neither gone nor waiting to be buried.
    public var isRunning: Bool {
        guard let status = ProcessStatus(id) else { return false }
        return status.stamp == self && !status.isDead
    }
}

/// What /proc/PID/stat says of a process (proc_pid_stat(5)).
struct ProcessStatus: Hashable, Sendable {
    let stamp: ProcessStamp
    let parent: Int32
    /// Its controlling terminal's device number as the kernel encodes it; 0 for none.
    let terminal: UInt64
    let isDead: Bool
    /// The program's name, at most 15 bytes, which a process may choose for itself.
    let name: String

    init?(_ id: Int32) {
        guard let text = ProcFile.read("/proc/\(id)/stat") else { return nil }
        self.init(parsing: text, id: id)
    }

    /// The second field is the name in parentheses, and may have any character.
    init?(parsing text: [UInt8], id: Int32) {
        guard let open = text.firstIndex(of: UInt8(ascii: "(")), let close = text.lastIndex(of: UInt8(ascii: ")")), open < close else {
            return nil
        }
        let fields = text[(close + 1)...].split(whereSeparator: { $0 == 0x20 || $0 == 0x0A }).map { String(decoding: $0, as: UTF8.self) }
        guard fields.count > 19, let parent = Int32(fields[1]), let terminal = Int32(fields[4]), let start = UInt64(fields[19]) else {
            return nil
        }
        stamp = ProcessStamp(id: id, start: start)
        self.parent = parent
        self.terminal = UInt64(UInt32(bitPattern: terminal))
        isDead = fields[0] == "Z" || fields[0] == "X"
        name = String(decoding: text[(open + 1)..<close], as: UTF8.self)
    }
}

/// All processes of a moment, and who started whom.
struct ProcessTable {
    let processes: [ProcessStatus]
    /// What else is known of one; nil where it is gone.
    let facts: (Int32) -> ProcessFacts?
    /// `ConnectionID` of a process.
    let connection: (Int32) -> String?

    init(
        _ processes: [ProcessStatus], facts: @escaping (Int32) -> ProcessFacts? = { ProcessFacts($0) },
        connection: @escaping (Int32) -> String? = { ConnectionID.of(process: $0) }
    ) {
        (self.processes, self.facts, self.connection) = (processes, facts, connection)
    }

    /// What /proc shows now; empty where there is none.
    static func now() -> ProcessTable {
        guard let folder = unsafe opendir("/proc") else { return ProcessTable([]) }
        defer { unsafe closedir(folder) }
        var found: [ProcessStatus] = []
        while let entry = unsafe readdir(folder) {
            // The system ends the name with NUL inside of the entry.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe String(validatingCString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if let id = name.flatMap({ Int32($0) }), id > 0, let status = ProcessStatus(id) { found.append(status) }
        }
        return ProcessTable(found)
    }

    func children(of id: Int32) -> [ProcessStatus] { processes.filter { $0.parent == id } }

    func process(_ id: Int32) -> ProcessStatus? { processes.first { $0.stamp.id == id } }

    /// The process itself and all that it and its children started, as far as their parents live; parents first. Not what takes connections, nor another
    /// session, with all below them: an sshd that somebody started by hand in a session is not the session's.
    ///
    /// - Parameter others: all sessions' processes.
    func family(of stamp: ProcessStamp, without others: Set<ProcessStamp>) -> [ProcessStatus] {
        guard let first = processes.first(where: { $0.stamp == stamp }) else { return [] }
        var family = [first]
        var next = 0
        while next < family.count {
            for child in children(of: family[next].stamp.id)
            where !others.contains(child.stamp) && !family.contains(where: { $0.stamp == child.stamp })
                && !SSHDProcess.isListener(child, self)
            {
                family.append(child)
            }
            next += 1
        }
        return family
    }
}

/// A file of /proc, which has no size until it is read.
enum ProcFile {
    static let largest = 16 << 10

    /// At most `largest` bytes; nil where it cannot be read.
    static func read(_ path: String) -> [UInt8]? {
        // The path is copied.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4 << 10)
        while bytes.count < largest {
            // At most as many bytes as the buffer has.
            let count = unsafe systemRead(descriptor, &buffer, buffer.count)
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return bytes
    }
}

extension ProcFile {
    /// Where a link leads; nil where that is not told.
    static func target(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4 << 10)
        // The path is copied; the call writes at most as many bytes as the buffer has.
        let count = unsafe readlink(path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}

// Inside `ProcFile` the name read is its own.
private func systemRead(_ descriptor: Int32, _ start: UnsafeMutableRawPointer, _ count: Int) -> Int {
    unsafe read(descriptor, start, count)
}
