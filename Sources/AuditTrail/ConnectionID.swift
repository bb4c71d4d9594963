#if canImport(Glibc)
    public import Glibc
#elseif canImport(Darwin)
    public import Darwin
#endif

/// One connection to sshd, as `attempt` names it: the process of sshd that asks opk-verify (twice for a login) and that runs PAM's session modules is one and the
/// same, and no other process of this machine, at any time, has its number, its start and the kernel's boot id together.
///
/// An identifier and no secret: whoever may list processes can compute it. 50 bits of them, so of two connections
/// it is the same once in 10^15.
public enum ConnectionID {
    /// The connection whose process started this one; nil where /proc does not say (`hidepid`, a container without /proc, another system). To be asked before
    /// this process confines itself.
    public static func ofParent() -> String? { of(process: getppid()) }

    /// - Parameter process: sshd's, that has the connection.
    public static func of(process: pid_t) -> String? {
        guard process > 0, let boot = contents("/proc/sys/kernel/random/boot_id"), let status = contents("/proc/\(process)/stat"),
            let start = startTime(status)
        else { return nil }
        return of(boot: boot, process: process, start: start)
    }

    static func of(boot: [UInt8], process: pid_t, start: [UInt8]) -> String {
        // FNV-1a over the three, each closed by a byte that is in none of them; then every bit is made to depend on every other (the finalizer of
        // SplitMix64), since only 50 are shown.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in [boot, Array(String(process).utf8), start] {
            for byte in part + [0] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        return EventID.text(hash ^ (hash >> 31))
    }

    /// Field 22 of /proc/PID/stat (proc_pid_stat(5)): when the process was started, in clock ticks since the machine was. The second field is the program's name
    /// in parentheses, which may have spaces and parentheses of its own.
    static func startTime(_ status: [UInt8]) -> [UInt8]? {
        guard let nameEnd = status.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = status[(nameEnd + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, fields[19].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Array(fields[19])
    }

    /// Of a file of /proc that is shorter than 4 KiB.
    private static func contents(_ path: String) -> [UInt8]? {
        // The path is copied.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        // At most as many bytes as the buffer has.
        let count = unsafe read(descriptor, &buffer, buffer.count)
        return count > 0 ? Array(buffer[..<count]) : nil
    }
}
