import OIDC
import Vocabulary

/// What the provider can do, as far as it says so itself.
struct ProviderAbilityChecks {
    private(set) var checks: [ProviderCheck] = []
    private let provider: ProviderConfig
    private let report: DiscoveryReport

    init(_ provider: ProviderConfig, _ report: DiscoveryReport) {
        self.provider = provider
        self.report = report
        checks = [pkce, answers, authentication, scopes, claims, device, refresh, logout]
    }

    /// Words of the provider's, escaped.
    static func list(_ words: [Text]) -> String {
        let shown = words.prefix(8).map { $0.escaped(limit: 40) }.joined(separator: ", ")
        return shown.isEmpty ? "nothing" : shown + (words.count > 8 ? ", …" : "")
    }

    /// C20.
    private var pkce: ProviderCheck {
        guard let methods = report.document.codeChallengeMethods else {
            return ProviderCheck("pkce", .warn, "it does not say whether it knows PKCE; S256 is sent all the same")
        }
        if methods.contains("S256") { return ProviderCheck("pkce", .ok, "it takes PKCE with S256") }
        return ProviderCheck(
            "pkce", .fail, "it takes PKCE with \(ProviderAbilityChecks.list(methods)) and not with S256",
            advice: "a login without S256 is not tried; have S256 allowed at the provider")
    }

    private var answers: ProviderCheck {
        let types = report.texts("response_types_supported") ?? ["code"]
        if !types.contains("code") {
            return ProviderCheck(
                "answer", .fail, "it does not answer with a code, but with \(ProviderAbilityChecks.list(types))",
                advice: "have the authorization code flow allowed for the client")
        }
        // The default of OpenID Connect Discovery section 3.
        let modes = report.texts("response_modes_supported") ?? ["query", "fragment"]
        if modes.contains("query") { return ProviderCheck("answer", .ok, "it sends the browser back with a code in the query") }
        return ProviderCheck(
            "answer", .fail, "it sends the answer as \(ProviderAbilityChecks.list(modes)) and not in the query",
            advice: "only an answer in the query can be heard here")
    }

    private var authentication: ProviderCheck {
        let name = "client-auth"
        let methods = report.document.tokenAuthenticationMethods
        let said = ProviderAbilityChecks.list(methods ?? ["client_secret_basic"])
        if provider.clientSecret != nil {
            if let methods, !methods.contains("client_secret_basic"), !methods.contains("client_secret_post") {
                return ProviderCheck(
                    name, .fail, "it does not take a client secret, but \(said)",
                    advice: "take client_secret away, or register another kind of client")
            }
            return ProviderCheck(name, .ok, "it takes the client secret")
        }
        if let methods, methods.contains("none") { return ProviderCheck(name, .ok, "it takes a client without a secret") }
        return ProviderCheck(
            name, .warn, "it names \(said) and not that a client needs no secret",
            advice:
                "most take a public client all the same; if the login fails at the token endpoint, register it as public or native, or give client_secret"
        )
    }

    private var scopes: ProviderCheck {
        if !provider.scopes.contains("email") {
            return ProviderCheck(
                "scopes", .warn, "the scope email is not asked for",
                advice: "without it servers know the login by its subject or groups only")
        }
        guard let known = report.texts("scopes_supported") else {
            return ProviderCheck(
                "scopes", .ok, "it does not say which scopes it knows; \(provider.scopes.joined(separator: " ")) is asked for")
        }
        let unknown = provider.scopes.map { Text($0) }.filter { !known.contains($0) }
        if unknown.isEmpty { return ProviderCheck("scopes", .ok, "it knows \(provider.scopes.joined(separator: " "))") }
        return ProviderCheck(
            "scopes", .warn, "it does not name the scope \(ProviderAbilityChecks.list(unknown))",
            advice: "some refuse a scope that they do not know (invalid_scope); it knows \(ProviderAbilityChecks.list(known))")
    }

    /// What rows of auth_id can be about.
    private var claims: ProviderCheck {
        guard let known = report.texts("claims_supported") else {
            return ProviderCheck("claims", .ok, "it does not say what its ID tokens hold; a login with --print-id-token shows it")
        }
        let missing = (["email", "email_verified", "groups"] as [Text]).filter { !known.contains($0) }
        if missing.isEmpty { return ProviderCheck("claims", .ok, "it knows email, email_verified and groups") }
        var advice: [String] = []
        if missing.contains("email") { advice.append("rows by email admit nobody: name people by subject (sub)") }
        if missing == ["email_verified"] || missing == ["email_verified", "groups"] {
            advice.append("require-verified-email in a server's providers would refuse everybody")
        }
        if missing.contains("groups") {
            advice.append("rows by group (oidc:groups:…) need a claim of another name, or --send-access-token")
        }
        return ProviderCheck(
            "claims", missing.contains("email") ? .warn : .ok, "its ID tokens will probably lack \(ProviderAbilityChecks.list(missing))",
            advice: advice.joined(separator: "; "))
    }

    private var device: ProviderCheck {
        let grant: Text = "urn:ietf:params:oauth:grant-type:device_code"
        if report.document.deviceAuthorizationEndpoint == nil {
            return ProviderCheck("device", .ok, "it has no device login; for a machine without a browser there is --remote")
        }
        if let grants = report.texts("grant_types_supported"), !grants.contains(grant) {
            return ProviderCheck("device", .warn, "it names a device endpoint, but not the grant; --device may be refused")
        }
        return ProviderCheck(
            "device", .ok, "it has a device login; whether its tokens can carry a key (nonce) only a login with --device shows")
    }

    /// Whether it says that it gives refresh tokens.
    var givesRefreshTokens: Bool {
        if let grants = report.texts("grant_types_supported") { return grants.contains("refresh_token") }
        return report.texts("scopes_supported")?.contains("offline_access") ?? false
    }

    private var refresh: ProviderCheck {
        let grants = report.texts("grant_types_supported")
        if let grants, !grants.contains("refresh_token") { return ProviderCheck("refresh", .ok, "it names no refresh tokens") }
        let knowsScope = report.texts("scopes_supported")?.contains("offline_access") ?? false
        if knowsScope, !provider.scopes.contains("offline_access") {
            return ProviderCheck("refresh", .ok, "it gives refresh tokens with the scope offline_access, which is not asked for")
        }
        return ProviderCheck("refresh", .ok, grants == nil ? "it does not say whether it gives refresh tokens" : "it gives refresh tokens")
    }

    private var logout: ProviderCheck {
        let names = [("revocation_endpoint", "revoke tokens"), ("end_session_endpoint", "end the session")].filter {
            report.hasEndpoint($0.0)
        }
        if names.isEmpty { return ProviderCheck("logout", .ok, "it can neither revoke tokens nor end a session: a login ends by itself") }
        return ProviderCheck("logout", .ok, "it can \(names.map(\.1).joined(separator: " and "))")
    }
}
