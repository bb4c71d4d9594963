internal import CSystem
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file or folder that could not be written: what was tried, and the system's errno.
public struct WriteFailure: Error, Hashable, Sendable {
    public let path: String
    public let errno: Int32

    public init(path: String, errno: Int32) {
        self.path = path
        self.errno = errno
    }

    /// The name was taken, and the writer was told not to replace anything.
    public var alreadyThere: Bool { errno == EEXIST }
}

extension WriteFailure: CustomStringConvertible {
    public var description: String { "\(Text(path).escaped) cannot be written: \(systemErrorText(errno))" }
}

/// Files that are either the old one or the new one, never half of it, even after a power cut.
public enum AtomicFile {
    public struct Owner: Sendable, Hashable {
        public let user: UInt32
        public let group: UInt32

        public init(user: UInt32, group: UInt32) {
            self.user = user
            self.group = group
        }
    }

    /// Writes beside the target, then renames. A failure leaves the old file and no temporary one.
    /// With `replacing` false a file that is there by then is an error (`alreadyThere`).
    public static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32, owner: Owner? = nil, replacing: Bool = true
    ) throws(WriteFailure) {
        try PreparedFile(bytes, for: path, mode: mode, owner: owner).commit(replacing: replacing)
    }
}

/// A file that is whole and on the disk, and only lacks its name: whatever could fail for want of space has not failed. Unless it is
/// committed it is gone with the value.
public struct PreparedFile: ~Copyable {
    static let temporaryPrefix = ".opk-"
    static let temporarySuffix = ".new"

    private let path: String
    private let name: String
    private let temporary: String
    private let folder: Descriptor

    /// Writes beside `path` under a name nobody can guess. `mode` holds whatever the umask says.
    ///
    /// - Parameter model: a file whose access list and SELinux label the new one gets.
    public init(
        _ bytes: [UInt8], for path: String, mode: UInt32, owner: AtomicFile.Owner? = nil, like model: String? = nil
    ) throws(WriteFailure) {
        guard let parts = FilePath(path) else { throw WriteFailure(path: path, errno: EINVAL) }
        // Opened first: once the new file has its name, nothing may fail any more.
        guard let folder = Descriptor(unsafe opk_open(parts.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) else {
            throw WriteFailure(path: path, errno: errno)
        }
        let random = String(UInt64.random(in: .min ... .max), radix: 36)
        let temporary = PreparedFile.temporaryPrefix + random + PreparedFile.temporarySuffix
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        guard let file = Descriptor(unsafe opk_openat(folder.number, temporary, flags, 0o600)) else {
            throw WriteFailure(path: path, errno: errno)
        }
        guard PreparedFile.fill(file, bytes, mode, owner, model) else {
            let number = errno
            unsafe unlinkat(folder.number, temporary, 0)
            throw WriteFailure(path: path, errno: number)
        }
        self.path = path
        self.name = parts.name
        self.temporary = temporary
        self.folder = folder
    }

    /// After a rename there is nothing left under the temporary name.
    deinit { unsafe unlinkat(folder.number, temporary, 0) }

    /// Gives the file its name; a failure leaves the old one.
    public consuming func commit(replacing: Bool = true) throws(WriteFailure) {
        // A second name is refused where the name is taken, which rename cannot do everywhere.
        let result =
            replacing
            ? unsafe renameat(folder.number, temporary, folder.number, name)
            : unsafe linkat(folder.number, temporary, folder.number, name, 0)
        guard result == 0 else { throw WriteFailure(path: path, errno: errno) }
        if !replacing { unsafe unlinkat(folder.number, temporary, 0) }
        // Should this fail, a power cut may bring the old file back; that is as whole as the new one.
        fsync(folder.number)
    }

    /// Gives the file its name where that is free, without ever having two. False where it is not.
    public consuming func commitFresh() throws(WriteFailure) -> Bool {
        guard unsafe opk_rename_fresh(folder.number, temporary, name) == 0 else {
            if errno == EEXIST { return false }
            throw WriteFailure(path: path, errno: errno)
        }
        fsync(folder.number)
        return true
    }

    /// Gives the file its name where something has it, which is then gone. False where nothing has.
    public consuming func commitOver() throws(WriteFailure) -> Bool {
        // What had the name has the temporary one, and goes with it.
        guard unsafe opk_rename_over(folder.number, temporary, name) == 0 else {
            if errno == ENOENT { return false }
            throw WriteFailure(path: path, errno: errno)
        }
        fsync(folder.number)
        return true
    }

    private static func fill(
        _ file: borrowing Descriptor, _ bytes: [UInt8], _ mode: UInt32, _ owner: AtomicFile.Owner?, _ model: String?
    ) -> Bool {
        // The owner before the mode: chown takes set-id bits away, and nobody may read a secret in between (the mode is 0600).
        if let owner, fchown(file.number, owner.user, owner.group) != 0 { return false }
        guard fchmod(file.number, mode_t(mode & 0o7777)) == 0 else { return false }
        if let model, unsafe opk_copy_attributes(model, file.number) != 0 { return false }
        return file.write(bytes) && fsync(file.number) == 0
    }
}

public enum Folder {
    /// Makes the folder, and those above it, where they are missing, with `mode` whatever the umask says; one that is there keeps its
    /// own mode.
    public static func create(_ path: String, mode: UInt32) throws(WriteFailure) {
        if make(path, mode) { return }
        var number = errno
        if number == ENOENT, let parts = FilePath(path), parts.folder != "." && parts.folder != "/" {
            try create(parts.folder, mode: mode)
            if make(path, mode) { return }
            number = errno
        }
        guard number == EEXIST else { throw WriteFailure(path: path, errno: number) }
        guard Descriptor(unsafe opk_open_folder(path)) != nil else { throw WriteFailure(path: path, errno: errno) }
    }

    private static func make(_ path: String, _ mode: UInt32) -> Bool {
        guard unsafe mkdir(path, mode_t(mode)) == 0 else { return false }
        // By name, since a umask of 0777 leaves a folder that its owner cannot open.
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0, UInt32(facts.st_mode) & UInt32(S_IFMT) == UInt32(S_IFDIR) else { return false }
        return unsafe UInt32(facts.st_mode) & 0o777 == mode & 0o777 || chmod(path, mode_t(mode)) == 0
    }
}
