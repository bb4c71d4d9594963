import Audit
import PolicyAdministration
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// What an administrator reads. Everything foreign in it is escaped.

extension ServerSetupError: CustomStringConvertible {
    /// What went wrong, without a full stop: `opk: error: …`.
    public var description: String {
        switch self {
        case .notRoot: "only root can set a server up"
        case .provider(let text, let why): "--provider \(text.escaped(limit: 200)): \(why)"
        case .allow(let text): "--allow \(text.escaped(limit: 200)): EMAIL=ACCOUNT is wanted, or EMAIL=ACCOUNT,ISSUER"
        case .undoAndMore: "--undo takes everything away, so it goes with nothing that adds something"
        case .policy(let error): "\(error)"
        case .noSSHD: "there is no sshd here"
        case .notInstalled(let path): "the programs of a server are not installed: \(Text(path).escaped) is missing"
        case .noUser(let name): "there is no account \(Text(name).escaped), as which sshd runs opk-verify"
        case .busy: "another `opk setup server` is at work"
        case .notPlain(let path): "\(Text(path).escaped) is a link or no file, so it is not changed"
        case .unreadable(let path, let why): "\(Text(path).escaped) cannot be read: \(why)"
        case .system(let path, let number): "\(Text(path).escaped): \(systemErrorText(number))"
        case .journal(let path, let why): "the record of what was here before, \(Text(path).escaped), cannot be used: \(why)"
        case .sshdRefuses(let words): "sshd refuses its configuration as it is: \(Text(words).escapedOnce(limit: 400))"
        case .undoOfBroken(let words):
            "sshd refuses its configuration, so it cannot be seen whether there is another way in: \(Text(words).escapedOnce(limit: 400))"
        case .unusablePolicy(let why): "nobody would be admitted: \(why)"
        case .noAccount(let name): "there is no account \(name.escaped(limit: 100)) on this machine"
        case .noProvider: "no provider is named, so nobody could say who somebody is"
        case .badProviders(let path, let problems):
            "no row of \(Text(path).escaped) can be used"
                + problems.prefix(3).map { "; \($0)" }.joined()
        case .whichProvider(let email, let count):
            "whose word counts for \(email.escaped(limit: 200))? providers names \(count)"
        case .opksshIsAsked(let command): "opkssh is asked here: \(Text(command).escapedOnce(limit: 200))"
        case .noOpkssh: "sshd does not ask opkssh here"
        case .otherCannotBeAsked(let command, let why):
            "sshd asks another program here, which could not be asked any more: \(Text(command).escapedOnce(limit: 200)): \(why)"
        case .commandLine(let words):
            "sshd was started with an option that outweighs every file: \(Text(words).escapedOnce(limit: 300))"
        case .matchBlock(let account, let command):
            "for \(Text(account).escaped) a Match block says otherwise: AuthorizedKeysCommand \(Text(command).escapedOnce(limit: 200))"
        case .noSecondWay: "certificates would be the only way in: no administrator has a key or password with which sshd lets them in"
        case .trial(let account, let why, _): "a trial login as \(Text(account).escaped) failed: \(why)"
        case .candidateRefused(let words): "sshd refuses what would be written: \(Text(words).escapedOnce(limit: 400))"
        case .writing(let failure): "\(failure)"
        case .changedMeanwhile(let path): "\(Text(path).escaped) was changed by somebody else meanwhile"
        case .notInForce(let account, let command):
            "for \(Text(account).escaped) sshd would ask \(Text(command).escapedOnce(limit: 200)), and not opk-verify"
        case .notAdmitted(let email, let account, let why):
            "\(email.escaped(limit: 200)) would not be admitted as \(account.escaped(limit: 100)): \(why)"
        case .reload(let why): "sshd did not take the new configuration: \(why)"
        case .halfWay(let error, let rest): "\(error); and taking it back failed: \(rest)"
        case .nothingToUndo: "there is nothing to take back: `opk setup server` was not run here"
        case .interrupted: "interrupted; nothing is changed"
        case .noTerminal: "there is no terminal to ask on whether this may be written"
        case .output(let number): "standard output: \(systemErrorText(number))"
        }
    }

    /// Lines of sshd's that belong to it.
    public var rows: [String] {
        switch self {
        case .trial(_, _, let log): log.map { Text($0).escapedOnce(limit: 300) }
        case .halfWay(let error, _): error.rows
        default: []
        }
    }

    /// What to do about it, where that can be guessed: `opk: hint: …`.
    public var hint: String? {
        switch self {
        case .notRoot: "sudo opk setup server …"
        case .provider: "for example: --provider google, or --provider https://idp.example.com,opk,8h"
        case .allow: "for example: --allow alice@example.com=root"
        case .policy(let error): error.hint
        case .notInstalled, .noUser: "install opk-server, or: make install"
        case .sshdRefuses: "mend it first: sshd -t says where"
        case .undoOfBroken: "mend that line, or take opk's part away all the same: opk setup server --undo --only-way"
        case .unusablePolicy: "opk audit names every row, and what mends it"
        case .noAccount(let name): "useradd --create-home \(name.escaped(limit: 100))"
        case .badProviders: "opk edit providers"
        case .noProvider: "name one: --provider google, or --provider ISSUER,CLIENT_ID"
        case .whichProvider(let email, _): "say it: --allow \(email.escaped(limit: 200))=ACCOUNT,ISSUER"
        case .opksshIsAsked: "to take its place, and let in whom it lets in: opk setup server --from-opkssh"
        case .noOpkssh: "without --from-opkssh what is in /etc/opk stays as well"
        case .otherCannotBeAsked: "opk-setup(1), ANOTHER COMMAND, says what can be done; --drop-other does without it"
        case .commandLine: "put it into a file of sshd_config.d instead, where opk finds it: systemctl cat ssh says where it comes from"
        case .matchBlock: "take that line out of the Match block, or name another account"
        case .noSecondWay: "put a key into /root/.ssh/authorized_keys, or say --only-way"
        case .trial(let account, _, _) where Account.named(account).map { !$0.hasLoginShell } ?? false:
            "its shell lets nobody in: usermod --shell /bin/bash \(Text(account).escaped), or name another account"
        case .trial: "opk explain says what the policy thinks; /usr/sbin/sshd -T shows what sshd does"
        case .changedMeanwhile: "run it again"
        case .notAdmitted(let email, let account, _):
            "opk explain \(account.escaped(limit: 100)) --email \(email.escaped(limit: 200))"
        case .reload: "systemctl status ssh, or sshd's log, says more"
        case .halfWay: "opk setup server --undo"
        case .noTerminal: "look at it with --dry-run, and write it with --yes"
        case .journal: "look at the file; with it gone, nothing can be undone"
        default: nil
        }
    }
}

/// What the system calls an errno.
func systemErrorText(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}
