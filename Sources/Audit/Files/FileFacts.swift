#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the system says about a name, without following a link.
struct FileFacts: Hashable, Sendable {
    let kind: Kind
    let owner: UInt32
    let group: UInt32
    /// 0 to 0o7777.
    let mode: UInt32
    let links: UInt64
    let device: UInt64
    let inode: UInt64
    let size: Int64
    /// When it was written to last, in seconds since 1970.
    let changed: Int64

    enum Kind: Hashable, Sendable { case file, folder, link, socket, other }

    enum Answer {
        case found(FileFacts)
        case absent
        /// An errno.
        case hidden(Int32)
    }

    static func look(_ path: String, following: Bool = false) -> Answer {
        guard !path.utf8.contains(0) else { return .absent }
        var facts = stat()
        let answer = unsafe following ? stat(path, &facts) : lstat(path, &facts)
        if answer == 0 { return .found(FileFacts(facts)) }
        return errno == ENOENT || errno == ENOTDIR ? .absent : .hidden(errno)
    }

    /// Nil for what is not there or cannot be looked at.
    init?(_ path: String, following: Bool = false) {
        guard case .found(let facts) = FileFacts.look(path, following: following) else { return nil }
        self = facts
    }

    init(_ facts: stat) {
        kind =
            switch UInt32(facts.st_mode) & UInt32(S_IFMT) {
            case UInt32(S_IFREG): .file
            case UInt32(S_IFDIR): .folder
            case UInt32(S_IFLNK): .link
            case UInt32(S_IFSOCK): .socket
            default: .other
            }
        (owner, group, mode) = (facts.st_uid, facts.st_gid, UInt32(facts.st_mode) & 0o7777)
        links = UInt64(facts.st_nlink)
        device = UInt64(facts.st_dev)
        inode = UInt64(facts.st_ino)
        size = Int64(facts.st_size)
        changed = Int64(facts.st_mtim.tv_sec)
    }

    /// The permission bits, 0 to 7, that this account has by owner, group or neither. Root may do everything.
    func rights(of account: Account) -> UInt32 {
        if account.user == 0 { return 7 }
        if account.user == owner { return mode >> 6 & 7 }
        if account.groups.contains(group) { return mode >> 3 & 7 }
        return mode & 7
    }

    /// `0640`.
    var octal: String { octalText(mode) }
}

func octalText(_ mode: UInt32) -> String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}

/// A path's folders, from its own up to the root.
func foldersAbove(_ path: String) -> [String] {
    var folders: [String] = []
    var rest = path[...]
    while let slash = rest.lastIndex(of: "/") {
        rest = rest[..<slash]
        folders.append(rest.isEmpty ? "/" : String(rest))
    }
    return folders
}

/// A word for a shell: as it is where that is harmless, else in single quotes.
func shellWord(_ text: String) -> String {
    let plain = text.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "/._-:@,+=%".utf8.contains(byte)
    }
    return plain && !text.isEmpty
        ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
