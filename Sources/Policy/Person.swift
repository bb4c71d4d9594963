import JOSE
public import PKToken
public import Vocabulary

/// When an email decides, by what `email_verified` says: absent will do, unless the row asks for more or for less.
enum EmailTrust: Hashable {
    case unlessUnverified
    case evenUnverified
    case onlyVerified

    /// Where a row says both, the stricter holds.
    init(_ options: ProviderOptions) {
        if options.contains(.requireVerifiedEmail) {
            self = .onlyVerified
        } else {
            self = options.contains(.trustUnverifiedEmail) ? .evenUnverified : .unlessUnverified
        }
    }

    func accepts(_ verification: EmailClaim.Verification) -> Bool {
        switch self {
        case .evenUnverified: true
        case .unlessUnverified: verification != .unverified
        case .onlyVerified: verification == .verified
        }
    }
}

extension VerifiedIdentity {
    /// The ID token's email, where the provider's row lets it decide.
    public var decidingEmail: Text? {
        EmailClaim(claims).flatMap { EmailTrust(row.options).accepts($0.verification) ? $0.address : nil }
    }
}

/// One set of claims about somebody (the ID token's, or userinfo's), asked again and again whether a row means it.
struct Person {
    let subject: Text
    let email: EmailClaim?
    /// What the provider's row says about emails.
    let emailTrust: EmailTrust
    private let claims: JSONObject
    private var known = KnownElements.none

    init(subject: Text, claims: JSONObject, emailTrust: EmailTrust) {
        self.subject = subject
        self.claims = claims
        self.emailTrust = emailTrust
        email = EmailClaim(claims)
    }

    init(_ identity: VerifiedIdentity) {
        self.init(
            subject: identity.subject, claims: identity.claims, emailTrust: EmailTrust(identity.row.options))
    }

    /// Userinfo's claims about the same person. Where it does not say whether its email is verified, a doubt of the ID token's counts for it too, and
    /// what the ID token vouches for only where that is the same address.
    init(_ userinfo: JSONObject, beside token: Person) {
        var claims = userinfo
        if claims["email_verified"] == nil, !token.emailIsVerified || claims["email"]?.string.map(token.hasEmail) == true {
            claims["email_verified"] = token.emailVerified
        }
        self.init(subject: token.subject, claims: claims, emailTrust: token.emailTrust)
    }

    func hasEmail(_ address: Text) -> Bool { email?.address.equalsIgnoringASCIICase(address) == true }

    enum Answer: Hashable {
        case no
        case yes
        /// Yes, were the email verified.
        case onlyByUnverifiedEmail
    }

    mutating func isMeant(by identity: Identity) -> Answer {
        switch identity {
        case .subject(let wanted): return wanted == subject ? .yes : .no
        case .emailOrSubject(let wanted):
            if wanted == subject { return .yes }
            return emailDecides { $0.equalsIgnoringASCIICase(wanted) }
        case .claim(name: "email", let value): return emailDecides { $0 == value }
        case .claim(let name, let value): return has(value, in: name) ? .yes : .no
        case .emailDomain(let suffix): return emailDecides { Person.address($0, isIn: suffix) }
        case .repository(let glob): return glob.matches(subject) ? .yes : .no
        }
    }

    private func emailDecides(_ fits: (Text) -> Bool) -> Answer {
        guard let email, fits(email.address) else { return .no }
        return emailTrust.accepts(email.verification) ? .yes : .onlyByUnverifiedEmail
    }

    /// Something before the suffix, without a second `@`, a blank or a control character: `mallory@evil.example@example.com` is not ours.
    private static func address(_ address: Text, isIn suffix: Text) -> Bool {
        guard address.count > suffix.count else { return false }
        let local = address.utf8.dropLast(suffix.count)
        guard Text(validating: address.utf8.dropFirst(local.count))?.equalsIgnoringASCIICase(suffix) == true else { return false }
        return local.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "@") }
    }

    func groups(named name: Text) -> GroupList { GroupList(claims, name: name) }

    /// A text itself; nothing else can be an account's name. An email only where it may decide.
    func accountName(in name: Text) -> Text? {
        if name == "email", let email, !emailTrust.accepts(email.verification) { return nil }
        return claims[name]?.string
    }

    /// The texts of a claim that is one or a list of them, for `amr` and for showing what is there.
    func texts(in name: Text) -> [Text] {
        switch claims[name] {
        case .array(let elements)?: elements.compactMap(Person.text)
        case let claim?: [Person.text(claim)].compactMap(\.self)
        case nil: []
        }
    }

    /// NumericDate; nil where it is absent or none.
    func time(in name: Text) -> UnixTime? { claims[name]?.number?.time }

    var emailIsVerified: Bool { email?.verification == .verified }

    private mutating func has(_ value: Text, in name: Text) -> Bool {
        var all: [Text: Set<Text>] = [:]
        if case .some(let known) = known { all = known }
        if let elements = all[name] { return elements.contains(value) }
        let elements = Person.elements(of: claims[name])
        // So that nobody else has them, and they are not copied.
        known = .none
        all[name] = elements
        known = .some(all)
        return elements.contains(value)
    }

    /// A scalar is a list of one. Null, objects and nested arrays have nothing that a row could name (V65).
    private static func elements(of claim: JSON?) -> Set<Text> {
        switch claim {
        case .array(let elements)?: Set(elements.compactMap(text))
        case let claim?: Set([text(claim)].compactMap(\.self))
        case nil: []
        }
    }

    /// A string itself; a number or a boolean as its JSON text.
    static func text(_ scalar: JSON) -> Text? {
        switch scalar {
        case .string(let text): text
        case .number(let number): number.text
        case .bool(let value): value ? "true" : "false"
        case .null, .array, .object: nil
        }
    }

    /// `email_verified` as it was written.
    var emailVerified: JSON? { claims["email_verified"] }

    /// Every text in the claim `email`, for the deny list: there, a strange shape helps nobody.
    var addresses: [Text] {
        switch claims["email"] {
        case .string(let text)?: [text]
        case .array(let elements)?: elements.compactMap(\.string)
        default: []
        }
    }
}

/// What each claim that was asked for consists of: a claim may have 100,000 elements, and a file as many rows. In a box of its own, since the type of a
/// set is put together at run time, and most logins need none.
private indirect enum KnownElements {
    case none
    case some([Text: Set<Text>])
}
