public import HTTP
import JOSE
public import KeyCache
public import Vocabulary

public enum Userinfo {
    /// What the provider says about the holder of an access token (OpenID Connect Core section 5.3): the body of a JSON answer with
    /// status 200. Whose claims they are the caller must check: `sub` (C28). A signed answer (application/jwt) is refused.
    public static func fetch(from endpoint: WebURL, accessToken: Secret, client: HTTPClient) throws(OIDCError) -> [UInt8] {
        let token = String(decoding: accessToken.exposed, as: UTF8.self)
        let response = try asking { () throws(HTTPError) in try client.get(endpoint, credentials: .bearer(token)) }
        _ = try response.json(.userinfo)
        return response.body
    }

    /// The same, where the issuer's endpoint is known from the cache or else from its discovery document.
    public static func fetch(of issuer: Text, accessToken: Secret, cache: KeyCache, client: HTTPClient) throws(OIDCError) -> [UInt8] {
        let end = ContinuousClock.now + client.timeout
        let endpoint = try endpoint(of: issuer, cache, client)
        return try fetch(from: endpoint, accessToken: accessToken, client: client.until(end))
    }

    /// What a record names is checked as in a fresh discovery document.
    private static func endpoint(of issuer: Text, _ cache: KeyCache, _ client: HTTPClient) throws(OIDCError) -> WebURL {
        let name = "userinfo_endpoint"
        if let keys = cache.read(issuer: issuer), keys.isUsable(at: .now()), let text = keys.userinfoEndpoint {
            return try Endpoint(of: DiscoveryDocument.issuerURL(issuer)).url(name, text)
        }
        guard let endpoint = try DiscoveryDocument.fetch(issuer: issuer, client: client).userinfoEndpoint else {
            throw .malformed(.discovery, "\(name) is missing")
        }
        return endpoint
    }
}
