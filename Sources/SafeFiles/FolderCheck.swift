internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension SafeFile {
    /// The folder in which a file lies, or is to be made: one of a trusted owner that nobody else may write. A file that is made elsewhere
    /// would not be believed.
    ///
    /// - Returns: false where there is no such folder.
    public static func checkFolder(of path: String, trust: FileTrust) throws(UnsafeFile) -> Bool {
        guard let parts = FilePath(path) else { throw UnsafeFile(path, .noFileName) }
        guard let folder = Descriptor(unsafe opk_open_folder(parts.folder)) else {
            if errno == ENOENT { return false }
            throw UnsafeFile(path, .unreadable(errno: errno))
        }
        guard let facts = folder.facts() else { throw UnsafeFile(path, .unreadable(errno: errno)) }
        if !trust.accepts(owner: facts.st_uid) { throw UnsafeFile(path, .folderOwner(facts.st_uid)) }
        let mode = UInt32(facts.st_mode) & 0o7777
        if mode & 0o022 != 0 { throw UnsafeFile(path, .folderWritableByOthers(mode: mode)) }
        return true
    }
}
