import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// What a person reads when ssh could not be set up. Everything foreign in it is escaped.

extension SetupError: CustomStringConvertible {
    /// What went wrong, without a full stop: `opk: error: …`.
    public var description: String {
        switch self {
        case .hostsAndProvider: "--hosts and --provider belong together: which hosts, and whose login is for them"
        case .name(let text): "this cannot be the name of a login: \(text.escaped(limit: 80))"
        case .undoAndHosts: "--undo takes everything away, so it goes with neither --hosts nor --provider"
        case .pattern(let text): "this is no pattern of a host's name: \(text.escaped(limit: 80))"
        case .noPattern(let name): "no host is named for \(name), only what is not meant (!)"
        case .tooManyPatterns(let name, let most): "there are more than \(most) patterns for \(name)"
        case .reservedName(let name): "a login for ssh cannot be called \(name): a file of opk's is called so"
        case .nothingToSetUp: "no provider has `hosts:`, so ssh would never ask for a login"
        case .unknownProvider(let name): "there is no provider with the alias \(name)"
        case .configuration(let why, _): why
        case .programPath(let path): "ssh_config cannot name the program \(Text(path).escaped(limit: 200)) for every shell"
        case .otherHome: "HOME is not the home folder of the user database, and ssh reads its configuration only there"
        case .unsafe(let file): "\(file)"
        case .link(let path, let why): "\(Text(path).escaped) is a link that cannot be followed: \(why)"
        case .readOnly(let path): "\(Text(path).escaped) is not for you to change"
        case .byteOrderMark(let path):
            "\(Text(path).escaped) begins with a byte order mark, which ssh takes for an unknown word"
        case .marks(let path, let line): "\(Text(path).escaped), line \(line): the marks around opk's lines are not as opk set them"
        case .notOurs(let path): "\(Text(path).escaped) was not written by opk"
        case .changedMeanwhile(let path): "\(Text(path).escaped) was changed by somebody else meanwhile"
        case .busy: "another `opk setup ssh` is under way"
        case .writing(let failure): "\(failure)"
        case .noTerminal: "there is no terminal to ask on whether this may be written"
        case .noSSH: "ssh is not installed"
        case .sshRefuses(let words): "ssh refuses its configuration as it is: \(words.escaped(limit: 300))"
        case .notUnderstood(let host, let surprise):
            "nothing was written, since ssh does not understand it: for \(host.escaped(limit: 100)) \(surprise)"
        case .output(let number): "standard output: \(systemErrorText(number))"
        }
    }

    /// What to do about it, where that can be guessed: `opk: hint: …`.
    public var hint: String? {
        switch self {
        case .hostsAndProvider: "for example: opk setup ssh --provider google --hosts '*.example.com'"
        case .name: "letters, digits and . _ @ - are allowed, the first a letter or digit, 64 at most"
        case .pattern: "for example *.example.com, 10.1.*, or !old.example.com for what is not meant; a pattern has no space or comma"
        case .noPattern: "add a pattern without !, '*.example.com' for instance"
        case .nothingToSetUp:
            "write `hosts:` beside the provider in ~/.opk/config.yml, or: opk setup ssh --provider google --hosts '*.example.com'"
        case .configuration(_, let hint): hint
        case .programPath: "put opk where the path has no quote, backslash or exclamation mark in it"
        case .otherHome: "run it with the HOME that ssh uses"
        case .unsafe(let file): SetupError.hint(for: file)
        case .link, .readOnly:
            "make it yours to write, or put this line at the top of what it is made from: Include ~/.ssh/opk/config"
        case .byteOrderMark: "save the file as UTF-8 without it"
        case .marks: "take the lines from `# >>> opk` to `# <<< opk` out of it by hand, and run `opk setup ssh` again"
        case .notOurs: "move it away"
        case .changedMeanwhile, .busy: "run it again"
        case .noTerminal: "look at it with --dry-run, and write it with --yes"
        case .noSSH: "install OpenSSH's client"
        case .sshRefuses: "mend it first: ssh -G localhost says where"
        default: nil
        }
    }

    private static func hint(for file: UnsafeFile) -> String? {
        switch file.fault {
        case .writableByOthers, .folderWritableByOthers:
            "chmod go-w what only you should be able to write; ssh wants that of its files, too"
        case .hardLinks: "put this line at its top yourself: Include ~/.ssh/opk/config"
        default: nil
        }
    }
}

/// What the system calls an errno.
func systemErrorText(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}
