public import JOSE
public import LibCrypto
import Vocabulary

extension ClientInstanceClaims {
    /// The compact PK token: the provider's ID token, countersigned over the same payload by the user's key.
    ///
    /// - Parameters:
    ///   - idToken: as the provider sent it; its nonce must be this claims' commitment, which only verification can tell.
    ///   - refreshed: a later ID token, whole.
    public func compactToken(idToken: JWS, refreshed: [UInt8]? = nil, signedBy key: PrivateKey) throws(KeyError) -> [UInt8] {
        guard key.publicKey == self.key, let scheme = algorithm.scheme else { throw .scheme }
        let colon: [UInt8] = [UInt8(ascii: ":")]
        let encodedHeader = Base64URL.encodeBytes(JSON.object(header).serialized)
        let signature = try key.sign(encodedHeader + [UInt8(ascii: ".")] + idToken.encodedPayload, scheme)
        let parts = [
            idToken.encodedPayload, idToken.encodedHeader, Base64URL.encodeBytes(idToken.signature), encodedHeader,
            Base64URL.encodeBytes(signature),
        ]
        return Array(parts.joined(separator: colon)) + (refreshed.map { [UInt8(ascii: ".")] + $0 } ?? [])
    }
}
