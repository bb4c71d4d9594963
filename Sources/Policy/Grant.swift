public import Vocabulary

/// One thing that admits: for one line of the answer.
public struct Grant: Hashable, Sendable {
    public let source: Source
    /// From where, for sshd to enforce: the row's own list, and those of requirements that could not be checked here. Nil: from anywhere.
    public let from: SourceList?
    /// sshd's options, in the row's order.
    public let session: [SessionOption]
    /// The row's `reason`, for the log.
    public let reason: Text?
    public let isBreakGlass: Bool
    /// Whether sshd may still turn it down, since `from` could not be checked here.
    let isConditional: Bool

    public enum Source: Hashable, Sendable {
        /// A line of `auth_id`.
        case row(Int)
        /// A line of the account's home file.
        case home(Int)
        case plugin(String)
    }
}

/// Proof that policy admits a verified identity: the only thing that a line for sshd is made from. `authorize` makes it, and nothing else.
public struct Authorization: Sendable {
    /// In the order in which sshd is to try them; at least one.
    public let grants: [Grant]

    init(_ grants: [Grant]) { self.grants = grants }
}
