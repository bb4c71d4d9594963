import Audit
import PKToken
import Policy
import PolicyAdministration
import PolicyExplanation
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Looks a server over and says what is to be changed; changes nothing.
struct ServerPlanner {
    let places: ServerPlaces
    let request: ServerRequest
    /// Of whoever called sudo; nil for none.
    let invoker: String?
    let journal: ServerJournal?
    private var plan = ServerPlan()

    init(_ places: ServerPlaces, _ request: ServerRequest, invoker: String?, journal: ServerJournal?) {
        (self.places, self.request, self.invoker, self.journal) = (places, request, invoker, journal)
        plan.isFirst = journal == nil
    }

    static func plan(
        _ places: ServerPlaces, _ request: ServerRequest, invoker: String?, journal: ServerJournal?
    ) throws(ServerSetupError) -> ServerPlan {
        var planner = ServerPlanner(places, request, invoker: invoker, journal: journal)
        try planner.checkInstallation()
        planner.planState()
        try planner.planPolicy()
        try planner.planSSHD()
        try planner.planSessions()
        planner.chooseAccounts()
        return planner.plan
    }

    private func checkInstallation() throws(ServerSetupError) {
        guard unsafe access(places.sshd, X_OK) == 0 else { throw .noSSHD }
        if unsafe access(places.verifier, F_OK) != 0 { throw .notInstalled(places.verifier) }
        guard Account.named(places.verifierUser) != nil else { throw .noUser(places.verifierUser) }
        for allowed in request.allowed where !PolicyPlace.knows(allowed.account) { throw .noAccount(allowed.account) }
        let question = SSHDQuestion(sshd: places.sshd, config: places.sshdConfig)
        if let complaint = question.complaint() { throw .sshdRefuses(complaint) }
        if unsafe access(places.configFolder, F_OK) == 0 { try ServerPlanner.checkPolicy(places) }
    }

    /// As opk-verify would read it.
    static func checkPolicy(_ places: ServerPlaces) throws(ServerSetupError) {
        do throws(ExplainError) {
            _ = try PolicyCheckout(places.configFolder, isStrict: true)
        } catch {
            throw .unusablePolicy("\(error)")
        }
    }

    /// What an installation makes, where it has been taken away since: opk-verify can make none of it.
    private mutating func planState() {
        if unsafe access(places.stateFolder, F_OK) != 0 { plan.changes.append(.folder(path: places.stateFolder, mode: 0o755)) }
        guard let verifier = Account.named(places.verifierUser) else { return }
        for file in ServerPlaces.counted where unsafe access(places.stateFolder + "/" + file.name, F_OK) != 0 {
            plan.changes.append(
                .counted(path: places.stateFolder + "/" + file.name, size: file.size, user: verifier.user, group: verifier.group))
        }
    }

    // MARK: Policy

    private mutating func planPolicy() throws(ServerSetupError) {
        if unsafe access(places.configFolder, F_OK) != 0 { plan.changes.append(.folder(path: places.configFolder, mode: 0o755)) }
        let before = try ServerPlanner.read(places.providers)
        var text = before?.bytes ?? []
        for wanted in request.providers {
            if Providers(parsing: text).rows.contains(where: { $0.issuer == wanted.issuer && $0.clientID == wanted.clientID }) { continue }
            if let last = text.last, last != 0x0A { text.append(0x0A) }
            text += wanted.row.utf8 + [0x0A]
            guard Providers(parsing: text).rows.contains(where: { $0.issuer == wanted.issuer && $0.clientID == wanted.clientID }) else {
                throw .provider(wanted.row, "it does not read back from \(places.providers)")
            }
        }
        let providers = Providers(parsing: text)
        if providers.rows.isEmpty {
            throw providers.problems.isEmpty ? .noProvider : .badProviders(places.providers, providers.problems)
        }
        for problem in providers.problems.prefix(5) {
            plan.notes.append("\(Text(places.providers).escaped), \(problem): the row counts for nothing")
        }
        plan.providers = text
        try append(change(places.providers, .policy, before, to: text, mode: 0o640))
        try planAllowed(providers)
        for issuer in request.providers.map(\.issuer) + plan.allowed.map(\.issuer) where !plan.issuers.contains(issuer) {
            plan.issuers.append(issuer)
        }
    }

