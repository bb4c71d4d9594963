public import JOSE
public import PKToken
public import SSHKeys
public import Vocabulary

/// PROTOCOL section 5 step 9: deny lists and revocations, then requirements, then grants. Touches nothing but its arguments.
///
/// - Parameter authID: what was read for this account and this identity.
public func authorize(
    _ identity: VerifiedIdentity, as account: Principal, at now: UnixTime, authID: AuthID, config: ServerConfig, evidence: Evidence
) -> Deliberation {
    var login = Login(identity, as: account, at: now, evidence)
    var deliberation = login.deliberate(authID, config, evidence)
    if case .admitted(let grants) = deliberation.verdict { deliberation.authorization = Authorization(grants) }
    return deliberation
}

/// Somebody as an administrator supposes them to be: for explaining and testing a policy without a certificate.
public struct Supposition: Sendable {
    /// The row of `providers` that the token would come by.
    public var row: ProviderRow
    public var subject: Text
    /// As the ID token would have them.
    public var claims: JSONObject
    public var issuedAt: UnixTime
    /// "SHA256:…"; nil where no key is supposed.
    public var key: Text?

    public init(row: ProviderRow, subject: Text, claims: JSONObject, issuedAt: UnixTime, key: Text? = nil) {
        self.row = row
        self.subject = subject
        self.claims = claims
        self.issuedAt = issuedAt
        self.key = key
    }

    /// The rows of this account that are of this issuer, whomever they name.
    public func authID(for account: Principal, parsing bytes: [UInt8]) -> AuthID { AuthID(parsing: bytes, for: account, of: row.issuer) }

    public var revocationSubject: RevocationSubject {
        let person = Person(subject: subject, claims: claims, emailTrust: EmailTrust(row.options))
        return RevocationSubject(emails: person.addresses, subject: subject, issuer: row.issuer, key: key ?? "", issuedAt: issuedAt)
    }
}

/// The same decision about somebody who is only supposed: it comes without an `Authorization`, so no line can be made from it.
public func authorize(
    supposing person: Supposition, as account: Principal, at now: UnixTime, authID: AuthID, config: ServerConfig, evidence: Evidence
) -> Deliberation {
    var login = Login(person, as: account, at: now)
    return login.deliberate(authID, config, evidence)
}

extension VerifiedIdentity {
    /// What revocations are held against; with userinfo, its emails count too.
    public func revocationSubject(key: Text, userinfo: UserinfoAnswer = .notAsked) -> RevocationSubject {
        var emails = Person(self).addresses
        if case .verified(let answer) = userinfo {
            emails += Person(subject: subject, claims: answer.claims, emailTrust: .unlessUnverified).addresses
        }
        return RevocationSubject(emails: emails, subject: subject, issuer: issuer, key: key, issuedAt: issuedAt)
    }
}
