import SafeFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The folder that keys lie in: a person's own, so that nobody else can put another key there.
struct KeyFolder: Hashable, Sendable {
    let path: String

    /// Whether keys can be written there, as far as can be told without writing: asked before anybody logs in.
    func check() throws(LoginError) {
        var facts = stat()
        if unsafe stat(path, &facts) == 0 { return try check(facts) }
        guard errno == ENOENT else { throw refusal(systemError(errno)) }
        guard unsafe lstat(path, &facts) != 0 else { throw refusal("it is a link to nothing") }
        // It will be made, and those above it.
        guard let above else { throw refusal(systemError(ENOENT)) }
        guard unsafe stat(above.path, &facts) == 0 else { return try above.check() }
        guard unsafe access(above.path, W_OK | X_OK) == 0 else { throw refusal("it cannot be made: \(systemError(errno))") }
    }

    /// Makes the folder (0700) where it lacks.
    func make() throws(LoginError) {
        do throws(WriteFailure) {
            try Folder.create(path, mode: 0o700)
        } catch {
            throw .writing(error)
        }
        try check()
    }

    private func check(_ facts: stat) throws(LoginError) {
        guard UInt32(facts.st_mode) & UInt32(S_IFMT) == UInt32(S_IFDIR) else { throw refusal("it is not a folder") }
        guard facts.st_uid == geteuid() || facts.st_uid == 0 else { throw refusal("it belongs to somebody else") }
        let isOwn = facts.st_uid == geteuid()
        guard facts.st_mode & 0o022 == 0 else { throw refusal("others may write there", ownFolder: isOwn) }
        guard unsafe access(path, W_OK | X_OK) == 0 else {
            throw refusal("you may not write there (\(systemError(errno)))", ownFolder: isOwn && errno == EACCES)
        }
    }

    /// Only ~/.ssh and ~/.ssh/opk are nobody's but ssh's and ours: of any other folder it is not known what else it is for, so its mode is not to be changed.
    private func refusal(_ why: String, ownFolder: Bool = false) -> LoginError {
        let known = (try? KeyPlace.home()).map { [$0 + "/.ssh", KeyPlace.ownFolder($0)] } ?? []
        let isSSH = ownFolder && known.contains { Array($0.utf8) == Array(path.utf8) }
        return .folder(path: path, why: why, mayChangeMode: isSSH)
    }

    /// Nil above `/` and `.`.
    private var above: KeyFolder? {
        guard path != "/", path != "." else { return nil }
        return KeyFolder(holding: path)
    }

    init(path: String) {
        self.path = path
    }

    /// The folder of a file; `.` for a bare name.
    init(holding file: String) {
        let bytes = Array(file.utf8)
        let slash = bytes.lastIndex { $0 == UInt8(ascii: "/") }
        switch slash {
        case nil: path = "."
        case 0?: path = "/"
        case let slash?: path = String(decoding: bytes[..<slash], as: UTF8.self)
        }
    }
}
