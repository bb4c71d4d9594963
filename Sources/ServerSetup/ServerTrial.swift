import Audit
import ChildProcess
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A plan tried out before anything of it is written: sshd with the configuration as it would be, in a file that nothing else reads.
struct ServerTrial {
    let places: ServerPlaces
    let plan: ServerPlan
    let invoker: String?
    /// Whether it ends with trial logins. All else leaves no trace.
    let logsIn: Bool

    func run(mayBeTheOnlyWay: Bool) throws(ServerSetupError) -> ServerSetup.Report {
        defer { TrialFolder.remove(places) }
        guard let identity = try? TrialIdentity(at: .now()) else {
            var report = ServerSetup.Report()
            report.said = ["no trial login: OpenSSL makes no keys"]
            return report
        }
        let folder: TrialFolder
        do throws(WriteFailure) {
            folder = try TrialFolder(places)
            try folder.write(candidate(folder), to: "sshd_config")
        } catch {
            throw .writing(error)
        }
        return try attempt(folder, identity, mayBeTheOnlyWay)
    }

    private func attempt(
        _ folder: TrialFolder, _ identity: TrialIdentity, _ mayBeTheOnlyWay: Bool
    ) throws(ServerSetupError) -> ServerSetup.Report {
        var report = ServerSetup.Report()
        let question = SSHDQuestion(sshd: places.sshd, config: folder.config)
        if let complaint = question.complaint() { throw .candidateRefused(complaint) }
        for account in plan.accounts {
            let command = question.settings(for: account)?.first("authorizedkeyscommand") ?? "none"
            if !command.contains(folder.path) {
                guard account == "root", !plan.trialAccounts.contains("root") else {
                    throw .matchBlock(account: account, command: command)
                }
                report.said.append("for root a Match block has another AuthorizedKeysCommand: \(Text(command).escapedOnce(limit: 200))")
            }
        }
        try Interruption.check()
        if plan.triesOther, let other = plan.other { report.passed.append(try OtherTrial(places, other, plan.accounts, identity).run()) }
        if let way = SecondWay.find(question, invoker: invoker, other: plan.other) {
            report.passed.append("another way in is there: \(way.description)")
        } else if !mayBeTheOnlyWay {
            throw .noSecondWay
        }
        for account in plan.trialAccounts {
            try Interruption.check()
            if logsIn {
                report.passed.append(try logIn(account, folder, identity))
            } else {
                report.said.append(
                    "a trial login as \(Text(account).escaped) is tried by a run without --dry-run, before anything is written")
            }
        }
        try Interruption.check()
        return report
    }

    private func logIn(_ account: String, _ folder: TrialFolder, _ identity: TrialIdentity) throws(ServerSetupError) -> String {
        do throws(WriteFailure) { try identity.write(for: account, in: folder) } catch { throw .writing(error) }
        guard let ssh = firstProgram(["/usr/bin/ssh", "/usr/local/bin/ssh", "/bin/ssh"]) else {
            return try askVerifier(account, folder, identity)
        }
        let login = TrialLogin(sshd: places.sshd, ssh: ssh, folder: folder)
        switch login.run(as: account) {
        case .admitted: return "a trial login as \(Text(account).escaped) came in, by a certificate that is worth nothing now"
        case _ where Interruption.isNoted: throw .interrupted
        case .refused(let why), .sessionFailed(let why): throw .trial(account: account, why: why, log: login.lines())
        }
    }

    /// Without an ssh: what sshd would be told.
    private func askVerifier(_ account: String, _ folder: TrialFolder, _ identity: TrialIdentity) throws(ServerSetupError) -> String {
        let key = (try? BoundedInput.read(folder.path + "/key-cert.pub", limit: 1 << 16)) ?? []
        let words = String(decoding: key, as: UTF8.self).split(separator: " ").map(String.init)
        guard words.count >= 2 else { throw .trial(account: account, why: "its certificate cannot be read", log: []) }
        let said = AsVerifier(places).run(places.verifier, trialOptions(folder) + ["--", account, words[1], words[0]])
        guard let said, said.succeeded, !said.output.isEmpty else {
            throw .trial(account: account, why: "opk-verify did not admit it", log: said.map { [SSHDQuestion.words($0.errorOutput)] } ?? [])
        }
        return "there is no ssh here, so no login was tried; opk-verify admits a certificate as \(Text(account).escaped)"
    }

