public import HTTP
public import JOSE
public import Vocabulary

/// A discovery document that counts, with all that it says: for whoever wants to know more than a login needs.
public struct DiscoveryReport: Sendable {
    public let document: DiscoveryDocument
    /// Hostile, as everything from the network.
    public let members: JSONObject
    /// The provider's clock less this machine's, in seconds; nil where the answer has no date.
    public let clockDifference: Int64?

    public static func fetch(issuer: Text, client: HTTPClient) throws(OIDCError) -> DiscoveryReport {
        let url = try DiscoveryDocument.url(for: issuer)
        let before = UnixTime.now()
        let response = try asking { () throws(HTTPError) in try client.get(url) }
        let after = UnixTime.now()
        let members = try response.json(.discovery)
        // A date has whole seconds, and was made somewhere between the two.
        let difference = response.date.map { date -> Int64 in
            if date.seconds < before.seconds { return date.seconds - before.seconds }
            return date.seconds > after.seconds ? date.seconds - after.seconds : 0
        }
        return DiscoveryReport(
            document: try DiscoveryDocument(parsing: members, issuer: issuer), members: members, clockDifference: difference)
    }

    /// A list of words; nil where the provider does not say.
    public func texts(_ name: Text) -> [Text]? { members[name]?.array?.compactMap(\.string) }

    /// Whether there is an endpoint of that name, and one that may be asked for this issuer.
    public func hasEndpoint(_ name: String) -> Bool {
        guard let issuer = try? DiscoveryDocument.issuerURL(document.issuer) else { return false }
        return (try? Endpoint(of: issuer).url(name, in: members)) != nil
    }
}
