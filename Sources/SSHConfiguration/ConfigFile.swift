import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that ssh reads, as it was found: its bytes, and how it is to be written again.
struct ConfigFile {
    /// As it is called.
    let path: String
    /// Nil where it is not there.
    let bytes: [UInt8]?
    /// Where it is behind links (`~/.ssh/config` is one into a folder of dotfiles on many machines): a link stays, and what it leads to is
    /// written.
    private let target: String
    private let mode: UInt32
    private let owner: AtomicFile.Owner?

    /// Bytes; a large one has a hundred thousand.
    private static let largest = 1 << 20

    /// Nothing that others could have written is read, as ssh reads nothing of the kind.
    init(_ path: String) throws(SetupError) {
        self.path = path
        target = try ConfigFile.target(of: path)
        do throws(UnsafeFile) {
            bytes = try SafeFile.read(target, trust: .rootOrUser(UInt32(geteuid())), limit: ConfigFile.largest)
        } catch {
            throw .unsafe(error)
        }
        var facts = stat()
        if unsafe bytes != nil && lstat(target, &facts) == 0 {
            mode = UInt32(facts.st_mode) & 0o7777
            owner = AtomicFile.Owner(user: facts.st_uid, group: facts.st_gid)
        } else {
            (mode, owner) = (0o600, nil)
        }
    }

    /// Whether it may be changed: a file without its owner's right to write is somebody's decision.
    func checkWritable() throws(SetupError) {
        guard bytes != nil else { return }
        let isOwn = owner?.user == geteuid() || geteuid() == 0
        guard isOwn, mode & 0o200 != 0 else { throw .readOnly(path: path) }
    }

    /// Whether it is still what was read.
    func checkUnchanged() throws(SetupError) { try check(is: bytes) }

    /// Writes it, or takes it away, if it is still what was read.
    func replace(with new: [UInt8]?) throws(SetupError) { try write(new, overwriting: bytes) }

    /// Back to what was read, if it is still what was written then.
    func restore(from written: [UInt8]?) throws(SetupError) { try write(bytes, overwriting: written) }

    private func write(_ new: [UInt8]?, overwriting expected: [UInt8]?) throws(SetupError) {
        guard let new else {
            try check(is: expected)
            guard unsafe unlink(target) == 0 || errno == ENOENT else { throw .writing(WriteFailure(path: path, errno: errno)) }
            return
        }
        let prepared: PreparedFile
        do throws(WriteFailure) {
            // Its access list and label too, where it is there to be looked at.
            let model = unsafe access(target, F_OK) == 0 ? target : nil
            prepared = try PreparedFile(new, for: target, mode: mode, owner: owner, like: model)
        } catch {
            throw .writing(error)
        }
        // As late as can be: after it comes only the new name.
        try check(is: expected)
        do throws(WriteFailure) {
            try prepared.commit()
        } catch {
            throw .writing(error)
        }
    }

    private func check(is expected: [UInt8]?) throws(SetupError) {
        let now = try ConfigFile(path)
        guard now.bytes == expected, Text(now.target) == Text(target) else { throw .changedMeanwhile(path: path) }
    }

    private static func target(of path: String) throws(SetupError) -> String {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0, UInt32(facts.st_mode) & UInt32(S_IFMT) == UInt32(S_IFLNK) else { return path }
        guard let resolved = unsafe realpath(path, nil) else { throw .link(path: path, why: systemErrorText(errno)) }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
