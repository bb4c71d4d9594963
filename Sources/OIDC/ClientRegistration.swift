import HTTP
public import Vocabulary

/// As whom a client asks: what it is registered as at the provider.
public struct ClientRegistration: Sendable {
    public let clientID: Text
    /// Of an installed application it is none in truth, but some providers want it all the same.
    public let secret: Secret?

    public init(clientID: Text, secret: Secret? = nil) {
        self.clientID = clientID
        self.secret = secret
    }

    /// How the token endpoint hears who asks (RFC 6749 section 2.3.1, OpenID Connect Core section 9): fields for the form, or the
    /// Authorization header. Without a secret the form has the client id alone; with one, the first of basic and post that the provider
    /// names, and basic where it names none.
    func authentication(at provider: DiscoveryDocument, methods: [Text]? = nil) throws(OIDCError) -> (
        fields: [(name: String, value: String)], HTTPClient.Credentials
    ) {
        let identifier = (name: "client_id", value: clientID.string)
        guard let secret else { return ([identifier], .none) }
        let password = String(decoding: secret.exposed, as: UTF8.self)
        let methods = methods ?? provider.tokenAuthenticationMethods ?? ["client_secret_basic"]
        for method in methods {
            switch method {
            case "client_secret_basic":
                return ([], .basic(user: Form.escape(clientID.string), password: Form.escape(password)))
            case "client_secret_post":
                return ([identifier, (name: "client_secret", value: password)], .none)
            default: continue
            }
        }
        throw .clientAuthentication
    }
}
