import JOSE
import LibCrypto
import Testing
import Vocabulary

@testable import DemoProvider

@Suite("The authorization code flow")
struct CodeFlowTests {
    @Test("discovery names the issuer that was asked, and each endpoint lies under it")
    func discovery() async throws {
        try await withProvider { party in
            let document = try await party.get("/.well-known/openid-configuration").json
            #expect(document["issuer"] == .string(party.provider.issuer))
            #expect(document["code_challenge_methods_supported"] == ["S256"])
            #expect(document["authorization_response_iss_parameter_supported"] == true)
            for member in document.members where member.name.hasSuffix("_endpoint") || member.name == "jwks_uri" {
                #expect(member.value.string?.hasPrefix(party.provider.issuer) == true)
            }
        }
    }

    @Test("a login gives an ID token with the nonce, the person's claims and a signature that holds", arguments: SigningAlgorithm.allCases)
    func login(algorithm: SigningAlgorithm) async throws {
        try await withProvider(Text("{\"key_type\": \"\(algorithm.rawValue)\"}")) { party in
            let callback = try await party.send("POST", party.authorizationPath(), form: ["person": "alice"])
            #expect(callback.status == 302)
            #expect(callback.location?.hasPrefix(party.redirectURI + "?") == true)
            #expect(callback.callback["state"] == "s&1")
            #expect(callback.callback["iss"] == party.provider.issuer.string)
            let answer = try await party.exchange(callback.callback["code"] ?? "")
            #expect(answer.status == 200)
            let token = try RelyingParty.idToken(answer)
            #expect(token.header.members["alg"]?.string == Text(algorithm.rawValue))
            #expect(try await party.holds(token))
            let claims = try token.payload()
            #expect(claims["iss"] == .string(party.provider.issuer))
            #expect(claims["aud"] == "opk-demo")
            #expect(claims["nonce"] == "n-1")
            #expect(claims["email"] == "alice@example.com")
            #expect(claims["email_verified"] == true)
            #expect(claims["groups"] == ["ops", "dev"])
            let accessToken = try #require(answer.json["access_token"]?.string)
            let hash = algorithm == .edDSA ? Digest.sha512(accessToken.utf8).prefix(32) : Digest.sha256(accessToken.utf8).prefix(16)
            #expect(claims["at_hash"]?.string == Text(Base64URL.encode(hash)))
        }
    }

