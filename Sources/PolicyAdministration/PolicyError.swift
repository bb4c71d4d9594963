public import Policy
public import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why a command about policy changed nothing.
public enum PolicyError: Error, Sendable {
    // The call (exit status 64)
    case folder(Text)
    case span(Text)
    case time(Text)
    case past(Text, UnixTime)
    case startsAfterEnd
    case option(Text)
    case optionTwice(Text)
    case unwritable(Text, what: String)
    case notTogether(String, String)
    case missing(String)
    case line(Int)
    case revocation(String)
    case alias(Text)
    case everybody

    // Where
    case noHome
    case onlySystem(String)
    case otherAccount(Text, own: Text)
    case unsafe(UnsafeFile)
    case noFolder(String)
    case writing(WriteFailure)
    case busy(String)
    case restless(String)
    case input(BoundedInput.Failure)
    case certificate(String, hint: String?)

    // What
    /// The row that was asked for, and why the file's reader would not take it.
    case row(Text, RowProblem)
    /// It would be read as something else.
    case misread(Text)
    case others
    case nothing(String, near: [String])
    case ambiguous(String, candidates: [String], hint: String)
    case otherLine(Int, String)
    /// A file `revoked` that refuses everybody.
    case brokenRevoked(String, ConfigurationError)

    // Editing
    case noTerminal
    case noEditor(Text?)
    case editor(String)
    case editedMeanwhile(file: String, copy: String)
    case broken(copy: String)
    case notInstalled(String, copy: String)

    /// Standard output.
    case output(errno: Int32)

    /// Whether the command was called wrongly: nothing was tried.
    public var isUsage: Bool {
        switch self {
        case .folder, .span, .time, .past, .startsAfterEnd, .option, .optionTwice, .unwritable, .notTogether, .missing, .line, .revocation,
            .alias,
            .everybody:
            true
        default: false
        }
    }
}
