import JOSE
import LibCrypto
import Vocabulary

/// Makes ID tokens (OpenID Connect Core section 2), good ones and, as told, bad ones.
struct IDTokenMinter: Sendable {
    let issuer: Text
    let behaviour: Behaviour
    let signing: KeyRing.Entry

    /// What one ID token is made for.
    struct Occasion: Sendable {
        let session: Session
        /// Absent on a refresh, and in most providers' answer to a device grant.
        let nonce: Text?
        let accessToken: Text
        let isRefresh: Bool
        let now: UnixTime
    }

    func mint(_ occasion: Occasion) throws(KeyError) -> Text {
        let header = JSONObject([
            ("alg", .string(Text(signing.algorithm.rawValue))), ("kid", .string(signing.identifier)), ("typ", "JWT"),
        ]).overridden(by: behaviour.overrides[.idTokenHeader])
        var claims = payload(occasion).overridden(by: behaviour.overrides[.idToken])
        if occasion.isRefresh { claims = claims.overridden(by: behaviour.overrides[.refreshedIDToken]) }
        let signed =
            Base64URL.encode(JSON.object(header).serialized) + "." + Base64URL.encode(JSON.object(claims).serialized)
        return Text(signed + "." + Base64URL.encode(try signature(over: Array(signed.utf8), header: header)))
    }

    private func payload(_ occasion: Occasion) -> JSONObject {
        let issuedAt = occasion.now + behaviour.issuedAtOffset
        let client = JSON.string(occasion.session.client)
        let accessTokenHash = signing.algorithm.halfHash(occasion.accessToken.utf8)
        var claims = behaviour.claims(of: occasion.session.person)
        for name in behaviour.userinfoOnly { claims[name] = nil }
        claims["iss"] = .string(issuer)
        claims["aud"] = client
        claims["azp"] = client
        claims["iat"] = .number(JSONNumber(issuedAt.seconds))
        claims["exp"] = .number(JSONNumber((issuedAt + behaviour.tokenLifetime).seconds))
        claims["auth_time"] = .number(JSONNumber(occasion.session.authenticatedAt.seconds))
        claims["at_hash"] = .string(Text(Base64URL.encode(accessTokenHash)))
        claims["nonce"] = occasion.nonce.map { .string($0) }
        return claims
    }

    private func signature(over message: [UInt8], header: JSONObject) throws(KeyError) -> [UInt8] {
        if header["alg"] == .string("none") { return [] }
        switch behaviour.signature {
        case .good: return try signing.key.sign(message, signing.algorithm.scheme)
        case .empty: return []
        case .otherKey: return try signing.algorithm.newKey().sign(message, signing.algorithm.scheme)
        case .bad:
            var signature = try signing.key.sign(message, signing.algorithm.scheme)
            if let last = signature.indices.last { signature[last] ^= 1 }
            return signature
        }
    }
}
