import HTTP
import JOSE
import KeyCache
import OIDC
import Vocabulary

/// The provider as one login uses it. Turns everything that can go wrong there into a `LoginError`.
struct ProviderClient {
    private let config: ProviderConfig
    private let document: DiscoveryDocument
    private let registration: ClientRegistration
    private let http: HTTPClient

    /// Fetches the discovery document.
    init(_ config: ProviderConfig, http: HTTPClient) throws(LoginError) {
        self.config = config
        self.http = http
        registration = ClientRegistration(clientID: config.clientID, secret: config.clientSecret)
        do throws(OIDCError) {
            document = try DiscoveryDocument.fetch(issuer: config.issuer, client: http)
        } catch {
            throw LoginError(error, of: config.issuer) { .discovery(issuer: config.issuer, $0) }
        }
    }

    /// With `offline_access` where a refresh token is wanted and the provider lists it (OpenID Connect Core section 11); others ask for it in
    /// other ways (`access_type`), or always give one.
    var scopes: [String] {
        guard config.wantsRefreshToken, document.scopes?.contains("offline_access") == true, !config.scopes.contains("offline_access")
        else {
            return config.scopes
        }
        return config.scopes + ["offline_access"]
    }

    /// Without consent `offline_access` may be ignored.
    private var prompt: String? {
        config.wantsRefreshToken && scopes.contains("offline_access") ? config.prompt ?? "consent" : config.prompt
    }

    /// Where to send the browser; the commitment travels as the nonce.
    func authorization(redirectURI: String, nonce: Text) throws(LoginError) -> AuthorizationRequest {
        let options = AuthorizationRequest.Options(scopes: scopes, prompt: prompt, accessType: config.accessType)
        do throws(OIDCError) {
            return try AuthorizationRequest(
                to: document, as: registration, redirectURI: redirectURI, nonce: nonce, options: options)
        } catch {
            throw .discovery(issuer: config.issuer, "\(error)")
        }
    }

    /// The code in an answer whose state was this login's. An answer from another provider counts neither as a code nor as an error.
    func code(in query: CallbackQuery) throws(LoginError) -> Secret {
        do throws(OIDCError) {
            try AuthorizationResponse.check(issuer: query.issuer, from: document)
        } catch {
            throw .answerFromAnother
        }
        switch query.answer {
        case .code(let code): return Secret(code.utf8)
        case .error(let error, let description): throw .refused(error, description, config)
        }
    }

    func exchange(_ code: Secret, for request: AuthorizationRequest) throws(LoginError) -> ProviderTokens {
        do throws(OIDCError) {
            // A code can be used once, and a person has typed a password for it: a provider that is slow to wake is waited for.
            var client = http
            client.timeout = max(http.timeout, .seconds(15))
            let answer = try TokenEndpoint(of: document, as: registration, client: client).exchange(code: code, of: request)
            return ProviderTokens(idToken: answer.idToken, accessToken: answer.accessToken, refreshToken: answer.refreshToken)
        } catch {
            if case .refused(let error, let description) = error { throw .refused(error, description, config) }
            throw LoginError(error, of: config.issuer, otherwise: LoginError.tokenEndpoint)
        }
    }

    func deviceGrant() -> DeviceGrant {
        DeviceGrant(of: document, as: registration, client: http)
    }

    /// Where the person has to go; the commitment travels as the nonce, which a provider may put in the ID token or forget.
    func begin(_ grant: DeviceGrant, nonce: Text) throws(LoginError) -> DeviceAuthorization {
        do throws(OIDCError) {
            return try grant.begin(scopes: scopes, nonce: nonce)
        } catch {
            switch error {
            case .noDeviceLogin: throw .noDeviceLogin(issuer: config.issuer)
            case .refused(let error, let description): throw .refused(error, description, config)
            default: throw LoginError(error, of: config.issuer, otherwise: LoginError.deviceAuthorization)
            }
        }
    }

    func keys() throws(LoginError) -> JWKSet {
        do throws(OIDCError) {
            return try ProviderKeys.fetch(by: document, client: http).jwks
        } catch {
            throw LoginError(error, of: config.issuer, otherwise: LoginError.keys)
        }
    }
}
