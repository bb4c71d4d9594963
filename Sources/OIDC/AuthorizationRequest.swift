import HTTP
import JOSE
import LibCrypto
public import Vocabulary

/// One login's way through the browser: where to send it, and what only we know about it (authorization code with PKCE; RFC 6749
/// section 4.1, RFC 7636, OpenID Connect Core section 3.1.2.1).
public struct AuthorizationRequest: Sendable {
    /// To open in the browser.
    public let url: String
    /// 43 characters from 32 random bytes; comes back in the answer.
    public let state: Text
    public let redirectURI: String
    /// RFC 7636 section 4.1: 43 characters. Goes to the token endpoint and nowhere else.
    let verifier: Secret

    public struct Options: Sendable {
        /// With `openid` among them.
        public var scopes: [String]
        /// Leaves, or what else the provider knows: `consent`, `login`, `select_account`.
        public var prompt: String?
        /// Google's word for asking for a refresh token: `offline`.
        public var accessType: String?
        /// Further parameters of one provider's own. None may repeat one of ours.
        public var extra: [(name: String, value: String)]

        public init(
            scopes: [String] = ["openid", "email"], prompt: String? = nil, accessType: String? = nil,
            extra: [(name: String, value: String)] = []
        ) {
            self.scopes = scopes
            self.prompt = prompt
            self.accessType = accessType
            self.extra = extra
        }
    }

    /// - Throws: where the provider has no authorization endpoint, or says that it takes other PKCE methods than S256 (C20).
    public init(
        to provider: DiscoveryDocument, as client: ClientRegistration, redirectURI: String, nonce: Text, options: Options = Options()
    ) throws(OIDCError) {
        guard let endpoint = provider.authorizationEndpoint else { throw .malformed(.discovery, "authorization_endpoint is missing") }
        guard provider.codeChallengeMethods?.contains("S256") ?? true else { throw .noPKCE }
        let verifier = Base64URL.encode(randomBytes(32))
        let state = Base64URL.encode(randomBytes(32))
        var fields: [(name: String, value: String)] = [
            ("response_type", "code"), ("client_id", client.clientID.string), ("redirect_uri", redirectURI),
            ("scope", options.scopes.joined(separator: " ")), ("state", state), ("nonce", nonce.string),
            ("code_challenge", AuthorizationRequest.challenge(for: verifier)), ("code_challenge_method", "S256"),
        ]
        if let prompt = options.prompt { fields.append(("prompt", prompt)) }
        if let accessType = options.accessType { fields.append(("access_type", accessType)) }
        let ours = Set(fields.map { Text($0.name) })
        fields += options.extra.filter { !ours.contains(Text($0.name)) }
        url = try AuthorizationRequest.merge(fields, into: endpoint)
        self.state = Text(state)
        self.redirectURI = redirectURI
        self.verifier = Secret(Array(verifier.utf8))
    }

    /// The endpoint's own query stays before ours (RFC 6749 section 3.1, C34), unless it names one of our parameters.
    private static func merge(_ fields: [(name: String, value: String)], into endpoint: WebURL) throws(OIDCError) -> String {
        guard let query = endpoint.query, !query.isEmpty else { return endpoint.shown + "?" + Form.encode(fields) }
        guard let given = Form.decode(query), !given.contains(where: { own in fields.contains { Text($0.name) == Text(own.name) } }) else {
            throw .endpoint("authorization_endpoint")
        }
        return endpoint.shown + "?" + query + "&" + Form.encode(fields)
    }

    /// S256: base64url of the SHA-256 of the verifier's ASCII (RFC 7636 section 4.2).
    static func challenge(for verifier: String) -> String {
        Base64URL.encode(Digest.sha256(Array(verifier.utf8)))
    }
}
