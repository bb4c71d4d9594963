public import JOSE
public import PKToken
public import Vocabulary

/// A login that succeeded: who it is, and the key with its certificate, not yet written anywhere.
public struct LoginResult: Sendable {
    public let identity: VerifiedIdentity
    public let key: CertifiedKey
    /// Where the provider gave one. Secret.
    public let refreshToken: Secret?
    /// A job of a CI system, and no person.
    var isJob = false

    /// The email, else the subject. Hostile: escape before showing.
    public var who: Text { identity.email ?? identity.subject }

    /// What the provider says, as it says it. Hostile.
    public var claims: JSON { .object(identity.claims) }

    /// When the identity ends; nil for never.
    public var ends: UnixTime? { identity.expires }
}
