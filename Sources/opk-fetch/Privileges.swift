#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

enum Privileges {
    /// Started by root (a timer, an administrator), becomes the owner of the cache folder: what root left there, the verifier's own user could
    /// neither lock nor replace. Nothing changes for anybody else, or where root owns the folder.
    ///
    /// False where root cannot become that user: then nothing may be fetched.
    static func becomeOwner(of folder: String) -> Bool {
        guard geteuid() == 0 else { return true }
        var facts = stat()
        guard unsafe stat(folder, &facts) == 0, facts.st_uid != 0 else { return true }
        return setgroups(0, nil) == 0 && setgid(facts.st_gid) == 0 && setuid(facts.st_uid) == 0
    }
}
