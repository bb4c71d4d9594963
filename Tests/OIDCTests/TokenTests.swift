import Foundation
import HTTP
import JOSE
import TestSupport
import Testing
import Vocabulary

@testable import OIDC

@Suite("The token endpoint")
struct TokenTests {
    let provider: FakeProvider
    let good = "{\"id_token\":\"a.b.c\",\"access_token\":\"t\",\"refresh_token\":\"r\",\"token_type\":\"bEARER\",\"expires_in\":3600}"

    init() throws { provider = try FakeProvider() }

    private func exchange(
        _ answer: String, _ status: Int = 200, type: String = "application/json", secret: String? = nil, methods: String? = nil
    ) throws -> TokenAnswer {
        let document = try provider.document(["token_endpoint_auth_methods_supported": methods])
        let me = ClientRegistration(clientID: "me:1", secret: secret.map { Secret(Array($0.utf8)) })
        let request = try AuthorizationRequest(to: document, as: me, redirectURI: "http://localhost:3000/login-callback", nonce: "n")
        provider.server.forget()
        return try provider.answering(answer, status, type: type) {
            try TokenEndpoint(of: document, as: me, client: HTTPClient()).exchange(code: Secret(Array("c0de".utf8)), of: request)
        }
    }

    private func form() throws -> [String: String] {
        let request = try #require(provider.server.requests.last)
        #expect(request.method == "POST" && request.target == "/token")
        let fields = try #require(Form.decode(request.body))
        return Dictionary(fields.map { ($0.name, $0.value) }, uniquingKeysWith: { _, _ in "twice" })
    }

