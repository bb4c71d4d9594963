import Foundation
import JOSE
import LibCrypto
import Vocabulary

@testable import DemoProvider

/// A client of the provider that speaks plain HTTP to it, one connection a request, and follows no redirect.
struct RelyingParty: Sendable {
    struct Answer {
        let status: Int
        let body: [UInt8]
        /// By lower-case name.
        let headers: [String: String]

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONObject { (try? JSON(parsing: body))?.object ?? JSONObject() }
        var location: String? { headers["location"] }

        /// The query parameters of the redirect.
        var callback: [String: String] {
            let items = location.flatMap { URLComponents(string: $0)?.queryItems } ?? []
            return Dictionary(items.map { ($0.name, $0.value ?? "") }) { first, _ in first }
        }
    }

    let provider: DemoProvider
    let verifier = "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ"
    let redirectURI = "http://127.0.0.1:51234/any/path"

    init(_ provider: DemoProvider) {
        self.provider = provider
    }

    func send(_ method: String, _ path: String, form: [String: String]? = nil, body: String? = nil, headers: [String: String] = [:])
        async throws -> Answer
    {
        let content = form.map(RelyingParty.encode) ?? body ?? ""
        var fields = ["Host": "localhost:\(provider.port)", "Connection": "close", "Content-Length": String(content.utf8.count)]
        if form != nil { fields["Content-Type"] = "application/x-www-form-urlencoded" }
        fields.merge(headers) { _, new in new }
        let lines = ["\(method) \(path) HTTP/1.1"] + fields.map { "\($0.key): \($0.value)" }
        let message = lines.joined(separator: "\r\n") + "\r\n\r\n" + content
        let received = try await RawConnection.exchange(Array(message.utf8), port: provider.port)
        guard let end = received.indices.first(where: { received[$0...].starts(with: Array("\r\n\r\n".utf8)) }) else {
            throw RawConnection.Failure(errno: 0)
        }
        let head = String(decoding: received[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        let named = head.dropFirst().compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
        }
        return Answer(
            status: head.first.flatMap { Int($0.dropFirst(9).prefix(3)) } ?? 0, body: Array(received[(end + 4)...]),
            headers: Dictionary(named) { first, _ in first })
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

    func exchange(_ code: String, _ changes: [String: String?] = [:], headers: [String: String] = [:]) async throws -> Answer {
        var form = [
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirectURI, "client_id": "opk-demo",
            "code_verifier": verifier,
        ]
        for (name, value) in changes { form[name] = value }
        return try await send("POST", "/token", form: form, headers: headers)
    }

    func refresh(_ token: String) async throws -> Answer {
        try await send(
            "POST", "/token", form: ["grant_type": "refresh_token", "refresh_token": token, "client_id": "opk-demo"])
    }

    /// A device authorization: the form of its polls, and the code that the person types.
    func beginDevice() async throws -> (form: [String: String], userCode: String) {
        let begun = try await send("POST", "/device_authorization", form: ["client_id": "opk-demo", "nonce": "n-2"]).json
        let form = [
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": "opk-demo",
            "device_code": begun["device_code"]?.string?.string ?? "",
        ]
        return (form, begun["user_code"]?.string?.string ?? "")
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
    var options = DemoProviderOptions()
    // Quick to make; the tests that are about the type of key name theirs.
    options.control = [#"{"key_type": "ES256"}"#] + (control.map { [$0] } ?? [])
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
