import LibCrypto
import PKToken
import Policy
import SSHKeys
import Vocabulary

/// The one thing that opk-verify writes to standard output: PROTOCOL section 6.
///
///     cert-authority,principals="opkssh-wildcard",from="10.0.0.0/8",restrict,pty ecdsa-sha2-nistp256 AAAA…
public struct AuthorizedKeysLine: Hashable, Sendable, CustomStringConvertible {
    /// Without a line break.
    public let description: String

    /// Lines printed for one login.
    static let maximumCount = 16

    /// One line for each grant, in their order, the same line once.
    static func lines(for authorization: Authorization, _ key: CertifiedKey) -> [AuthorizedKeysLine] {
        var lines: [AuthorizedKeysLine] = []
        for grant in authorization.grants where lines.count < maximumCount {
            let line = AuthorizedKeysLine(grant, key)
            if !lines.contains(line) { lines.append(line) }
        }
        return lines
    }

    private init(_ grant: Grant, _ key: CertifiedKey) {
        var options = key.options
        if let from = grant.from { options += ",from=\"\(from)\"" }
        for option in grant.session { options += ",\(option)" }
        description = "\(options) \(key.type) \(key.blob)"
    }
}

/// The part of the line that the certificate decides, made before policy is asked: a certificate for other accounts costs nobody a fetch.
struct CertifiedKey {
    /// Always `cert-authority`: never a line that would admit the bare key.
    let options: String
    let type: String
    let blob: String

    /// - Throws: where the certificate is restricted to other accounts.
    init(_ certificate: SelfSignedCertificate, as account: Principal) throws(Refusal) {
        let principals = try CertifiedKey.principals(of: certificate, for: account)
        options = "cert-authority" + (principals.map { ",principals=\"\($0)\"" } ?? "")
        type = certificate.key.sshType
        blob = Base64.encode(certificate.key.sshBlob)
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
