import Audit
import ChildProcess
import Policy
import PolicyExplanation
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `opk setup server`: a plan, tried out, carried out with a journal, looked at, and taken back where anything of it fails.
public struct ServerSetup: Sendable {
    public let places: ServerPlaces
    /// Of whoever called sudo.
    let invoker: String?

    public init(_ places: ServerPlaces, invoker: String?) {
        self.places = places
        self.invoker = invoker.flatMap { Account.named($0)?.name }
    }

    /// What is told of a run: sentences, escaped; and whether sshd was reloaded.
    public struct Report: Sendable {
        /// What was tried and is as it should be.
        public var passed: [String] = []
        /// What an administrator should know.
        public var said: [String] = []
        public var isReloaded = false
        public var changed = false

        public init() {}
    }

    /// One at a time.
    public func alone<Result>(_ body: () throws(ServerSetupError) -> Result) throws(ServerSetupError) -> Result {
        guard geteuid() == 0 else { throw .notRoot }
        return try FileLock.attempt(places.lock, waitingAtMost: 0) { state throws(ServerSetupError) in
            switch state {
            case .held: return try prepared(body)
            case .busy, .stuck: throw .busy
            case .unavailable(let failure): throw .writing(failure)
            }
        }
    }

    /// sshd wants its folder even to say what it will do; a machine on which it has not run yet has none. And where there was no folder for a trial, what
    /// a trial has left of one goes.
    private func prepared<Result>(_ body: () throws(ServerSetupError) -> Result) throws(ServerSetupError) -> Result {
        let isMade = unsafe mkdir(places.runFolder, 0o755) == 0
        let hasState = unsafe access(places.stateFolder, F_OK) == 0
        defer {
            if isMade { unsafe rmdir(places.runFolder) }
            // Only an empty one goes.
            if !hasState { unsafe rmdir(places.stateFolder) }
        }
        return try body()
    }

    public func plan(_ request: ServerRequest) throws(ServerSetupError) -> ServerPlan {
        try ServerPlanner.plan(places, request, invoker: invoker, journal: try ServerJournal.read(places.journal))
    }

    /// Which providers of the plan do not answer, a sentence each, escaped. Nothing is written, and nobody kept from going on.
    public func unanswering(_ plan: ServerPlan) throws(ServerSetupError) -> [String] {
        Interruption.begin()
        defer { Interruption.end() }
        let said = ProviderQuestion(places: places, issuers: plan.issuers, providers: plan.providers).ask()
        try Interruption.check()
        return said
    }

    /// Whether a run was killed here and is yet to be taken back.
    public func isTorn() throws(ServerSetupError) -> Bool {
        try ServerJournal.read(places.journal).map { !$0.pending.isEmpty || $0.isUndoing } ?? false
    }

    /// Takes back what a killed run had begun, or ends the undo that it was.
    public func mend(reloads: Bool) throws(ServerSetupError) -> Report {
        var report = Report()
        TrialFolder.remove(places)
        sweep()
        guard let journal = try ServerJournal.read(places.journal), !journal.pending.isEmpty || journal.isUndoing else { return report }
        let changes = journal.pending.reversed() + (journal.isUndoing ? journal.done.reversed() : [])
        for change in changes {
            if let left = try change.takeBack() { report.said.append(left) }
        }
        try end(journal)
        report.said.insert("a run that was cut off has been taken back", at: 0)
        report.isReloaded = reloads ? try reload(&report) : false
        return report
    }

    /// What writers left that were killed before their file had its name. We are alone here, but for the folder of policies.
    private func sweep() {
        for folder in [places.dropInFolder, places.stateFolder, FileState.parent(of: places.pam), FileState.parent(of: places.sshdConfig)] {
            Folder.removeAbandoned(in: folder, olderThan: -1)
        }
        Folder.removeAbandoned(in: places.configFolder, olderThan: 60)
    }

