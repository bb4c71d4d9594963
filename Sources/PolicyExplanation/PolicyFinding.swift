public import Policy
import SSHKeys
import Vocabulary

/// What policy said, and everything that was looked at.
public struct PolicyFinding: Sendable {
    public let deliberation: Deliberation
    /// Whether something was only supposed to hold: the person, the certificate's steps, or the time.
    public let isSupposed: Bool
    public let person: Supposition
    /// Rows of this account that are of other issuers.
    public let otherRows: [AuthRow]
    /// Rows of this account that grant nothing.
    public let problems: [RowProblem]
    public let home: HomeState
    public let homeProblems: [RowProblem]
    public let plugins: PluginState
    /// What plugins that ran said beside their answers; escaped.
    public let pluginNotes: [String]
    /// The provider was not asked for userinfo, and opk-verify would ask.
    public let lacksUserinfo: Bool
    /// All rows of `revoked` by which this login is out.
    public let revocations: [Revocation]

    public enum HomeState: Hashable, Sendable {
        /// Something else decided before.
        case notAsked
        case off
        case absent
        case unusable(String)
        case read
        case unread(String)
    }

    public enum PluginState: Hashable, Sendable {
        case none
        /// These are there, and something else decided before.
        case notAsked([String])
        case notRun([String])
        case ran([String])
    }

    /// Whether it is not known here what opk-verify would answer, since something was not asked.
    public var isOpen: Bool {
        guard case .refused(let refusal) = deliberation.verdict else { return false }
        // What names this login, and a rule that does not hold, nothing that was not asked could undo.
        let mayAdd = deliberation.denials.isEmpty && deliberation.requirements.allSatisfy(\.holds)
        if lacksUserinfo && refusal.code != .revoked && refusal.code != .denied { return true }
        guard mayAdd else { return false }
        if case .notRun = plugins { return true }
        if case .unread = home { return true }
        return false
    }
}
