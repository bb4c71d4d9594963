public import HTTP
import JOSE
public import KeyCache
public import Vocabulary

public enum ProviderKeys {
    /// The issuer's keys, fetched now: its discovery document, then its key set, both within the client's one deadline.
    public static func fetch(issuer: Text, client: HTTPClient) throws(OIDCError) -> CachedKeys {
        let end = ContinuousClock.now + client.timeout
        return try fetch(by: DiscoveryDocument.fetch(issuer: issuer, client: client), client: client.until(end))
    }

    /// The keys that a discovery document points to. A set without a usable key is an error, so that it never replaces a good one (C13).
    public static func fetch(by document: DiscoveryDocument, client: HTTPClient) throws(OIDCError) -> CachedKeys {
        let response = try asking { () throws(HTTPError) in try client.get(document.jwksURI) }
        let object = try response.json(.keys)
        guard object["keys"]?.array != nil else { throw .malformed(.keys, "keys is missing") }
        let keys = CachedKeys(
            issuer: document.issuer, keysURI: Text(document.jwksURI.text),
            userinfoEndpoint: document.userinfoEndpoint.map { Text($0.text) }, fetchedAt: .now(),
            cacheSeconds: response.cacheSeconds, body: response.body)
        guard let keys else { throw .noUsableKey }
        return keys
    }

    /// For a record that came another way than from the provider: it must be one that could have been fetched.
    public static func check(_ keys: CachedKeys) throws(OIDCError) {
        let endpoint = Endpoint(of: try DiscoveryDocument.issuerURL(keys.issuer))
        _ = try endpoint.url("jwks_uri", keys.keysURI)
        if let text = keys.userinfoEndpoint { _ = try endpoint.url("userinfo_endpoint", text) }
        guard keys.jwks.hasUsableKey else { throw .noUsableKey }
    }
}
