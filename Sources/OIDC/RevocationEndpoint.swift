public import HTTP
public import Vocabulary

/// The provider's revocation endpoint (RFC 7009): a token goes in and is worth nothing any more. Redirects are never followed (C05).
public struct RevocationEndpoint: Sendable {
    private let url: WebURL
    private let provider: DiscoveryDocument
    private let registration: ClientRegistration
    private let client: HTTPClient

    /// Nil where the provider has none.
    public init?(of provider: DiscoveryDocument, as registration: ClientRegistration, client: HTTPClient) {
        guard let url = provider.revocationEndpoint else { return nil }
        self.url = url
        self.provider = provider
        self.registration = registration
        self.client = client
    }

    /// Returns where the provider says that it is done; it says the same of a token that it does not know (section 2.2).
    public func revoke(refreshToken: Secret) throws(OIDCError) {
        let (own, credentials) = try registration.authentication(
            at: provider, methods: provider.revocationAuthenticationMethods ?? provider.tokenAuthenticationMethods)
        let fields = [
            (name: "token", value: String(decoding: refreshToken.exposed, as: UTF8.self)),
            (name: "token_type_hint", value: "refresh_token"),
        ]
        let response = try asking { () throws(HTTPError) in try client.post(url, form: fields + own, credentials: credentials) }
        if (400...499).contains(response.status), let error = TokenEndpoint.refusal(in: response) { throw error }
        guard (200...299).contains(response.status) else { throw .status(.revocation, response.status) }
    }
}
