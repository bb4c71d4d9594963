import HTTP
public import Vocabulary

/// What the browser brings back to the redirect URI (RFC 6749 section 4.1.2): a code for this login from this provider. Any other
/// answer throws.
public struct AuthorizationResponse: Sendable {
    public let code: Secret

    public enum Fault: String, Sendable {
        case malformed = "its query is malformed"
        case duplicate = "a parameter is there twice"
        case state = "it belongs to another login (state)"
        case issuer = "it comes from another provider (iss)"
        case noCode = "it has neither a code nor an error, or both"
    }

    /// - Parameter query: what stands behind the `?`.
    public init(query: String, state: Text, from provider: DiscoveryDocument) throws(OIDCError) {
        guard query.utf8.count <= 16 << 10, let fields = Form.decode(query) else { throw .authorizationResponse(.malformed) }
        func one(_ name: Text) throws(OIDCError) -> Text? {
            let values = fields.filter { Text($0.name) == name }
            guard values.count <= 1 else { throw .authorizationResponse(.duplicate) }
            return values.first.map { Text($0.value) }
        }
        guard try one("state") == state, !state.isEmpty else { throw .authorizationResponse(.state) }
        try AuthorizationResponse.check(issuer: one("iss"), from: provider)
        let description = try one("error_description")
        switch (try one("code"), try one("error")) {
        case (let code?, nil) where !code.isEmpty: self.code = Secret(code.utf8)
        case (nil, let error?): throw .refused(error: error, description: description)
        default: throw .authorizationResponse(.noCode)
        }
    }

    /// RFC 9207 section 2.4: equal to the issuer where it is there, and there where the provider says that it sends it (C02).
    public static func check(issuer: Text?, from provider: DiscoveryDocument) throws(OIDCError) {
        guard issuer == provider.issuer || (issuer == nil && !provider.namesIssuerInResponse) else {
            throw .authorizationResponse(.issuer)
        }
    }
}
