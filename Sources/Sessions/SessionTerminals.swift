#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The terminals that a session's processes have, and how they are told something.
struct SessionTerminals {
    /// Device numbers, as the kernel encodes them in /proc/PID/stat and, below 2^32, in stat(2).
    private let devices: [UInt64]

    init(of family: [ProcessStatus]) {
        var devices: [UInt64] = []
        for process in family where process.terminal != 0 && !devices.contains(process.terminal) { devices.append(process.terminal) }
        self.devices = devices
    }

    /// `pts/3`; what is no terminal of a known kind is left out.
    var names: [String] { devices.compactMap(SessionTerminals.name) }

    /// Pseudo-terminals have the majors 136 to 143, the console's 4.
    static func name(_ device: UInt64) -> String? {
        let (major, minor) = ((device >> 8) & 0xFFF, (device & 0xFF) | ((device >> 12) & 0xFFF00))
        switch major {
        case 136...143: return "pts/\((major - 136) * 256 + minor)"
        case 4 where minor < 64: return "tty\(minor)"
        case 4: return "ttyS\(minor - 64)"
        default: return nil
        }
    }

    /// Writes a text to each that belongs to the account, as wall(1) does; never waits. The text has nothing that a terminal could obey.
    ///
    /// - Returns: the names of those that took it.
    func tell(_ text: String, owner: UInt32) -> [String] {
        devices.compactMap { device in
            guard let name = SessionTerminals.name(device) else { return nil }
            return SessionTerminals.write(text, to: "/dev/\(name)", device, owner) ? name : nil
        }
    }

    private static func write(_ text: String, to path: String, _ device: UInt64, _ owner: UInt32) -> Bool {
        // The path is copied. Somebody's terminal, never this process's own; one that is stopped does not stop us.
        let descriptor = unsafe open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFCHR, UInt64(facts.st_rdev) == device,
            facts.st_uid == owner,
            isatty(descriptor) == 1
        else { return false }
        let bytes = Array("\r\n\(text)\r\n".utf8)
        // Reads no more than the bytes.
        return unsafe systemWrite(descriptor, bytes, bytes.count) == bytes.count
    }
}

// Inside `SessionTerminals` the name write is its own.
private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer, _ count: Int) -> Int { unsafe write(descriptor, start, count) }

/// Numbers of accounts, from the system's own list.
enum AccountUser {
    /// Nil where there is no such account, or that cannot be told.
    static func number(of account: String) -> UInt32? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        // Bigger than what any entry needs.
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        // The call writes into `entry` and the buffer, both of which outlive it.
        let error = unsafe getpwnam_r(account, &entry, &buffer, buffer.count, &found)
        return unsafe error == 0 && found != nil ? entry.pw_uid : nil
    }
}
