import CSystem
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The line about a decision: to syslog, and to standard error where that is a terminal (sshd's is not). No log, or one that is stuck, is an error:
/// the decision stands.
struct SystemLog {
    let stateFolder: String

    func admitted(_ line: String) { write(line, failed: false, RefusalTally(folder: stateFolder)) }

    /// - Parameter matter: nil for what is always logged.
    func refused(_ line: String, _ matter: RefusalTally.Matter?) {
        let tally = RefusalTally(folder: stateFolder)
        if let tally, let matter, !tally.admitsLine(about: matter) { return show(line) }
        write(line, failed: true, tally)
    }

    private func write(_ line: String, failed: Bool, _ tally: RefusalTally?) {
        if let summary = tally?.takeSummary() { send(summary, LOG_WARNING) }
        send(line, failed ? LOG_WARNING : LOG_INFO)
        show(line)
    }

    private func send(_ line: String, _ severity: Int32) {
        let bytes = Array(line.utf8)
        // LOG_AUTH, which syslogs put where sshd's own lines go. The call reads no more than the bytes.
        unsafe opk_log_line(LOG_AUTH | severity, bytes, bytes.count)
    }

    private func show(_ line: String) {
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
