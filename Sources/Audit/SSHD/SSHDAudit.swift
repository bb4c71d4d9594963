import Vocabulary

extension Auditor {
    private static let documentedCall = "-- %u %k %t"

    mutating func audit(_ sshd: SSHDSettings) {
        let files = SSHDFiles(places.sshdConfig ?? SSHDFiles.defaultFile)
        let name = places.sshdConfig ?? SSHDFiles.defaultFile
        if sshd.says("pubkeyauthentication", "no") {
            found.add(
                .sshdPublicKeys, name, "sshd asks for no keys at all: PubkeyAuthentication is no", remedy: "write PubkeyAuthentication yes")
        }
        auditCommand(sshd, files, name)
        auditAlgorithms(sshd, name)
        auditBlocks(sshd, files)
        auditAccounts(sshd, files, name)
        auditNeighbours(sshd, name)
        auditSessionLine(sshd)
    }

    // MARK: The command

    private mutating func auditCommand(_ sshd: SSHDSettings, _ files: SSHDFiles, _ name: String) {
        let command = sshd.first("authorizedkeyscommand") ?? "none"
        let words = SSHDFiles.words(command)
        let place = files.all("authorizedkeyscommand").first { $0.match == nil }
        let (file, line) = (place?.file ?? name, place?.number ?? 0)
        guard command != "none", let program = words.first else {
            found.add(
                .sshdNone, name, "sshd asks nobody about certificates: AuthorizedKeysCommand is not set",
                remedy: "opk setup server")
            return
        }
        guard isVerifier(program) else {
            let ours = files.lines.first {
                $0.keyword == "authorizedkeyscommand" && $0.match == nil && isVerifier(SSHDFiles.words($0.value).first ?? "")
            }
            let other = program.hasSuffix("/opkssh") ? "opkssh" : "another program"
            if let ours {
                found.add(
                    .sshdOrder, file, line: line,
                    "sshd takes the first AuthorizedKeysCommand that it reads, which is this one, and not ours in \(Text(ours.file)), line "
                        + "\(ours.number): \(other) is asked (\(Text(program).escaped(limit: 200)))",
                    remedy: Auditor.setup(program))
            } else {
                found.add(
                    .sshdOther, file, line: line, "sshd asks \(other), not opk-verify: \(Text(program).escaped(limit: 200))",
                    remedy: Auditor.setup(program))
            }
            return
        }
        auditProgramOfSSHD(program, file, line)
        auditArguments(Array(words.dropFirst()), program, file, line)
        auditUser(sshd, files, file, line)
    }

    /// What gives the word to opk-verify: opkssh gives way, any other is asked after it.
    private static func setup(_ program: String) -> String { "opk setup server" + (program.hasSuffix("/opkssh") ? " --from-opkssh" : "") }

    func asksOurs(_ sshd: SSHDSettings) -> Bool {
        SSHDFiles.words(sshd.first("authorizedkeyscommand") ?? "").first.map(isVerifier) ?? false
    }

    /// Whether this path leads to the opk-verify that is installed here.
    private func isVerifier(_ path: String) -> Bool {
        if path == places.verifier { return true }
        guard let facts = FileFacts(path, following: true), let ours = FileFacts(places.verifier, following: true) else {
            return path.hasSuffix("/opk-verify") && FileFacts(places.verifier, following: true) == nil
        }
        return facts.device == ours.device && facts.inode == ours.inode
    }

    /// sshd runs nothing that others than root could have put there (auth2-pubkey.c, safe_path).
    private mutating func auditProgramOfSSHD(_ program: String, _ file: String, _ line: Int) {
        guard let facts = FileFacts(program, following: true) else {
            found.add(
                .sshdPath, file, line: line, "\(Text(program)) is not there: nobody is admitted by a certificate", remedy: places.reinstall)
            return
        }
        for (path, facts) in [(program, facts)]
            + foldersAbove(program).compactMap({ path in FileFacts(path, following: true).map { (path, $0) } })
        where facts.owner != 0 || facts.mode & 0o022 != 0 {
            found.add(
                .sshdPath, path,
                "others than root can change it (owner \(Text(Group.owner(facts.owner))), mode \(facts.octal)), so sshd does not run \(Text(program))",
                remedy: "chown root \(shellWord(path)); chmod go-w \(shellWord(path))")
        }
    }

