public import HTTP
import LibCrypto
public import Vocabulary

/// What a provider answers to an authorization request of this client before anybody has logged in. The request says `prompt=none`: a
/// provider that knows the client and the redirect URI sends the browser straight back with an error (OpenID Connect Core section
/// 3.1.2.1), and one that does not must not send it anywhere (RFC 6749 section 4.1.2.1).
public struct RegistrationProbe: Sendable {
    private let document: DiscoveryDocument
    private let scopes: [String]
    private let client: HTTPClient

    public init(_ document: DiscoveryDocument, scopes: [String], client: HTTPClient) {
        self.document = document
        self.scopes = scopes
        self.client = client
    }

    public enum Answer: Sendable {
        /// The browser would be sent to our redirect URI. `error`: what would be said there, if anything; hostile.
        case back(error: Text?)
        /// Something else, to be compared with other answers.
        case page(Page)
    }

    public struct Page: Equatable, Sendable {
        public let status: Int
        /// Where a redirect points, without its query: hostile.
        public let target: Text?
        public let body: [UInt8]

        public var isRefusal: Bool { (400...499).contains(status) }

        /// The same kind of answer: a page holds something random as often as not.
        public func resembles(_ other: Page) -> Bool { status == other.status && target == other.target }
    }

    public func ask(clientID: Text, redirectURI: String) throws(OIDCError) -> Answer {
        let request = try AuthorizationRequest(
            to: document, as: ClientRegistration(clientID: clientID), redirectURI: redirectURI,
            nonce: Text(Base64URL.encode(randomBytes(32))), options: AuthorizationRequest.Options(scopes: scopes, prompt: "none"))
        let url: WebURL
        do { url = try WebURL(parsing: request.url) } catch { throw .endpoint("authorization_endpoint") }
        let response = try asking { () throws(HTTPError) in try client.look(at: url) }
        if let location = response.location, let query = RegistrationProbe.query(of: location, at: redirectURI) {
            let fields = Form.decode(query) ?? []
            return .back(error: fields.first { Text($0.name) == "error" }.map { Text($0.value) })
        }
        let target = response.location.map { location in
            // One that only begins as ours does is no more ours than any other.
            let rest = location.utf8.starts(with: redirectURI.utf8) ? location.utf8.dropFirst(redirectURI.utf8.count) : location.utf8[...]
            return Text(String(decoding: rest.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }, as: UTF8.self))
        }
        return .page(Page(status: response.status, target: target, body: response.body))
    }

    /// What follows the redirect URI in an address; nil where it is another address.
    private static func query(of location: String, at redirectURI: String) -> String? {
        guard location.utf8.starts(with: redirectURI.utf8) else { return nil }
        let rest = location.utf8.dropFirst(redirectURI.utf8.count)
        guard let mark = rest.first else { return "" }
        guard mark == UInt8(ascii: "?") || mark == UInt8(ascii: "#") else { return nil }
        return String(decoding: rest.dropFirst(), as: UTF8.self)
    }
}
