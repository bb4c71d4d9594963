import CSystem
import RecentRefusals
import Verifier
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The line about a decision: to journald with its fields, where there is one, else to syslog; and to standard error where that is a terminal (sshd's is not). No
/// log, or one that is stuck, is an error: the decision stands.
final class SystemLog {
    private let stateFolder: String
    /// Opened when it is asked for: a key that is not ours has nothing looked at.
    private(set) lazy var tally = RefusalTally(folder: stateFolder)
    /// What journald is told beside a decision's line; asked for only where there is one.
    var fields: () -> [JournalMessage.Field] = { [] }

    init(stateFolder: String) { self.stateFolder = stateFolder }

    func admitted(_ line: String) {
        tally?.tell { send($0, LOG_WARNING) }
        send(line, LOG_INFO, fields)
        show(line)
    }

    /// Beside a decision: about the audit log.
    func warn(_ line: String) { send(line, LOG_WARNING) }

    /// - Parameters:
    ///   - matter: nil for what is always logged.
    ///   - kept: for `opk explain --last`, also where the line is only counted.
    func refused(_ line: String, _ matter: RefusalTally.Matter?, _ kept: KeptRefusal?) {
        if let kept, let matter {
            // Somebody may cut the file short after it was looked at: the last words are then this line.
            opk_watchdog_catch_bus_errors()
            RecentRefusals.keep(kept.text(limit: RecentRefusals.longest), kind: matter.kind.rawValue, at: .now(), in: stateFolder)
        }
        var isLogged = false
        if matter.flatMap({ tally?.admitsLine(about: $0) }) != false {
            tally?.tell { send($0, LOG_WARNING) }
            isLogged = send(line, LOG_WARNING, fields)
        }
        // Also where the log was stuck.
        if !isLogged, let matter { tally?.count(matter) }
        show(line)
    }

    /// False where the log did not take it.
    @discardableResult
    private func send(_ line: String, _ severity: Int32, _ fields: () -> [JournalMessage.Field] = { [] }) -> Bool {
        if JournalMessage.hasJournal {
            let message = JournalMessage(line, severity, fields())
            // Reads no more than the bytes.
            if unsafe opk_log_journal(message.bytes, message.bytes.count) == 0 { return true }
        }
        let bytes = Array(line.utf8)
        // LOG_AUTH, which syslogs put where sshd's own lines go. The call reads no more than the bytes.
        return unsafe opk_log_line(LOG_AUTH | severity, bytes, bytes.count) == 0
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
