public import Policy
import Vocabulary

extension Revocation.What {
    /// Equal but for the case of email addresses.
    func isSame(_ other: Revocation.What) -> Bool {
        if case .email(let one) = self, case .email(let two) = other { return one.equalsIgnoringASCIICase(two) }
        return self == other
    }

    /// Who that is, in words.
    public var inWords: String {
        switch self {
        case .email(let address): "whoever has the email address \(address)"
        case .subject(let subject, let issuer): "the subject \(subject) of \(issuer)"
        case .key(let fingerprint): "the key \(fingerprint)"
        case .issuer(let issuer): "everybody of \(issuer)"
        }
    }
}
