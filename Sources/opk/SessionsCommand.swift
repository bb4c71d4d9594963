import ArgumentParser
import AuditTrail
import Display
import JOSE
import SafeFiles
import Sessions
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "Who is logged in over ssh, as whom; and ending it.",
        discussion: """
            Lists the live ssh sessions of people who came in with an identity, and who is behind each, in shared accounts too.

            EXAMPLES
              sudo opk sessions
              sudo opk sessions end alice@example.com --reason "left the company"
            """,
        subcommands: [SessionsListCommand.self, SessionsEndCommand.self, SessionsEnforceCommand.self],
        defaultSubcommand: SessionsListCommand.self)
}

/// Where sessions are written down.
struct SessionPlaceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where config.yml and revoked lie, in place of /etc/opk.", valueName: "folder", visibility: .hidden))
    var configDir: String?

    @Option(help: ArgumentHelp("In place of /run/opk/sessions.", valueName: "folder", visibility: .hidden))
    var sessionsDir: String?

    @Option(help: ArgumentHelp("In place of /var/log/opk/audit.jsonl.", valueName: "file", visibility: .hidden))
    var auditLog: String?

    func places() throws(SessionsError) -> SessionPlaces {
        guard geteuid() == 0 else { throw .notRoot }
        var places = SessionPlaces()
        if let configDir { places.configFolder = configDir }
        if let sessionsDir { places.sessions = SessionFolder(sessionsDir) }
        if let auditLog { places.log = auditLog }
        return places
    }

    /// The live sessions, and what config.yml says of sessions now: nil where it cannot be read, and then what held at each session's login holds on.
    func live() throws(SessionsError) -> (places: SessionPlaces, config: SessionLimits?, live: LiveSessions) {
        let places = try places()
        let config = try? ServerLimits.read(places)
        let live = try SessionsError.reading { () throws(UnsafeFile) in
            try LiveSessions(places, limits: config ?? SessionLimits(), at: .now())
        }
        return (places, config, live)
    }
}

struct SessionsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Who is in now (the default).",
        discussion: """
            UNTIL is when config.yml ends the session: by session_limit, or since the identity ends. A session with "seen" was not reported by \
            PAM: sshd's process and a decision that admitted say that it is there.
            """)

    @Flag(help: "For scripts: one JSON object.")
    var json = false

    @OptionGroup var options: SessionPlaceOptions

    func run() throws {
        try reportingErrors { () throws(SessionsError) in
            let (places, config, live) = try options.live()
            let listing = SessionListing(live, config, at: .now())
            if json { try Terminal.answer(listing.json) } else { try Terminal.answer(listing.lines) }
            if config == nil {
                Terminal.note(
                    "opk: warning: config.yml cannot be read: what held at each session's login holds on (sudo opk audit says what is wrong)"
                )
            }
            if config.map({ $0.limit != nil || $0.endsWithIdentity }) ?? false, EnforcementRun(places.sessions).isOverdue(at: .now()) {
                Terminal.note(
                    "opk: warning: nobody enforces session_limit and end_with_identity: opk sessions enforce has not run in the last minutes "
                        + "(systemctl enable --now opk-minute.timer, or cron's line in /etc/cron.d/opk-minute)")
            }
            return true
        }
    }
}

struct SessionsEndCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "end",
        abstract: "End sessions, at once.",
        discussion: """
            Tells their terminals, asks sshd to close each, and takes away what is still there after five seconds. Nobody is kept from \
            logging in again: opk revoke does that. What was detached from the session (tmux, nohup) goes on.

            EXAMPLES
              sudo opk sessions end k7m2pqx3ra
              sudo opk sessions end alice@example.com
              sudo opk sessions end account:deploy --reason "maintenance"
            """)

    @Argument(
        help: ArgumentHelp(
            "A session's id, an email address, a subject, or account:NAME for everybody in that account.", valueName: "who"))
    var who: String

    @Option(help: ArgumentHelp("Why, for the audit log and those whom it concerns.", valueName: "text"))
    var reason: String?

    @Flag(help: "For scripts: one JSON object.")
    var json = false

    @OptionGroup var options: SessionPlaceOptions

    func run() throws {
        try reportingErrors { () throws(SessionsError) in
            let (places, _, live) = try options.live()
            let meant = live.sessions.filter { SessionSelection(who).means($0.record) }
            guard !meant.isEmpty else { throw .nobody(Text(who), live: live.sessions.count) }
            let message = "this session is ended by an administrator" + (reason.map { ": \(Text($0).escapedOnce(limit: 400))" } ?? "")
            let actor = AuditActor.current
            let orders = meant.map { SessionEnding.Order($0, .administrator, message: message, words: reason, actor: actor) }
            let ended = SessionEnding(places).run(orders)
            if json {
                try Terminal.answer(SessionListing.json(of: ended))
            } else {
                try Terminal.answer(ended.map { "ended \($0.id)  \($0.identity.shown) in \($0.account), since \($0.began.local)" })
            }
            let left = meant.map(\.record).filter { record in !ended.contains { $0.id == record.id } }
            guard left.isEmpty else { throw .notEnded(left.map(\.id)) }
            return true
        }
    }
}

struct SessionsEnforceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enforce",
        abstract: "End the sessions whose time is over (for the timer, every minute).",
        discussion: """
            Says nothing unless something is wrong. Writes down which sessions have ended, and which there are that PAM did not report, and \
            warns each five minutes before its end. Takes 45 seconds at most; the next run goes on.
            """)

    @OptionGroup var options: SessionPlaceOptions

    func run() throws {
        try reportingErrors { () throws(SessionsError) in
            let places = try options.places()
            // What is run after it in the same minute must not wait for a log or a terminal that does not answer.
            alarm(SessionEnforcement.patience)
            var enforcement = SessionEnforcement(places, at: .now())
            try SessionsError.reading { () throws(UnsafeFile) in try enforcement.run() }
            for problem in enforcement.problems { Terminal.note("opk: warning: \(problem)") }
            return enforcement.problems.isEmpty
        }
    }
}
