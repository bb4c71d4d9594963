public import Vocabulary

/// A decision, and everything that was considered on the way to it: what the verifier acts on and what `opk explain` shows are the same value.
public struct Deliberation: Sendable {
    public let verdict: Verdict
    /// Deny lists and revocations that name this login; one is enough.
    public let denials: [Denial]
    /// The rules of config.yml that are about this account.
    public let requirements: [RequirementFinding]
    /// The rows that were considered, in order: those of `auth_id`, then the home file's.
    public let rows: [RowFinding]
    /// There if the verdict admits and the identity was verified.
    public internal(set) var authorization: Authorization?

    public enum Verdict: Hashable, Sendable {
        /// At least one.
        case admitted([Grant])
        case refused(Refusal)
        /// Nothing admits so far; ask, and decide again.
        case needs(Evidence.Kind)
    }
}

/// Why a login is refused whoever would admit it.
public struct Denial: Hashable, Sendable {
    public let code: Refusal.Code
    /// Escaped: "deny_groups has contractors-ended".
    public let text: String
    /// Of `revoked`, where that denies, else of config.yml: the list's element, or its first one where it could not be held against this login.
    public let line: Int?

    init(code: Refusal.Code, text: String, line: Int? = nil) {
        self.code = code
        self.text = text
        self.line = line
    }
}

/// One rule of `require`, held against this login.
public struct RequirementFinding: Hashable, Sendable {
    public let rule: Requirement
    /// What is in the way; empty where it holds.
    public let obstacles: [Obstacle]
    /// The group by which this person is excepted.
    public let exceptedBy: Text?
    /// The addresses that sshd has to check, since they cannot be checked here.
    public let from: [AddressBlock]?

    public var holds: Bool { obstacles.isEmpty || exceptedBy != nil }
}

/// One row, held against this login.
public struct RowFinding: Hashable, Sendable {
    public let row: AuthRow
    public let isHome: Bool
    /// What is in the way; empty where it admits.
    public let obstacles: [Obstacle]

    public var namesIdentity: Bool { !obstacles.contains(.identity) }
}

extension Refusal: Hashable {
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
