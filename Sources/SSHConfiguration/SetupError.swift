public import Identities
public import SafeFiles
public import Vocabulary

/// Why ssh was not set up: a closed list. SetupErrorWording.swift says it to a person. Whatever it is, the person's files are as they were.
public enum SetupError: Error, Sendable {
    // The call (exit status 64)
    case hostsAndProvider
    case name(Text)
    case undoAndHosts
    case pattern(Text)
    case noPattern(IdentityName)
    case tooManyPatterns(IdentityName, Int)
    case reservedName(IdentityName)

    // What there is to set up
    case nothingToSetUp
    case unknownProvider(IdentityName)
    /// The configuration of opk itself cannot be read; a whole sentence, and a hint.
    case configuration(String, hint: String?)
    /// Where opk lies cannot be said in ssh_config.
    case programPath(String)
    /// ssh looks in the home folder of the user database, and HOME is another.
    case otherHome

    // The person's ssh_config
    case unsafe(UnsafeFile)
    case link(path: String, why: String)
    case readOnly(path: String)
    case byteOrderMark(path: String)
    /// Our marks are not as we set them.
    case marks(path: String, line: Int)
    case notOurs(path: String)
    case changedMeanwhile(path: String)
    /// Another setup is under way.
    case busy
    case writing(WriteFailure)

    // Asking
    case noTerminal

    // ssh
    case noSSH
    /// It refuses the configuration as it is, before anything was changed. What it says is hostile.
    case sshRefuses(Text)
    /// Nothing was written.
    case notUnderstood(host: Text, SSHCheck.Surprise)

    /// Standard output.
    case output(errno: Int32)

    /// Whether the command was called wrongly: nothing was tried.
    public var isUsage: Bool {
        switch self {
        case .hostsAndProvider, .name, .undoAndHosts, .pattern, .noPattern, .tooManyPatterns, .reservedName: true
        default: false
        }
    }
}
