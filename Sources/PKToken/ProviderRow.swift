public import Vocabulary

/// One row of `providers`: an issuer that is trusted, for one client id, and for how long what it says counts.
public struct ProviderRow: Sendable, Hashable {
    /// Compared byte for byte with the token's `iss`.
    public let issuer: Text
    /// Compared byte for byte with an element of the token's `aud`.
    public let clientID: Text
    public let expiry: ExpiryPolicy
    public let options: ProviderOptions
    /// How this issuer's keys are fetched and kept, where the row says so.
    public let keys: KeyOptions
    /// The claim that lists a person's groups, where the row names one; else `groups`.
    public let groupsClaim: Text?
    /// Counted from 1; 0 where the row comes from no file.
    public let line: Int

    public init(
        issuer: Text, clientID: Text, expiry: ExpiryPolicy, options: ProviderOptions = [], keys: KeyOptions = KeyOptions(),
        groupsClaim: Text? = nil, line: Int = 0
    ) {
        self.issuer = issuer
        self.clientID = clientID
        self.expiry = expiry
        self.options = options
        self.keys = keys
        self.groupsClaim = groupsClaim
        self.line = line
    }

    /// Where this provider's tokens carry the commitment: the table of PROTOCOL section 1.
    var commitmentPlace: CommitmentPlace {
        if options.contains(.keyBinding) { return .confirmationKey }
        if issuer == "https://token.actions.githubusercontent.com" || issuer.hasSuffix("/api/actions") { return .audience }
        if clientID.hasPrefix("OPENPUBKEY-PKTOKEN:") { return .headerOfGQ }
        return .nonce
    }
}

/// What a row allows or asks for beyond the rule.
public struct ProviderOptions: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// ID tokens are bound to the user's key by the provider (`cnf`), and no others are accepted.
    public static let keyBinding = ProviderOptions(rawValue: 1)
    /// Access tokens (RFC 9068, typ `at+jwt`) are accepted where an ID token is meant.
    public static let accessTokenType = ProviderOptions(rawValue: 2)
    /// `email_verified` false does not matter.
    public static let trustUnverifiedEmail = ProviderOptions(rawValue: 4)
    /// An email decides only where `email_verified` is true.
    public static let requireVerifiedEmail = ProviderOptions(rawValue: 8)
}

/// The `keys` settings of a row of `providers`, or of config.yml: nil where it says nothing.
public struct KeyOptions: Hashable, Sendable {
    /// For how long keys are used without asking again.
    public var refreshAfter: TimeSpan?
    /// After how long they are used no more.
    public var maximumAge: TimeSpan?
    /// For one fetch.
    public var timeout: TimeSpan?
    /// A PEM file of the certificate authorities that are trusted for this issuer, in the place of the system's.
    public var authorities: Text?

    public init() {}
}

/// PROTOCOL section 1: where the provider's token carries the commitment to the client's key.
enum CommitmentPlace: Hashable, Sendable {
    case nonce
    /// `aud` is the commitment; the client id is not compared. GQ256 only.
    case audience
    /// The member `cic` of the GQ256 header. GQ256 only.
    case headerOfGQ
    /// `cnf.jwk` is the key itself.
    case confirmationKey

    /// Where the bearer token must have stayed at home: its own signature in the certificate is refused.
    var requiresGQ: Bool { self == .audience || self == .headerOfGQ }
}

/// How long an identity counts: PROTOCOL section 5 step 7.
public enum ExpiryPolicy: Hashable, Sendable {
    /// Until the ID token's own `exp`.
    case oidc
    /// Until the `exp` of the ID token, or of a refreshed one that comes with it.
    case oidcRefreshed
    case never
    /// Since `iat`; from 1 second to 9,999,999 days.
    case maximumAge(seconds: Int64)

    /// `12h 24h 48h 1week oidc oidc-refreshed oidc_refreshed never`, or a number from 1 to 9,999,999 and `s`, `m`, `h` or `d`. Nil for
    /// anything else: a policy that cannot be read is not one without limit (V61).
    public init?(_ text: Text) {
        switch text {
        case "oidc": self = .oidc
        case "oidc-refreshed", "oidc_refreshed": self = .oidcRefreshed
        case "never": self = .never
        case "1week": self = .maximumAge(seconds: 7 * 86_400)
        default:
            guard let age = TimeSpan(text) else { return nil }
            self = .maximumAge(seconds: age.seconds)
        }
    }
}
