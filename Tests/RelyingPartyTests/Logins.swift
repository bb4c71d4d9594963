import DemoProvider
import HTTP
import JOSE
import OIDC
import PKToken
import Testing
import Vocabulary

@testable import Login

/// A demo provider that logs alice in at once and signs with ES256, unless told otherwise; gone when `body` is done.
func withDemoProvider<Value: Sendable>(
    _ control: Text = "{}", clients: [Client] = [], _ body: (DemoProvider) async throws -> Value
) async throws -> Value {
    var options = DemoProviderOptions()
    options.clients += clients
    options.control = [#"{"auto_login": "alice", "key_type": "ES256"}"#, control]
    let provider = try await DemoProvider.start(options)
    do {
        let value = try await body(provider)
        await provider.stop()
        return value
    } catch {
        await provider.stop()
        throw error
    }
}

/// One login at a demo provider that was told `control`.
func login(
    _ control: Text, clients: [Client] = [], browse: @escaping Robot.Browse = Robot.browse,
    options: @escaping @Sendable (inout LoginOptions) -> Void = { _ in }
) async throws -> Robot.Attempt {
    try await withDemoProvider(control, clients: clients) { await Robot.logIn(at: $0.issuer, browse: browse, options: options) }
}

/// The parameters of an authorization request, by name; each may come once.
func parameters(of address: String) throws -> [String: String] {
    let query = try #require(address.split(separator: "?", maxSplits: 1).last)
    let fields = try #require(Form.decode(String(query)))
    #expect(Set(fields.map(\.name)).count == fields.count)
    return Dictionary(fields.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
}

extension Robot.Attempt {
    /// The login failed and no key was handed over; the browser was told, if it was there.
    func failed(_ sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(error != nil && kept == 0, "\(result)", sourceLocation: sourceLocation)
        #expect(page.isEmpty || page.contains("did not succeed"), sourceLocation: sourceLocation)
    }

    func refused(_ code: Refusal.Code, _ sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(refusal == code, "\(result)", sourceLocation: sourceLocation)
        failed(sourceLocation)
    }

    func succeeded(_ sourceLocation: SourceLocation = #_sourceLocation) {
        #expect((try? result.get())?.who == "alice@example.com" && kept == 1, "\(result)", sourceLocation: sourceLocation)
    }

    /// What the provider's userinfo says with this login's access token, taken as a server takes it: for the same subject only.
    func userinfo(at provider: DiscoveryDocument) throws -> VerifiedUserinfo {
        let identity = try result.get().identity
        let (endpoint, token) = (try #require(provider.userinfoEndpoint), try #require(identity.accessToken))
        let answer = try Userinfo.fetch(from: endpoint, accessToken: token, client: HTTPClient(timeout: .seconds(30)))
        return try VerifiedUserinfo(answer: answer, for: identity)
    }
}
