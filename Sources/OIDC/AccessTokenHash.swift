public import JOSE
import LibCrypto
public import Vocabulary

/// `at_hash` (OpenID Connect Core section 3.1.3.6, C26): by it an ID token says which access token it came with.
public enum AccessTokenHash {
    /// True where the claim is absent, which the code flow allows, or is the left half of the access token's digest in base64url. The
    /// digest is the algorithm's: SHA-256, but SHA-512 with Ed25519.
    public static func matches(_ claims: JSONObject, accessToken: Secret, algorithm: JWSAlgorithm) -> Bool {
        guard let claim = claims["at_hash"] else { return true }
        return claim.string == hash(of: accessToken, algorithm: algorithm)
    }

    static func hash(of accessToken: Secret, algorithm: JWSAlgorithm) -> Text {
        let digest = algorithm == .edDSA ? Digest.sha512(accessToken.exposed) : Digest.sha256(accessToken.exposed)
        return Text(Base64URL.encode(Array(digest.prefix(digest.count / 2))))
    }
}
