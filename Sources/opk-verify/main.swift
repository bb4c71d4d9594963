// opk-verify: sshd asks whether a key may log in to an account; this answers with a line, or with nothing.

import CSystem
import ChildProcess
import Confinement
import Plugins
import Policy
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
    let mode = FetchMode(cacheFolder: arguments.cacheFolder)
    // First of all: what is in memory by now is what the second process has.
    let plugins = PluginRunner(folder: arguments.configFolder + "/policy.d", trust: arguments.trust)
    let helpers = Helpers(arguments, mode) { question, milliseconds in
        guard let question = PluginQuestion(parsing: question) else { return PluginAnswer.refused(["the question cannot be read"]).encoded }
        return plugins.ask(question, within: milliseconds).encoded
    }
    // Only now: a plugin may need more memory than a decision.
    Confinement.lowerLimits()
    let log = SystemLog(stateFolder: arguments.stateFolder)
    let id = DecisionID.new()
    // The words for a decision that takes too long, whatever it waits for.
    let parts = refusal(.timedOut, of: arguments.request, id)
    LastWords.set(parts.beforeStep, thenStepAnd: parts.afterStep, failed: true, status: ExitStatus.refused)
    do {
        try Enclosure(arguments).close()
    } catch {
        let parts = refusal(error.code, error.detail, of: arguments.request, id)
        var kept = KeptRefusal()
        (kept.id, kept.step, kept.reason, kept.detail) = (id, error.step.rawValue, error.code.rawValue, error.detail)
        kept.account = escaped(arguments.request.account, limit: 256)
        log.refused("\(parts.beforeStep)\(error.step.rawValue)\(parts.afterStep)", .refusal(error.code), kept)
        return ExitStatus.refused
    }
    let now = UnixTime.now()
    var verification = Verification(ServerSources(arguments, mode, helpers, at: now), at: now, id: id)
    let outcome = verification.decide(arguments.request)
    LastWords.note(step: Refusal.Step.answer.rawValue)
    switch outcome {
    case .notOurs: return ExitStatus.answered
    case .admitted(let lines):
        var answer = ""
        for line in lines { answer += line.description + "\n" }
        let written = writeAll(Array(answer.utf8), to: STDOUT_FILENO)
        var record = verification.record
        if !written { record.notes.append("but the answer could not be written: sshd has gone") }
        return conclude(record.line, failed: !written, status: written ? ExitStatus.answered : ExitStatus.refused) {
            written ? log.admitted($0) : log.refused($0, nil, nil)
        }
    case .refused(let refusal):
        let status = refusal.code.isConfiguration ? ExitStatus.wrongCall : ExitStatus.refused
        return conclude(verification.record.line, failed: true, status: status) {
            log.refused($0, .refusal(refusal.code), verification.record.kept)
        }
    }
}

/// A refusal of which nothing is known but the account, on both sides of its step's number.
func refusal(_ code: Refusal.Code, _ detail: String = "", of request: LoginRequest, _ id: String) -> (beforeStep: String, afterStep: String)
{
    let account = escaped(request.account, limit: 256)
    return ("refused id=\(id) step=", " reason=\(code.rawValue) account=\"\(account)\" | \(Refusal(code, detail))")
}

/// Nothing that happens to the log line changes the decision: should writing it take too long, these are the last words, with the same status.
func conclude(_ line: String, failed: Bool, status: Int32, _ log: (String) -> Void) -> Int32 {
    LastWords.set(line, failed: failed, status: status)
    log(line)
    return status
}

Confinement.begin(lowersLimits: false)

// sshd opens all three; whoever else calls must not have a policy file become the standard output.
guard opk_open_standard_descriptors() == 0 else {
    SystemLog(stateFolder: Arguments.defaultStateFolder).refused(
        "refused id=\(DecisionID.new()): a standard descriptor is closed, and /dev/null cannot be opened in its place", .wrongCall, nil)
    exit(ExitStatus.wrongCall)
}

// A reader of the answer that has gone away is an error of write(2), not the end of this process before its log line.
signal(SIGPIPE, SIG_IGN)
// Ignored by whoever called, it would hide how opk-fetch ended.
signal(SIGCHLD, SIG_DFL)

switch Arguments.parse(ProcessArguments.words) {
case .verify(let arguments):
    if let next = arguments.next, next.isFor(arguments.request.type) {
        let why = next.takeOver()
        SystemLog(stateFolder: arguments.stateFolder).refused(
            "cannot ask the next command id=\(DecisionID.new()): \(why)", .wrongCall, nil)
        exit(ExitStatus.wrongCall)
    }
    exit(verify(arguments))
case .help:
    writeAll(Array((Arguments.help + "\n").utf8), to: STDOUT_FILENO)
    exit(ExitStatus.answered)
case .version:
    writeAll(Array("opk-verify \(Version.text)\n".utf8), to: STDOUT_FILENO)
    exit(ExitStatus.answered)
case .wrong(let reason):
    var kept = KeptRefusal()
    (kept.id, kept.reason, kept.detail) = (DecisionID.new(), "wrong-call", reason)
    SystemLog(stateFolder: Arguments.defaultStateFolder).refused("wrong call id=\(kept.id): \(reason)", .wrongCall, kept)
    exit(ExitStatus.wrongCall)
}