    private mutating func planAllowed(_ providers: Providers) throws(ServerSetupError) {
        let before = try ServerPlanner.read(places.authID)
        var text = before?.bytes ?? []
        for allowed in request.allowed {
            let issuers = Set(providers.rows.map(\.issuer))
            guard let issuer = allowed.issuer ?? (issuers.count == 1 ? issuers.first : nil) else {
                throw .whichProvider(allowed.email, count: issuers.count)
            }
            guard issuers.contains(issuer) else {
                throw .provider(issuer, "providers has no row of it; name it with its client id: --provider ISSUER,CLIENT_ID")
            }
            do throws(PolicyError) {
                let place = try PolicyPlace(configFolder: places.configFolder)
                let row = RowRequest(account: allowed.account, who: allowed.email, issuer: issuer)
                let outcome = try AddRow(row, in: place).applied(to: text)
                if let new = outcome.text { text = new }
                for warning in outcome.result.warnings(in: place) where !warning.text.hasPrefix("no row of providers names") {
                    plan.notes.append(warning.text)
                }
            } catch {
                throw .policy(error)
            }
            let client = providers.rows.first { $0.issuer == issuer }?.clientID ?? ""
            plan.allowed.append(.init(request: allowed, issuer: issuer, clientID: client))
        }
        try append(change(places.authID, .policy, before, to: text, mode: 0o640))
    }

    private static func read(_ path: String) throws(ServerSetupError) -> FileState? {
        // What opk-verify would not read is not added to.
        do throws(UnsafeFile) { _ = try SafeFile(path, trust: .rootOnly) } catch { throw .unusablePolicy("\(error)") }
        return try FileState.read(path)
    }

    private mutating func append(_ change: ServerChange?) throws(ServerSetupError) {
        if let change { plan.changes.append(change) }
    }

    /// Nil where it says that already.
    private func change(
        _ path: String, _ kind: ServerChange.Kind, _ before: FileState?, to bytes: [UInt8], mode: UInt32
    ) throws(ServerSetupError) -> ServerChange? {
        if bytes == before?.bytes || before == nil && bytes.isEmpty { return nil }
        var after = FileState(bytes: bytes, mode: mode, user: 0, group: 0)
        if let before {
            (after.mode, after.user, after.group) = (before.mode, before.user, before.group)
        } else if kind == .policy, let group = Account.named(places.verifierUser)?.group {
            after.group = group
        }
        let isLocked = unsafe access(PolicyLock(path).path, F_OK) == 0
        return .file(.init(path: path, kind: kind, before: before, after: after, hadLock: kind != .policy || isLocked))
    }

    // MARK: sshd

    private mutating func planSSHD() throws(ServerSetupError) {
        let question = SSHDQuestion(sshd: places.sshd, config: places.sshdConfig)
        guard let settings = question.settings(for: "root") else { throw .sshdRefuses("it does not say what it will do (sshd -T)") }
        if let running = RunningSSHD(pidFile: settings.first("pidfile") ?? "none", sshd: places.sshd), let words = running.outweighing {
            throw .commandLine(words)
        }
        let files = SSHDFiles(places.sshdConfig)
        let now = ServerPlanner.command(in: files, without: [])
        // Where a Match block has the word for root, the files say what holds elsewhere.
        let present = now ?? (settings.first("authorizedkeyscommand") ?? "none")
        let user = settings.first("authorizedkeyscommanduser") ?? "none"
        if isOurs(present) {
            plan.command = present
            plan.other = chained(in: present, user)
            try planTakeover(files, isAsked: false)
            return try planAddresses(files, present)
        }
        let other = present == "none" ? nil : OtherCommand(command: present, user: user)
        if let other, other.isOpkssh {
            guard request.takesOverOpkssh else { throw .opksshIsAsked(present) }
            return try planTakeover(files, isAsked: true)
        }
        if request.takesOverOpkssh, journal == nil { throw .noOpkssh }
        if present != "none", !request.dropsOther {
            guard let other else { throw .otherCannotBeAsked(present, why: "it has no absolute path") }
            if let why = other.obstacle { throw .otherCannotBeAsked(present, why: why) }
            (plan.other, plan.triesOther) = (other, true)
            plan.notes.append(
                "\(Text(other.program).escaped) is asked after opk about keys that are no certificates, as \(places.verifierUser)"
                    + (other.user == places.verifierUser ? "" : " (it was \(Text(other.user).escaped))"))
        } else if present != "none" {
            plan.notes.append("\(Text(present).escapedOnce(limit: 200)) is not asked any more")
        }
        try planDropIn(without: [])
    }

