import JOSE
import LibCrypto
import PKToken
import SSHKeys
import Vocabulary

@testable import Login

/// A provider in a value: signs ID tokens that may say anything.
struct TestProvider {
    static let issuer: Text = "https://idp.example.com"
    static let client: Text = "opk-test"

    let key: PrivateKey
    let algorithm: JWSAlgorithm
    let keys: JWKSet
    let now: UnixTime

    init(_ kind: PrivateKey.Kind = .p256, now: UnixTime = .now()) throws {
        key = try PrivateKey(generating: kind)
        algorithm =
            switch kind {
            case .rsa: .rs256
            case .p256: .es256
            case .ed25519: .edDSA
            }
        let jwk = JSON.object(key.publicKey.jwk)
        keys = try JWKSet(parsing: JSON.object(JSONObject(["keys": .array([jwk])])).serialized)
        self.now = now
    }

    func maker(
        _ kind: PrivateKey.Kind = .p256, expiry: ExpiryPolicy = .maximumAge(seconds: 86_400), principals: [Principal] = [.wildcard],
        sendsAccessToken: Bool = false
    ) throws -> IdentityCertificate {
        let key = try PrivateKey(generating: kind)
        return IdentityCertificate(
            key: key, claims: try ClientInstanceClaims(for: key.publicKey),
            row: ProviderRow(issuer: TestProvider.issuer, clientID: TestProvider.client, expiry: expiry), principals: principals,
            sendsAccessToken: sendsAccessToken)
    }

    func claims(for maker: IdentityCertificate, _ changes: [Text: JSON?] = [:]) -> JSONObject {
        var claims = JSONObject([
            "iss": .string(TestProvider.issuer), "aud": .string(TestProvider.client), "sub": "alice-1", "email": "alice@example.com",
            "nonce": .string(maker.claims.commitment), "iat": .number(JSONNumber(now.seconds)),
            "exp": .number(JSONNumber(now.seconds + 3600)),
        ])
        for (name, value) in changes { claims[name] = value }
        return claims
    }

    func idToken(for maker: IdentityCertificate, _ changes: [Text: JSON?] = [:]) throws -> [UInt8] {
        try JWS.sign(JSON.object(claims(for: maker, changes)).serialized, header: JSONObject(["typ": "JWT"]), with: key, algorithm)
    }

    func mint(_ maker: IdentityCertificate, _ changes: [Text: JSON?] = [:], accessToken: Text? = nil) throws -> LoginResult {
        try maker.mint(
            ProviderTokens(idToken: Secret(try idToken(for: maker, changes)), accessToken: accessToken.map { Secret($0.utf8) }), keys: keys,
            at: now)
    }
}

extension JSONObject {
    init(_ members: [Text: JSON]) {
        self.init()
        for (name, value) in members.sorted(by: { $0.key < $1.key }) { self[name] = value }
    }
}