    public func apply(_ plan: ServerPlan, _ request: ServerRequest) throws(ServerSetupError) -> Report {
        Interruption.begin()
        defer { Interruption.end() }
        var report = try trial(plan, request, logsIn: true)
        var journal = try ServerJournal.read(places.journal) ?? ServerJournal()
        journal.pending = plan.changes
        if journal.makes(places.stateFolder) { try ServerChange.makeFolder(places.stateFolder, 0o755) }
        // On the disk before anything else is.
        try journal.write(places.journal)
        var isReloading = false
        do throws(ServerSetupError) {
            for change in plan.changes { try change.apply() }
            try check(plan)
            try Interruption.check()
            isReloading = request.reloads
            if request.reloads { report.isReloaded = try reload(&report) }
        } catch {
            try takeBack(journal, after: error, reloads: isReloading)
        }
        journal.settle()
        try journal.write(places.journal)
        report.changed = true
        ServerRecord.append("setup server", changes: plan.changes)
        return report
    }

    /// All that `apply` looks at before it writes, but for the trial logins.
    public func rehearse(_ plan: ServerPlan, _ request: ServerRequest) throws(ServerSetupError) -> Report {
        Interruption.begin()
        defer { Interruption.end() }
        return try trial(plan, request, logsIn: false)
    }

    private func trial(_ plan: ServerPlan, _ request: ServerRequest, logsIn: Bool) throws(ServerSetupError) -> Report {
        try ServerTrial(places: places, plan: plan, invoker: invoker, logsIn: logsIn).run(mayBeTheOnlyWay: request.mayBeTheOnlyWay)
    }

    /// All as it was, and then the error.
    private func takeBack(_ journal: ServerJournal, after error: ServerSetupError, reloads: Bool) throws(ServerSetupError) {
        do throws(ServerSetupError) {
            var report = Report()
            for change in journal.pending.reversed() { _ = try change.takeBack() }
            try end(journal)
            if reloads { _ = try reload(&report) }
        } catch let second {
            throw .halfWay(error, "\(second)")
        }
        throw error
    }

    /// What was pending has been taken back, and where an undo was under way what was done, too. What is left is remembered on.
    private func end(_ journal: ServerJournal) throws(ServerSetupError) {
        if journal.isUndoing || journal.done.isEmpty { return try remove(journal) }
        var rest = journal
        rest.pending = []
        try rest.write(places.journal)
    }

    /// With the folder that was made for it, unless others have put something there since.
    private func remove(_ journal: ServerJournal) throws(ServerSetupError) {
        try FileState.remove(places.journal)
        if journal.makes(places.stateFolder), unsafe rmdir(places.stateFolder) == 0 { FileState.syncFolder(of: places.stateFolder) }
    }

    // MARK: Undo

    /// What an undo would take back, the last first; each as it will be shown.
    public func undoable() throws(ServerSetupError) -> [ServerChange] {
        guard let journal = try ServerJournal.read(places.journal) else { throw .nothingToUndo }
        return journal.done.reversed()
    }

    public func undo(_ request: ServerRequest) throws(ServerSetupError) -> Report {
        var report = Report()
        guard var journal = try ServerJournal.read(places.journal) else { throw .nothingToUndo }
        // Forgotten as well: a run that is cut off must not take them back either.
        if request.keepsPolicy { journal.done.removeAll(where: \.isPolicy) }
        let question = SSHDQuestion(sshd: places.sshd, config: places.sshdConfig)
        let brokenBefore = question.complaint()
        if let brokenBefore {
            guard request.mayBeTheOnlyWay || journal.takesAway(brokenBefore) else { throw .undoOfBroken(brokenBefore) }
            report.said.append("sshd refused its configuration: \(Text(brokenBefore).escapedOnce(limit: 400))")
        } else if !request.mayBeTheOnlyWay, SecondWay.find(question, invoker: invoker, other: remaining(journal)) == nil {
            throw .noSecondWay
        }
        journal.isUndoing = true
        try journal.write(places.journal)
        for change in journal.done.reversed() {
            if let left = try change.takeBack() { report.said.append(left) }
        }
        let complaint = question.complaint()
        switch (complaint, brokenBefore) {
        case (let complaint?, nil): throw .sshdRefuses(complaint)
        case (let complaint?, _?):
            if complaint == brokenBefore { report.said.removeFirst() }
            report.said.append("sshd still refuses its configuration, so it was not reloaded: \(Text(complaint).escapedOnce(limit: 400))")
        case (nil, _?) where !request.mayBeTheOnlyWay && SecondWay.find(question, invoker: invoker, other: nil) == nil:
            report.said.append("sshd was not reloaded, since no administrator has a key or password with which it would let them in")
        case (nil, _): if request.reloads { report.isReloaded = try reload(&report) }
        }
        try remove(journal)
        report.changed = true
        ServerRecord.append("setup server --undo", changes: journal.done)
        return report
    }

