#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Folder {
    /// Whose a folder is, where root vouches for that: the folder above belongs to root and nobody else can put another in its place. Nil for
    /// a folder that is not there, is a link, or that somebody else could have put there.
    public static func vouchedOwner(of path: String) -> UInt32? {
        guard let parts = FilePath(path) else { return nil }
        var above = stat()
        var facts = stat()
        guard unsafe stat(parts.folder, &above) == 0, unsafe lstat(path, &facts) == 0 else { return nil }
        let isFolder = UInt32(facts.st_mode) & UInt32(S_IFMT) == UInt32(S_IFDIR)
        return isFolder && above.st_uid == 0 && UInt32(above.st_mode) & 0o022 == 0 ? facts.st_uid : nil
    }
}
