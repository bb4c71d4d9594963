import JOSE
public import PKToken
public import SSHKeys
public import Vocabulary

/// What policy says about one login.
public enum Decision: Equatable, Sendable {
    /// The rows that admit, in the file's order; at least one.
    case admitted([AuthRow])
    case refused(Refusal)
    /// The ID token alone does not admit, and the certificate carries an access token: ask, then decide again.
    case needsUserinfo
}

/// How the question to the provider's userinfo endpoint went.
public enum UserinfoAnswer: Sendable {
    case notAsked
    /// It was asked and gave nothing that counts (no answer, another person's): no claims.
    case unavailable
    case verified(VerifiedUserinfo)
}

/// PROTOCOL section 5 step 9: deny lists, then rows. Touches nothing but its arguments.
///
/// - Parameter authID: what was read for this account and this identity.
public func authorize(
    _ identity: VerifiedIdentity, as account: Principal, authID: AuthID, config: ServerConfig, userinfo: UserinfoAnswer
) -> Decision {
    var login = Login(
        account: account, issuer: identity.issuer, token: Person(identity), hasAccessToken: identity.accessToken != nil)
    switch userinfo {
    case .notAsked: break
    case .unavailable: login.userinfo = .unavailable
    case .verified(let answer): login.hear(answer.claims)
    }
    return login.decide(authID, config)
}

/// The facts of one login, without the proof that they are true: only `authorize` lets verified ones in.
struct Login {
    let account: Principal
    let issuer: Text
    var token: Person
    let hasAccessToken: Bool
    var userinfo: Userinfo = .notAsked

    enum Userinfo {
        case notAsked
        case unavailable
        case known(Person)
    }

    /// Userinfo's claims. Where it does not say whether its email is verified, what the ID token says counts for it too.
    mutating func hear(_ claims: JSONObject) {
        var claims = claims
        if claims["email_verified"] == nil { claims["email_verified"] = token.emailVerified }
        userinfo = .known(Person(subject: token.subject, claims: claims, emailTrust: token.emailTrust))
    }

    mutating func decide(_ authID: AuthID, _ config: ServerConfig) -> Decision {
        if let refusal = denied(config) { return .refused(refusal) }
        let rows = authID.rows.filter { $0.account == account && $0.issuer == issuer }
        var admitting: [AuthRow] = []
        var isOnlyUnverified = false
        for row in rows {
            switch answer(row.identity) {
            case .yes: admitting.append(row)
            case .onlyByUnverifiedEmail: isOnlyUnverified = true
            case .no: break
            }
        }
        if !admitting.isEmpty { return .admitted(admitting) }
        // Not asked where it could not help: a query needs no private key, so nobody should be able to cause a fetch for nothing.
        if case .notAsked = userinfo, hasAccessToken, rows.contains(where: \.identity.asksForClaims) { return .needsUserinfo }
        if isOnlyUnverified { return .refused(Refusal(.emailNotVerified, "email \(shown(token.email?.address))")) }
        return .refused(Refusal(.noRowAdmits, nearest(authID)))
    }

    private func denied(_ config: ServerConfig) -> Refusal? {
        if config.denyUsers.contains(where: { $0.equalsIgnoringASCIICase(account.text) }) {
            return Refusal(.denied, "deny_users has account \(account.text)")
        }
        var addresses = token.addresses
        if case .known(let person) = userinfo { addresses += person.addresses }
        // Whether it is verified does not matter here.
        if let address = addresses.first(where: { address in config.denyEmails.contains { $0.equalsIgnoringASCIICase(address) } }) {
            return Refusal(.denied, "deny_emails has \(address)")
        }
        return nil
    }

    /// Userinfo only adds: what the ID token grants it cannot take away.
    private mutating func answer(_ identity: Identity) -> Person.Answer {
        let first = token.isMeant(by: identity)
        guard first != .yes, case .known(var person) = userinfo else { return first }
        let second = person.isMeant(by: identity)
        userinfo = .known(person)
        return second == .no ? first : second
    }

    /// What comes nearest to admitting, for the administrator who wonders.
    private func nearest(_ authID: AuthID) -> String {
        let problem = authID.problems.first.map { "; \($0) (so it grants nothing)" } ?? ""
        if authID.accountRows == 0 { return "auth_id has no row for account \(account.text)" + problem }
        let rows = "\(authID.accountRows) row\(authID.accountRows == 1 ? "" : "s") for account \(account.text), "
        if authID.issuerRows == 0 { return rows + "none of issuer \(issuer.escaped(limit: 256))" + problem }
        let who = "(email \(shown(token.email?.address)), sub \(shown(token.subject)))"
        let asked = if case .unavailable = userinfo { "; userinfo gave nothing" } else { "" }
        return rows + "\(authID.issuerRows) of this issuer, none names this identity \(who)" + asked + problem
    }

    private func shown(_ text: Text?) -> String { text?.escaped(limit: 256) ?? "absent" }
}
