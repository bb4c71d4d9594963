import HTTP

extension OIDCError {
    /// What an administrator should look at, for the log of a server whose logins lack a provider's keys; nil where the error itself says it.
    var advice: String? {
        switch self {
        case .http(let error): OIDCError.advice(error.code)
        case .status(_, 429): "the provider wants to be asked less often, which happens by itself"
        case .status(_, 500...599): "the provider has a fault of its own; it is asked again as long as somebody logs in"
        case .status, .notJSON, .malformed:
            "is the issuer in providers spelt right, or does a proxy or another server answer in the provider's place?"
        case .issuer, .otherIssuer: "compare the issuer in providers with the provider's documentation"
        case .endpoint, .noUsableKey: "only the provider can mend that"
        case .noPKCE, .clientAuthentication, .refused, .authorizationResponse, .noDeviceLogin, .refreshedToken: nil
        }
    }

    private static func advice(_ code: HTTPError.Code) -> String {
        switch code {
        case .nameNotResolved: "does this machine resolve names (getent hosts), and is the issuer in providers spelt right?"
        case .connectionFailed: "is the provider up, and do firewall and proxy (env_vars in config.yml) let this machine through?"
        case .tls: "is this machine's clock right, and does it trust the provider's authority (ca in providers, SSL_CERT_FILE in env_vars)?"
        case .trustStore: "see ca in providers and SSL_CERT_FILE in env_vars of config.yml"
        case .timeout: "the provider, the network or name resolution is too slow; timeout in providers or config.yml gives it longer"
        case .redirectRefused: "the issuer in providers must be the address that the provider itself gives"
        case .tooLarge, .cutOff, .notHTTP, .badRequest, .other: "does a proxy or another server answer in the provider's place?"
        }
    }

    /// One sentence, escaped: the error, and what to look at.
    var sentence: String { description + (advice.map { " (\($0))" } ?? "") }
}
