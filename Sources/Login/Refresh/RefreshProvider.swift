import HTTP
import JOSE
import KeyCache
import OIDC
import TokenStore
import Vocabulary

/// The provider as a refresh uses it: the one that the refresh token is from, and no other.
struct RefreshProvider: Sendable {
    private let document: DiscoveryDocument
    private let registration: ClientRegistration
    private let http: HTTPClient

    /// Fetches the discovery document.
    init(_ token: StoredRefreshToken, http: HTTPClient) throws(RefreshError) {
        self.http = http
        registration = ClientRegistration(clientID: token.clientID, secret: token.clientSecret)
        do throws(OIDCError) {
            document = try DiscoveryDocument.fetch(issuer: token.issuer, client: http)
        } catch {
            throw .provider("\(error)")
        }
    }

    @Sendable func keys() throws(RefreshError) -> JWKSet {
        do throws(OIDCError) {
            return try ProviderKeys.fetch(by: document, client: http).jwks
        } catch {
            throw .keys("\(error)")
        }
    }

    func refresh(_ token: Secret) throws(RefreshError) -> RefreshAnswer {
        do throws(OIDCError) {
            // A token may work once: a provider that is slow to wake is waited for.
            var client = http
            client.timeout = max(http.timeout, .seconds(15))
            return try TokenEndpoint(of: document, as: registration, client: client).refresh(token)
        } catch {
            if case .refused(let error, let description) = error { throw .refused(error: error, description: description) }
            throw .provider("\(error)")
        }
    }

    /// False where the provider has no way to be told.
    func revoke(_ token: Secret) throws(RefreshError) -> Bool {
        guard let endpoint = RevocationEndpoint(of: document, as: registration, client: http) else { return false }
        do throws(OIDCError) {
            try endpoint.revoke(refreshToken: token)
            return true
        } catch {
            throw .provider("\(error)")
        }
    }
}
