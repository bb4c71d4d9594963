#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An entry of the system's list of users.
struct Account {
    let user: UInt32
    let group: UInt32
    let home: String

    enum Failure: Error {
        /// errno of the question.
        case unanswered(Int32)
        /// The home is no text.
        case home
    }

    /// Nil where there is no such account.
    static func look(up name: String) throws(Failure) -> Account? {
        var size = 16 << 10
        while true {
            var entry = unsafe passwd()
            var found: UnsafeMutablePointer<passwd>?
            var buffer = [CChar](repeating: 0, count: size)
            // The entry's texts lie in the buffer, and are copied before that goes.
            let error = unsafe getpwnam_r(name, &entry, &buffer, size, &found)
            switch error {
            case 0 where unsafe found != nil:
                let home = withExtendedLifetime(buffer) {
                    unsafe entry.pw_dir.flatMap { unsafe String(validatingCString: $0) }
                }
                guard let home else { throw .home }
                return unsafe Account(user: entry.pw_uid, group: entry.pw_gid, home: home)
            case 0, ENOENT, ESRCH, EBADF, EPERM: return nil
            case ERANGE where size < 1 << 20: size *= 4
            case EINTR: continue
            default: throw .unanswered(error)
            }
        }
    }

    /// Root becomes this account, with its groups, for good; nobody else can, and stays who they are. False where that fails.
    func become(_ name: String) -> Bool {
        guard geteuid() == 0 else { return true }
        guard unsafe initgroups(name, gid_t(group)) == 0, setgid(group) == 0, setuid(user) == 0 else { return false }
        return getuid() == user && geteuid() == user && getegid() == group && (user == 0 || setuid(0) != 0)
    }
}
