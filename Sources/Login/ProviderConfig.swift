public import Identities
public import PKToken
public import Vocabulary

/// One identity provider as the client knows it: who it is, as whom to ask, and what for.
///
/// The same fields as a provider in opkssh's `~/.opk/config.yml`.
public struct ProviderConfig: Hashable, Sendable {
    public var aliases: [String] = []
    /// Byte for byte what ID tokens say as `iss`.
    public var issuer: Text
    public var clientID: Text
    /// Some providers want one even of a public client (Google): then it is no secret. It never reaches a log or another process.
    public var clientSecret: Secret?
    public var scopes: [String] = ["openid", "email"]
    /// `access_type` of the authorization request, which Google knows.
    public var accessType: String? = "offline"
    public var prompt: String? = "consent"
    public var redirectURIs: [RedirectURI] = RedirectURI.usual
    public var sendsAccessToken = false
    /// Whether this login asks for a refresh token: `--refresh`.
    public var wantsRefreshToken = false
    /// Where a browser on another machine is sent back to (`remote_redirect_uri`): an https page that shows the address, for `--remote`.
    public var remoteRedirectURI: String?
    // Ours, which opkssh does not know; nil or empty where the file does not say.
    /// `key_type`.
    public var keyKind: KeyKind?
    /// `valid_for`.
    public var lifetime: ExpiryPolicy?
    /// `store`.
    public var store: KeyStore?
    /// `hosts`: patterns of ssh_config that this provider's identity is for.
    public var hosts: [Text] = []
    /// `refresh_token`: where refresh tokens are kept.
    public var refreshTokenPlace: RefreshTokenPlace?

    /// What its login is called on this laptop, unless the person says otherwise: its first alias that can be such a name, else the host of its
    /// issuer.
    public var name: IdentityName? {
        for alias in aliases {
            if let name = IdentityName(Text(alias)) { return name }
        }
        let afterScheme = issuer.string.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first ?? ""
        return IdentityName(Text(String(afterScheme.prefix { $0 != ":" })))
    }

    public init(issuer: Text, clientID: Text) {
        self.issuer = issuer
        self.clientID = clientID
    }

    /// `ISSUER,CLIENT_ID[,SECRET[,SCOPES]]`, as opkssh takes it: scopes are separated by spaces, an empty secret is none.
    public init(argument: String) throws(LoginError) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard (2...4).contains(parts.count), parts[..<2].allSatisfy(ProviderConfig.isWord) else { throw .providerArgument }
        self.init(issuer: Text(parts[0]), clientID: Text(parts[1]))
        if parts.count > 2, !parts[2].isEmpty { clientSecret = Secret(Array(parts[2].utf8)) }
        if parts.count > 3, !parts[3].isEmpty { scopes = try ProviderConfig.scopes(parts[3]) }
    }

    /// An issuer or a client id, which also stand in files and on terminals: visible ASCII.
    private static func isWord(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }

    /// Scope names separated by spaces (RFC 6749 section 3.3). `openid` is added where it lacks: without it there is no ID token.
    public static func scopes(_ text: String) throws(LoginError) -> [String] {
        let names = text.split(separator: " ").map(String.init)
        let isScope = { (name: String) in
            name.utf8.allSatisfy { $0 == 0x21 || (0x23...0x5B).contains($0) || (0x5D...0x7E).contains($0) }
        }
        guard !names.isEmpty, names.allSatisfy(isScope) else { throw .scopes(Text(text)) }
        return names.contains("openid") ? names : ["openid"] + names
    }
}

extension ProviderConfig {
    /// The providers that need no configuration, with the public client ids that opkssh registered there.
    public static let builtIn: [ProviderConfig] = [google, microsoft, gitlab, hello]

    /// Google wants a client secret from a public client too and publishes that it is none (it stands in every installed application).
    private static let google: ProviderConfig = {
        var provider = ProviderConfig(
            issuer: "https://accounts.google.com",
            clientID: "206584157355-7cbe4s640tvm7naoludob4ut1emii7sf.apps.googleusercontent.com")
        provider.aliases = ["google"]
        provider.clientSecret = Secret(Array("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".utf8))
        provider.scopes = ["openid", "email", "profile"]
        return provider
    }()

    /// The tenant of personal Microsoft accounts.
    private static let microsoft: ProviderConfig = {
        var provider = ProviderConfig(
            issuer: "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
            clientID: "096ce0a3-5e72-4da8-9c86-12924b294a01")
        provider.aliases = ["azure", "microsoft"]
        provider.scopes = ["openid", "profile", "email", "offline_access"]
        return provider
    }()

    private static let gitlab: ProviderConfig = {
        var provider = ProviderConfig(
            issuer: "https://gitlab.com", clientID: "8d8b7024572c7fd501f64374dec6bba37096783dfcd792b3988104be08cb6923")
        provider.aliases = ["gitlab"]
        return provider
    }()

    private static let hello: ProviderConfig = {
        var provider = ProviderConfig(issuer: "https://issuer.hello.coop", clientID: "app_xejobTKEsDNSRd5vofKB2iay_2rN")
        provider.aliases = ["hello"]
        return provider
    }()
}
