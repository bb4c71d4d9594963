import LibCrypto
import PKToken
import SSHKeys
import Vocabulary

/// The one thing that opk-verify writes to standard output: PROTOCOL section 6.
///
///     cert-authority,principals="opkssh-wildcard" ecdsa-sha2-nistp256 AAAA…
public struct AuthorizedKeysLine: Hashable, Sendable, CustomStringConvertible {
    /// Without a line break.
    public let description: String

    /// The line that admits `certificate` to `account`, and only there. Always `cert-authority`: never one that would admit the bare key.
    ///
    /// - Throws: where the certificate is restricted to other accounts.
    init(_ certificate: SelfSignedCertificate, as account: Principal) throws(Refusal) {
        let principals = try AuthorizedKeysLine.principals(of: certificate, for: account)
        let option = principals.map { ",principals=\"\($0)\"" } ?? ""
        description = "cert-authority\(option) \(certificate.key.sshType) \(Base64.encode(certificate.key.sshBlob))"
    }

    /// `principals=` replaces sshd's own check of the name, so nothing may stand there but the wildcard that the certificate carries, or
    /// the very account that was asked for (V53). A certificate without principals gets no option.
    static func principals(of certificate: SelfSignedCertificate, for account: Principal) throws(Refusal) -> Principal? {
        if certificate.principals.isEmpty { return nil }
        if certificate.principals.contains(.wildcard) { return .wildcard }
        guard certificate.principals.contains(account) else {
            let names = certificate.principals.prefix(4).map(\.description).joined(separator: ", ")
            throw Refusal(.accountNotInCertificate, "it is for \(names)")
        }
        return account
    }
}