    @Test("auto login redirects at once; without it the page has a button for each person")
    func loginPage() async throws {
        try await withProvider { party in
            let page = try await party.get(party.authorizationPath())
            #expect(page.status == 200)
            for person in Person.all { #expect(page.text.contains("value=\"\(person.name.string)\"")) }
            #expect(!page.text.contains("<script"))
            try await party.provider.control(#"{"auto_login": "bob"}"#)
            let code = try await party.get(party.authorizationPath()).callback["code"] ?? ""
            let claims = try RelyingParty.idToken(try await party.exchange(code)).payload()
            #expect(claims["email"] == "bob@example.com")
        }
    }

    @Test("carol's address is not verified, and dave has none")
    func people() async throws {
        try await withProvider { party in
            #expect(try await party.idToken("carol").payload()["email_verified"] == false)
            let dave = try await party.idToken("dave").payload()
            #expect(dave["email"] == nil)
            #expect(dave["sub"] == "demo-dave")
        }
    }

    @Test("who refuses comes back with access_denied")
    func refusal() async throws {
        try await withProvider { party in
            let answer = try await party.send("POST", party.authorizationPath(), form: ["person": "refuse"])
            #expect(answer.callback["error"] == "access_denied")
            #expect(answer.callback["state"] == "s&1")
            #expect(answer.callback["code"] == nil)
        }
    }

    @Test("a wrong verifier is refused, and so is a missing one")
    func wrongVerifier() async throws {
        try await withProvider { party in
            let wrong = try await party.exchange(
                try await party.code(), ["code_verifier": "another-verifier-that-is-long-enough-0123456789"])
            #expect(wrong.status == 400)
            #expect(wrong.json["error"] == "invalid_grant")
            #expect(try await party.exchange(try await party.code(), ["code_verifier": nil]).json["error"] == "invalid_request")
        }
    }

    @Test("a code works once; used again it takes the tokens of the first use with it")
    func reuse() async throws {
        try await withProvider { party in
            let code = try await party.code()
            let first = try await party.exchange(code)
            let bearer = try #require(first.json["access_token"]?.string).string
            #expect(try await party.get("/userinfo", bearer: bearer).status == 200)
            #expect(try await party.exchange(code).json["error"] == "invalid_grant")
            #expect(try await party.get("/userinfo", bearer: bearer).status == 401)
        }
    }

    @Test("the redirect URI at the token endpoint must be the one of the login, byte for byte")
    func otherRedirectURI() async throws {
        try await withProvider { party in
            let answer = try await party.exchange(try await party.code(), ["redirect_uri": party.redirectURI + "/"])
            #expect(answer.json["error"] == "invalid_grant")
        }
    }

    @Test(
        "a redirect URI that is not loopback is shown on a page and never followed",
        arguments: [
            "https://evil.example/cb", "http://localhost.evil.example/cb", "http://localhost@evil.example/cb",
            "http://127.0.0.1:80:80/cb", "http://127.0.0.2/cb", "http://localhost:/cb", "http://localhost:99999/cb", "http://[::1]evil/cb",
            "https://localhost/cb", "http://localhost/cb#fragment", "http://localhost\\@evil.example/", "javascript:alert(1)", "",
        ])
    func hostileRedirectURI(uri: String) async throws {
        try await withProvider(#"{"auto_login": "alice"}"#) { party in
            let answer = try await party.get(party.authorizationPath(["redirect_uri": uri]))
            #expect(answer.status == 400)
            #expect(answer.location == nil)
        }
    }

    @Test(
        "any port and path of the three loopback hosts is allowed (RFC 8252 section 7.3)",
        arguments: ["http://localhost/", "http://localhost:3000/login-callback", "http://127.0.0.1:1/x?y=z", "http://[::1]:65535"])
    func loopbackRedirectURI(uri: String) async throws {
        try await withProvider(#"{"auto_login": "alice"}"#) { party in
            let answer = try await party.get(party.authorizationPath(["redirect_uri": uri]))
            #expect(answer.location?.hasPrefix(uri) == true)
            #expect(answer.callback["code"] != nil)
        }
    }

    @Test(
        "a request without PKCE S256, openid or response_type code comes back as an error",
        arguments: [
            ("code_challenge", nil, "invalid_request"), ("code_challenge_method", "plain", "invalid_request"),
            ("code_challenge", "short", "invalid_request"), ("scope", "email", "invalid_scope"),
            ("response_type", "token", "unsupported_response_type"), ("response_mode", "fragment", "invalid_request"),
        ] as [(String, String?, String)])
    func incomplete(name: String, value: String?, error: String) async throws {
        try await withProvider(#"{"auto_login": "alice"}"#) { party in
            let answer = try await party.get(party.authorizationPath([name: value]))
            #expect(answer.callback["error"] == error)
            #expect(answer.callback["code"] == nil)
        }
    }

    @Test("a confidential client must bring its secret, in the header or in the body")
    func secrets() async throws {
        try await withProvider(nil, { $0.clients.append(Client("secret:app", secret: "p w")) }) { party in
            let client = ["client_id": "secret:app"]
            let none = try await party.exchange(try await party.code("alice", client), client)
            #expect(none.status == 401)
            let wrong = try await party.exchange(
                try await party.code("alice", client), ["client_id": "secret:app", "client_secret": "wrong"])
            #expect(wrong.json["error"] == "invalid_client")
            let post = try await party.exchange(
                try await party.code("alice", client), ["client_id": "secret:app", "client_secret": "p w"])
            #expect(post.status == 200)
            let basic = try await party.exchange(
                try await party.code("alice", client), ["client_id": nil],
                headers: ["Authorization": "Basic " + Base64.encode(Array("secret%3Aapp:p+w".utf8))])
            #expect(basic.status == 200)
        }
    }

    @Test("nothing that a request says is shown unescaped")
    func escaping() async throws {
        let hostile = "\"><script>alert(1)</script>"
        try await withProvider(nil, { $0.clients.append(Client(Text(hostile))) }) { party in
            let page = try await party.get(party.authorizationPath(["client_id": hostile, "state": hostile]))
            #expect(page.status == 200)
            #expect(!page.text.contains("<script"))
        }
    }

    @Test("a Host header that is not loopback gets nothing")
    func rebinding() async throws {
        #expect(LoopbackHost(authority: "localhost:80") != nil)
        #expect(LoopbackHost(authority: "[::1]") != nil)
        for host: Text in ["evil.example", "localhost.evil.example", "localhost:0", "localhost:1x", "127.0.0.1:123456", ""] {
            #expect(LoopbackHost(authority: host) == nil)
        }
    }
}
