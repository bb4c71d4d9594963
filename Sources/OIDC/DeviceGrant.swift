public import HTTP
import JOSE
public import Vocabulary

/// A login whose page is shown on another device (RFC 8628). Redirects are never followed (C05).
public struct DeviceGrant: Sendable {
    private let provider: DiscoveryDocument
    private let registration: ClientRegistration
    private let client: HTTPClient

    /// What a provider says when it is asked whether the person has been there (section 3.5).
    public enum Answer: Sendable {
        case tokens(TokenAnswer)
        /// `authorization_pending`.
        case notYet
        /// `slow_down`, or HTTP's own "too many requests": from now on five seconds more between questions.
        case slowDown
    }

    public init(of provider: DiscoveryDocument, as registration: ClientRegistration, client: HTTPClient) {
        self.provider = provider
        self.registration = registration
        self.client = client
    }

    /// Section 3.1. `nonce` is OpenID Connect's: the RFC does not know it, but a provider may put it in the ID token.
    public func begin(scopes: [String], nonce: Text) throws(OIDCError) -> DeviceAuthorization {
        guard let endpoint = provider.deviceAuthorizationEndpoint else { throw .noDeviceLogin }
        let response = try post(endpoint, [("scope", scopes.joined(separator: " ")), ("nonce", nonce.string)])
        if (400...499).contains(response.status), let error = DeviceGrant.refusal(in: response, .device) { throw error }
        return try DeviceAuthorization(response.json(.device), from: provider)
    }

    /// One question (section 3.4). Everything that ends the login throws, `expired_token` and `access_denied` too.
    public func ask(about authorization: DeviceAuthorization) throws(OIDCError) -> Answer {
        guard let endpoint = provider.tokenEndpoint else { throw .malformed(.discovery, "token_endpoint is missing") }
        let code = String(decoding: authorization.deviceCode.exposed, as: UTF8.self)
        let response = try post(endpoint, [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", code)])
        guard (400...499).contains(response.status) else { return .tokens(try TokenAnswer(response.json(.token))) }
        switch DeviceGrant.refusal(in: response, .token) {
        case .refused(error: "authorization_pending", description: _)?: return .notYet
        case .refused(error: "slow_down", description: _)?: return .slowDown
        case let error?: throw error
        case nil where response.status == 429: return .slowDown
        case nil: throw .status(.token, response.status)
        }
    }

    private func post(_ endpoint: WebURL, _ fields: [(name: String, value: String)]) throws(OIDCError) -> HTTPResponse {
        var (own, credentials) = try registration.authentication(at: provider)
        // Section 3.1 wants the client id in the form; to say it twice harms nobody.
        if own.isEmpty { own = [("client_id", registration.clientID.string)] }
        return try asking { () throws(HTTPError) in try client.post(endpoint, form: fields + own, credentials: credentials) }
    }

    /// RFC 6749 section 5.2. The description is cut where it is shown (C37).
    private static func refusal(in response: HTTPResponse, _ document: OIDCError.Document) -> OIDCError? {
        guard let object = try? response.object(document), let error = object["error"]?.string else { return nil }
        return .refused(error: error, description: object["error_description"]?.string)
    }
}

extension OIDCError {
    /// Whether the same question may well be answered in a while: the network or the provider has a hiccup.
    public var mayPass: Bool {
        switch self {
        case .http(let error): [.nameNotResolved, .connectionFailed, .timeout, .cutOff, .other].contains(error.code)
        case .status(_, 500...599): true
        default: false
        }
    }
}
