public import HTTP
import JOSE
public import Vocabulary

/// What a provider says about itself (OpenID Connect Discovery 1.0 section 3), as far as opk asks for it. Its `issuer` is, byte for
/// byte, the one that was configured (C01), and every endpoint is one that may be asked on behalf of that issuer (`Endpoint`).
public struct DiscoveryDocument: Sendable {
    public let issuer: Text
    public let jwksURI: WebURL
    /// Absent at providers that nobody logs in to (a CI's).
    public let authorizationEndpoint: WebURL?
    public let tokenEndpoint: WebURL?
    public let userinfoEndpoint: WebURL?
    public let deviceAuthorizationEndpoint: WebURL?
    /// RFC 7009, RFC 8414 section 2.
    public let revocationEndpoint: WebURL?
    /// OpenID Connect RP-Initiated Logout 1.0 section 2.1: for a browser.
    public let endSessionEndpoint: WebURL?
    /// `scopes_supported`; nil says nothing.
    public let scopes: [Text]?
    /// `revocation_endpoint_auth_methods_supported`; nil means the token endpoint's.
    let revocationAuthenticationMethods: [Text]?
    /// `token_endpoint_auth_methods_supported`; nil means `client_secret_basic` alone.
    public let tokenAuthenticationMethods: [Text]?
    /// `code_challenge_methods_supported` (RFC 8414); nil says nothing.
    public let codeChallengeMethods: [Text]?
    /// `authorization_response_iss_parameter_supported` (RFC 9207 section 3).
    public let namesIssuerInResponse: Bool

    /// Where the document lies: the issuer, without one slash at its end, and the well-known path (section 4).
    public static func url(for issuer: Text) throws(OIDCError) -> WebURL {
        let base = try issuerURL(issuer).text
        return try issuerURL(Text((base.hasSuffix("/") ? String(base.dropLast()) : base) + "/.well-known/openid-configuration"))
    }

    public static func fetch(issuer: Text, client: HTTPClient) throws(OIDCError) -> DiscoveryDocument {
        let url = try url(for: issuer)
        let response = try asking { () throws(HTTPError) in try client.get(url) }
        return try DiscoveryDocument(parsing: response.json(.discovery), issuer: issuer)
    }

    init(parsing document: JSONObject, issuer: Text) throws(OIDCError) {
        guard let said = document["issuer"]?.string else { throw .malformed(.discovery, "issuer is missing") }
        guard said == issuer else { throw .otherIssuer(said) }
        let endpoint = Endpoint(of: try DiscoveryDocument.issuerURL(issuer))
        guard let jwksURI = try endpoint.url("jwks_uri", in: document) else { throw .malformed(.discovery, "jwks_uri is missing") }
        self.issuer = issuer
        self.jwksURI = jwksURI
        authorizationEndpoint = try endpoint.url("authorization_endpoint", in: document)
        tokenEndpoint = try endpoint.url("token_endpoint", in: document)
        userinfoEndpoint = try endpoint.url("userinfo_endpoint", in: document)
        deviceAuthorizationEndpoint = try endpoint.url("device_authorization_endpoint", in: document)
        revocationEndpoint = DiscoveryDocument.optional("revocation_endpoint", in: document, endpoint)
        endSessionEndpoint = DiscoveryDocument.optional("end_session_endpoint", in: document, endpoint)
        scopes = document["scopes_supported"]?.array?.compactMap(\.string)
        revocationAuthenticationMethods = document["revocation_endpoint_auth_methods_supported"]?.array?.compactMap(\.string)
        tokenAuthenticationMethods = document["token_endpoint_auth_methods_supported"]?.array?.compactMap(\.string)
        codeChallengeMethods = document["code_challenge_methods_supported"]?.array?.compactMap(\.string)
        namesIssuerInResponse = try DiscoveryDocument.flag("authorization_response_iss_parameter_supported", in: document)
    }

    /// False where it is absent. What is there and no Boolean is not read as false: a check would be left out by it (C02).
    private static func flag(_ name: String, in document: JSONObject) throws(OIDCError) -> Bool {
        guard let value = document[Text(name)], value != .null else { return false }
        guard let flag = value.bool else { throw .malformed(.discovery, "\(name) is neither true nor false") }
        return flag
    }

    /// Only a logout asks there: one that may not be asked is none, and no reason to let nobody log in.
    private static func optional(_ name: String, in document: JSONObject, _ endpoint: Endpoint) -> WebURL? {
        (try? endpoint.url(name, in: document)) ?? nil
    }

    /// An issuer has no query (section 2; a fragment or a user no `WebURL` has).
    static func issuerURL(_ issuer: Text) throws(OIDCError) -> WebURL {
        let url: WebURL
        do {
            url = try WebURL(parsing: issuer)
        } catch {
            throw .issuer(error)
        }
        guard url.query == nil else { throw .issuer(nil) }
        return url
    }
}
