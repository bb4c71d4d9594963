import JOSE
import LibCrypto
import Vocabulary

/// RFC 7636 with S256, the only method here.
enum PKCE {
    /// Section 4.2: 32 bytes in base64url.
    static func isChallenge(_ text: Text) -> Bool {
        Base64URL.decode(text.utf8)?.count == 32
    }

    /// Sections 4.1 and 4.6.
    static func holds(verifier: Text, challenge: Text) -> Bool {
        (43...128).contains(verifier.count) && verifier.utf8.allSatisfy(Form.isUnreserved)
            && Text(Base64URL.encode(Digest.sha256(verifier.utf8))) == challenge
    }
}
