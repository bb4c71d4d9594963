import ArgumentParser
import Audit
import CSystem
import ChildProcess
import Display
import JOSE
import ServerSetup
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct SetupServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Let people log in to this server by their identity.",
        usage: "opk setup server [<options>]",
        discussion: """
            Writes the rows into /etc/opk, puts opk before whatever else sshd asks, and reloads sshd: after a trial login on a private port, and only \
            while there is another way in. Whatever fails, all is as it was. What is to be written is shown first.

            EXAMPLES
              sudo opk setup server --provider google --allow alice@example.com=root
              sudo opk setup server --provider https://idp.example.com,opk,8h
              sudo opk setup server --allow bob@example.com=deploy
              sudo opk setup server --from-opkssh --dry-run
              sudo opk setup server --undo
            """)

    @Option(
        help: ArgumentHelp(
            "Whom to trust: ISSUER,CLIENT_ID[,EXPIRY], or google, azure, microsoft, gitlab, hello. May be repeated.", valueName: "provider"),
        completion: CompletedWords.issuers)
    var provider: [String] = []

    @Option(help: ArgumentHelp("Who may log in as which account: EMAIL=ACCOUNT[,ISSUER]. May be repeated.", valueName: "email=account"))
    var allow: [String] = []

    @Flag(help: "Take opkssh's place, with its own /etc/opk.")
    var fromOpkssh = false

    @Flag(help: "Ask another AuthorizedKeysCommand that is there no more, instead of asking it after opk.")
    var dropOther = false

    @Flag(help: "Go on where certificates are the only way in.")
    var onlyWay = false

    @Flag(help: "Do not reload sshd.")
    var noReload = false

    @Flag(help: "Take it all back; every file is then as it was.")
    var undo = false

    @Flag(help: "With --undo: leave rows of /etc/opk as they are.")
    var keepPolicy = false

    @Flag(help: "Only show what would be written, and look whether it could be.")
    var dryRun = false

    @Flag(name: [.short, .long], help: "Do not ask.")
    var yes = false

    @Flag(help: "For scripts: one JSON object; does not ask.")
    var json = false

    @Option(help: ArgumentHelp("sshd's own configuration, where it is another file.", valueName: "file"), completion: .file())
    var sshdConfig: String?

    func validate() throws {
        if keepPolicy, !undo { throw ValidationError("--keep-policy goes with --undo") }
        guard let sshdConfig, !sshdConfig.hasPrefix("/") || sshdConfig.utf8.contains(0) else { return }
        throw ValidationError("this is not an absolute path: \(Text(sshdConfig).escaped(limit: 80))")
    }

    func run() throws {
        try reportingErrors { () throws(ServerSetupError) in
            let (request, setup) = (try request(), try setup())
            try setup.alone { () throws(ServerSetupError) in
                if undo { try takeBack(setup, request) } else { try carryOut(setup, request) }
            }
            return true
        }
    }

    private func request() throws(ServerSetupError) -> ServerRequest {
        var request = ServerRequest()
        for text in provider { request.providers.append(try ProviderRequest(text)) }
        for text in allow { request.allowed.append(try AllowRequest(text)) }
        (request.takesOverOpkssh, request.dropsOther) = (fromOpkssh, dropOther)
        (request.mayBeTheOnlyWay, request.reloads) = (onlyWay, !noReload)
        request.keepsPolicy = keepPolicy
        if undo, !provider.isEmpty || !allow.isEmpty || fromOpkssh || dropOther { throw .undoAndMore }
        return request
    }

    private func setup() throws(ServerSetupError) -> ServerSetup {
        guard let sshd = Installation.sshd else { throw .noSSHD }
        var places = ServerPlaces(prefix: Installation.prefix, sshd: sshd)
        if let sshdConfig { places.sshdConfig = sshdConfig }
        return ServerSetup(places, invoker: ProcessEnvironment.inherited()["SUDO_USER"])
    }

    private func carryOut(_ setup: ServerSetup, _ request: ServerRequest) throws(ServerSetupError) {
        let mended = try mend(setup, request)
        let plan = try setup.plan(request)
        let notes = plan.notes + (plan.isNothing ? [] : try setup.unanswering(plan))
        guard
            try isAgreed(
                plan.changes, notes, isNothing: plan.isNothing, mended, { () throws(ServerSetupError) in try setup.rehearse(plan, request) }
            )
        else { return }
        let report = try setup.apply(plan, request)
        try tell(plan.changes, notes, report, mended, done: "Set up. `opk setup server --undo` takes it back.")
        if !json, !plan.allowedWords.isEmpty { try Terminal.sayServer(plan.allowedWords) }
    }

    private func takeBack(_ setup: ServerSetup, _ request: ServerRequest) throws(ServerSetupError) {
        let wasTorn = try setup.isTorn()
        let mended = try mend(setup, request)
        let changes: [ServerChange]
        do throws(ServerSetupError) {
            changes = try setup.undoable()
        } catch {
            // What was left of an undo, or of a first run, is at its end then.
            guard case .nothingToUndo = error, wasTorn, !dryRun else { throw error }
            return try tell([], [], ServerSetup.Report(), mended, done: "Taken back.")
        }
        var words: [String] = []
        for change in changes where !(keepPolicy && change.isPolicy) {
            if let word = try change.undoing() { words.append(word) }
        }
        if keepPolicy { words.append("rows of /etc/opk stay") }
        guard try isAgreed([], words, isNothing: false, mended, { ServerSetup.Report() }) else { return }
        var report = try setup.undo(request)
        // It was shown before.
        if !json { report.said.removeAll(where: words.contains) }
        try tell(changes, [], report, mended, done: "Taken back.")
    }

    /// What a run that was killed has left is taken away before anything else, but by a dry run.
    private func mend(_ setup: ServerSetup, _ request: ServerRequest) throws(ServerSetupError) -> ServerSetup.Report {
        let isTorn = try setup.isTorn()
        if !dryRun { return try setup.mend(reloads: isTorn && request.reloads) }
        if isTorn { Terminal.note("opk: note: a run was cut off here; the next one takes it back first") }
        return ServerSetup.Report()
    }

    /// Shows what will be; false where it ends with that.
    ///
    /// - Parameter rehearsal: what a dry run tries in the place of doing it.
    private func isAgreed(
        _ changes: [ServerChange], _ notes: [String], isNothing: Bool, _ mended: ServerSetup.Report,
        _ rehearsal: () throws(ServerSetupError) -> ServerSetup.Report
    ) throws(ServerSetupError) -> Bool {
        if isNothing {
            if json {
                try tellJSON(changes, notes, mended)
            } else {
                try Terminal.sayServer(mended.said + notes.map { "note: \($0)" } + ["Everything is there already."])
            }
            return false
        }
        if json {
            guard dryRun else { return true }
            var report = try rehearsal()
            report.said = mended.said + report.said
            try tellJSON(changes, notes, report)
            return false
        }
        try Terminal.sayServer(mended.said + changes.flatMap(\.lines) + notes.map { undo ? $0 : "note: \($0)" })
        if dryRun {
            try Terminal.sayServer(SetupServerCommand.lines(try rehearsal()) + ["Nothing was written."])
            return false
        }
        if yes { return true }
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { throw .noTerminal }
        Terminal.note(undo ? "Take this back? [y/N]" : "Do this? [y/N]")
        let last = Array("\nopk: interrupted, nothing was written\n".utf8)
        // It copies the words.
        unsafe opk_interrupt_watch(last, last.count)
        defer { opk_interrupt_unwatch() }
        if ["y", "yes"].contains(readLine()?.lowercased()) { return true }
        try Terminal.sayServer(["Nothing was written."])
        return false
    }

    private func tell(
        _ changes: [ServerChange], _ notes: [String], _ report: ServerSetup.Report, _ mended: ServerSetup.Report, done: String
    ) throws(ServerSetupError) {
        var whole = report
        whole.said = mended.said + report.said
        if json { return try tellJSON(changes, notes, whole) }
        try Terminal.sayServer(SetupServerCommand.lines(report) + (report.isReloaded ? ["sshd was reloaded."] : []) + [done])
    }

    private static func lines(_ report: ServerSetup.Report) -> [String] {
        report.passed.map { "ok: \($0)" } + report.said.map { "note: \($0)" }
    }

    private func tellJSON(_ changes: [ServerChange], _ notes: [String], _ report: ServerSetup.Report) throws(ServerSetupError) {
        var object = JSONObject()
        object["command"] = .string(undo ? "setup server --undo" : "setup server")
        object["changed"] = .bool(report.changed || dryRun && !changes.isEmpty)
        object["dry_run"] = .bool(dryRun)
        object["reloaded"] = .bool(report.isReloaded)
        object["files"] = .array(changes.map { .string(Text($0.path)) })
        object["notes"] = .array((notes + report.passed + report.said).map { .string(Text($0)) })
        try Terminal.sayServer([JSON.object(object).pretty()])
    }
}

extension ServerSetupError: ToldError {}

extension Terminal {
    fileprivate static func sayServer(_ lines: [String]) throws(ServerSetupError) {
        if lines.isEmpty { return }
        if let number = failure(writing: Array(lines.map { $0 + "\n" }.joined().utf8)) { throw .output(errno: number) }
    }
}
