// opk-session: PAM says that a session of sshd begins; this writes down whose.

import AuditTrail
import CSystem
import ChildProcess
import Confinement
import PKToken
import Policy
import SafeFiles
import Sessions
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

func say(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    // Reads no more than the bytes; where nobody listens, nobody is told.
    _ = unsafe write(STDOUT_FILENO, bytes, bytes.count)
}

/// A line for the system's log, where something is wrong that an administrator should know.
func complain(_ text: String) {
    let bytes = Array(text.utf8)
    // The call reads no more than the bytes.
    _ = unsafe opk_log_line(LOG_AUTH | LOG_WARNING, bytes, bytes.count)
}

/// Looked at before this process may look at nothing.
func confine(_ places: SessionPlaces) {
    var access = Access()
    access.read = [
        places.configFolder, places.log, places.log + ".1", "/etc/ssl", "/usr/lib/ssl", "/etc/crypto-policies", "/etc/pki", "/usr/lib",
        "/lib", "/proc",
    ]
    access.manage = [places.sessions.path]
    do {
        try Confinement.restrict(access)
    } catch {
        complain("not confined, and goes on: Landlock: \(error)")
    }
}

func open(_ call: PAMCall, _ id: String, _ process: ProcessStamp, _ places: SessionPlaces, _ events: SessionEvents) {
    let now = UnixTime.now()
    guard let certificate = AcceptedCertificate.first(of: call, at: now, places) else { return }
    let decision = GrantedDecisions(log: places.log, reach: 16 << 20)
        .decision(of: id, account: Text(call.account), key: certificate.fingerprint, at: now)
    // A trial of `opk setup server` is nobody's login. No decision of the machine's own log can be about its issuer, so none is hidden by this.
    if decision == nil, certificate.claimed.issuer == TrialIssuer.text { return }
    var identity = decision?.identity ?? certificate.claimed
    // One of another connection knows nothing of this one's port.
    if decision?.attempt != id { identity.sourcePort = nil }
    // A broken file lets nobody in, so there is one that can be read; or it broke in this second, and the next run of the timer sees to it.
    let limits = (try? ServerConfig.read(places.configFolder + "/config.yml", trust: places.trust)).map(SessionLimits.init)
    guard
        let record = SessionRecord(
            id: id, account: call.account, process: process, address: call.remoteHost ?? decision?.address,
            identity: identity, began: now, limits: limits ?? SessionLimits())
    else { return }
    do {
        // Whoever wrote the record also tells: the timer may have seen the session first.
        guard try places.sessions.add(record) else { return }
    } catch {
        complain("the session \(id) of \(call.account) is not recorded: \(error)")
    }
    events.login(record, terminals: call.terminal.map { [$0.string] } ?? [], at: now)
}

/// The set-group-ID bit is there so that the loader and the libraries believe no variable (AT_SECURE); its group has done its service by then.
func leaveGroup() -> Bool { setregid(getgid(), getgid()) == 0 }

let environment = PAMEnvironment.taken()
Confinement.begin(seconds: 3, lowersLimits: false)
LastWords.set("took longer than 3 seconds, so a session is not recorded", failed: true, status: 0)
guard leaveGroup(), opk_open_standard_descriptors() == 0 else { exit(0) }
signal(SIGPIPE, SIG_IGN)

let words = ProcessArguments.words
switch words.first.map({ String(decoding: $0, as: UTF8.self) }) {
case "--help", "-h": say(Arguments.help)
case "--version": say("opk-session \(Version.text)")
default:
    guard let places = Arguments.places(words) else {
        complain("wrong call: opk-session --help")
        say("opk-session: wrong call (opk-session --help)")
        break
    }
    if let intruder = environment.intruder {
        complain(
            "the environment has \(intruder.escaped(limit: 100)), which whoever logs in may have put there: nothing is recorded. The line in /etc/pam.d/sshd "
                + "must stand before all others of session (opk audit)")
        break
    }
    guard let call = PAMCall(environment) else { break }
    let parent = getppid()
    guard let id = ConnectionID.of(process: parent), let process = ProcessStamp(running: parent) else { break }
    // Opened here: from there on nothing but this descriptor leads to the log.
    let trail = AuditTrail(path: places.log)
    let events = SessionEvents(trail, opened: try? trail.open(), program: "opk-session")
    do {
        try places.sessions.create()
    } catch {
        complain("\(error)")
    }
    confine(places)
    open(call, id, process, places, events)
}
exit(0)
