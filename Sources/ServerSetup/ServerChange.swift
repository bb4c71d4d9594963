import Vocabulary

/// One thing that is changed on a server, and can be changed back.
public enum ServerChange: Sendable, Hashable {
    /// What is left of a file when somebody else has changed it since.
    public enum Kind: String, Sendable {
        /// Theirs; it stays.
        case policy
        /// A file of sshd's that is ours alone; it is put out of sshd's sight.
        case dropIn = "drop-in"
        /// Our lines are between marks, and are taken out.
        case marked
    }

    case file(FileChange)
    /// A file that is put out of another program's sight, as it is.
    case rename(path: String, to: String, digest: String)
    /// One that was made; it goes when it is empty.
    case folder(path: String, mode: UInt32)
    /// A file of zeros of opk-verify's, of so many bytes, which it counts in; made where there was none, it goes whatever it holds by then.
    case counted(path: String, size: Int, user: UInt32, group: UInt32)

    public struct FileChange: Sendable, Hashable {
        let path: String
        let kind: Kind
        /// Nil where there was none.
        let before: FileState?
        let after: FileState
        /// Whether the file of a policy had its lock beside it already; one that was made goes again.
        var hadLock = true
    }

    public var path: String {
        switch self {
        case .file(let change): change.path
        case .rename(let path, _, _): path
        case .folder(let path, _): path
        case .counted(let path, _, _, _): path
        }
    }

    /// As a person reads it: `+` for a line that is new, `-` for one that goes, `…` for what stays.
    public var lines: [String] {
        switch self {
        case .folder(let path, let mode): ["\(Text(path).escaped) (new folder, mode 0\(String(mode, radix: 8)))"]
        case .rename(let path, let to, _): ["\(Text(path).escaped) is called \(Text(to).escaped) from here on: sshd reads only *.conf"]
        case .counted(let path, _, _, _): ["\(Text(path).escaped) (new, for opk-verify to count in)"]
        case .file(let change): change.lines
        }
    }
}

extension ServerChange.FileChange {
    fileprivate var lines: [String] {
        let (old, new) = (ServerChange.FileChange.split(before?.bytes ?? []), ServerChange.FileChange.split(after.bytes))
        var shown = [Text(path).escaped + (before == nil ? " (new)" : "")]
        // All that is written here is added in one place, or the whole file is new.
        var start = 0
        while start < min(old.count, new.count), old[start] == new[start] { start += 1 }
        var end = 0
        while end < min(old.count, new.count) - start, old[old.count - 1 - end] == new[new.count - 1 - end] { end += 1 }
        if start > 0 { shown.append("    …") }
        for line in old[start..<(old.count - end)] { shown.append("  - " + line.escapedOnce(limit: 400)) }
        for line in new[start..<(new.count - end)] { shown.append("  + " + line.escapedOnce(limit: 400)) }
        if end > 0 { shown.append("    …") }
        return shown
    }

    private static func split(_ bytes: [UInt8]) -> [Text] {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { Text(String(decoding: $0.last == 0x0D ? $0.dropLast() : $0, as: UTF8.self)) }
    }
}

extension ServerChange {
    /// Makes the change, if all is as it was when it was planned.
    func apply() throws(ServerSetupError) {
        switch self {
        case .folder(let path, let mode): try ServerChange.makeFolder(path, mode)
        case .rename(let path, let to, let digest):
            guard let state = try FileState.read(path), state.digest == digest, try FileState.read(to) == nil else {
                throw .changedMeanwhile(path)
            }
            try FileState.rename(path, to: to)
        case .counted(let path, let size, let user, let group):
            if try FileState.read(path) != nil { throw .changedMeanwhile(path) }
            try FileState(bytes: [UInt8](repeating: 0, count: size), mode: 0o600, user: user, group: group).write(to: path)
        case .file(let change):
            try change.locked { () throws(ServerSetupError) in
                guard try FileState.read(change.path) == change.before else { throw .changedMeanwhile(change.path) }
                try change.after.write(to: change.path)
            }
        }
    }
}