    @Test("C20 gets the code, the verifier and the redirect URI; C21 Bearer in any case is taken")
    func exchange() throws {
        let answer = try exchange(good)
        #expect(answer.idToken == Secret(Array("a.b.c".utf8)) && answer.accessToken == Secret(Array("t".utf8)))
        #expect(answer.refreshToken == Secret(Array("r".utf8)) && answer.expiresIn == 3600)
        let form = try form()
        #expect(form["grant_type"] == "authorization_code" && form["code"] == "c0de" && form["code_verifier"]?.utf8.count == 43)
        #expect(
            form["redirect_uri"] == "http://localhost:3000/login-callback" && form["client_id"] == "me:1" && form["client_secret"] == nil)
        #expect(!"\(answer)".contains("a.b.c"))
    }

    @Test("hears who asks in the way that it takes")
    func authentication() throws {
        for methods in [nil, "[\"client_secret_basic\",\"client_secret_post\"]", "[\"private_key_jwt\",\"client_secret_basic\"]"] {
            _ = try exchange(good, secret: "s:/ ", methods: methods)
            #expect(try form()["client_secret"] == nil)
            let expected = "Basic " + Data("me%3A1:s%3A%2F%20".utf8).base64EncodedString()
            #expect(provider.server.requests.last?.header("Authorization") == expected)
        }
        _ = try exchange(good, secret: "s:/ ", methods: "[\"client_secret_post\"]")
        #expect(try form()["client_secret"] == "s:/ " && form()["client_id"] == "me:1")
        #expect(provider.server.requests.last?.header("Authorization") == nil)
        #expect(throws: OIDCError.clientAuthentication) { try exchange(good, secret: "s", methods: "[\"private_key_jwt\"]") }
        #expect(provider.server.requests.isEmpty)
    }

    @Test("C21 without an ID token, of another type, or with a senseless lifetime is refused")
    func strict() throws {
        func with(_ name: String, _ value: String?) throws -> String {
            var object = try #require(try JSONSerialization.jsonObject(with: Data(good.utf8)) as? [String: Any])
            object[name] = try value.map { try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed) }
            return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
        }
        for (name, value) in [
            ("id_token", nil), ("id_token", "null"), ("id_token", "\"null\""), ("id_token", "\"\""), ("id_token", "7"),
            ("id_token", "\"a b\""),
            ("access_token", "\"\""), ("access_token", "{}"), ("access_token", "\"a\\r\\nX: y\""), ("refresh_token", "\"\""),
            ("token_type", nil), ("token_type", "\"mac\""), ("token_type", "\"DPoP\""), ("token_type", "\"Bearer \""), ("token_type", "1"),
            ("expires_in", "-1"), ("expires_in", "\"3600\""), ("expires_in", "1.5"), ("expires_in", "999999999999"), ("expires_in", "null"),
        ] {
            let error = #expect(throws: OIDCError.self) { try exchange(with(name, value)) }
            #expect(error?.isOfTheKind(.malformed(.token, "")) == true, "\(name) \(value ?? "absent")")
        }
        #expect(try exchange(with("expires_in", nil)).expiresIn == nil)
        #expect(try exchange(with("refresh_token", nil)).refreshToken == nil)
        #expect(throws: OIDCError.notJSON(.token)) { try exchange(good, type: "text/html") }
        #expect(throws: OIDCError.status(.token, 500)) { try exchange(good, 500) }
        #expect(throws: OIDCError.self) { try exchange(String(good.dropLast()) + ",\"id_token\":\"x.y.z\"}") }
    }

    @Test("C37 may refuse: its words come out escaped and cut, and without the code")
    func refusal() throws {
        let long = String(repeating: "y", count: 100_000)
        let error = #expect(throws: OIDCError.self) {
            try exchange("{\"error\":\"invalid_grant\",\"error_description\":\"\\u001b[2J\\u202e\(long)\"}", 400)
        }
        #expect(try #require(error).description.hasPrefix("the provider refused: invalid_grant (\\u{1b}[2J\\u{202e}yyy"))
        #expect(try #require(error).description.utf8.count < 500 && error?.description.contains("c0de") == false)
        #expect(throws: OIDCError.status(.token, 400)) { try exchange("<html>", 400, type: "text/html") }
        #expect(throws: OIDCError.status(.token, 400)) { try exchange("{}", 400) }
    }

    @Test("C05 that redirects gets nothing again")
    func redirect() throws {
        let document = try provider.document()
        let endpoint = TokenEndpoint(of: document, as: ClientRegistration(clientID: "me"), client: HTTPClient())
        provider.server.forget()
        provider.server.play { _, connection in connection.answer(307, headers: ["Location: /elsewhere"], "") }
        let error = #expect(throws: OIDCError.self) { try endpoint.refresh(Secret(Array("refr3sh".utf8)), scopes: ["openid"]) }
        #expect(try #require(error).description.contains("refr3sh") == false)
        let form = try form()
        #expect(form == ["grant_type": "refresh_token", "refresh_token": "refr3sh", "scope": "openid", "client_id": "me"])
        #expect(provider.server.requests.count == 1)
    }

    @Test("C26 gives an access token that must fit the ID token's at_hash")
    func accessTokenHash() throws {
        let token = Secret(Array("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y".utf8))
        func claims(_ json: String) throws -> JSONObject { try JSONObject(parsing: Array(json.utf8)) }
        // OpenID Connect Core appendix A.3.
        let good = try claims("{\"at_hash\":\"77QmUPtjPfzWtF2AnpK9RQ\"}")
        for algorithm in [JWSAlgorithm.rs256, .ps256, .es256] {
            #expect(AccessTokenHash.matches(good, accessToken: token, algorithm: algorithm))
        }
        #expect(!AccessTokenHash.matches(good, accessToken: token, algorithm: .edDSA))
        #expect(!AccessTokenHash.matches(good, accessToken: Secret(Array("other".utf8)), algorithm: .rs256))
        #expect(AccessTokenHash.matches(try claims("{}"), accessToken: token, algorithm: .rs256))
        for wrong in ["\"\"", "null", "7", "[\"77QmUPtjPfzWtF2AnpK9RQ\"]", "\"77QmUPtjPfzWtF2AnpK9R\"", "\"77QmUPtjPfzWtF2AnpK9RQ=\""] {
            #expect(!AccessTokenHash.matches(try claims("{\"at_hash\":\(wrong)}"), accessToken: token, algorithm: .rs256))
        }
    }
}
