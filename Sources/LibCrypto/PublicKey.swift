import COpenSSL

/// A public key of a kind that opk accepts, complete and in canonical form: equal values are equal keys, and a key that must not be used
/// (too small, off its curve, of small order) cannot be made.
public enum PublicKey: Hashable, Sendable {
    case rsa(RSAPublicKey)
    case p256(P256PublicKey)
    case ed25519(Ed25519PublicKey)

    /// Whether `signature` is this key's over `message`. A scheme that does not go with the kind of key verifies nothing.
    ///
    /// ECDSA signatures are r and s, 32 bytes each (RFC 7518 section 3.4).
    public func verifies(_ signature: [UInt8], over message: [UInt8], _ scheme: SignatureScheme) -> Bool {
        switch (self, scheme) {
        case (.rsa(let key), .rsaPKCS1SHA256): unsafe key.verifies(signature, over: message, digest: EVP_sha256(), pss: false)
        case (.rsa(let key), .rsaPKCS1SHA512): unsafe key.verifies(signature, over: message, digest: EVP_sha512(), pss: false)
        case (.rsa(let key), .rsaPSSSHA256): unsafe key.verifies(signature, over: message, digest: EVP_sha256(), pss: true)
        case (.p256(let key), .ecdsaP256SHA256): key.verifies(signature, over: message)
        case (.ed25519(let key), .ed25519): key.verifies(signature, over: message)
        case (.rsa, _), (.p256, _), (.ed25519, _): false
        }
    }
}

/// The signatures that opk makes or checks: a closed list.
public enum SignatureScheme: Hashable, Sendable, CaseIterable {
    case rsaPKCS1SHA256
    case rsaPKCS1SHA512
    case rsaPSSSHA256
    case ecdsaP256SHA256
    case ed25519
}
