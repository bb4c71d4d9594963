public import JOSE
public import PKToken
public import Policy
public import SSHKeys
public import Vocabulary

/// What a decision needs from outside, asked for only when it is needed. A program reads files and runs the fetcher; a
/// test hands over values.
///
/// What cannot be had is a refusal: `.unsafeFile` and `.configuration` for a file, `.keysUnavailable` for keys.
public protocol VerifierSources {
    mutating func serverConfig() throws(Refusal) -> ServerConfig
    mutating func providers() throws(Refusal) -> Providers
    /// The provider's keys, from the cache or by one fetch. A `TimelyToken` is the proof that every local check held before the network
    /// is touched.
    mutating func keys(for token: TimelyToken) throws(Refusal) -> JWKSet
    /// The rows of that account, or at least those that this identity could come in by.
    mutating func authID(for account: Principal, naming identity: VerifiedIdentity, _ userinfo: UserinfoAnswer) throws(Refusal) -> AuthID
    /// The client's address, where sshd says it.
    var clientAddress: NetworkAddress? { get }
    /// Those of `revoked` that can concern this subject.
    mutating func revocations(about subject: RevocationSubject) throws(Refusal) -> Revocations
    /// The account's number: asked where a row with `account-claim` lacks nothing else.
    mutating func userID(of account: Principal) -> UserIDAnswer
    /// The account's own `~/.opk/auth_id`: asked where no row of root's admits, and never under `home_policy: false`.
    mutating func home(of account: Principal, naming identity: VerifiedIdentity) -> HomeAnswer
    /// Whether there is any plugin to ask.
    var hasPlugins: Bool { get }
    /// The plugins' answer: asked where nothing else admits.
    mutating func askPlugins(about identity: VerifiedIdentity, as account: Principal, _ userinfo: UserinfoAnswer) -> PluginAnswer
    /// The body of the provider's answer; nil where it cannot be had.
    mutating func userinfo(for identity: VerifiedIdentity, accessToken: Secret) -> [UInt8]?
    /// What the administrator should know beside the decision: old keys that were used, a cache that cannot be written. Escaped, and
    /// without secrets.
    var notes: [String] { get }
}
