import JOSE
import LibCrypto
public import Vocabulary

/// A relying party that the provider knows.
public struct Client: Sendable {
    public let identifier: Text
    /// Nil for a public client.
    public let secret: Text?

    public init(_ identifier: Text, secret: Text? = nil) {
        self.identifier = identifier
        self.secret = secret
    }
}

/// Client authentication (RFC 6749 section 2.3): `client_secret_basic`, `client_secret_post`, or `none` for public clients.
struct ClientAuthentication: Sendable {
    let clients: [Client]

    /// The client that sent this request to the token, device authorization or revocation endpoint.
    func client(of request: Request) throws(ProtocolError) -> Client {
        guard !request.form.repeats else { throw ProtocolError(.invalidRequest, "a parameter is there twice") }
        var identifier = request.form["client_id"]
        var secret = request.form["client_secret"]
        if let basic = try basicCredentials(request) {
            guard secret == nil, identifier == nil || identifier == basic.identifier else {
                throw ProtocolError(.invalidRequest, "two ways of client authentication at once")
            }
            (identifier, secret) = (basic.identifier, basic.secret)
        }
        guard let identifier, let client = clients.first(where: { $0.identifier == identifier }) else {
            throw ProtocolError(.invalidClient, "this client is not known")
        }
        switch (client.secret, secret) {
        case (nil, nil): return client
        case (nil, let given?) where given.isEmpty: return client
        case (let wanted?, let given?) where equalInConstantTime(wanted.utf8, given.utf8): return client
        default: throw ProtocolError(.invalidClient, "the client's secret is wrong or missing")
        }
    }

    /// RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
    private func basicCredentials(_ request: Request) throws(ProtocolError) -> (identifier: Text, secret: Text)? {
        guard let header = request.authorization else { return nil }
        guard let scheme = Text(validating: header.utf8.prefix(6)), scheme.equalsIgnoringASCIICase("Basic "),
            let pair = Base64.decode(header.utf8.dropFirst(6))
        else { throw ProtocolError(.invalidClient, "the Authorization header cannot be read") }
        let halves = pair.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, let identifier = Form.decode(halves[0]), let secret = Form.decode(halves[1]) else {
            throw ProtocolError(.invalidClient, "the Authorization header cannot be read")
        }
        return (identifier, secret)
    }
}
