public import JOSE
public import Vocabulary

/// A provider's keys as they were fetched: where from, and when. One JSON text holds it all, on disk and from the fetcher to the verifier:
///
///     {"version":1,"issuer":"…","jwks_uri":"…","userinfo_endpoint":"…","fetched_at":1795291636,"cache_seconds":3600,"jwks":{…as received…}}
public struct CachedKeys: Sendable {
    public let issuer: Text
    public let keysURI: Text
    public let userinfoEndpoint: Text?
    public let fetchedAt: UnixTime
    /// For how long the provider wished them to be kept (Cache-Control), in seconds; nil where it said nothing.
    public let cacheSeconds: Int64?
    public let jwks: JWKSet
    /// The whole text.
    public let record: [UInt8]

    /// Bytes of a record: a JWKS of at most 1 MiB, and what is around it.
    public static let maximumSize = 2 << 20
    /// Nil for anything but a whole record of this issuer: then there is no record.
    public init?(parsing record: [UInt8], issuer: Text) {
        guard record.count <= CachedKeys.maximumSize, let object = try? JSONObject(parsing: record), object["version"] == 1,
            object["issuer"]?.string == issuer, let keysURI = object["jwks_uri"]?.string,
            let fetchedAt = object["fetched_at"]?.number?.time, let json = object["jwks"], let jwks = try? JWKSet(json),
            !jwks.keys.isEmpty
        else { return nil }
        if let endpoint = object["userinfo_endpoint"] {
            guard let text = endpoint.string else { return nil }
            userinfoEndpoint = text
        } else {
            userinfoEndpoint = nil
        }
        if let seconds = object["cache_seconds"] {
            guard let seconds = seconds.number?.integer, seconds >= 0 else { return nil }
            cacheSeconds = seconds
        } else {
            cacheSeconds = nil
        }
        self.issuer = issuer
        self.keysURI = keysURI
        self.fetchedAt = fetchedAt
        self.jwks = jwks
        self.record = record
    }

    /// What was fetched just now; nil where the answer is no JWKS, or one without a usable key: such a one must not replace a good one.
    ///
    /// - Parameter body: the JWKS as received.
    public init?(issuer: Text, keysURI: Text, userinfoEndpoint: Text?, fetchedAt: UnixTime, cacheSeconds: Int64? = nil, body: [UInt8]) {
        guard let jwks = try? JWKSet(parsing: body), jwks.hasUsableKey else { return nil }
        var head: JSON = [
            "version": 1, "issuer": .string(issuer), "jwks_uri": .string(keysURI),
            "fetched_at": .number(JSONNumber(fetchedAt.seconds)),
        ]
        if let userinfoEndpoint, var object = head.object {
            object["userinfo_endpoint"] = .string(userinfoEndpoint)
            head = .object(object)
        }
        if let cacheSeconds, var object = head.object {
            object["cache_seconds"] = .number(JSONNumber(max(0, cacheSeconds)))
            head = .object(object)
        }
        // The body goes in as it came: it is the outermost value of its text, so nothing of it can reach out of its place.
        let record = head.serialized.dropLast() + Array(",\"jwks\":".utf8) + body + [UInt8(ascii: "}")]
        self.init(parsing: Array(record), issuer: issuer)
    }
}
