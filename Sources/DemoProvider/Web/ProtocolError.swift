import FlyingFox
import JOSE
import Vocabulary

/// An error that OAuth and OpenID Connect have a name for.
struct ProtocolError: Error {
    let code: Code
    /// For a person; never hostile text.
    let detail: String

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    enum Code: String, Sendable {
        // RFC 6749 sections 4.1.2.1 and 5.2
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case unsupportedGrantType = "unsupported_grant_type"
        case unsupportedResponseType = "unsupported_response_type"
        case invalidScope = "invalid_scope"
        case accessDenied = "access_denied"
        case serverError = "server_error"
        // RFC 8628 section 3.5
        case authorizationPending = "authorization_pending"
        case slowDown = "slow_down"
        case expiredToken = "expired_token"
        // RFC 6750 section 3.1
        case invalidToken = "invalid_token"
        // OpenID Connect Core section 3.1.2.6
        case loginRequired = "login_required"
    }

    var document: JSON {
        ["error": .string(Text(code.rawValue)), "error_description": .string(Text(detail))]
    }

    /// As the token, device authorization and userinfo endpoints answer it.
    var answer: HTTPResponse {
        switch code {
        case .invalidClient, .invalidToken:
            var response = Answer.json(document, status: .unauthorized)
            let scheme = code == .invalidClient ? "Basic realm=\"opk-demo-provider\"" : "Bearer error=\"invalid_token\""
            response.headers[HTTPHeader("WWW-Authenticate")] = scheme
            return response
        default: return Answer.json(document, status: .badRequest)
        }
    }
}
