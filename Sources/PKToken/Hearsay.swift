import JOSE
import SSHKeys
import Vocabulary

/// What a token says of its bearer before the provider's signature was looked at: for logs and nothing else. The texts are as the token has them, hostile, and
/// to be escaped before they are shown; no decision is made with a `String`.
public struct Hearsay: Sendable {
    public let issuer: String
    public let subject: String?
    public let email: String?
}

extension BoundToken {
    public func hearsay() -> Hearsay {
        Hearsay(
            issuer: claimedIssuer.string, subject: compact.payload["sub"]?.string?.string, email: compact.payload["email"]?.string?.string)
    }

    /// `SHA256:…` of the token that the provider signed, in its compact form: by which its use elsewhere can be found. Under GQ256 of the form without the
    /// provider's signature.
    public func tokenFingerprint() -> String {
        let token = compact.provider
        return SSHFingerprint.sha256(token.signedBytes + [UInt8(ascii: ".")] + Base64URL.encodeBytes(token.signature))
    }
}
