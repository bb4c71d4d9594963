public import JOSE
public import SSHKeys
public import Vocabulary

/// Who somebody is: the provider's signature holds, the identity has not expired, and the certificate's key is theirs. Steps 1 to 8 of
/// PROTOCOL section 5; `TimelyToken.verify(with:)` is the only way to one.
public struct VerifiedIdentity: Sendable {
    /// The row of `providers` that the token came by.
    public let row: ProviderRow
    /// All claims of the ID token.
    public let claims: JSONObject
    public let issuer: Text
    public let subject: Text
    public let issuedAt: UnixTime
    /// When the identity ends under the row's policy; nil for never.
    public let expires: UnixTime?
    public let certificate: SelfSignedCertificate
    /// For asking userinfo; nil where the user did not send one.
    public let accessToken: Secret?

    init(_ token: ProviderToken, row: ProviderRow, _ identity: UnverifiedIdentity) {
        self.row = row
        claims = token.claims
        issuer = token.issuer
        subject = token.subject
        issuedAt = token.issuedAt
        expires = identity.expires
        certificate = identity.certificate
        accessToken = identity.accessToken
    }

    public var email: Text? { EmailClaim(claims)?.address }
}

/// What `TimelyToken` keeps for the identity that it may become.
struct UnverifiedIdentity: Sendable {
    let certificate: SelfSignedCertificate
    let accessToken: Secret?
    let expires: UnixTime?
}

/// The answer of a provider's userinfo endpoint about the same person (OpenID Connect Core section 5.3.2).
public struct VerifiedUserinfo: Sendable {
    public let claims: JSONObject

    /// - Throws: where the answer is no JSON object or its `sub` is not the identity's: then its claims count for nothing.
    public init(answer: [UInt8], for identity: VerifiedIdentity) throws(Refusal) {
        do {
            claims = try JSONObject(parsing: answer)
        } catch {
            throw Refusal(.tokenJSON, "userinfo: \(error.reason.rawValue)")
        }
        guard claims["sub"]?.string == identity.subject else { throw Refusal(.subject, "userinfo is about somebody else") }
    }
}

/// `email` and `email_verified` of a set of claims (OpenID Connect Core section 5.1).
public struct EmailClaim: Sendable, Hashable {
    public let address: Text
    public let verification: Verification

    public enum Verification: Hashable, Sendable {
        case verified
        /// The provider says nothing about it.
        case absent
        /// `false`, the string "false", or anything else that is not `true` or "true" (V63).
        case unverified
    }

    /// Nil without an `email` that is a string and not empty.
    public init?(_ claims: JSONObject) {
        guard let address = claims["email"]?.string, !address.isEmpty else { return nil }
        self.address = address
        switch claims["email_verified"] {
        case nil: verification = .absent
        case .bool(true), .string("true"): verification = .verified
        default: verification = .unverified
        }
    }
}
