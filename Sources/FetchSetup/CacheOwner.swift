#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

public enum CacheOwner {
    /// Started by root (an administrator, a timer), becomes the owner of the cache folder: what root left there, the fetcher's own user could
    /// neither lock nor replace. Nothing changes for anybody else, or where root owns the folder.
    ///
    /// With that user's supplementary groups, so that it may read what is for them: a private CA of mode 0640, say. What is for root alone has to
    /// be read before.
    ///
    /// False where root cannot become that user: then nothing may be fetched or written.
    public static func become(of folder: String) -> Bool {
        guard geteuid() == 0 else { return true }
        var facts = stat()
        guard unsafe stat(folder, &facts) == 0, facts.st_uid != 0 else { return true }
        return takeGroups(of: facts.st_uid, else: facts.st_gid) && setuid(facts.st_uid) == 0
    }

    /// - Parameter group: for a user that the system does not know.
    private static func takeGroups(of user: uid_t, else group: gid_t) -> Bool {
        // The entry lives until the next question of this kind: the name is copied first.
        guard let entry = unsafe getpwuid(user), let text = unsafe entry.pointee.pw_name else {
            return setgroups(0, nil) == 0 && setgid(group) == 0
        }
        let (name, own) = unsafe (String(cString: text), entry.pointee.pw_gid)
        return unsafe initgroups(name, own) == 0 && setgid(own) == 0
    }
}
