public import PKToken
public import SSHKeys
import Vocabulary

/// What a person asks of a login.
public struct LoginOptions: Sendable {
    public var provider: ProviderConfig
    public var keyKind: KeyKind = .ecdsa
    /// The accounts that the certificate is restricted to; the wildcard leaves it to the server.
    public var principals: [Principal] = [.wildcard]
    /// How long the certificate is good for: since `iat`, until the ID token's own end, or without end.
    public var lifetime: ExpiryPolicy = .maximumAge(seconds: 86_400)
    public var way = LoginWay.browser
    public var opensBrowser = true
    /// Seconds to wait for the browser's answer.
    public var patience: Int64 = 300
    /// Seconds to wait for a login on another device; nil for as long as the provider's code is good.
    public var devicePatience: Int64?

    public init(provider: ProviderConfig) {
        self.provider = provider
    }

    /// `30m`, `24h`, `7d`, `1week`, `oidc`, `never`. A certificate has one end, so `oidc-refreshed` is none of them.
    public static func lifetime(_ text: String) throws(LoginError) -> ExpiryPolicy {
        guard let policy = ExpiryPolicy(Text(text)), policy != .oidcRefreshed else { throw .lifetime(Text(text)) }
        return policy
    }

    /// Seconds from `30s`, `5m`, `1h`; a day at most.
    public static func patience(_ text: String) throws(LoginError) -> Int64 {
        guard case .maximumAge(let seconds)? = ExpiryPolicy(Text(text)), seconds <= 86_400 else { throw .patience(Text(text)) }
        return seconds
    }

    /// Account names with commas between; each must be one that a server would accept (PROTOCOL section 6).
    public static func principals(_ text: String) throws(LoginError) -> [Principal] {
        var principals: [Principal] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let principal = Principal(Text(String(name))) else { throw .principal(Text(String(name))) }
            if !principals.contains(principal) { principals.append(principal) }
        }
        guard principals.count == 1 || !principals.contains(.wildcard) else { throw .wildcardAndPrincipals }
        guard principals.count <= SSHCertificate.maximumPrincipals else { throw .principal(Text(text)) }
        return principals
    }
}
