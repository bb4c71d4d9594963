public import JOSE
import LibCrypto
public import Vocabulary

/// A token that passed every check which needs no network: steps 1 to 7 of PROTOCOL section 5. Only for such a one are the provider's
/// keys asked for.
public struct TimelyToken: Sendable {
    public let row: ProviderRow
    private let token: ProviderToken
    /// Under `oidc-refreshed`, where the ID token itself has expired.
    private let refreshed: ProviderToken?
    private let identity: UnverifiedIdentity

    init(_ bound: consuming BoundToken, row: ProviderRow, now: UnixTime, skew: Int64) throws(Refusal) {
        let compact = bound.compact
        let token = try ProviderToken(compact.provider, claims: compact.payload, row: row)
        try TimelyToken.checkCommitment(token, bound.client, row)
        try token.checkBegun(at: now, skew: skew)
        refreshed = try TimelyToken.checkAge(token, compact.refreshed, row, now, skew)
        self.row = row
        self.token = token
        identity = UnverifiedIdentity(
            certificate: bound.certificate, accessToken: bound.accessToken,
            expires: TimelyToken.end(token, refreshed, row.expiry))
    }

    /// When the identity ends under the row's policy; nil for never. Unverified, as the time below.
    public var expires: UnixTime? { identity.expires }

    public var issuedAt: UnixTime { token.issuedAt }

    /// The `kid` values that the provider's keys must have: a cached set without them is out of date.
    public func fitsSome(of keys: JWKSet) -> Bool {
        [token, refreshed].compactMap(\.self).allSatisfy { token in
            let signedBy: JWSAlgorithm = token.algorithm == .gq256 ? .rs256 : token.algorithm
            if case .none = keys.select(keyID: token.keyID, algorithm: signedBy) { return false }
            return true
        }
    }

    /// Step 8: the only way to a `VerifiedIdentity`.
    public func verify(with keys: JWKSet) throws(Refusal) -> VerifiedIdentity {
        try token.verify(with: keys)
        try refreshed?.verify(with: keys)
        return VerifiedIdentity(token, row: row, identity)
    }

    /// Step 6.
    private static func checkCommitment(_ token: ProviderToken, _ client: ClientInstanceClaims, _ row: ProviderRow) throws(Refusal) {
        let commits: Bool
        switch row.commitmentPlace {
        case .nonce: commits = token.claims["nonce"]?.string == client.commitment
        case .audience: commits = try Audience(token.claims).names == [client.commitment]
        case .headerOfGQ: commits = token.jws.header.members["cic"]?.string == client.commitment
        case .confirmationKey: commits = TimelyToken.confirmationKey(token.claims)?.jwkThumbprint == client.key.jwkThumbprint
        }
        guard commits else { throw Refusal(.commitment) }
    }

    /// RFC 7800 section 3.2.
    private static func confirmationKey(_ claims: JSONObject) -> PublicKey? {
        claims["cnf"]?["jwk"]?.object.flatMap(PublicKey.init(jwkMembers:))
    }

    /// Step 7, by policy. The refreshed token that is needed, if one is.
    private static func checkAge(_ token: ProviderToken, _ refreshed: [UInt8]?, _ row: ProviderRow, _ now: UnixTime, _ skew: Int64)
        throws(Refusal) -> ProviderToken?
    {
        switch row.expiry {
        case .never: return nil
        case .maximumAge(let seconds):
            guard now < token.issuedAt + seconds else { throw expired(token.issuedAt + seconds, now) }
            return nil
        case .oidc:
            guard try token.isUnexpired(at: now) else { throw expired(token.expires, now) }
            return nil
        case .oidcRefreshed:
            guard try !token.isUnexpired(at: now) else { return nil }
            guard let refreshed else { throw expired(token.expires, now) }
            return try checkRefreshed(refreshed, token, row, now, skew)
        }
    }

    /// V62: the refreshed token goes through steps 5, 7 and 8 itself, and is of the same person.
    static func checkRefreshed(_ text: [UInt8], _ original: ProviderToken, _ row: ProviderRow, _ now: UnixTime, _ skew: Int64)
        throws(Refusal) -> ProviderToken
    {
        let jws: JWS
        let claims: JSONObject
        do {
            jws = try JWS(parsing: text)
            claims = try jws.payload()
        } catch {
            throw Refusal(error, in: "the refreshed ID token")
        }
        let fresh = try ProviderToken(jws, claims: claims, row: row)
        guard fresh.issuer == original.issuer, fresh.subject == original.subject else {
            throw Refusal(.refreshedToken, "it is of another issuer or subject")
        }
        guard fresh.issuedAt >= original.issuedAt else { throw Refusal(.refreshedToken, "it is older than the ID token") }
        if row.commitmentPlace == .confirmationKey {
            let keys = (confirmationKey(fresh.claims), confirmationKey(original.claims))
            guard let key = keys.0, key == keys.1 else { throw Refusal(.refreshedToken, "it is bound to another key") }
        }
        try fresh.checkBegun(at: now, skew: skew)
        guard try fresh.isUnexpired(at: now) else { throw expired(fresh.expires, now) }
        return fresh
    }

    private static func expired(_ end: UnixTime?, _ now: UnixTime) -> Refusal {
        Refusal(.expired, end.map { "at \($0), now \(now)" } ?? "")
    }

    private static func end(_ token: ProviderToken, _ refreshed: ProviderToken?, _ policy: ExpiryPolicy) -> UnixTime? {
        switch policy {
        case .never: nil
        case .maximumAge(let seconds): token.issuedAt + seconds
        case .oidc, .oidcRefreshed: refreshed?.expires ?? token.expires
        }
    }
}