    private func trialOptions(_ folder: TrialFolder) -> [String] {
        ["--config-dir", folder.path + "/etc", "--cache-dir", folder.path + "/cache", "--state-dir", folder.path + "/state"]
    }

    /// sshd takes the first value that it reads, so these two lines stand before everything else, as they will.
    private func candidate(_ folder: TrialFolder) -> String {
        var words = SSHDFiles.words(plan.command)
        // Behind options of its own, in front of what is sshd's.
        words.insert(contentsOf: trialOptions(folder), at: words.firstIndex(of: "--") ?? min(1, words.count))
        return """
            AuthorizedKeysCommand \(words.joined(separator: " "))
            AuthorizedKeysCommandUser \(places.verifierUser)
            Include \(places.sshdConfig)

            """
    }
}

/// Nil where none of them is here.
func firstProgram(_ paths: [String]) -> String? {
    paths.first { path in unsafe access(path, X_OK) == 0 }
}

/// Programs run as the account as which sshd runs opk-verify.
struct AsVerifier {
    private let user: String

    init(_ places: ServerPlaces) { user = places.verifierUser }
    init(user: String) { self.user = user }

    /// Nil where it cannot be run.
    func run(_ program: String, _ words: [String]) -> ChildProcess.Outcome? {
        guard let account = Account.named(user),
            let setpriv = firstProgram(["/usr/bin/setpriv", "/bin/setpriv"])
        else { return nil }
        var environment = ProcessEnvironment.ofSystem
        (environment["USER"], environment["LOGNAME"], environment["HOME"]) = (account.name, account.name, account.home)
        return try? ChildProcess.run(
            setpriv, ["--reuid=\(account.user)", "--regid=\(account.group)", "--init-groups", "--", program] + words,
            environment: environment, outputLimit: 1 << 20, errorOutput: .captured(limit: 16 << 10), deadline: 15_000)
    }
}

/// The command that was asked until now, tried as it will be asked: by opk-verify, as opk-verify's user, against what it answers as its own.
struct OtherTrial {
    let places: ServerPlaces
    let other: OtherCommand
    let accounts: [String]
    let identity: TrialIdentity

    init(_ places: ServerPlaces, _ other: OtherCommand, _ accounts: [String], _ identity: TrialIdentity) {
        (self.places, self.other, self.accounts, self.identity) = (places, other, accounts, identity)
    }

    func run() throws(ServerSetupError) -> String {
        let key = identity.plainKey
        for name in accounts {
            guard let account = Account.named(name) else { continue }
            let values: [Character: String] = [
                "u": name, "U": "\(account.user)", "h": account.home, "k": key.blob, "t": key.type, "f": identity.fingerprint,
                "C": "127.0.0.1 22 127.0.0.1 50000",
            ]
            let words = other.words.map { OtherCommand.expand($0, values) }
            guard let theirs = AsVerifier(user: other.user).run(other.program, words) else {
                throw .otherCannotBeAsked(other.text, why: "it cannot be run as \(Text(other.user).escaped)")
            }
            let chain = ["--then", other.program] + words.flatMap { ["--then-word", $0] }
            guard let ours = AsVerifier(places).run(places.verifier, chain + ["--", name, key.blob, key.type]) else {
                throw .otherCannotBeAsked(other.text, why: "opk-verify cannot be run as \(Text(places.verifierUser).escaped)")
            }
            if ours.ending != theirs.ending || ours.output != theirs.output {
                throw .otherCannotBeAsked(
                    other.text,
                    why: "for \(Text(name).escaped) it answers otherwise as \(Text(places.verifierUser).escaped) than as "
                        + "\(Text(other.user).escaped) (\(OtherTrial.words(ours)), not \(OtherTrial.words(theirs)))")
            }
        }
        return
            "\(Text(other.program).escaped) answers opk-verify as it answers sshd, for \(accounts.map { Text($0).escaped }.joined(separator: ", "))"
    }

    private static func words(_ outcome: ChildProcess.Outcome) -> String {
        let lines = outcome.output.split(separator: 0x0A).count
        let ending =
            switch outcome.ending {
            case .exited(let status): "status \(status)"
            case .killed(let signal): "signal \(signal)"
            case .timedOut: "no answer in time"
            case .tooMuchOutput: "too long an answer"
            }
        return "\(lines) line\(lines == 1 ? "" : "s"), \(ending)"
    }
}
