import HTTP
import JOSE
import LibCrypto
import Synchronization
import TestSupport
import Vocabulary

/// A provider in this process whose every answer a test may bend: for what the demo provider, which is an honest one, has no control for.
/// Everybody who comes is alice. It keeps every request with its headers.
final class ScriptedProvider: Sendable {
    typealias Changes = [Text: JSON?]

    /// What is different from an honest provider. Nil takes a member away.
    struct Habits: Sendable {
        var discovery: Changes = [:]
        var header: Changes = [:]
        var claims: Changes = [:]
        var token: Changes = [:]
        var userinfo: Changes = [:]
        /// The key set, given the JWK of the key that signs.
        var keySet: @Sendable (JSONObject) -> [JSON] = { [.object($0)] }
        /// Signs in the place of the key that is published.
        var signsWith: PrivateKey?
        /// A new key under a new `kid` for every ID token.
        var rotatesBeforeSigning = false
        /// Headers on every answer.
        var headers: [String] = []
        /// Something else altogether, by path.
        var scripts: [String: ScriptedServer.Script] = [:]
    }

    private struct State: Sendable {
        var habits = Habits()
        var key: PrivateKey
        var keyNumber = 1
        var client: Text = ""
        var nonce: Text = ""
    }

    let server: ScriptedServer
    private let state: Mutex<State>

    init(key: PrivateKey? = nil, _ habits: Habits = Habits()) throws {
        server = try ScriptedServer()
        state = Mutex(State(habits: habits, key: try key ?? PrivateKey(generating: .p256)))
        server.play { [unowned self] request, connection in answer(request, connection) }
    }

    convenience init(_ change: (inout Habits) -> Void) throws {
        var habits = Habits()
        change(&habits)
        try self.init(habits)
    }

    var issuer: Text { Text(server.url) }

    func change(_ change: (inout Habits) -> Void) { state.withLock { change(&$0.habits) } }

    func rotate() throws {
        let next = try PrivateKey(generating: .p256)
        state.withLock {
            $0.key = next
            $0.keyNumber += 1
        }
    }

    /// How often a path was asked for.
    func count(_ path: String) -> Int { server.requests.filter { ScriptedProvider.path($0) == path }.count }

    var paths: [String] { server.requests.map(ScriptedProvider.path) }

    private static func path(_ request: ScriptedServer.Request) -> String { String(request.target.prefix { $0 != "?" }) }

    private func answer(_ request: ScriptedServer.Request, _ connection: ScriptedServer.Connection) {
        let path = ScriptedProvider.path(request)
        let habits = state.withLock { $0.habits }
        if let script = habits.scripts[path] { return script(request, connection) }
        if path == "/authorize" { return authorize(request, connection) }
        let document: JSONObject? =
            switch path {
            case "/.well-known/openid-configuration": discovery.changed(by: habits.discovery)
            case "/token": token()?.changed(by: habits.token)
            case "/jwks": keySet(habits)
            case "/userinfo": JSONObject(["sub": "alice-1", "email": "alice@example.com"]).changed(by: habits.userinfo)
            default: nil
            }
        guard let document else { return connection.answer(404, headers: habits.headers, "{}") }
        connection.answer(headers: habits.headers, JSON.object(document).serialized)
    }

    private var discovery: JSONObject {
        func at(_ path: String) -> JSON { .string(Text(server.url + path)) }
        return JSONObject([
            "issuer": .string(issuer), "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"), "jwks_uri": at("/jwks"), "code_challenge_methods_supported": ["S256"],
        ])
    }

    private func authorize(_ request: ScriptedServer.Request, _ connection: ScriptedServer.Connection) {
        let fields = Form.decode(request.target.split(separator: "?").last.map(String.init) ?? "") ?? []
        func field(_ name: Text) -> String { fields.first { Text($0.name) == name }?.value ?? "" }
        state.withLock {
            $0.client = Text(field("client_id"))
            $0.nonce = Text(field("nonce"))
        }
        let answer = Form.encode([("code", "c0de"), ("state", field("state")), ("iss", server.url)])
        connection.answer(302, type: nil, headers: ["Location: \(field("redirect_uri"))?\(answer)"], "")
    }

    private func token() -> JSONObject? {
        if state.withLock({ $0.habits.rotatesBeforeSigning }) { try? rotate() }
        let (now, state) = (UnixTime.now().seconds, state.withLock { $0 })
        let claims = JSONObject([
            "iss": .string(issuer), "aud": .string(state.client), "sub": "alice-1", "email": "alice@example.com",
            "nonce": .string(state.nonce), "iat": .number(JSONNumber(now)), "exp": .number(JSONNumber(now + 3600)),
        ]).changed(by: state.habits.claims)
        let header = JSONObject(["typ": "JWT", "kid": .string(Text("key-\(state.keyNumber)"))]).changed(by: state.habits.header)
        let key = state.habits.signsWith ?? state.key
        guard let signed = try? JWS.sign(JSON.object(claims).serialized, header: header, with: key, key.natural) else { return nil }
        return JSONObject([
            "access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600,
            "id_token": .string(Text(String(decoding: signed, as: UTF8.self))),
        ])
    }

    private func keySet(_ habits: Habits) -> JSONObject {
        let (key, number) = state.withLock { ($0.key, $0.keyNumber) }
        var jwk = key.publicKey.jwk
        jwk["kid"] = .string(Text("key-\(number)"))
        jwk["alg"] = .string(Text(key.natural.rawValue))
        return JSONObject(["keys": .array(habits.keySet(jwk))])
    }
}

extension PrivateKey {
    var natural: JWSAlgorithm {
        switch publicKey {
        case .rsa: .rs256
        case .p256: .es256
        case .ed25519: .edDSA
        }
    }
}

extension JSONObject {
    func changed(by changes: [Text: JSON?]) -> JSONObject {
        var out = self
        for (name, value) in changes { out[name] = value }
        return out
    }
}
