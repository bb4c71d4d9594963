public import Vocabulary

/// What the laptop remembers of one login: enough to say who it is and until when, to find its key and to take it away again. Nothing in it
/// is secret, and nothing in it is believed: the certificate itself says what counts.
public struct StoredIdentity: Hashable, Sendable {
    public var name: IdentityName
    public var issuer: Text
    public var clientID: Text
    public var subject: Text
    public var email: Text?
    public var loggedInAt: UnixTime
    /// When the certificate ends; nil for never.
    public var ends: UnixTime?
    public var store: KeyStore
    /// The private key's path, absolute; its certificate lies at `keyFile-cert.pub`. With `store` `agent` the private key is not there, but
    /// the certificate and, for ssh's IdentityFile, `keyFile.pub`.
    public var keyFile: String
    /// The certified public key, as an SSH blob: what the agent knows it by.
    public var publicKey: [UInt8]
    /// Patterns of ssh_config for which this identity is meant; empty: none in particular.
    public var hosts: [Text]
    /// Where its refresh token is; nil where it has none.
    public var refreshToken: RefreshTokenPlace?

    public var certificateFile: String { keyFile + "-cert.pub" }
    public var publicKeyFile: String { keyFile + ".pub" }

    /// The email, else the subject. Hostile: escape before showing.
    public var who: Text { email ?? subject }

    public init(
        name: IdentityName, issuer: Text, clientID: Text, subject: Text, email: Text?, loggedInAt: UnixTime, ends: UnixTime?,
        store: KeyStore, keyFile: String, publicKey: [UInt8], hosts: [Text] = [], refreshToken: RefreshTokenPlace? = nil
    ) {
        self.name = name
        self.issuer = issuer
        self.clientID = clientID
        self.subject = subject
        self.email = email
        self.loggedInAt = loggedInAt
        self.ends = ends
        self.store = store
        self.keyFile = keyFile
        self.publicKey = publicKey
        self.hosts = hosts
        self.refreshToken = refreshToken
    }

    /// Whether the certificate is good at `now` and will be for `margin` seconds more.
    public func isGood(at now: UnixTime, margin: Int64 = 0) -> Bool {
        guard let ends else { return true }
        return now + margin < ends
    }
}
