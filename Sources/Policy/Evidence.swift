public import PKToken
public import Vocabulary

/// What a decision may rest on beside the identity, the clock and root's files. Most of it is asked for only when nothing else admits, so it starts as
/// "not asked", and `authorize` says what it needs.
public struct Evidence: Sendable {
    /// The client's, where sshd says it.
    public var clientAddress: NetworkAddress?
    /// Those that can concern this identity and the emails that are known of it.
    public var revocations: Revocations
    public var home: HomeAnswer = .notAsked
    public var userinfo: UserinfoAnswer = .notAsked
    public var plugins: PluginAnswer = .notAsked
    public var userID: UserIDAnswer = .notAsked

    public init(revocations: Revocations = Revocations(), clientAddress: NetworkAddress? = nil) {
        self.revocations = revocations
        self.clientAddress = clientAddress
    }

    /// What can be asked for. Each is asked once.
    public enum Kind: Hashable, Sendable, CaseIterable {
        /// The account's number.
        case userID
        case home
        case userinfo
        case plugins
    }
}

/// How the question to the provider's userinfo endpoint went.
public enum UserinfoAnswer: Sendable {
    case notAsked
    /// It was asked and gave nothing that counts (no answer, another person's): no claims.
    case unavailable
    case verified(VerifiedUserinfo)
}

/// The number of the account, as the system knows it.
public enum UserIDAnswer: Hashable, Sendable {
    case notAsked
    /// There is no such account, or it could not be asked for.
    case unknown
    case known(UInt32)
}
