#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An account of this machine, wherever it is kept (passwd(5), a directory).
public struct Account: Hashable, Sendable {
    public let name: String
    public let user: UInt32
    public let group: UInt32
    public let home: String
    public let shell: String

    public init(name: String, user: UInt32, group: UInt32, home: String, shell: String) {
        (self.name, self.user, self.group, self.home, self.shell) = (name, user, group, home, shell)
    }

    /// Nil where there is none.
    public static func named(_ name: String) -> Account? {
        guard !name.utf8.contains(0), let entry = unsafe getpwnam(name) else { return nil }
        return unsafe Account(entry.pointee)
    }

    static func owner(_ user: UInt32) -> Account? {
        guard let entry = unsafe getpwuid(user) else { return nil }
        return unsafe Account(entry.pointee)
    }

    /// Those that the system lists, at most so many: a directory may list none of its own.
    package static func listed(atMost limit: Int) -> [Account] {
        setpwent()
        defer { endpwent() }
        var accounts: [Account] = []
        while accounts.count < limit, let entry = unsafe getpwent() {
            accounts.append(unsafe Account(entry.pointee))
        }
        return accounts
    }

    // The entry lives until the next question of its kind; all of it is copied.
    private init(_ entry: passwd) {
        unsafe self.init(
            name: entry.pw_name.map { unsafe String(cString: $0) } ?? "", user: entry.pw_uid, group: entry.pw_gid,
            home: entry.pw_dir.map { unsafe String(cString: $0) } ?? "", shell: entry.pw_shell.map { unsafe String(cString: $0) } ?? "")
    }

    /// All groups that it is in, its own included.
    package var groups: [UInt32] {
        var count: Int32 = 1024
        var groups = [gid_t](repeating: 0, count: Int(count))
        guard unsafe getgrouplist(name, group, &groups, &count) >= 0, count >= 0 else { return [group] }
        return Array(groups.prefix(Int(count)))
    }

    /// Whether a person could log in with it.
    package var hasLoginShell: Bool {
        !shell.hasSuffix("/nologin") && !shell.hasSuffix("/false")
    }
}

package enum Group {
    package static func id(of name: String) -> UInt32? {
        guard let entry = unsafe getgrnam(name) else { return nil }
        return unsafe entry.pointee.gr_gid
    }

    package static func name(of id: UInt32) -> String {
        guard let entry = unsafe getgrgid(id), let name = unsafe entry.pointee.gr_name else { return "\(id)" }
        return unsafe String(cString: name)
    }

    static func owner(_ id: UInt32) -> String { Account.owner(id)?.name ?? "\(id)" }
}
