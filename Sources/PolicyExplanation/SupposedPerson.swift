public import JOSE
import PKToken
public import Policy
public import Vocabulary

/// Somebody who is described on a command line or in a file of expectations: what their ID token would say.
public struct SupposedPerson: Sendable {
    public var email: Text?
    public var subject: Text?
    /// Nil for the only one there is.
    public var issuer: Text?
    /// The client id of the row of providers; nil for the issuer's first.
    public var client: Text?
    public var claims: [(name: Text, value: JSON)] = []
    public var issuedAt: UnixTime?

    public init() {}

    /// `NAME=VALUE`: a text, and for `groups` (and whatever claim lists the groups) and `amr` a list with commas between; or `NAME:=JSON`.
    public mutating func add(claim word: Text) throws(ExplainError) {
        guard let equals = word.utf8.firstIndex(of: UInt8(ascii: "=")), equals > 0 else { throw .claim(word) }
        let isJSON = word.utf8[equals - 1] == UInt8(ascii: ":")
        guard let name = Text(validating: word.utf8[..<(isJSON ? equals - 1 : equals)]), !name.isEmpty,
            let value = Text(validating: word.utf8[(equals + 1)...])
        else { throw .claim(word) }
        if isJSON {
            guard let json = try? JSON(parsing: value.utf8) else { throw .claim(word) }
            claims.append((name, json))
        } else if name == "email_verified", value == "true" || value == "false" {
            claims.append((name, .bool(value == "true")))
        } else {
            claims.append((name, .string(value)))
        }
    }

    public mutating func add(groups word: Text) { claims.append(("groups", .string(word))) }

    /// With the row of providers by which their token would come.
    public func supposition(in providers: Providers, at now: UnixTime) throws(ExplainError) -> Supposition {
        let row = try row(in: providers)
        var object = JSONObject()
        if let email {
            object["email"] = .string(email)
            object["email_verified"] = true
        }
        let lists: [Text] = ["amr", "groups", row.groupsClaim ?? "groups"]
        for (name, value) in claims {
            // `groups` stands for whatever this provider calls them.
            let named = name == "groups" ? row.groupsClaim ?? name : name
            guard lists.contains(named), case .string(let text) = value else {
                object[named] = merged(object[named], value)
                continue
            }
            let words = text.utf8.split(separator: UInt8(ascii: ",")).compactMap { Text(validating: $0) }.map { JSON.string($0) }
            object[named] = .array((object[named]?.array ?? []) + words)
        }
        object["iss"] = .string(row.issuer)
        object["aud"] = .string(row.clientID)
        // No row names an empty subject.
        let subject = subject ?? object["sub"]?.string ?? ""
        if !subject.isEmpty { object["sub"] = .string(subject) }
        return Supposition(row: row, subject: subject, claims: object, issuedAt: issuedAt ?? now)
    }

    /// A claim that is named twice is a list, but for the one that is there unasked.
    private func merged(_ old: JSON?, _ new: JSON) -> JSON {
        switch old {
        case nil, .bool?: new
        case .array(let elements)?: .array(elements + [new])
        case let other?: .array([other, new])
        }
    }

    private func row(in providers: Providers) throws(ExplainError) -> ProviderRow {
        guard let issuer else {
            let issuers = Set(providers.rows.map(\.issuer))
            guard issuers.count == 1, let row = providers.rows.first(where: { client == nil || $0.clientID == client }) else {
                throw .noIssuer(
                    issuers.isEmpty
                        ? "providers names no issuer, so nobody is admitted" : "providers names \(issuers.count) issuers: which one?")
            }
            return row
        }
        guard let row = providers.rows.first(where: { $0.issuer == issuer && (client == nil || $0.clientID == client) }) else {
            throw .unknownIssuer(issuer)
        }
        return row
    }
}
