public import JOSE
public import Vocabulary

/// A later ID token of the same login, verified: steps 5, 7 and 8 of PROTOCOL section 5 as a server under `oidc-refreshed` takes them (V62), whether the
/// login's own token has expired or not.
public struct RefreshedIDToken: Sendable {
    /// The compact JWS, as received. Secret.
    public let text: [UInt8]
    public let claims: JSONObject
    /// `exp`, which lies ahead.
    public let expires: UnixTime
    public let algorithm: JWSAlgorithm

    /// - Parameter login: the PK token that it is to be added to; whose it is must have been verified.
    public init(
        verifying text: [UInt8], after login: CompactToken, row: ProviderRow, keys: JWKSet, at now: UnixTime, skew: Int64 = 60
    ) throws(Refusal) {
        let original = try ProviderToken(login.provider, claims: login.payload, row: row)
        let fresh = try TimelyToken.checkRefreshed(text, original, row, now, skew)
        try fresh.verify(with: keys)
        guard let expires = fresh.expires else { throw Refusal(.expired, "exp is missing") }
        self.text = text
        self.expires = expires
        claims = fresh.claims
        algorithm = fresh.algorithm
    }
}

extension RefreshedIDToken {
    /// The compact PK token with this ID token behind it, in the place of one that was there. What comes before the full stop stays to the byte.
    public func added(to compactToken: [UInt8]) -> [UInt8] {
        compactToken.prefix { $0 != UInt8(ascii: ".") } + [UInt8(ascii: ".")] + text
    }
}
