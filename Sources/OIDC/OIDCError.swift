public import HTTP
public import Vocabulary

/// Why a provider's answer was not taken, or why it was not asked. The description is one sentence for a person, without a secret;
/// what the provider said is escaped and cut (C37).
public enum OIDCError: Error, Equatable, Sendable {
    public enum Document: String, Sendable {
        case discovery = "discovery document"
        case keys = "key set"
        case userinfo = "userinfo answer"
        case token = "token answer"
        case device = "answer to the device login"
        case revocation = "answer to a revocation"
    }

    /// The issuer is no URL that may be asked, or has a query.
    case issuer(WebURLError?)
    case http(HTTPError)
    case status(Document, Int)
    /// The Content-Type is not JSON's.
    case notJSON(Document)
    /// Not acceptable JSON, or a member that is missing or not of its type.
    case malformed(Document, String)
    /// Another issuer answered (OpenID Connect Discovery section 4.3, C01).
    case otherIssuer(Text)
    /// The endpoint of this name is no URL that may be asked on behalf of this issuer (C03, C42).
    case endpoint(String)
    case noUsableKey
    /// The provider says that it does not know S256 (C20).
    case noPKCE
    /// The client cannot say who it is in any way that the provider takes.
    case clientAuthentication
    /// The provider's own `error` and `error_description` (RFC 6749 sections 4.1.2.1 and 5.2): hostile text.
    case refused(error: Text, description: Text?)
    /// The answer in the browser is not this login's, or not this provider's (C02, C15).
    case authorizationResponse(AuthorizationResponse.Fault)
    /// The discovery document has no device_authorization_endpoint (RFC 8628 section 4).
    case noDeviceLogin
    /// A refreshed ID token is not the login's (C29).
    case refreshedToken(RefreshedToken.Fault)
}

extension OIDCError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .issuer(let error):
            "the issuer is not one that can be asked: " + (error.map { "\($0)" } ?? "the URL has a query or is empty")
        case .http(let error): error.description
        case .status(let document, let status): "no \(document.rawValue): the provider answered with status \(status)"
        case .notJSON(let document): "the provider's \(document.rawValue) is not JSON by its content type"
        case .malformed(let document, let what): "the provider's \(document.rawValue) is not acceptable: \(what)"
        case .otherIssuer(let said):
            "the discovery document is of another issuer (\(said.escaped(limit: 200))): the issuer must be written exactly as the provider does"
        case .endpoint(let name): "the provider's \(name) is not a URL that may be asked for this issuer"
        case .noUsableKey: "the provider's key set has no usable key"
        case .noPKCE: "the provider does not take PKCE with S256"
        case .clientAuthentication: "the provider takes none of the ways in which this client can authenticate"
        case .refused(let error, let description):
            "the provider refused: \(error.escaped(limit: 64))" + (description.map { " (\($0.escaped(limit: 300)))" } ?? "")
        case .authorizationResponse(let fault): "the provider's answer in the browser is not acceptable: \(fault.rawValue)"
        case .noDeviceLogin: "the provider has no device login (no device_authorization_endpoint)"
        case .refreshedToken(let fault): "the refreshed ID token is not this login's: \(fault.rawValue)"
        }
    }
}
