// opk-verify: sshd asks whether a key may log in to an account; this answers with a line, or with nothing.

import CSystem
import ChildProcess
import Verifier
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// PROTOCOL section 7.
enum ExitStatus {
    static let answered: Int32 = 0
    static let refused: Int32 = 1
    static let wrongCall: Int32 = 2
}

func verify(_ arguments: Arguments) -> Int32 {
    let now = UnixTime.now()
    var verification = Verification(ServerSources(arguments, at: now), at: now)
    switch verification.decide(arguments.request) {
    case .notOurs: return ExitStatus.answered
    case .admitted(let lines):
        let written = writeAll(lines.flatMap { Array(($0.description + "\n").utf8) }, to: STDOUT_FILENO)
        var record = verification.record
        if !written { record.notes.append("but the answer could not be written: sshd has gone") }
        SystemLog.write(record.line, failed: !written)
        return written ? ExitStatus.answered : ExitStatus.refused
    case .refused(let refusal):
        SystemLog.write(verification.record.line, failed: true)
        return refusal.code.isConfiguration ? ExitStatus.wrongCall : ExitStatus.refused
    }
}

// sshd opens all three; whoever else calls must not have a policy file become the standard output.
guard opk_open_standard_descriptors() == 0 else {
    SystemLog.write("refused: a standard descriptor is closed, and /dev/null cannot be opened in its place", failed: true)
    exit(ExitStatus.wrongCall)
}

// A reader of the answer that has gone away is an error of write(2), not the end of this process before its log line.
signal(SIGPIPE, SIG_IGN)
// Ignored by whoever called, it would hide how opk-fetch ended.
signal(SIGCHLD, SIG_DFL)

switch Arguments.parse(ProcessArguments.words) {
case .verify(let arguments): exit(verify(arguments))
case .help:
    writeAll(Array((Arguments.help + "\n").utf8), to: STDOUT_FILENO)
    exit(ExitStatus.answered)
case .version:
    writeAll(Array("opk-verify \(Version.text)\n".utf8), to: STDOUT_FILENO)
    exit(ExitStatus.answered)
case .wrong(let reason):
    SystemLog.write("wrong call: \(reason)", failed: true)
    exit(ExitStatus.wrongCall)
}
