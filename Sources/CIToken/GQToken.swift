public import JOSE
import LibCrypto
import PKToken
public import Vocabulary

extension JWS {
    /// This ID token with a proof of knowing the provider's signature in the place of the signature (GQ256, PROTOCOL section 2): the same
    /// claims, and nobody who sees it can use it as a bearer token.
    ///
    /// - Parameters:
    ///   - keys: the issuer's.
    ///   - commitment: to the user's key, where the token itself does not have it.
    public func proven(with keys: JWKSet, commitment: Text? = nil) throws(CITokenError) -> JWS {
        guard (try? header.algorithm()) == .rs256 else { throw .algorithm(header.members["alg"]?.string) }
        guard case .keys(let candidates) = keys.select(keyID: header.keyID, algorithm: .rs256) else { throw .noKey }
        for case .rsa(let key) in candidates {
            if let token = proven(with: key, commitment) { return token }
        }
        throw .signature
    }

    /// Nil where this is not a signature by `key`.
    private func proven(with key: RSAPublicKey, _ commitment: Text?) -> JWS? {
        // As OpenPubkey writes it: members sorted; `jkt` says by which key, for those who keep old ones.
        var outer = JSONObject()
        outer["alg"] = .string(Text(JWSAlgorithm.gq256.rawValue))
        if let commitment { outer["cic"] = .string(commitment) }
        outer["jkt"] = .string(PublicKey.rsa(key).jwkThumbprint)
        outer["kid"] = .string(Text(String(decoding: encodedHeader, as: UTF8.self)))
        outer["typ"] = "JWT"
        let encoded = Base64URL.encodeBytes(JSON.object(outer).serialized)
        let message = encoded + [UInt8(ascii: ".")] + encodedPayload
        guard let proof = GQSignature.prove(signature, identity: signedBytes, message: message, key: key) else { return nil }
        return try? JWS(encodedHeader: encoded, encodedPayload: encodedPayload, encodedSignature: Base64URL.encodeBytes(proof))
    }
}
