internal import CSystem

/// What sshd's processes say of themselves: by their names, their titles (setproctitle), their users and the signals that they catch. All are root's own but
/// the children of a session. Measured on OpenSSH 9.2, 10.0 and 10.6:
///
/// | process | name | title | user | child |
/// |---|---|---|---|---|
/// | the listener | `sshd` | `sshd: … [listener] 0 of 10-100 startups` | root | connections |
/// | a connection before the login | `sshd`, `sshd-session` | `sshd: alice [priv]`, `sshd: [accepted]` | root, catches SIGALRM (LoginGraceTime) | `sshd: alice [net]` or `sshd-auth`, of the user sshd |
/// | after it | the same | `sshd: alice [priv]` | root | `sshd: alice@pts/0`, `sshd: alice@notty`, `sshd: alice`, of the account |
/// | after root's, to 9.7 | `sshd` | `sshd: root@pts/0`, `sshd: root` | root | what root runs, or none |
enum SSHDProcess {
    /// Whether it is the privileged process of one connection, by a name of its own and by its program. A program that was replaced by an upgrade counts, as
    /// does one whose file the kernel does not tell (a container without CAP_SYS_PTRACE).
    static func isConnection(_ process: ProcessStatus, _ table: ProcessTable) -> Bool {
        guard isNamed(process), let facts = table.facts(process.stamp.id), facts.user == 0, let title = facts.title,
            words(title) != nil, !isListener(title)
        else { return false }
        if let program = facts.program, !names.contains(program) { return false }
        guard let parent = table.process(process.parent) else { return true }
        // Root's own session has a process of sshd's below that one (9.8).
        return !(isNamed(parent) && table.facts(parent.stamp.id)?.title.map { words($0) != nil && !isListener($0) } == true)
    }

    /// Whether it takes connections, or may: root's, called sshd, and does not say of which connection it is. It is never ended.
    static func isListener(_ process: ProcessStatus, _ table: ProcessTable) -> Bool {
        guard process.name.hasPrefix("sshd"), let facts = table.facts(process.stamp.id), facts.user == 0 else { return false }
        guard let title = facts.title else { return true }
        return isListener(title) || process.name == "sshd" && words(title) == nil
    }

    /// The account's number of who is logged in through this connection; nil for anything else than a connection with a login.
    static func loginUser(of process: ProcessStatus, _ table: ProcessTable) -> UInt32? {
        guard !process.isDead, isConnection(process, table), let facts = table.facts(process.stamp.id), !facts.catchesAlarm,
            let title = facts.title.flatMap(words)
        else { return nil }
        let children = table.children(of: process.stamp.id).filter { !$0.isDead }
        let own = children.filter { isNamed($0) || $0.name == "sshd-auth" }
        if own.contains(where: { $0.name == "sshd-auth" || table.facts($0.stamp.id)?.title?.hasSuffix(" [net]") == true }) { return nil }
        if let session = own.first { return table.facts(session.stamp.id)?.user }
        // One that waits for its child, or has lost it, is nobody's.
        return title.hasSuffix(" [priv]") || title == "[accepted]" ? nil : 0
    }

    private static let names = ["sshd", "sshd-session"]

    private static func isNamed(_ process: ProcessStatus) -> Bool { names.contains(process.name) }

    private static func isListener(_ title: String) -> Bool {
        let (title, mark) = (Array(title.utf8), Array(" [listener] ".utf8))
        // Both outlive the call, which reads no more than their lengths.
        return unsafe opk_contains(title, title.count, mark, mark.count) != 0
    }

    /// What stands behind `sshd: ` or `sshd-session: `.
    private static func words(_ title: String) -> String? {
        for name in names where title.hasPrefix(name + ": ") { return String(title.dropFirst(name.utf8.count + 2)) }
        return nil
    }
}

/// What /proc says of a process besides its `stat`.
struct ProcessFacts {
    /// Its real user.
    var user: UInt32
    /// Its arguments as they are now, without spaces and NULs at the end; nil where it has none.
    var title: String?
    /// The name of the file that it runs; nil where that is not told.
    var program: String?
    var catchesAlarm: Bool

    init(user: UInt32, title: String?, program: String?, catchesAlarm: Bool) {
        (self.user, self.title, self.program, self.catchesAlarm) = (user, title, program, catchesAlarm)
    }

    /// Nil where it is gone.
    init?(_ id: Int32) {
        guard let status = ProcFile.read("/proc/\(id)/status"), let user = ProcessFacts.field("Uid:", of: status).flatMap({ UInt32($0) }),
            let caught = ProcessFacts.field("SigCgt:", of: status).flatMap({ UInt64($0, radix: 16) })
        else { return nil }
        self.user = user
        catchesAlarm = caught & (1 << 13) != 0
        title = ProcFile.read("/proc/\(id)/cmdline").flatMap { bytes in
            let end = bytes.lastIndex { $0 != 0 && $0 != 0x20 }.map { $0 + 1 } ?? 0
            return end == 0 ? nil : String(decoding: bytes[..<end], as: UTF8.self)
        }
        program = ProcFile.target("/proc/\(id)/exe").map(ProcessFacts.fileName)
    }

    /// Of a file that is not there any more the kernel says so behind its name.
    static func fileName(_ path: String) -> String {
        let gone = " (deleted)"
        let path = path.hasSuffix(gone) ? String(path.dropLast(gone.count)) : path
        return path.split(separator: "/").last.map(String.init) ?? ""
    }

    /// The first word of such a line.
    private static func field(_ name: String, of status: [UInt8]) -> String? {
        for line in status.split(separator: UInt8(ascii: "\n")) where line.starts(with: name.utf8) {
            let words = line.dropFirst(name.utf8.count).split(whereSeparator: { $0 == 0x20 || $0 == 0x09 })
            return words.first.map { String(decoding: $0, as: UTF8.self) }
        }
        return nil
    }
}
