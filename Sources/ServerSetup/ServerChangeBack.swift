import PolicyAdministration
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension ServerChange {
    static func makeFolder(_ path: String, _ mode: UInt32) throws(ServerSetupError) {
        do throws(WriteFailure) { try Folder.create(path, mode: mode) } catch { throw .writing(error) }
        FileState.syncFolder(of: path)
    }

    /// Takes the change back, however far it came, and as often as it is asked: what is back already stays.
    ///
    /// - Returns: a sentence about what somebody else has made of it since, and was therefore left.
    func takeBack() throws(ServerSetupError) -> String? {
        switch self {
        case .folder(let path, _):
            if unsafe rmdir(path) == 0 { FileState.syncFolder(of: path) }
            return nil
        case .rename(let path, let to, _):
            guard try FileState.read(to) != nil else { return nil }
            if try FileState.read(path) != nil {
                return "\(Text(path).escaped) is there again, so \(Text(to).escaped) stays beside it"
            }
            try FileState.rename(to, to: path)
            return nil
        case .counted(let path, _, _, _):
            try FileState.remove(path)
            return nil
        case .file(let change):
            return try change.locked { () throws(ServerSetupError) in try change.takeBack() }
        }
    }
}

extension ServerChange.FileChange {
    /// What `body` does with the file, with the lock that `opk add` and the others take where it is one of theirs.
    func locked<Result>(_ body: () throws(ServerSetupError) -> Result) throws(ServerSetupError) -> Result {
        // Where there is no folder there is no file either, nor anybody who changes it.
        guard kind == .policy, unsafe access(FileState.parent(of: path), F_OK) == 0 else { return try body() }
        let lock = PolicyLock(path)
        return try lock.held({ ServerSetupError.policy($0) }) { () throws(ServerSetupError) in
            let result = try body()
            // Who waits for it takes another then. A run that is killed before this leaves it to whoever takes the run back.
            if !hadLock { unsafe unlink(lock.path) }
            return result
        }
    }
}

extension ServerChange {
    /// Whether it is about a file of the administrator's policy.
    public var isPolicy: Bool {
        if case .file(let change) = self { change.kind == .policy } else { false }
    }

    /// What an undo would make of it now, escaped; nil for nothing.
    public func undoing() throws(ServerSetupError) -> String? {
        let name = Text(path).escaped
        switch self {
        case .folder: return unsafe access(path, F_OK) == 0 ? "\(name) goes, if it is empty then" : nil
        case .counted: return unsafe access(path, F_OK) == 0 ? "\(name) goes" : nil
        case .rename(_, let to, _):
            guard try FileState.read(to) != nil else { return nil }
            return try FileState.read(path) == nil
                ? "\(Text(to).escaped) is called \(name) again" : "\(Text(to).escaped) stays: \(name) is there again"
        case .file(let change):
            guard let now = try FileState.read(path) else {
                return change.before == nil ? nil : "\(name) was taken away since, and is not put back"
            }
            if now == change.before { return nil }
            if now.bytes == change.after.bytes { return change.before == nil ? "\(name) goes" : "\(name) becomes what it was" }
            switch change.kind {
            case .policy: return "\(name) was changed since, so it stays as it is"
            case .dropIn: return "\(name) was changed since; it will be \(Text(path + ".removed").escaped), which sshd does not read"
            case .marked: return "\(name) loses opk's lines"
            }
        }
    }
}

extension ServerJournal {
    /// Whether what sshd complains of goes with an undo: it names a file that is ours alone, or our keyword and no file.
    func takesAway(_ complaint: String) -> Bool {
        done.contains { change in
            guard case .file(let file) = change, file.kind == .dropIn, file.before == nil else { return false }
            return complaint.contains(file.path + ":") || complaint.contains(file.path + " line")
                || Text(complaint).lowercasedASCII.string.contains("authorizedkeyscommand") && !complaint.contains(" line ")
        }
    }
}

extension ServerChange.FileChange {
    fileprivate func takeBack() throws(ServerSetupError) -> String? {
        guard let now = try FileState.read(path) else {
            return before == nil ? nil : "\(Text(path).escaped) was taken away since, so it is not put back"
        }
        if now == before { return nil }
        if now.bytes == after.bytes {
            if let before { try before.write(to: path) } else { try FileState.remove(path) }
            return nil
        }
        switch kind {
        case .policy: return "\(Text(path).escaped) was changed since, so it stays as it is"
        case .dropIn:
            try FileState.rename(path, to: path + ".removed")
            return "\(Text(path).escaped) was changed since; it is \(Text(path + ".removed").escaped) now, which sshd does not read"
        case .marked:
            var state = now
            guard let rest = MarkedBlock.removing(from: now.bytes) else {
                return "\(Text(path).escaped): the marks around opk's lines are not as opk set them; take the lines out by hand"
            }
            state.bytes = rest
            try state.write(to: path)
            return nil
        }
    }
}
