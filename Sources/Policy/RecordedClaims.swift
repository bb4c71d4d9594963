import JOSE
public import PKToken
public import Vocabulary

// What the audit log says of an identity beside its name: as policy sees it, and nothing decides by it here.

extension VerifiedIdentity {
    /// The groups that are named by the ID token's claim and by userinfo, as they come: there may be more (`groups-unknown`), and a hundred thousand.
    public func namedGroups(_ userinfo: UserinfoAnswer) -> [Text] {
        let name = row.groupsClaim ?? "groups"
        let names = Person(self).groups(named: name).names
        guard case .verified(let answer) = userinfo else { return names }
        return names + GroupList(answer.claims, name: name).names
    }

    /// The ID token's.
    public var authenticationMethods: [Text] { Person(self).texts(in: "amr") }

    /// The ID token's; nil where it has none, or something else than a text.
    public var contextClass: Text? { claims["acr"]?.string }

    /// The ID token's.
    public var authenticatedAt: UnixTime? { Person(self).time(in: "auth_time") }
}
