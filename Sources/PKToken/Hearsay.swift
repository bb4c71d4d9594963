import JOSE
import Vocabulary

/// What a token says of its bearer before the provider's signature was looked at: for a log line and nothing else. The texts are escaped
/// and cut, so that they serve no comparison.
public struct Hearsay: Sendable {
    public let issuer: String
    public let subject: String?
    public let email: String?
}

extension BoundToken {
    /// - Parameter limit: characters of each text.
    public func hearsay(limit: Int) -> Hearsay {
        Hearsay(
            issuer: claimedIssuer.escaped(limit: limit),
            subject: compact.payload["sub"]?.string?.escaped(limit: limit),
            email: compact.payload["email"]?.string?.escaped(limit: limit))
    }
}
