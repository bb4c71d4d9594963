// opk-verify: sshd asks whether a key may log in to an account; this answers with a line, or with nothing.

import AuditTrail
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
    Confinement.lowerLimits(fileSize: UInt64(AuditTrail.hardSize))
    let log = SystemLog(stateFolder: arguments.stateFolder)
    let id = DecisionID.new()
    // The words for a decision that takes too long, whatever it waits for.
    let parts = refusal(.timedOut, of: arguments.request, id)
    LastWords.set(parts.beforeStep, thenStepAnd: parts.afterStep, failed: true, status: ExitStatus.refused)
    let audit = AuditLog(arguments)
    if audit.isOn { audit.setLastWords(unfinished(.timedOut, of: arguments.request, id, audit)) }
    do {
        try Enclosure(arguments).close()
    } catch {
        let parts = refusal(error.code, error.detail, of: arguments.request, id)
        var kept = KeptRefusal()
        (kept.id, kept.step, kept.reason, kept.detail) = (id, error.step.rawValue, error.code.rawValue, error.detail)
        kept.account = escaped(arguments.request.account, limit: 256)
        log.refused("\(parts.beforeStep)\(error.step.rawValue)\(parts.afterStep)", .refusal(error.code), kept)
        if audit.isOn {
            audit.record(unfinished(error.code, error.detail, at: error.step, of: arguments.request, id, audit), by: .anybody, log)
        }
        return ExitStatus.refused
    }
    let now = UnixTime.now()
    var verification = Verification(ServerSources(arguments, mode, helpers, at: now), at: now, id: id, isAudited: audit.isOn)
    let outcome = verification.decide(arguments.request)
    LastWords.note(step: Refusal.Step.answer.rawValue)
    var (answer, status) = ("", ExitStatus.answered)
    var matter: RefusalTally.Matter?
    switch outcome {
    case .notOurs:
        audit.setLastWords(nil)
        return ExitStatus.answered
    case .admitted(let lines):
        for line in lines { answer += line.description + "\n" }
    case .refused(let refusal):
        matter = .refusal(refusal.code)
        status = refusal.code.isConfiguration ? ExitStatus.wrongCall : ExitStatus.refused
    }
    var record = verification.record
    let isWritten = answer.isEmpty || writeAll(Array(answer.utf8), to: STDOUT_FILENO)
    if !isWritten {
        record.loseAnswer()
        matter = .refusal(.answerLost)
        status = ExitStatus.refused
    }
    let isAdmitted = !answer.isEmpty && isWritten
    let event = DecisionEvent(record: record, deliberation: verification.deliberation, arguments: arguments, isAnswered: isAdmitted)
    log.fields = { event.fields(audit) }
    return conclude(record.line, failed: !isAdmitted, status: status) {
        isAdmitted ? log.admitted($0) : log.refused($0, matter, record.kept)
        if audit.isOn { audit.record(event.event(audit), by: event.cause, log) }
    }
}

/// A refusal of which nothing is known but the account, on both sides of its step's number.
func refusal(_ code: Refusal.Code, _ detail: String = "", of request: LoginRequest, _ id: String) -> (beforeStep: String, afterStep: String)
{
    let account = escaped(request.account, limit: 256)
    return ("refused id=\(id) step=", " reason=\(code.rawValue) account=\"\(account)\" | \(Refusal(code, detail))")
}

/// The event of a decision that was not made; without a step it is put in when it is written.
func unfinished(
    _ code: Refusal.Code, _ detail: String = "", at step: Refusal.Step? = nil, of request: LoginRequest, _ id: String, _ audit: AuditLog
) -> AuditEvent {
    var event = audit.event(id: id)
    event.set(.account, String(decoding: request.account, as: UTF8.self))
    event.set(.granted, false)
    if let step { event.set(.step, Int64(step.rawValue)) } else { event.leaveStepOpen() }
    event.set(.reason, code.rawValue)
    event.set(.detail, "\(Refusal(code, detail))")
    event.set(.authMethod, "publickey/openpubkey")
    return event
}

/// Nothing that happens to the log line changes the decision: should writing it take too long, these are the last words, with the same status.
func conclude(_ line: String, failed: Bool, status: Int32, _ log: (String) -> Void) -> Int32 {
    LastWords.set(line, failed: failed, status: status)
    log(line)
    return status
}

RunningTime.begin()
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
    let log = SystemLog(stateFolder: Arguments.defaultStateFolder)
    log.refused("wrong call id=\(kept.id): \(reason)", .wrongCall, kept)
    // Anybody may call this program; the file takes what sshd's user says.
    let audit = AuditLog(AuditTrail.defaultPath)
    if audit.isWritable {
        var event = audit.event(id: kept.id)
        event.set(.granted, false)
        event.set(.reason, kept.reason)
        event.set(.detail, reason)
        audit.record(event, by: .anybody, log)
    }
    exit(ExitStatus.wrongCall)
}
