public import Vocabulary

/// Who a row of `auth_id` means: one of POLICY.md's identity forms. None of them can match everybody.
public enum Identity: Hashable, Sendable {
    /// The subject, byte for byte.
    case subject(Text)
    /// It contains `@`: the email, but for the case of A to Z, or the subject, byte for byte (opkssh compares both).
    case emailOrSubject(Text)
    /// `oidc:CLAIM:VALUE`: the claim equals the value or is an array that contains it.
    case claim(name: Text, value: Text)
    /// `oidc-match-end:email:@DOMAIN`: an address in this domain; kept with its `@`.
    case emailDomain(Text)
    /// `repo:GLOB`: the whole subject matches.
    case repository(Glob)

    /// CLAIM:VALUE, as an option writes it: the claim's name may be in quotes of its own.
    init(claimTest text: Text) throws(RowFault) { self = try Identity.claim(after: text.utf8[...], as: "CLAIM:VALUE") }

    /// Whether claims besides the subject can decide: userinfo may have those, but its subject is the same.
    var asksForClaims: Bool {
        switch self {
        case .subject, .repository: false
        case .emailOrSubject, .claim, .emailDomain: true
        }
    }

    private static let claimPrefix: Text = "oidc:"
    private static let matchEndPrefix: Text = "oidc-match-end:"
    private static let repositoryPrefix: Text = "repo:"

    /// Reads the second column, quotes of the shell already taken off.
    init(_ column: Text) throws(RowFault) {
        if column.isEmpty { throw RowFault("the identity is empty") }
        if column.hasPrefix(Identity.claimPrefix) {
            self = try Identity.claim(after: column.utf8.dropFirst(Identity.claimPrefix.count), as: "oidc:CLAIM:VALUE")
        } else if column.hasPrefix(Identity.matchEndPrefix) {
            self = try Identity.emailDomain(of: column)
        } else if column.hasPrefix(Identity.repositoryPrefix) {
            if column.count == Identity.repositoryPrefix.count { throw RowFault("repo: names no repository") }
            guard let glob = Glob(column) else { throw RowFault("\(column) is not a proper pattern") }
            self = .repository(glob)
        } else if let prefix = [Identity.claimPrefix, Identity.matchEndPrefix, Identity.repositoryPrefix].first(where: {
            column.lowercasedASCII.hasPrefix($0)
        }) {
            throw RowFault("the identity \(column) must begin with \(prefix) in lower case")
        } else {
            self = column.contains(UInt8(ascii: "@")) ? .emailOrSubject(column) : .subject(column)
        }
    }

    /// CLAIM:VALUE or "CLAIM":VALUE. The value is all the rest, colons included.
    private static func claim(after prefix: ArraySlice<UInt8>, as form: String) throws(RowFault) -> Identity {
        let quote = UInt8(ascii: "\"")
        let colon = UInt8(ascii: ":")
        var name: ArraySlice<UInt8>
        var rest: ArraySlice<UInt8>
        if prefix.first == quote {
            guard let end = prefix.dropFirst().firstIndex(of: quote) else { throw RowFault("a claim's name has no closing quote") }
            (name, rest) = (prefix.dropFirst()[..<end], prefix[(end + 1)...])
        } else {
            name = prefix.prefix { $0 != colon }
            rest = prefix.dropFirst(name.count)
            if name.contains(quote) { throw RowFault("a claim's name has a quote in it") }
        }
        guard rest.popFirst() == colon else { throw RowFault("a claim that is asked for has the form \(form)") }
        guard let name = Text(validating: name), let value = Text(validating: rest), !name.isEmpty, !value.isEmpty else {
            throw RowFault("\(form) needs a claim and a value")
        }
        if (name == "https" || name == "http") && prefix.first != quote && value.hasPrefix("//") {
            throw RowFault("a claim that is a URL needs quotes of its own, and single quotes around the whole: 'oidc:\"https://…\":…'")
        }
        return .claim(name: name, value: value)
    }

    private static func emailDomain(of column: Text) throws(RowFault) -> Identity {
        let prefix: Text = "oidc-match-end:email:"
        guard column.hasPrefix(prefix), let suffix = column.dropFirst(prefix.count) else {
            throw RowFault("\(matchEndPrefix) goes with email only: oidc-match-end:email:@DOMAIN")
        }
        guard suffix.utf8.first == UInt8(ascii: "@"), suffix.count > 1 else {
            throw RowFault("oidc-match-end:email: needs a domain with its @: oidc-match-end:email:@DOMAIN")
        }
        return .emailDomain(suffix)
    }
}

extension Identity: CustomStringConvertible {
    /// As `auth_id` writes it, escaped.
    public var description: String {
        switch self {
        case .subject(let text), .emailOrSubject(let text): text.escaped
        case .claim(let name, let value): "oidc:\(name.contains(UInt8(ascii: ":")) ? "\"\(name)\"" : "\(name)"):\(value)"
        case .emailDomain(let suffix): "oidc-match-end:email:\(suffix)"
        case .repository(let glob): glob.pattern.escaped
        }
    }
}
