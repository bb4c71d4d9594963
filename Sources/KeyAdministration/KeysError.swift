import FetchSetup
public import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why a command about keys could do nothing at all. What happened to one issuer's keys is an outcome, and no error.
public enum KeysError: Error, Sendable {
    // The call (exit status 64)
    case folder(Text)
    case span(Text)

    /// providers or config.yml: one sentence.
    case settings(String, isForbidden: Bool)
    case cache(UnsafeFile)
    case unnamed([Text])
    /// Root cannot take that user's place.
    case owner(folder: String)
    case unwritable(folder: String, errno: Int32)

    // Export and import
    case nothingToExport
    case input(BoundedInput.Failure)
    case bundle(KeyBundle.Fault)
    case writing(WriteFailure)

    /// Standard output.
    case output(errno: Int32)

    /// Whether the command was called wrongly: nothing was tried.
    public var isUsage: Bool {
        switch self {
        case .folder, .span: true
        default: false
        }
    }
}

extension KeysError: CustomStringConvertible {
    /// What went wrong, without a full stop. Everything foreign in it is escaped.
    public var description: String {
        switch self {
        case .folder(let text): "this is not the absolute path of a folder: \(text.escaped(limit: 80))"
        case .span(let text): "this is not a length of time: \(text.escaped(limit: 30))"
        case .settings(let sentence, _): sentence
        case .cache(let file): file.description
        case .unnamed(let issuers):
            "no row of providers names "
                + issuers.map { $0.isEmpty ? "an issuer without a name" : $0.escaped(limit: 200) }.joined(separator: ", ")
        case .owner(let folder): "root cannot become the owner of \(Text(folder).escaped)"
        case .unwritable(let folder, let number): "\(Text(folder).escaped) cannot be written: \(KeysError.systemText(number))"
        case .nothingToExport: "there are no keys to export"
        case .input(let failure): failure.description
        case .bundle(let fault): fault.description
        case .writing(let failure): failure.description
        case .output(let number): "standard output cannot be written: \(KeysError.systemText(number))"
        }
    }

    /// What to do about it, where that can be guessed.
    public var hint: String? {
        switch self {
        case .span: "for example 90s, 20m, 12h or 30d"
        case .settings(_, isForbidden: true): KeysError.asRoot
        case .cache(let file) where file.fault == .unreadable(errno: EACCES): KeysError.asRoot
        case .unwritable(_, errno: EACCES): KeysError.asRoot
        case .unwritable(_, errno: ENOENT): "installing opk makes it: opk-server, or `make install`"
        case .unnamed: "an issuer is written as in the file providers, letter by letter; `opk keys` lists them"
        case .nothingToExport: "`opk keys refresh` fetches them, `opk keys` says what is there"
        case .bundle: "`opk keys export` on a machine with network writes such a file"
        default: nil
        }
    }

    private static let asRoot = "that is not for everybody to see or to change: use sudo"

    private static func systemText(_ number: Int32) -> String {
        // Copied before anything else can ask for a text.
        unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    }
}

extension KeysError {
    init(_ failure: FetchSettings.Failure) { self = .settings(failure.sentence, isForbidden: failure.isForbidden) }
}
