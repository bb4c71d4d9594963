import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The log, or one that was rotated away.
struct LogFile: Hashable {
    enum Packing: String, CaseIterable {
        case none = ""
        case gzip = ".gz"
        case zstd = ".zst"
        case xz = ".xz"

        init(_ path: String) { self = Packing.allCases.first { $0 != .none && path.hasSuffix($0.rawValue) } ?? .none }

        /// The program that unpacks standard input to standard output.
        var program: String? {
            switch self {
            case .none: nil
            case .gzip: "gzip"
            case .zstd: "zstd"
            case .xz: "xz"
            }
        }
    }

    let path: String
    let packing: Packing
    /// When it was written to last; no event in it is later.
    let changed: UnixTime
    let size: Int
    /// Stays when the file is renamed.
    let id: ID

    struct ID: Hashable {
        let device: UInt64
        let inode: UInt64

        init(_ facts: stat) { (device, inode) = (UInt64(facts.st_dev), UInt64(facts.st_ino)) }
    }

    /// Files of one log beside each other.
    static let most = 4096

    /// `log` itself and what logrotate made of it: `audit.jsonl.1`, `.2.gz`, `audit.jsonl-20261127.zst`. What was packed while it was looked for is
    /// there once; a folder that cannot be listed has only the log.
    static func all(of log: String) throws(LogError) -> [LogFile] {
        let slash = log.lastIndex(of: "/")
        let folder = slash.map { String(log[...$0]) } ?? "./"
        let name = slash.map { String(log[log.index(after: $0)...]) } ?? log
        let names = (try? Folder.names(in: folder, atMost: most)) ?? []
        var files: [LogFile] = []
        for rotated in names where isRotated(rotated, of: name) {
            // One that is gone was deleted or packed a moment ago.
            if let file = try? LogFile(folder + rotated) { files.append(file) }
        }
        do throws(LogError) {
            files.append(try LogFile(log))
        } catch .absent where !files.isEmpty {
            // Between a rotation and the next event.
        }
        let paths = Set(files.map(\.path))
        return files.filter { $0.packing == .none || !paths.contains(String($0.path.dropLast($0.packing.rawValue.count))) }
    }

    private static func isRotated(_ candidate: String, of name: String) -> Bool {
        guard candidate.utf8.starts(with: name.utf8) else { return false }
        var rest = Array(candidate.utf8.dropFirst(name.utf8.count))
        guard rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: "-") else { return false }
        rest.removeLast(Packing(candidate).rawValue.utf8.count)
        // A number or a date.
        return rest.count > 1
            && rest.dropFirst().allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }

    init(_ path: String) throws(LogError) {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { throw LogFile.failure(path, errno) }
        guard UInt32(facts.st_mode) & UInt32(S_IFMT) == UInt32(S_IFREG) else { throw .notAFile(path: path) }
        self.path = path
        packing = Packing(path)
        changed = UnixTime(seconds: Int64(facts.st_mtim.tv_sec), nanoseconds: Int32(facts.st_mtim.tv_nsec))
        size = Int(facts.st_size)
        id = ID(facts)
    }

    static func failure(_ path: String, _ number: Int32) -> LogError {
        switch number {
        case ENOENT: return .absent(path: path)
        case ELOOP: return .notAFile(path: path)
        case EACCES, EPERM: return .denied(path: path, group: readers(of: path))
        default: return .unreadable(path: path, errno: number)
        }
    }

    /// The group that may read the file, by name.
    private static func readers(of path: String) -> String? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0, facts.st_mode & S_IRGRP != 0 else { return nil }
        // The name is copied before the next call.
        guard let entry = unsafe getgrgid(facts.st_gid) else { return nil }
        return unsafe String(cString: entry.pointee.gr_name)
    }
}
