/// Every path there is.
enum Endpoint: String, Sendable, CaseIterable {
    case home = "/"
    case styleSheet = "/style.css"
    case discovery = "/.well-known/openid-configuration"
    case jwks = "/jwks"
    case authorize = "/authorize"
    case token = "/token"
    case userinfo = "/userinfo"
    case deviceAuthorization = "/device_authorization"
    case device = "/device"
    case revoke = "/revoke"
    case endSession = "/end_session"
    case control = "/control"
    case controlRequests = "/control/requests"

    var methods: [String] {
        switch self {
        case .home, .styleSheet, .discovery, .jwks: ["GET"]
        case .authorize, .userinfo, .device, .endSession: ["GET", "POST"]
        case .token, .deviceAuthorization, .revoke, .control: ["POST"]
        case .controlRequests: ["GET", "DELETE"]
        }
    }

    var faulty: FaultyEndpoint? {
        switch self {
        case .discovery: .discovery
        case .jwks: .jwks
        case .authorize: .authorize
        case .token: .token
        case .userinfo: .userinfo
        case .deviceAuthorization: .device
        case .revoke: .revoke
        case .home, .styleSheet, .device, .endSession, .control, .controlRequests: nil
        }
    }
}
