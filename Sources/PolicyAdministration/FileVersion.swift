import SafeFiles

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a name means at a moment: which file, and whether it was written since. Nil where there is none.
struct FileVersion: Equatable {
    private let device: UInt64
    private let number: UInt64
    private let size: Int64
    private let changed: [Int]
    /// The permission bits.
    let mode: UInt32
    let owner: AtomicFile.Owner

    /// A link is not followed.
    init?(_ path: String) {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { return nil }
        device = UInt64(facts.st_dev)
        number = UInt64(facts.st_ino)
        size = Int64(facts.st_size)
        #if canImport(Darwin)
            changed = [facts.st_mtimespec.tv_sec, facts.st_mtimespec.tv_nsec, facts.st_ctimespec.tv_sec, facts.st_ctimespec.tv_nsec]
        #else
            changed = [facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec, facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec]
        #endif
        mode = UInt32(facts.st_mode) & 0o7777
        owner = AtomicFile.Owner(user: facts.st_uid, group: facts.st_gid)
    }
}
