internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `.opk/auth_id` in an account's home (POLICY.md): the account's own, for it alone, with no link anywhere on the way (V66).
///
/// Unlike a file of root's, everything on the way to it is looked at, from `/` on: each folder is opened in the one before, without following, and checked on
/// the open descriptor; it belongs to root or to the account, and nobody else may write there (a sticky bit does not help).
public enum HomeFile {
    /// 1 MiB.
    public static let limit = 1 << 20

    /// All of it, without a NUL; nil where the home, its `.opk` or the file does not exist.
    ///
    /// - Parameter home: as the system's list of users has it: an absolute path.
    public static func read(of user: UInt32, home: String) throws(UnsafeFile) -> [UInt8]? {
        let names = home.split(separator: "/").filter { $0 != "." }.map(String.init)
        guard home.utf8.first == UInt8(ascii: "/"), !home.utf8.contains(0), !names.contains("..") else {
            throw UnsafeFile(home, .noFileName)
        }
        var path = "/"
        guard var folder = Descriptor(unsafe opk_open_folder(path)) else { throw UnsafeFile(path, .unreadable(errno: errno)) }
        try check(folder, path, isOwned: { $0 == 0 || $0 == user })
        for name in names {
            guard let next = try open(name, in: folder, &path) else { return nil }
            folder = next
            try check(folder, path, isOwned: { $0 == 0 || $0 == user })
        }
        guard let own = try open(".opk", in: folder, &path) else { return nil }
        try check(own, path, isOwned: { $0 == user })
        return try file("auth_id", in: own, path, user)
    }

    /// - Parameter path: of the folder; afterwards of what was opened. Nil where that does not exist.
    private static func open(_ name: String, in folder: borrowing Descriptor, _ path: inout String) throws(UnsafeFile) -> Descriptor? {
        path += path == "/" ? name : "/" + name
        if let next = Descriptor(unsafe opk_open_folder_at(folder.number, name)) { return next }
        let number = errno
        if number == ENOENT { return nil }
        var facts = stat()
        guard number == ENOTDIR || number == ELOOP, unsafe fstatat(folder.number, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw UnsafeFile(path, .unreadable(errno: number))
        }
        throw UnsafeFile(path, UInt32(facts.st_mode) & UInt32(S_IFMT) == UInt32(S_IFLNK) ? .symbolicLink : .notAFolder)
    }

    private static func check(_ folder: borrowing Descriptor, _ path: String, isOwned: (UInt32) -> Bool) throws(UnsafeFile) {
        guard let facts = folder.facts() else { throw UnsafeFile(path, .unreadable(errno: errno)) }
        let mode = UInt32(facts.st_mode) & 0o7777
        if !isOwned(facts.st_uid) { throw UnsafeFile(path, .notTheAccounts(owner: facts.st_uid)) }
        if mode & 0o022 != 0 { throw UnsafeFile(path, .writableByOthers(mode: mode)) }
    }

    private static func file(_ name: String, in folder: borrowing Descriptor, _ above: String, _ user: UInt32) throws(UnsafeFile)
        -> [UInt8]?
    {
        let path = above + "/" + name
        // Not blocking: a FIFO would else wait for a writer.
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
        guard let file = Descriptor(unsafe opk_openat(folder.number, name, flags, 0)) else {
            let number = errno
            if number == ENOENT { return nil }
            throw UnsafeFile(path, number == ELOOP ? .symbolicLink : number == ENXIO ? .notARegularFile : .unreadable(errno: number))
        }
        guard let facts = file.facts() else { throw UnsafeFile(path, .unreadable(errno: errno)) }
        let mode = UInt32(facts.st_mode) & 0o7777
        if UInt32(facts.st_mode) & UInt32(S_IFMT) != UInt32(S_IFREG) { throw UnsafeFile(path, .notARegularFile) }
        if facts.st_uid != user { throw UnsafeFile(path, .notTheAccounts(owner: facts.st_uid)) }
        if mode & 0o077 != 0 { throw UnsafeFile(path, .openToOthers(mode: mode)) }
        // None at all: it was replaced since it was opened; what was opened is the whole old file.
        if facts.st_nlink > 1 { throw UnsafeFile(path, .hardLinks(count: UInt64(facts.st_nlink))) }
        if Int(facts.st_size) > limit { throw UnsafeFile(path, .tooLarge(limit: limit)) }
        return try SafeFile(path, opened: file, size: max(Int(facts.st_size), 0), limit: limit).all()
    }
}
