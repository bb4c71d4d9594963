import JOSE
import PKToken
import SSHKeys
import Vocabulary

/// The facts of one login, without the proof that they are true: only `authorize` lets verified ones in.
struct Login {
    let account: Principal
    let now: UnixTime
    let row: ProviderRow
    let issuedAt: UnixTime
    /// The fingerprint of the certificate's key.
    let key: Text
    let hasAccessToken: Bool
    var token: Person
    var userinfo: Userinfo = .notAsked

    enum Userinfo {
        case notAsked
        case unavailable
        case known(Person)
    }

    mutating func hear(_ claims: JSONObject) {
        userinfo = .known(Person(claims, beside: token))
    }

    /// Userinfo only adds: what the ID token grants it cannot take away.
    mutating func answer(_ identity: Identity) -> Person.Answer {
        let first = token.isMeant(by: identity)
        guard first != .yes, case .known(var person) = userinfo else { return first }
        let second = person.isMeant(by: identity)
        userinfo = .known(person)
        return second == .no ? first : second
    }

    var addresses: [Text] {
        if case .known(let person) = userinfo { token.addresses + person.addresses } else { token.addresses }
    }

    var groups: KnownGroups {
        let name = row.groupsClaim ?? "groups"
        var more: GroupList?
        if case .known(let person) = userinfo { more = person.groups(named: name) }
        return KnownGroups(token: token.groups(named: name), userinfo: more, claim: name, isNamed: row.groupsClaim != nil)
    }

    /// What the ID token says in that claim, else userinfo.
    func texts(in name: Text) -> [Text] {
        let texts = token.texts(in: name)
        if texts.isEmpty, case .known(let person) = userinfo { return person.texts(in: name) }
        return texts
    }

    func accountNames(in name: Text) -> [Text] {
        var names: [Text] = []
        if let text = token.accountName(in: name) { names.append(text) }
        if case .known(let person) = userinfo, let text = person.accountName(in: name) { names.append(text) }
        return names
    }

    private func isTokens(_ address: Text?) -> Bool {
        address.map(token.hasEmail) ?? false
    }

    /// Userinfo vouches for the ID token's address, or for its own where the ID token has none: not for another beside it.
    var hasVerifiedEmail: Bool {
        if token.emailIsVerified { return true }
        guard case .known(let person) = userinfo, person.emailIsVerified else { return false }
        return token.email == nil || isTokens(person.email?.address)
    }
}

extension Login {
    init(_ identity: VerifiedIdentity, as account: Principal, at now: UnixTime, _ evidence: Evidence) {
        self.account = account
        self.now = now
        row = identity.row
        issuedAt = identity.issuedAt
        // Only revocations ask for it.
        key = evidence.revocations.rows.isEmpty ? "" : Text(identity.certificate.key.sshFingerprint)
        hasAccessToken = identity.accessToken != nil
        token = Person(identity)
        switch evidence.userinfo {
        case .notAsked: break
        case .unavailable: userinfo = .unavailable
        case .verified(let answer): hear(answer.claims)
        }
    }

    init(_ person: Supposition, as account: Principal, at now: UnixTime) {
        self.account = account
        self.now = now
        row = person.row
        issuedAt = person.issuedAt
        key = person.key ?? ""
        hasAccessToken = false
        token = Person(subject: person.subject, claims: person.claims, emailTrust: EmailTrust(person.row.options))
    }
}
