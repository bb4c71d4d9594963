#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Who runs this process, as far as the system knows: for the `actor` of an event. Nothing of it is proof against root, who may say anything.
public enum AuditActor {
    /// `uid` and `account`; `sudo_user`, where sudo was the way; `login_uid` and `login_account`, the person who logged in to this machine in the first place,
    /// which the kernel keeps and sudo and su do not change (absent where nobody did: cron, systemd); `name`, the person's, by the better of the two.
    public static var current: AuditObject {
        var actor = AuditObject()
        let user = geteuid()
        actor.set(.uid, Int64(user))
        if let name = name(of: user) { actor.set(.account, name) }
        // Copied before anything changes the environment.
        let sudo = unsafe getenv("SUDO_USER").map { unsafe String(cString: $0) }
        if let sudo { actor.set(.sudoUser, sudo) }
        var person: String?
        if let login = loginUser {
            actor.set(.loginUID, Int64(login))
            person = name(of: login)
            if let person { actor.set(.loginAccount, person) }
        }
        if let name = person ?? sudo { actor.set(.name, name) }
        return actor
    }

    /// /proc/self/loginuid; 4294967295 stands for none.
    private static var loginUser: uid_t? {
        let descriptor = unsafe open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text = [UInt8](repeating: 0, count: 16)
        // At most as many bytes as there is room for.
        let count = unsafe read(descriptor, &text, text.count)
        guard count > 0, let number = UInt32(String(decoding: text[..<count].prefix { $0 >= 0x30 && $0 <= 0x39 }, as: UTF8.self)) else {
            return nil
        }
        return number == .max ? nil : number
    }

    private static func name(of user: uid_t) -> String? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        // The call writes into `entry` and the buffer, both of which outlive what is read of them.
        guard unsafe getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, unsafe found != nil else { return nil }
        return unsafe String(cString: entry.pw_name)
    }
}
