public import LibCrypto
import Vocabulary

/// Keys that are the same in every run, so that an input found once stays what it was.
public enum FixedKeys {
    public static let user = make(seed: 1)
    public static let provider = make(seed: 2)

    private static func make(seed: UInt8) -> PrivateKey {
        do {
            let secret = PrivateKey.Secret.ed25519(seed: [UInt8](repeating: seed, count: 32))
            guard let bytes = Base64URL.decode(publicBytes[Int(seed) - 1]) else { throw KeyError.wrongLength }
            return try PrivateKey(secret, publicKey: .ed25519(Ed25519PublicKey(bytes)))
        } catch {
            preconditionFailure("no fuzzing without keys: \(error)")
        }
    }

    /// Of the seeds 01… and 02… (RFC 8032 section 5.1.5).
    private static let publicBytes = ["iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w", "gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q"]
}
