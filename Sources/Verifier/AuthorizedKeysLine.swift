import LibCrypto
import PKToken
public import Policy
public import SSHKeys
public import Vocabulary

/// The one thing that opk-verify writes to standard output: PROTOCOL section 6.
///
///     cert-authority,principals="opkssh-wildcard",from="10.0.0.0/8",restrict,pty ecdsa-sha2-nistp256 AAAA…
public struct AuthorizedKeysLine: Hashable, Sendable, CustomStringConvertible {
    /// Without a line break.
    public let description: String

    /// Lines printed for one login.
    static let maximumCount = 16

    /// One line for each grant, in their order, the same line once; and the grants behind them, those with a line of their own all, and of the others
    /// as many as there is room for.
    ///
    /// - Parameter person: whom the session is told that it is of; nil where it is told nothing.
    static func lines(for authorization: Authorization, _ key: CertifiedKey, telling person: SessionPerson? = nil)
        -> (lines: [AuthorizedKeysLine], grants: [Grant])
    {
        var lines: [AuthorizedKeysLine] = []
        var grants: [(grant: Grant, isFirst: Bool)] = []
        var others = 0
        for grant in authorization.grants where lines.count < maximumCount {
            let line = AuthorizedKeysLine(grant, key, person)
            if !lines.contains(line) {
                lines.append(line)
                grants.append((grant, true))
            } else if others < maximumCount {
                others += 1
                grants.append((grant, false))
            }
        }
        var room = maximumCount - lines.count
        var shown: [Grant] = []
        for (grant, isFirst) in grants {
            if isFirst {
                shown.append(grant)
            } else if room > 0 {
                room -= 1
                shown.append(grant)
            }
        }
        return (lines, shown)
    }

    private init(_ grant: Grant, _ key: CertifiedKey, _ person: SessionPerson?) {
        // Before the row's own options: of a variable that is set twice sshd takes the first.
        let told = person.map { ",environment=\"\(SessionPerson.variable)=\($0)\"" } ?? ""
        description = "\(key.options)\(told)\(AuthorizedKeysLine.options(of: grant)) \(key.type) \(key.blob)"
    }

    /// What a grant adds, each behind a comma.
    private static func options(of grant: Grant) -> String {
        var options = ""
        if let from = grant.from { options += ",from=\"\(from)\"" }
        for option in grant.session { options += ",\(option)" }
        return options
    }

    /// The options of the line that this grant would make for an unrestricted certificate: for explaining, and without a key, so that it is no line.
    public static func supposedOptions(of grant: Grant) -> String {
        "cert-authority,principals=\"\(Principal.wildcard)\"" + options(of: grant)
    }

    /// Step 10 as far as the certificate decides.
    ///
    /// - Throws: where it is restricted to other accounts.
    public static func check(_ certificate: SelfSignedCertificate, for account: Principal) throws(Refusal) {
        _ = try CertifiedKey.principals(of: certificate, for: account)
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
