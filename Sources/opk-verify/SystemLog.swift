import CSystem
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The one line about a decision: to syslog, and to standard error where that is a terminal (sshd's is not).
enum SystemLog {
    static func write(_ line: String, failed: Bool) {
        // LOG_AUTH, which syslogs put where sshd's own lines go.
        openlog(nil, LOG_PID, LOG_AUTH)
        unsafe opk_syslog(failed ? LOG_WARNING : LOG_INFO, line)
        if isatty(STDERR_FILENO) == 1 { writeAll(Array((line + "\n").utf8), to: STDERR_FILENO) }
    }
}

/// False where not everything could be written: a reader that went away (sshd may), or a full disk.
@discardableResult
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        // Unsafe: the storage outlives the call, which reads at most its length.
        let written = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return false }
        rest.removeFirst(written)
    }
    return true
}
