import JOSE
import Vocabulary

/// The groups that one set of claims says a person is in, by the claim that the provider's row names (`groups` where it names none).
enum GroupList {
    case absent
    /// Also an empty list.
    case list([Text])
    /// There are groups, or may be, beside those that these claims name. Why, escaped.
    case unknown(String, besides: [Text])

    init(_ claims: JSONObject, name: Text) {
        self = GroupList(claims[name], name)
        // OpenID Connect Core section 5.6.2: the claim is elsewhere. Entra ID does so where the groups are too many for a token.
        if let sources = claims["_claim_names"], sources.object == nil || sources[name] != nil {
            self = .unknown("the provider keeps them elsewhere (_claim_names)", besides: names)
        } else if case .absent = self, name == "groups", claims["hasgroups"] == .bool(true) || claims["hasgroups"] == .string("true") {
            // How Entra ID says the same where it has no room for even that.
            self = .unknown("the provider keeps them elsewhere (hasgroups)", besides: [])
        }
    }

    private init(_ claim: JSON?, _ name: Text) {
        switch claim {
        case nil, .null?: self = .absent
        case .object?: self = .unknown("the claim \(name.escaped(limit: 128)) is no list", besides: [])
        case .array(let elements)?:
            let texts = elements.compactMap(Person.text)
            let isWhole = texts.count == elements.count
            self =
                isWhole
                ? .list(texts) : .unknown("the claim \(name.escaped(limit: 128)) has elements that are no names", besides: texts)
        case let scalar?: self = .list(Person.text(scalar).map { [$0] } ?? [])
        }
    }

    /// All that are named.
    var names: [Text] {
        switch self {
        case .absent: []
        case .list(let names), .unknown(_, besides: let names): names
        }
    }
}

/// What is known of a person's groups from the ID token and, where it was asked, userinfo.
struct KnownGroups {
    /// All that either says.
    let names: [Text]
    /// Why there may be more; nil where the list is whole.
    let unknown: String?

    /// - Parameter isNamed: whether the provider's row names the claim: then it has to be there.
    init(token: GroupList, userinfo: GroupList?, claim: Text, isNamed: Bool) {
        names = token.names + (userinfo?.names ?? [])
        switch (token, userinfo) {
        case (_, .unknown(let why, _)?): unknown = why
        // The whole list is what userinfo gives in its place.
        case (_, .list?): unknown = nil
        case (.unknown(let why, _), _): unknown = why
        case (.list, _): unknown = nil
        case (.absent, _): unknown = isNamed ? "the token has no claim \(claim.escaped(limit: 128)), which its provider's row names" : nil
        }
    }
}
