public import SafeFiles
public import Vocabulary

/// Why there is nothing to explain. That somebody is refused is no error.
public enum ExplainError: Error, Sendable {
    // The call (exit status 64)
    case usage(String)
    case time(Text)
    case span(Text)
    case address(Text)
    case claim(Text)
    case account(Text)
    case folder(Text)

    case input(BoundedInput.Failure)
    case noCertificate(Text)
    /// A file of the configuration, escaped.
    case configuration(String)
    case noIssuer(String)
    case unknownIssuer(Text)
    /// Neither among the last refusals nor in the audit log.
    case nowhere(IDSearch)
    /// The file of the last refusals.
    case recent(path: String, errno: Int32)
    case output(errno: Int32)

    public var isUsage: Bool {
        switch self {
        case .usage, .time, .span, .address, .claim, .account, .folder: true
        default: false
        }
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension ExplainError: CustomStringConvertible {
    /// What went wrong, without a full stop; what is foreign in it is escaped.
    public var description: String {
        switch self {
        case .usage(let text): text
        case .time(let text): "this is not a time: \(text.escaped(limit: 80))"
        case .span(let text): "this is not a length of time: \(text.escaped(limit: 80))"
        case .address(let text): "this is not an address: \(text.escaped(limit: 80))"
        case .claim(let text): "a claim has the form NAME=VALUE, or NAME:=JSON, and this has not: \(text.escaped(limit: 120))"
        case .account(let text): "this is not the name of an account: \(text.escaped(limit: 80))"
        case .folder(let text): "this is not the absolute path of a folder: \(text.escaped(limit: 80))"
        case .input(let failure): "\(failure)"
        case .noCertificate(let text):
            "there is no certificate in \(text.escaped(limit: 200)): neither a line of a type and base64, nor base64 alone"
        case .configuration(let text): text
        case .noIssuer(let text): text
        case .unknownIssuer(let issuer): "no row of providers names \(issuer.escaped(limit: 200)), so nobody is admitted by it"
        case .nowhere(let search):
            "nothing with the id \(search.id.escaped(limit: 40)) was found: " + search.missing.joined(separator: "; ")
        case .recent(let path, let number): "\(Text(path).escaped) " + ExplainError.recentText(number)
        case .output(let number): "standard output cannot be written: \(ExplainError.system(number))"
        }
    }

    public var hint: String? {
        switch self {
        case .time: "for example 2026-12-24T18:00Z or 2026-12-24T19:00+01:00"
        case .span: "for example 90s, 20m, 12h or 7d"
        case .noIssuer, .unknownIssuer: "--issuer takes an issuer as in the file providers, letter by letter, or an alias such as google"
        case .recent(let path, ENOENT): ExplainError.makeRecent(path)
        case .recent(let path, EBADF): ExplainError.makeRecent(path)
        case .recent(_, EACCES): "only root may read it: use sudo"
        case .nowhere(let search) where search.isDenied: "use sudo: both are for root, and the audit log for its group, too"
        case .nowhere:
            "the system's log may have it still: sudo journalctl -t opk-verify; all ids of the audit log: sudo opk log --since 30d --json"
        default: nil
        }
    }

    private static func recentText(_ number: Int32) -> String {
        switch number {
        case ENOENT: "is not there, so the last refusals are not kept"
        case EBADF: "is not the file that opk-verify keeps the last refusals in"
        case ELOOP: "is a symbolic link, which nobody follows"
        default: "cannot be read: \(system(number))"
        }
    }

    private static func makeRecent(_ path: String) -> String {
        let file = Text(path).escaped
        return "make it: head -c 135168 /dev/zero | sudo install -o opksshuser -g opksshuser -m 0600 /dev/stdin \(file)"
    }

    static func system(_ number: Int32) -> String {
        // Copied before anything else can ask for a text.
        unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    }
}
