import Audit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whether sshd reads an account's file of keys (auth2-pubkeyfile.c, misc.c safe_path): it opens the file as the account, and where StrictModes is on, no
/// other user than it and root may be able to change the file or a folder above it, up to the home.
enum StrictModes {
    static func admits(_ path: String, of account: Account, isStrict: Bool) -> Bool {
        var facts = stat()
        guard let real = resolved(path), unsafe stat(real, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return false }
        guard mayRead(facts, account) else { return false }
        if !isStrict { return true }
        let home = resolved(account.home)
        var place = real
        while true {
            guard unsafe stat(place, &facts) == 0, facts.st_uid == 0 || facts.st_uid == account.user, facts.st_mode & 0o022 == 0 else {
                return false
            }
            if place == home || place == "/" { return true }
            place = FileState.parent(of: place)
        }
    }

    private static func mayRead(_ facts: stat, _ account: Account) -> Bool {
        if account.user == 0 { return true }
        if facts.st_uid == account.user { return facts.st_mode & 0o400 != 0 }
        if account.groups.contains(facts.st_gid) { return facts.st_mode & 0o040 != 0 }
        return facts.st_mode & 0o004 != 0
    }

    private static func resolved(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}
