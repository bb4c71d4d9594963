public import Policy
public import PolicyAdministration
public import SafeFiles
public import Vocabulary

/// Why a server could not be set up, or not be undone. Whenever one is thrown, what was changed has been taken back, but for `.halfWay`.
public indirect enum ServerSetupError: Error, Sendable {
    // The call
    case notRoot
    /// What was given, and what is wrong with it.
    case provider(Text, String)
    case allow(Text)
    case undoAndMore
    case policy(PolicyError)

    // What is here
    case noSSHD
    case notInstalled(String)
    case noUser(String)
    case busy
    case notPlain(String)
    case unreadable(String, String)
    case system(String, Int32)
    case journal(String, String)
    /// sshd refuses its configuration as it is. What it says is hostile.
    case sshdRefuses(String)
    /// The same before an undo, which would not mend it.
    case undoOfBroken(String)
    /// Files of policy that opk-verify would not use.
    case unusablePolicy(String)
    case noAccount(Text)
    case noProvider
    /// Rows of `providers` that count for nothing, of which there are no others.
    case badProviders(String, [RowProblem])
    /// Whose issuer is meant?
    case whichProvider(Text, count: Int)

    // Who else is asked
    case opksshIsAsked(String)
    case noOpkssh
    case otherCannotBeAsked(String, why: String)
    /// Words of the running sshd's own command line.
    case commandLine(String)
    case matchBlock(account: String, command: String)

    // Ways in
    case noSecondWay
    /// Which account was tried, and why it was not let in.
    case trial(account: String, why: String, log: [String])
    case candidateRefused(String)

    // Changing
    case writing(WriteFailure)
    case changedMeanwhile(String)
    case notInForce(account: String, command: String)
    case notAdmitted(Text, account: Text, why: String)
    case reload(String)
    /// Taken back, but for this.
    case halfWay(ServerSetupError, String)

    case nothingToUndo
    /// By a signal; what was begun has been taken back.
    case interrupted
    case noTerminal
    /// Standard output.
    case output(errno: Int32)

    /// Whether the command was called wrongly: nothing was tried.
    public var isUsage: Bool {
        switch self {
        case .provider, .allow, .undoAndMore: true
        case .policy(let error): error.isUsage
        default: false
        }
    }
}