    private mutating func auditArguments(_ words: [String], _ program: String, _ file: String, _ line: Int) {
        var arguments = words
        let call = "AuthorizedKeysCommand \(program) \(Auditor.documentedCall)"
        if let dashes = arguments.firstIndex(of: "--") {
            arguments.removeSubrange(...dashes)
        } else {
            found.add(
                .sshdDashes, file, line: line, "the account's name is not kept apart from options: -- is missing before %u", remedy: call)
            arguments.removeAll { $0.hasPrefix("-") }
        }
        guard Array(arguments.prefix(3)) == ["%u", "%k", "%t"] else {
            found.add(
                .sshdArguments, file, line: line,
                "opk-verify wants the account, the key and its type, %u %k %t in this order, and gets "
                    + (arguments.isEmpty ? "nothing" : Text(arguments.joined(separator: " ")).escaped(limit: 100)),
                remedy: call)
            return
        }
        let hasAddresses = arguments.dropFirst(3).contains { $0.contains("%C") }
        switch (hasAddresses, sshdVersion) {
        case (true, let version?) where version <= .lastWithoutAddresses:
            found.add(
                .sshdAddressFatal, file, line: line,
                "OpenSSH \(version) does not know %C: sshd -t is content with it, and every login with a key dies", remedy: call)
        case (true, let version?) where version < .firstWithAddresses:
            found.add(
                .sshdAddressUnknown, file, line: line,
                "whether OpenSSH \(version) knows %C is not known (9.2 does not, 10.0 does), and where it does not every login with a key dies: "
                    + "keep a session open and try one")
        case (false, let version?) where version >= .firstWithAddresses:
            found.add(
                .sshdAddressAbsent, file, line: line,
                "OpenSSH \(version) would tell opk-verify the client's address, so that its log and the conditions about it have one",
                remedy: call + " %C")
        default: break
        }
    }

    private mutating func auditUser(_ sshd: SSHDSettings, _ files: SSHDFiles, _ commandFile: String, _ commandLine: Int) {
        let user = sshd.first("authorizedkeyscommanduser") ?? "none"
        let place = files.all("authorizedkeyscommanduser").first { $0.match == nil }
        let (file, line) = (place?.file ?? commandFile, place?.number ?? commandLine)
        let remedy = "AuthorizedKeysCommandUser \(places.verifierUser)"
        guard user != "none" else {
            found.add(.sshdUser, file, line: line, "AuthorizedKeysCommandUser is not set, so sshd does not start", remedy: remedy)
            return
        }
        guard let account = Account.named(user) else {
            found.add(
                .sshdUser, file, line: line, "sshd cannot run opk-verify as \(Text(user)): there is no such account",
                remedy: user == places.verifierUser ? places.reinstall : remedy)
            return
        }
        if account.user == 0 {
            found.add(
                .sshdUserRoot, file, line: line, "sshd runs opk-verify as root, which need not be: a fault in it is then the machine's",
                remedy: remedy)
        } else if account.hasLoginShell {
            found.add(
                .sshdUserShell, file, line: line,
                "\(Text(user)), as whom sshd runs opk-verify, has a shell to log in with (\(Text(account.shell)))",
                remedy: "usermod --shell /usr/sbin/nologin \(shellWord(user))")
        }
    }

    // MARK: What else decides

    private mutating func auditAlgorithms(_ sshd: SSHDSettings, _ name: String) {
        let types = ["ecdsa-sha2-nistp256", "ssh-ed25519"]
        let accepted = sshd.list("pubkeyacceptedalgorithms") ?? sshd.list("pubkeyacceptedkeytypes")
        let signed = sshd.list("casignaturealgorithms")
        let usable = types.filter { type in
            (accepted?.contains(type + "-cert-v01@openssh.com") ?? true) && (signed?.contains(type) ?? true)
        }
        if usable.count == types.count { return }
        let keywords = "PubkeyAcceptedAlgorithms and CASignatureAlgorithms"
        if usable.isEmpty {
            found.add(
                .sshdNoAlgorithm, name, "\(keywords) leave no certificate that `opk login` makes", remedy: "take both lines away")
        } else {
            found.add(
                .sshdAlgorithms, name,
                "\(keywords) leave only certificates of \(usable[0]): a login with the other kind of key is refused"
                    + (usable[0] == "ssh-ed25519" ? ", which `opk login` makes unless it is told --key-type ed25519" : ""))
        }
    }

    /// What a Match block does otherwise than the rest.
    private mutating func auditBlocks(_ sshd: SSHDSettings, _ files: SSHDFiles) {
        let watched: [(String, (String) -> Bool)] = [
            ("authorizedkeyscommand", { $0 != sshd.first("authorizedkeyscommand") }),
            ("authorizedkeyscommanduser", { $0 != sshd.first("authorizedkeyscommanduser") }),
            ("pubkeyauthentication", { Text($0).equalsIgnoringASCIICase("no") }),
            ("authenticationmethods", { !Auditor.publicKeySuffices($0) }),
        ]
        for (keyword, differs) in watched {
            for line in files.lines where line.keyword == keyword && line.match != nil && differs(line.value) {
                found.add(
                    .sshdMatch, line.file, line: line.number,
                    "for connections of Match \(Text(line.match ?? "").escaped(limit: 100)), \(keyword) is "
                        + "\(Text(line.value).escaped(limit: 200)): opk-verify's answer does not decide there as it does elsewhere")
            }
        }
        if let methods = sshd.first("authenticationmethods"), !Auditor.publicKeySuffices(methods) {
            found.add(
                .sshdMethods, places.sshdConfig ?? SSHDFiles.defaultFile,
                "AuthenticationMethods (\(Text(methods).escaped(limit: 200))) does not let a key alone log in")
        }
    }