    private mutating func planDropIn(without gone: Set<String>) throws(ServerSetupError) {
        let version = SSHDQuestion(sshd: places.sshd, config: places.sshdConfig).version
        let words = "-- %u %k %t" + (version.map { $0 >= .firstWithAddresses } ?? false ? " %C" : "")
        plan.command = ([places.verifier] + (plan.other?.chain ?? []) + [words]).joined(separator: " ")
        let dropIn = DropIn.chosen(places, without: gone)
        if unsafe access(places.dropInFolder, F_OK) != 0 { plan.changes.append(.folder(path: places.dropInFolder, mode: 0o755)) }
        let text = Array(DropIn.text(command: plan.command, user: places.verifierUser).utf8)
        try append(change(dropIn.path, .dropIn, try FileState.read(dropIn.path), to: text, mode: 0o644))
        guard dropIn.needsInclude else { return }
        guard let main = try FileState.read(places.sshdConfig) else { throw .unreadable(places.sshdConfig, "it is not there") }
        if MarkedBlock.isIn(main.bytes) { return }
        try append(
            change(
                places.sshdConfig, .marked, main, to: MarkedBlock.adding(["Include \(dropIn.path)"], to: main.bytes),
                mode: main.mode))
    }

    /// The line of ours that is there already, where sshd could tell the client's address and is not asked to: a package cannot know which sshd it comes to.
    private mutating func planAddresses(_ files: SSHDFiles, _ present: String) throws(ServerSetupError) {
        let version = SSHDQuestion(sshd: places.sshd, config: places.sshdConfig).version
        guard version.map({ $0 >= .firstWithAddresses }) ?? false, present.hasSuffix(" -- %u %k %t"),
            let line = files.lines.first(where: { $0.keyword == "authorizedkeyscommand" && $0.match == nil }), line.value == present,
            line.file.hasPrefix(places.dropInFolder + "/"), let state = try FileState.read(line.file)
        else { return }
        var lines = state.bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        guard line.number >= 1, line.number <= lines.count, lines[line.number - 1].elementsEqual("AuthorizedKeysCommand \(present)".utf8)
        else { return }
        lines[line.number - 1] += " %C".utf8
        plan.command = present + " %C"
        // Whoever has changed it since, it asks us all the same.
        try append(change(line.file, .policy, state, to: Array(lines.joined(separator: [0x0A])), mode: state.mode))
    }

    /// opkssh's own file goes out of sshd's sight; lines of its elsewhere stay, and ours come before them.
    private mutating func planTakeover(_ files: SSHDFiles, isAsked: Bool) throws(ServerSetupError) {
        guard request.takesOverOpkssh else { return }
        var renames: [ServerChange] = []
        for file in Set(files.lines.filter(ServerPlanner.isOpkssh).map(\.file)).sorted() where file.hasPrefix(places.dropInFolder + "/") {
            let own = files.lines.filter { $0.file == file }
            guard own.allSatisfy({ $0.match == nil && $0.keyword.hasPrefix("authorizedkeyscommand") }) else { continue }
            guard let state = try FileState.read(file) else { continue }
            renames.append(.rename(path: file, to: file + ".opk-setup", digest: state.digest))
        }
        let gone = Set(renames.map(\.path))
        if isAsked {
            if let left = ServerPlanner.command(in: files, without: gone), isOurs(left) {
                plan.command = left
            } else {
                // Ours first: there is no moment at which nobody is asked.
                try planDropIn(without: [])
            }
        }
        plan.changes += renames
        plan.notes += opksshDifferences()
    }

