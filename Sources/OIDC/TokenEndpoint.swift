public import HTTP
import JOSE
public import Vocabulary

/// The provider's token endpoint: a code or a refresh token goes in, tokens come out. Redirects are never followed (C05).
public struct TokenEndpoint: Sendable {
    private let provider: DiscoveryDocument
    private let registration: ClientRegistration
    private let client: HTTPClient

    public init(of provider: DiscoveryDocument, as registration: ClientRegistration, client: HTTPClient) {
        self.provider = provider
        self.registration = registration
        self.client = client
    }

    /// RFC 6749 section 4.1.3, RFC 7636 section 4.5.
    public func exchange(_ response: AuthorizationResponse, of request: AuthorizationRequest) throws(OIDCError) -> TokenAnswer {
        try exchange(code: response.code, of: request)
    }

    public func exchange(code: Secret, of request: AuthorizationRequest) throws(OIDCError) -> TokenAnswer {
        try TokenAnswer(
            ask([
                ("grant_type", "authorization_code"), ("code", text(code)), ("redirect_uri", request.redirectURI),
                ("code_verifier", text(request.verifier)),
            ]))
    }

    /// RFC 6749 section 6, OpenID Connect Core section 12.
    public func refresh(_ refreshToken: Secret, scopes: [String] = []) throws(OIDCError) -> RefreshAnswer {
        try RefreshAnswer(
            ask(
                [("grant_type", "refresh_token"), ("refresh_token", text(refreshToken))]
                    + (scopes.isEmpty ? [] : [("scope", scopes.joined(separator: " "))])))
    }

    private func ask(_ fields: [(name: String, value: String)]) throws(OIDCError) -> JSONObject {
        guard let endpoint = provider.tokenEndpoint else { throw .malformed(.discovery, "token_endpoint is missing") }
        let (own, credentials) = try registration.authentication(at: provider)
        let response = try asking { () throws(HTTPError) in try client.post(endpoint, form: fields + own, credentials: credentials) }
        if (400...499).contains(response.status), let error = TokenEndpoint.refusal(in: response) { throw error }
        return try response.json(.token)
    }

    /// RFC 6749 section 5.2: `error` and `error_description`. The description is cut where it is shown (C37).
    static func refusal(in response: HTTPResponse) -> OIDCError? {
        guard let object = try? response.object(.token), let error = object["error"]?.string else { return nil }
        return .refused(error: error, description: object["error_description"]?.string)
    }

    private func text(_ secret: Secret) -> String { String(decoding: secret.exposed, as: UTF8.self) }
}
