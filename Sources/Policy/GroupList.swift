import JOSE
import Vocabulary

/// The groups that one set of claims says a person is in, by the claim that the provider's row names (`groups` where it names none).
enum GroupList {
    case absent
    /// Also an empty list.
    case list([Text])
    /// There are groups, or may be, and these claims do not say which. Why, escaped.
    case unknown(String)

    init(_ claims: JSONObject, name: Text) {
        // OpenID Connect Core section 5.6.2: the claim is elsewhere. Entra ID does so where the groups are too many for a token.
        if let sources = claims["_claim_names"], sources.object == nil || sources[name] != nil {
            self = .unknown("the provider keeps them elsewhere (_claim_names)")
            return
        }
        switch claims[name] {
        case nil, .null?:
            // How Entra ID says the same where it has no room for even that.
            let hasMore = name == "groups" && (claims["hasgroups"] == .bool(true) || claims["hasgroups"] == .string("true"))
            self = hasMore ? .unknown("the provider keeps them elsewhere (hasgroups)") : .absent
        case .object?: self = .unknown("the claim \(name.escaped(limit: 128)) is no list")
        case .array(let elements)?:
            var texts: [Text] = []
            for element in elements {
                guard let text = Person.text(element) else {
                    self = .unknown("the claim \(name.escaped(limit: 128)) has elements that are no names")
                    return
                }
                texts.append(text)
            }
            self = .list(texts)
        case let scalar?: self = .list(Person.text(scalar).map { [$0] } ?? [])
        }
    }

    var names: [Text] {
        if case .list(let names) = self { names } else { [] }
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
        case (_, .unknown(let why)?): unknown = why
        // The whole list is what userinfo gives in its place.
        case (_, .list?): unknown = nil
        case (.unknown(let why), _): unknown = why
        case (.list, _): unknown = nil
        case (.absent, _): unknown = isNamed ? "the token has no claim \(claim.escaped(limit: 128)), which its provider's row names" : nil
        }
    }
}
