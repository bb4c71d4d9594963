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

    /// Writes beside the target under a name nobody can guess, then renames. A failure leaves the old file and no temporary one.
    /// `mode` holds whatever the umask says; with `replacing` false a file that is there by then is an error (`alreadyThere`).
    public static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32, owner: Owner? = nil, replacing: Bool = true
    ) throws(WriteFailure) {
        guard let parts = FilePath(path) else { throw WriteFailure(path: path, errno: EINVAL) }
        // Opened first: once the new file has its name, nothing may fail any more.
        guard let folder = Descriptor(unsafe opk_open(parts.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) else {
            throw WriteFailure(path: path, errno: errno)
        }
        let temporary = ".opk-" + String(UInt64.random(in: .min ... .max), radix: 36) + ".new"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        guard let file = Descriptor(unsafe opk_openat(folder.number, temporary, flags, 0o600)) else {
            throw WriteFailure(path: path, errno: errno)
        }
        guard fill(file, bytes, mode, owner), name(temporary, parts.name, in: folder, replacing) else {
            let number = errno
            unsafe unlinkat(folder.number, temporary, 0)
            throw WriteFailure(path: path, errno: number)
        }
        // Should this fail, a power cut may bring the old file back; that is as whole as the new one.
        fsync(folder.number)
    }

    private static func fill(_ file: borrowing Descriptor, _ bytes: [UInt8], _ mode: UInt32, _ owner: Owner?) -> Bool {
        // The owner before the mode: chown takes set-id bits away, and nobody may read a secret in between (the mode is 0600).
        if let owner, fchown(file.number, owner.user, owner.group) != 0 { return false }
        return fchmod(file.number, mode_t(mode & 0o7777)) == 0 && file.write(bytes) && fsync(file.number) == 0
    }

    private static func name(
        _ temporary: String, _ name: String, in folder: borrowing Descriptor, _ replacing: Bool
    ) -> Bool {
        if replacing { return unsafe renameat(folder.number, temporary, folder.number, name) == 0 }
        // A second name is refused where the name is taken, which rename cannot do everywhere.
        guard unsafe linkat(folder.number, temporary, folder.number, name, 0) == 0 else { return false }
        unsafe unlinkat(folder.number, temporary, 0)
        return true
    }
}

public enum Folder {
    /// Makes the folder, and those above it, where they are missing; one that is there keeps its mode.
    public static func create(_ path: String, mode: UInt32) throws(WriteFailure) {
        if unsafe mkdir(path, mode_t(mode)) == 0 { return }
        var number = errno
        if number == ENOENT, let parts = FilePath(path), parts.folder != "." && parts.folder != "/" {
            try create(parts.folder, mode: mode)
            if unsafe mkdir(path, mode_t(mode)) == 0 { return }
            number = errno
        }
        guard number == EEXIST else { throw WriteFailure(path: path, errno: number) }
        guard Descriptor(unsafe opk_open_folder(path)) != nil else { throw WriteFailure(path: path, errno: errno) }
    }
}
