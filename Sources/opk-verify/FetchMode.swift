import SafeFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How opk-fetch is reached. The key cache's owner decides: where root gave the folder to a user of its own (`opkfetch`), neither this process
/// nor a plugin can write a provider's key there, and only that user's opk-fetch is asked.
enum FetchMode: Equatable {
    /// As this user's own child. Whoever takes this process over could plant keys.
    case direct
    /// Through a socket on which opk-fetch listens as that user: needs no child, no sudo, no network here.
    case socket(path: String)
    /// As that user's process, by a rule of sudoers.
    case sudo(user: UInt32)

    static let socketPath = "/run/opk/fetch.socket"

    init(cacheFolder: String, socketPath: String = FetchMode.socketPath) {
        let own = geteuid()
        guard own != 0, let owner = Folder.vouchedOwner(of: cacheFolder), owner != 0, owner != own else {
            self = .direct
            return
        }
        self = FetchMode.isSocket(socketPath, of: owner) ? .socket(path: socketPath) : .sudo(user: owner)
    }

    /// A socket of root's or of the cache's owner, in a folder where nobody else can put one.
    private static func isSocket(_ path: String, of owner: UInt32) -> Bool {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0, UInt32(facts.st_mode) & UInt32(S_IFMT) == UInt32(S_IFSOCK),
            facts.st_uid == 0 || facts.st_uid == owner, let slash = path.lastIndex(of: "/")
        else { return false }
        let folder = String(path[..<slash])
        guard let holder = Folder.vouchedOwner(of: folder), holder == 0 || holder == owner else { return false }
        return unsafe stat(folder, &facts) == 0 && UInt32(facts.st_mode) & 0o022 == 0
    }
}
