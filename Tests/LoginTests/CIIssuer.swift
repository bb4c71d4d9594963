import Foundation
import JOSE
import LibCrypto
import MintingKit
import TestSupport
import Vocabulary

/// A Forgejo's Actions and a GitLab on loopback: what a job asks for its identity, and the issuer's documents, by which servers check it.
final class CIIssuer: Sendable {
    let server: ScriptedServer
    /// What tokens say on top of the usual.
    let changes: [Text: JSON]

    static let subject: Text = "repo:acme-9/app-84:ref:refs/heads/main"

    init(_ changes: [Text: JSON] = [:], answer: (@Sendable (ScriptedServer.Connection) -> Void)? = nil) throws {
        self.changes = changes
        server = try ScriptedServer()
        let (forgejo, gitLab) = (server.url + "/api/actions", server.url)
        let keys = JSON.object(
            MintedLogin.object(["keys": [MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "key-1", "alg": "RS256", "use": "sig"])]]))
        server.play { request, connection in
            let path = request.target.prefix { $0 != "?" }
            switch path {
            case "/api/actions/.well-known/openid-configuration", "/.well-known/openid-configuration":
                let issuer = path.hasPrefix("/api") ? forgejo : gitLab
                connection.answer(#"{"issuer": "\#(issuer)", "jwks_uri": "\#(issuer)/keys"}"#)
            case "/api/actions/keys", "/keys": connection.answer(keys.serialized)
            case "/api/actions/_apis/pipelines/workflows/42/idtoken":
                if let answer { return answer(connection) }
                let audience = request.target.components(separatedBy: "&audience=").last ?? ""
                let token = CIIssuer.token(issuer: Text(forgejo), audience: Text(audience), changes) ?? []
                connection.answer(#"{"value": "\#(String(decoding: token, as: UTF8.self))"}"#)
            default: connection.answer(404, "{}")
            }
        }
    }

    static func token(issuer: Text, audience: Text, _ changes: [Text: JSON] = [:]) -> [UInt8]? {
        let now = UnixTime.now().seconds
        var claims = MintedLogin.object([
            "iss": .string(issuer), "aud": .string(audience), "sub": .string(subject), "iat": .number(JSONNumber(now)),
            "exp": .number(JSONNumber(now + 300)), "repository": "acme/app",
        ])
        for (name, value) in changes { claims[name] = value }
        return try? JWS.sign(
            JSON.object(claims).serialized, header: MintedLogin.object(["typ": "JWT", "kid": "key-1"]), with: TestKeys.rsa, .rs256)
    }

    var forgejoIssuer: String { server.url + "/api/actions" }

    /// What a Forgejo's runner sets.
    var forgejoJob: [String: String] {
        [
            "CI": "true", "GITHUB_ACTIONS": "true", "FORGEJO_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": forgejoIssuer + "/_apis/pipelines/workflows/42/idtoken?placeholder=true",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner-s3cret",
        ]
    }

    /// What GitLab's runner sets.
    func gitLabJob(audience: Text = "OPENPUBKEY-PKTOKEN:1234") -> [String: String] {
        let token = CIIssuer.token(issuer: Text(server.url), audience: audience, changes) ?? []
        return [
            "CI": "true", "GITLAB_CI": "true", "CI_SERVER_URL": server.url, "OPENPUBKEY_JWT": String(decoding: token, as: UTF8.self),
        ]
    }
}