    private static func publicKeySuffices(_ methods: String) -> Bool {
        SSHDFiles.words(methods).contains { $0 == "any" || $0 == "publickey" }
    }

    /// Accounts that the policy lets somebody into, and sshd nobody.
    private mutating func auditAccounts(_ sshd: SSHDSettings, _ files: SSHDFiles, _ name: String) {
        if let row = policy.firstRow(of: "root") {
            let answer = sshd.first("permitrootlogin") ?? ""
            if answer == "no" || answer == "forced-commands-only" && !policy.rootRowsHaveCommands {
                found.add(
                    .sshdRoot, places.authID, line: row,
                    "this row is root's, and sshd lets no root in (PermitRootLogin \(Text(answer)))",
                    remedy: "write PermitRootLogin prohibit-password")
            }
        }
        let lists = SSHDAccountLists(sshd)
        for (account, row) in policy.accounts.prefix(Auditor.mostAccounts) {
            // With Match blocks, an account may have lists of its own.
            let own = files.hasMatch ? askSSHD(about: account.string).map(SSHDAccountLists.init) ?? lists : lists
            guard let known = self.account(account), let why = own.reasonToRefuse(known) else { continue }
            found.add(.sshdLockedOut, places.authID, line: row, "sshd itself lets nobody in as \(account): \(why)")
        }
    }

    private static let mostAccounts = 50

    /// Other ways in, and what makes ours less.
    private mutating func auditNeighbours(_ sshd: SSHDSettings, _ name: String) {
        if let principals = sshd.all("authorizedprincipalscommand").first {
            found.add(
                .sshdPrincipals, name,
                "AuthorizedPrincipalsCommand (\(Text(principals).escaped(limit: 100))) is about certificates of TrustedUserCAKeys, and not about ours"
            )
        }
        if let authorities = sshd.all("trustedusercakeys").first {
            found.add(
                .sshdAuthorities, name,
                "whoever has a certificate of an authority in \(Text(authorities).escaped(limit: 100)) (TrustedUserCAKeys) gets in without opk's policy"
            )
        }
        auditKeyFiles(sshd)
        if let level = sshd.first("loglevel"), ["SILENT", "QUIET", "FATAL", "ERROR"].contains(level) {
            found.add(.sshdLogLevel, name, "sshd logs no logins (LogLevel \(Text(level)))", remedy: "write LogLevel INFO")
        }
        if sshd.says("usepam", "no") {
            found.add(
                .sshdPAM, name,
                "without PAM (UsePAM no) locked and expired accounts and limits of sessions are not what an administrator expects")
        }
        if sshd.says("exposeauthinfo", "yes") {
            found.add(
                .sshdExpose, name,
                "with ExposeAuthInfo, every session has its certificate in a file, and with it the person's ID token",
                remedy: "write ExposeAuthInfo no")
        }
        if sshd.says("permituserenvironment", "yes") {
            found.add(
                .sshdEnvironment, name,
                "with PermitUserEnvironment yes, people set variables such as LD_PRELOAD for their own sessions: a command= of a row is no limit then",
                remedy: "name the variables: PermitUserEnvironment LANG,LC_*")
        }
        policy.permitsEnvironment(sshd.first("permituserenvironment") ?? "no")
        for row in policy.environmentRows where !policy.environmentIsPermitted {
            found.add(
                .rowEnvironment, places.authID, line: row, "environment= has no effect: sshd's PermitUserEnvironment is no",
                remedy: "write PermitUserEnvironment and the variables' names")
        }
    }

    /// Keys that get in beside the policy: an account's own authorized_keys.
    private mutating func auditKeyFiles(_ sshd: SSHDSettings) {
        let patterns = SSHDFiles.words(sshd.first("authorizedkeysfile") ?? "none").filter { $0 != "none" }
        for (name, _) in policy.accounts.prefix(Auditor.mostAccounts) {
            guard let account = account(name) else { continue }
            for pattern in patterns {
                let path = SSHDAccountLists.expand(pattern, account)
                guard let facts = FileFacts(path, following: true), facts.kind == .file, facts.size > 0 else { continue }
                found.add(.sshdKeyFiles, path, "keys in it admit to \(name) as well, whatever opk's policy says")
            }
        }
    }
}