    /// Who is asked when ours is gone.
    private func remaining(_ journal: ServerJournal) -> OtherCommand? {
        for case .rename(_, let to, _) in journal.done {
            guard let line = SSHDFiles(to).lines.first(where: { $0.keyword == "authorizedkeyscommand" }) else { continue }
            return OtherCommand(command: line.value, user: places.verifierUser)
        }
        let own = Set(journal.done.map(\.path))
        return ServerPlanner.command(in: SSHDFiles(places.sshdConfig), without: own)
            .flatMap { $0 == "none" || ServerPlanner.isOurs($0, places) ? nil : OtherCommand(command: $0, user: places.verifierUser) }
    }

    // MARK: Looking

    /// Whether what was written does what it was written for.
    private func check(_ plan: ServerPlan) throws(ServerSetupError) {
        let question = SSHDQuestion(sshd: places.sshd, config: places.sshdConfig)
        if let complaint = question.complaint() { throw .candidateRefused(complaint) }
        for account in plan.accounts where account != "root" || plan.trialAccounts.contains("root") {
            let command = question.settings(for: account)?.first("authorizedkeyscommand") ?? "none"
            guard ServerPlanner.isOurs(command, places) else { throw .notInForce(account: account, command: command) }
        }
        try ServerPlanner.checkPolicy(places)
        try checkReading()
        guard let policy = try? PolicyCheckout(places.configFolder, isStrict: true) else { return }
        let config = try? ServerConfig.read(places.configFolder + "/config.yml", trust: .rootOnly)
        for entry in plan.allowed {
            let (allowed, issuer) = (entry.request, entry.issuer)
            let line = "\(allowed.email.string) as \(allowed.account.string) of \(issuer.string): yes"
            guard let expectation = ExpectationFile(parsing: Array(line.utf8), at: .now()).expectations.first else { continue }
            let result = policy.check(expectation, at: .now())
            // What a requirement wants (a group, a method) only their token can say.
            if !result.isAdmitted, config?.requirements.isEmpty ?? true {
                throw .notAdmitted(allowed.email, account: allowed.account, why: result.why)
            }
        }
    }

    /// opk-verify, as its user, over the real files: it must be able to read them. Status 2 is a file that it cannot use.
    private func checkReading() throws(ServerSetupError) {
        guard let certificate = (try? TrialIdentity(at: .now()))?.words else { return }
        // Folders that are not there: what it refuses here is in no log of decisions, and no last refusal.
        let nowhere = places.trial + "/none"
        let words = ["--state-dir", nowhere, "--audit-log", nowhere + "/audit.jsonl", "--", "root", certificate.blob, certificate.type]
        let said = AsVerifier(places).run(places.verifier, words)
        guard let said else { return }
        if said.ending == .exited(2) {
            throw .unusablePolicy("opk-verify cannot read \(Text(places.configFolder).escaped) as \(places.verifierUser)")
        }
    }

    /// False where no sshd runs.
    private func reload(_ report: inout Report) throws(ServerSetupError) -> Bool {
        let question = SSHDQuestion(sshd: places.sshd, config: places.sshdConfig)
        let settings = question.settings(for: "root")
        guard let running = RunningSSHD(pidFile: settings?.first("pidfile") ?? "none", sshd: places.sshd) else {
            report.said.append("no sshd runs here, so none was reloaded: it will read this when it starts")
            return false
        }
        let addresses = settings?.all("listenaddress") ?? []
        let ports = addresses.filter { $0.hasPrefix("0.0.0.0:") || $0.hasPrefix("127.0.0.1:") }
            .compactMap { $0.split(separator: ":").last.flatMap { UInt16($0) } }
        // One that was told its port on its command line, or another file, answers where we do not look.
        let isPlain = !running.words.contains { $0.hasPrefix("-p") || $0.hasPrefix("-o") || $0.hasPrefix("-f") }
        try running.reload(places, ports: isPlain ? ports : [])
        return true
    }
}