    private static func isOpkssh(_ line: SSHDFiles.Line) -> Bool {
        line.keyword == "authorizedkeyscommand" && (SSHDFiles.words(line.value).first ?? "").hasSuffix("/opkssh")
    }

    /// The first that sshd reads outside of Match blocks.
    static func command(in files: SSHDFiles, without gone: Set<String>) -> String? {
        files.lines.first { $0.keyword == "authorizedkeyscommand" && $0.match == nil && !gone.contains($0.file) }?.value
    }

    func isOurs(_ command: String) -> Bool { ServerPlanner.isOurs(command, places) }

    static func isOurs(_ command: String, _ places: ServerPlaces) -> Bool {
        guard let program = SSHDFiles.words(command).first else { return false }
        return program == places.verifier || program.hasSuffix("/opk-verify") && resolved(program) == resolved(places.verifier)
    }

    private static func resolved(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    /// Whom a line of ours asks after us.
    private func chained(in command: String, _ user: String) -> OtherCommand? {
        let words = SSHDFiles.words(command)
        guard let index = words.firstIndex(of: "--then"), index + 1 < words.count else { return nil }
        return OtherCommand(command: words[index + 1] + " %u", user: user)
    }

    /// What opkssh does otherwise with the same files, by name: docs/migrating-from-opkssh.md.
    private func opksshDifferences() -> [String] {
        var audit = AuditPlaces(prefix: places.prefix)
        audit.configFolder = places.configFolder
        audit.looksAtMachine = false
        audit.isSystem = true
        return Auditor.audit(audit).findings.filter { $0.code.rawValue.hasPrefix("opkssh-") || $0.severity == .error }.map { finding in
            let place = finding.file.isEmpty ? "" : Text(finding.file).escaped + (finding.line > 0 ? ", line \(finding.line): " : ": ")
            return place + Text(finding.sentence).escapedOnce(limit: 400)
        }
    }

    // MARK: Sessions and accounts

    /// Who logs in and out is written down by a program that PAM runs, where it is installed.
    private mutating func planSessions() throws(ServerSetupError) {
        guard unsafe access(places.sessionProgram, X_OK) == 0, let pam = try FileState.read(places.pam) else { return }
        for folder in places.sessionFolders where unsafe access(folder.path, F_OK) != 0 {
            plan.changes.append(.folder(path: folder.path, mode: folder.mode))
        }
        guard let others = MarkedBlock.isIn(pam.bytes) ? MarkedBlock.removing(from: pam.bytes) : pam.bytes else {
            plan.notes.append("\(Text(places.pam).escaped): the marks around opk's lines are not as opk set them, so they stay as they are")
            return
        }
        if !MarkedBlock.isIn(pam.bytes), let call = PAMStack(places.pam).sessionCalls.first {
            if !call.isSafe {
                let line = "\(Text(call.line.file).escaped), line \(call.line.number)"
                plan.notes.append("\(line), runs opk-session where that is not safe (opk audit says why): take it away, and run this again")
            }
            return
        }
        // Before every other line: what runs after pam_env may find in its environment whatever the user wants.
        let line = "session optional pam_exec.so quiet type=open_session \(places.sessionProgram)"
        try append(change(places.pam, .marked, pam, to: MarkedBlock.adding([line], to: others), mode: pam.mode))
    }

    private mutating func chooseAccounts() {
        var accounts: [String] = []
        for name in request.allowed.map(\.account.string) where !accounts.contains(name) { accounts.append(name) }
        plan.trialAccounts = Array(accounts.prefix(8))
        if plan.trialAccounts.isEmpty {
            let rows = (try? FileState.read(places.authID)).flatMap { $0 }.map { AuthID(parsing: $0.bytes).rows } ?? []
            let named = rows.lazy.map { $0.account.description }.first { Account.named($0)?.hasLoginShell ?? false }
            if let account = named ?? invoker ?? Account.listed(atMost: 10_000).first(where: { $0.user >= 1000 && $0.hasLoginShell })?.name
            {
                plan.trialAccounts = [account]
            }
        }
        for name in plan.trialAccounts + ["root"] where !accounts.contains(name) { accounts.append(name) }
        plan.accounts = accounts
    }
}
