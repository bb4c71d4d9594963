import JOSE
import LibCrypto
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file as it is at a moment: its bytes, mode and owner.
struct FileState: Hashable, Sendable {
    var bytes: [UInt8]
    /// The permission bits, 0 to 0o7777.
    var mode: UInt32
    var user: UInt32
    var group: UInt32

    /// Bytes of a file that is changed here. A file of a million rows is left to `opk add`.
    static let largest = 16 << 20

    /// Nil where it is not there. A link or another kind of thing is nobody's to replace.
    static func read(_ path: String) throws(ServerSetupError) -> FileState? {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system(path, errno)
        }
        guard UInt32(facts.st_mode) & UInt32(S_IFMT) == UInt32(S_IFREG) else { throw .notPlain(path) }
        do {
            return FileState(
                bytes: try BoundedInput.read(path, limit: largest), mode: UInt32(facts.st_mode) & 0o7777, user: facts.st_uid,
                group: facts.st_gid)
        } catch {
            throw .unreadable(path, "\(error)")
        }
    }

    var digest: String { FileState.digest(of: bytes) }

    static func digest(of bytes: [UInt8]) -> String { Digest.sha256Text(bytes) }

    /// Writes it whole, with the access list and label of what is there.
    func write(to path: String) throws(ServerSetupError) {
        let model = unsafe access(path, F_OK) == 0 ? path : nil
        do throws(WriteFailure) {
            let prepared = try PreparedFile(bytes, for: path, mode: mode, owner: .init(user: user, group: group), like: model)
            try prepared.commit()
        } catch {
            throw .writing(error)
        }
    }

    /// Takes a file away, for good.
    static func remove(_ path: String) throws(ServerSetupError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw .system(path, errno) }
        syncFolder(of: path)
    }

    /// Gives a file another name in the same folder, after all of it is on the disk.
    static func rename(_ path: String, to new: String) throws(ServerSetupError) {
        let file = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { throw .system(path, errno) }
        fsync(file)
        close(file)
        guard systemRename(path, new) == 0 else { throw .system(path, errno) }
        syncFolder(of: path)
    }

    /// Should this fail, a power cut may bring the old name back: that is as whole as the new one.
    static func syncFolder(of path: String) {
        let folder = unsafe open(parent(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}

// Inside of the type the name is its own.
private func systemRename(_ old: String, _ new: String) -> Int32 { unsafe rename(old, new) }
