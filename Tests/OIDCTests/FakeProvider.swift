import Foundation
import HTTP
import OIDC
import TestSupport
import Vocabulary

/// A provider on loopback whose every answer a test may replace.
final class FakeProvider: Sendable {
    let server: ScriptedServer

    static let keySet =
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"kid\":\"1\"}]}"

    init() throws {
        server = try ScriptedServer()
        let discovery = discovery()
        play { request in request.target == "/jwks" ? FakeProvider.keySet : discovery }
    }

    var issuer: Text { Text(server.url) }

    /// The discovery document with members of the test's own.
    func discovery(_ members: [String: String?] = [:]) -> String {
        var all: [String: String?] = [
            "issuer": "\"\(server.url)\"", "jwks_uri": "\"\(server.url)/jwks\"", "authorization_endpoint": "\"\(server.url)/authorize\"",
            "token_endpoint": "\"\(server.url)/token\"", "userinfo_endpoint": "\"\(server.url)/me\"",
        ]
        all.merge(members) { $1 }
        return "{" + all.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }.joined(separator: ",") + "}"
    }

    func document(_ members: [String: String?] = [:]) throws -> DiscoveryDocument {
        try answering(discovery(members)) { try DiscoveryDocument.fetch(issuer: issuer, client: HTTPClient()) }
    }

    /// Every request is answered with this body.
    func answering<Result>(
        _ body: String, _ status: Int = 200, type: String = "application/json", work: () throws -> Result
    ) rethrows -> Result {
        server.play { _, connection in connection.answer(status, type: type, body) }
        return try work()
    }

    func play(_ body: @escaping @Sendable (ScriptedServer.Request) -> String) {
        server.play { request, connection in connection.answer(body(request)) }
    }
}

extension OIDCError {
    /// The same error but for what it says about it.
    func isOfTheKind(_ other: OIDCError) -> Bool {
        switch (self, other) {
        case (.malformed(let mine, _), .malformed(let others, _)): mine == others
        default: self == other
        }
    }
}
