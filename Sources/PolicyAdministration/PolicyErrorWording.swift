import Policy
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension PolicyError: CustomStringConvertible {
    /// What went wrong, without a full stop. Everything foreign in it is escaped.
    public var description: String {
        switch self {
        case .folder(let text): "this is not the absolute path of a folder: \(text.escaped(limit: 80))"
        case .span(let text): "this is not a length of time: \(text.escaped(limit: 30))"
        case .time(let text): "this is not a time: \(text.escaped(limit: 40))"
        case .past(let text, let time): "\(text.escaped(limit: 40)) is \(time), which is over: the row would admit nobody"
        case .startsAfterEnd: "the row would end before it starts"
        case .option(let text): "this is not an option of sshd for a row: \(text.escaped(limit: 80))"
        case .optionTwice(let name): "the option \(name.escaped(limit: 40)) is there twice"
        case .unwritable(let text, let what): "\(what) cannot be written into a row: \(text.escaped(limit: 120))"
        case .notTogether(let one, let other): "\(one) and \(other) do not go together"
        case .missing(let what): "\(what)"
        case .line(let number): "\(number) is not the number of a line"
        case .revocation(let sentence): sentence
        case .alias(let word): "\(word.escaped(limit: 80)) is neither an issuer's URL nor the alias of one"
        case .everybody: "* is no pattern: it would be the one person whose subject is an asterisk"

        case .noHome: "you have no home folder"
        case .onlySystem(let what): "\(what) is a file of the whole machine, and you are not root"
        case .otherAccount(let account, let own):
            "rows of your own file count for your own account (\(own)) alone, not for \(account.escaped(limit: 80))"
        case .unsafe(let file): file.description
        case .noFolder(let folder): "there is no folder \(Text(folder).escaped)"
        case .writing(let failure): failure.description
        case .busy(let path): "\(Text(path).escaped) is being changed by another command, for longer than \(PolicyLock.patience / 1000) s"
        case .restless(let path): "\(Text(path).escaped) is being changed by another program all the time"
        case .input(let failure): failure.description
        case .certificate(let sentence, _): sentence

        case .row(let row, let problem): "\(problem.text); this would be the row, and it is not written: \(row.escapedOnce(limit: 400))"
        case .misread(let row):
            "this would be read as something else than you asked for, and it is not written: \(row.escapedOnce(limit: 400))"
        case .others: "other rows of the file would change, so nothing is written"
        case .nothing(let what, _): what
        case .ambiguous(let what, _, _): what
        case .otherLine(let line, let why): "line \(line): \(why)"

        case .brokenRevoked(let path, let fault): "\(Text(path).escaped) refuses everybody as it is, and nothing is changed: \(fault)"

        case .noTerminal: "an editor needs a terminal"
        case .noEditor(let name): name.map { "there is no editor \($0.escaped(limit: 80))" } ?? "there is no editor"
        case .editor(let sentence): sentence
        case .editedMeanwhile(let file, let copy):
            "\(Text(file).escaped) was changed by somebody else meanwhile, so yours is not installed; it is \(Text(copy).escaped)"
        case .broken(let copy): "nothing is installed; what you wrote is \(Text(copy).escaped)"

        case .notInstalled(let why, let copy): "\(why); what you wrote is \(Text(copy).escaped)"

        case .output(let number): "standard output cannot be written: \(PolicyError.systemText(number))"
        }
    }

    /// What to do about it, where that can be guessed.
    public var hint: String? {
        switch self {
        case .span: "for example 90s, 20m, 12h or 30d"
        case .time:
            "for example 2026-12-24T18:00Z, \"2026-12-24 18:00\", 2026-12-24 (all of that day) or 18:00 (the next one); local time without Z"
        case .option:
            "--option NAME or --option NAME=VALUE with restrict, pty, port-forwarding, agent-forwarding, X11-forwarding, user-rc (each also with no- "
                + "before it), command, permitopen, permitlisten or environment"
        case .alias: "the aliases are \(KnownIssuer.aliases.joined(separator: ", "))"
        case .everybody: "everybody with a claim is oidc:CLAIM:VALUE, everybody of a domain oidc-match-end:email:@DOMAIN"
        case .unsafe(let file): PolicyError.hint(file)
        case .writing(let failure) where failure.errno == EACCES || failure.errno == EPERM: PolicyError.asRoot
        case .noFolder("/etc/opk"): "installing opk makes it: opk-server, or `make install`"
        case .onlySystem: PolicyError.asRoot
        case .otherAccount: PolicyError.asRoot
        case .busy: "try again; `fuser -v` on the lock beside it (.NAME.lock) says which process holds it"
        case .restless: "stop that program first"
        case .certificate(_, let hint): hint
        case .ambiguous(_, _, let hint): hint
        case .brokenRevoked(_, let fault):
            "`opk edit revoked` mends it" + (fault.line > 0 ? "; `opk restore --line \(fault.line)` takes that line away" : "")
        case .output: "what was asked for may have been done all the same: look with `opk list`"
        case .noEditor: "set VISUAL or EDITOR to an editor that is installed"
        case .editedMeanwhile(_, let copy): "edit it again and take over what you want of \(Text(copy).escaped)"
        default: nil
        }
    }

    /// Rows that may have been meant, as `FILE:LINE: ROW`.
    public var rows: [String] {
        switch self {
        case .nothing(_, let near): near
        case .ambiguous(_, let candidates, _): candidates
        default: []
        }
    }

    /// What mends a file that is not believed.
    private static func hint(_ file: UnsafeFile) -> String? {
        let name = Text(file.path).escaped
        let (sudo, owner) = geteuid() == 0 ? ("sudo ", "root") : ("", "you")
        return switch file.fault {
        case .unreadable(errno: EACCES), .unreadable(errno: EPERM): asRoot
        case .symbolicLink: "\(sudo)cp --remove-destination \"$(readlink -f \(name))\" \(name)"
        case .owner: "look who wrote it and what it says; then make \(owner) its owner (chown)"
        case .writableByOthers: "look whether it still says what you wrote; then: \(sudo)chmod go-w \(name)"
        case .openToOthers: "chmod 600 \(name)"
        case .notTheAccounts: "look who wrote it and what it says; then make \(owner) its owner (chown)"
        case .hardLinks: "\(sudo)cp -p \(name) \(name).new && \(sudo)mv \(name).new \(name)"
        case .folderOwner: "look what else is in the folder; then make \(owner) its owner (chown)"
        case .folderWritableByOthers: "look what else is in the folder; then: \(sudo)chmod go-w \"$(dirname \(name))\""
        default: nil
        }
    }

    private static let asRoot = "that is not for everybody to see or to change: use sudo"

    private static func systemText(_ number: Int32) -> String {
        // Copied before anything else can ask for a text.
        unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    }
}
