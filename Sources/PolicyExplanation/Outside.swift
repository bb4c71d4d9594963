public import PKToken
public import Policy
public import SSHKeys
public import Vocabulary

/// What an explanation may ask for beyond the files of `/etc/opk`: whoever starts it decides. What is nil is not asked, and the explanation says so.
public struct Outside {
    public var home: (Principal) -> HomeReading = { _ in .unread("it is not looked at here") }
    public var userID: (Principal) -> UserIDAnswer = { _ in .unknown }
    /// Those of `policy.d`, in their order.
    public var pluginNames: [String] = []
    public var runPlugins: ((VerifiedIdentity, Principal, UserinfoAnswer) -> PluginAnswer)?
    /// Has an issuer's keys fetched into the cache; a sentence where that fails.
    public var fetchKeys: ((Text) -> String?)?
    /// The body of userinfo's answer.
    public var askUserinfo: ((VerifiedIdentity, Secret) -> [UInt8]?)?
    /// A short name for an issuer, as `opk add` takes it.
    public var alias: (Text) -> String? = { _ in nil }

    public init() {}
}

/// The account's home file.
public enum HomeReading: Hashable, Sendable {
    case absent
    /// It is there, and nobody is admitted through it. Escaped.
    case unusable(String)
    case content([UInt8])
    /// opk-verify would look at it, and this does not: why.
    case unread(String)
}
