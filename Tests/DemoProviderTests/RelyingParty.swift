import Foundation
import JOSE
import LibCrypto
import Vocabulary

@testable import DemoProvider

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A client of the provider that speaks plain HTTP to it and follows no redirect.
final class RelyingParty: NSObject, URLSessionTaskDelegate, @unchecked Sendable {
    struct Answer {
        let status: Int
        let body: [UInt8]
        let headers: [AnyHashable: Any]

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONObject { (try? JSON(parsing: body))?.object ?? JSONObject() }
        var location: String? { headers["Location"] as? String }

        /// The query parameters of the redirect.
        var callback: [String: String] {
            let items = location.flatMap { URLComponents(string: $0)?.queryItems } ?? []
            return Dictionary(items.map { ($0.name, $0.value ?? "") }) { first, _ in first }
        }
    }

    let provider: DemoProvider
    let verifier = "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ"
    let redirectURI = "http://127.0.0.1:51234/any/path"
    private lazy var session = URLSession(configuration: .ephemeral, delegate: self, delegateQueue: nil)

    init(_ provider: DemoProvider) {
        self.provider = provider
    }

    func urlSession(
        _: URLSession, task _: URLSessionTask, willPerformHTTPRedirection _: HTTPURLResponse, newRequest _: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func send(_ method: String, _ path: String, form: [String: String]? = nil, body: String? = nil, headers: [String: String] = [:])
        async throws -> Answer
    {
        guard let url = URL(string: provider.issuer.string + path) else { throw URLError(.badURL) }
        var request = URLRequest(url: url, timeoutInterval: 10)
        request.httpMethod = method
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        if let form {
            request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
            request.httpBody = Data(RelyingParty.encode(form).utf8)
        } else if let body {
            request.httpBody = Data(body.utf8)
        }
        let (data, response) = try await session.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        return Answer(status: response.statusCode, body: Array(data), headers: response.allHeaderFields)
    }

    func get(_ path: String, bearer: String? = nil) async throws -> Answer {
        try await send("GET", path, headers: bearer.map { ["Authorization": "Bearer \($0)"] } ?? [:])
    }

    static func encode(_ form: [String: String]) -> String {
        Form(fields: form.map { (name: Text($0.key), value: Text($0.value)) }).encoded
    }

    func authorizationPath(_ changes: [String: String?] = [:]) -> String {
        var parameters = [
            "client_id": "opk-demo", "response_type": "code", "scope": "openid email", "redirect_uri": redirectURI, "state": "s&1",
            "nonce": "n-1", "code_challenge": Base64URL.encode(Digest.sha256(Array(verifier.utf8))), "code_challenge_method": "S256",
        ]
        for (name, value) in changes { parameters[name] = value }
        return "/authorize?" + RelyingParty.encode(parameters)
    }

    /// The code of a login by the page's button.
    func code(_ person: String = "alice", _ changes: [String: String?] = [:]) async throws -> String {
        try await send("POST", authorizationPath(changes), form: ["person": person]).callback["code"] ?? ""
    }

    func exchange(_ code: String, _ changes: [String: String?] = [:]) async throws -> Answer {
        var form = [
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirectURI, "client_id": "opk-demo",
            "code_verifier": verifier,
        ]
        for (name, value) in changes { form[name] = value }
        return try await send("POST", "/token", form: form)
    }

    func refresh(_ token: String) async throws -> Answer {
        try await send(
            "POST", "/token", form: ["grant_type": "refresh_token", "refresh_token": token, "client_id": "opk-demo"])
    }

    /// The ID token of a whole login.
    func idToken(_ person: String = "alice") async throws -> JWS {
        try RelyingParty.idToken(try await exchange(try await code(person)))
    }

    static func idToken(_ answer: Answer) throws -> JWS {
        try JWS(parsing: answer.json["id_token"]?.string?.utf8 ?? [])
    }

    /// Whether the token's signature holds with the one key of the JWKS that its `kid` names.
    func holds(_ token: JWS) async throws -> Bool {
        let keys = try JWKSet(parsing: try await get("/jwks").body)
        guard let algorithm = token.header.members["alg"]?.string.flatMap({ JWSAlgorithm(name: $0) }) else { return false }
        return keys.keys.contains { key in
            key.keyID == token.header.keyID && (key.publicKey().map { token.verifies(with: $0, algorithm) } ?? false)
        }
    }
}

/// A provider for the length of `body`.
func withProvider(
    _ control: Text? = nil, _ change: (inout DemoProviderOptions) -> Void = { _ in }, _ body: (RelyingParty) async throws -> Void
) async throws {
    var options = control.map { DemoProviderOptions(control: $0) } ?? DemoProviderOptions()
    change(&options)
    let provider = try await DemoProvider.start(options)
    do {
        try await body(RelyingParty(provider))
    } catch {
        await provider.stop()
        throw error
    }
    await provider.stop()
}
