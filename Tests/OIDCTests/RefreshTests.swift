import Foundation
import HTTP
import JOSE
import TestSupport
import Testing
import Vocabulary

@testable import OIDC

@Suite("Refresh: what a refreshed ID token may say")
struct RefreshedTokenTests {
    static let login =
        "{\"iss\":\"https://idp.example.com\",\"sub\":\"a\",\"aud\":[\"me\",\"other\"],\"azp\":\"me\",\"iat\":1000,\"exp\":2000,\"nonce\":\"n\",\"auth_time\":990}"

    /// The login's claims with some of them changed; nil takes one away.
    private func claims(_ changes: [Text: String?], of text: String = login) throws -> JSONObject {
        var claims = try JSONObject(parsing: Array(text.utf8))
        for (name, value) in changes {
            claims[name] = try value.map { try JSONObject(parsing: Array("{\"x\":\($0)}".utf8))["x"] } ?? nil
        }
        return claims
    }

    private func fault(_ changes: [Text: String?], ofLogin own: [Text: String?] = [:]) throws -> RefreshedToken.Fault? {
        do throws(OIDCError) {
            try RefreshedToken.check(claims(changes), against: claims(own))
            return nil
        } catch {
            guard case .refreshedToken(let fault) = error else { throw error }
            return fault
        }
    }

    private func claims(_ changes: [Text: String?]) throws(OIDCError) -> JSONObject {
        do { return try claims(changes, of: RefreshedTokenTests.login) } catch { throw .malformed(.token, "\(error)") }
    }

    @Test("a later one of the same login is taken, with or without a nonce and a time of login")
    func good() throws {
        let later: [Text: String?] = ["iat": "1900", "exp": "2900"]
        for changes: [Text: String?] in [
            [:], ["nonce": nil], ["auth_time": nil], ["auth_time": nil, "nonce": nil], ["aud": "[\"other\",\"me\"]"], ["iat": "1000.5"],
        ] {
            #expect(try fault(later.merging(changes) { $1 }) == nil, "\(changes)")
        }
        // The same second.
        #expect(try fault(["iat": "1000"]) == nil)
        #expect(try fault(["auth_time": "990"], ofLogin: ["auth_time": nil]) == nil)
    }

    @Test("C29: another issuer, person, audience or client, an older one, another nonce, another login: refused")
    func bad() throws {
        let cases: [(RefreshedToken.Fault, [Text: String?])] = [
            (.issuer, ["iss": "\"https://idp.example.com/\""]), (.issuer, ["iss": nil]), (.issuer, ["iss": "7"]),
            (.subject, ["sub": "\"b\""]), (.subject, ["sub": nil]), (.subject, ["sub": "[\"a\"]"]),
            (.audience, ["aud": "\"me\""]), (.audience, ["aud": "[\"me\"]"]), (.audience, ["aud": "[\"me\",\"other\",\"third\"]"]),
            (.audience, ["aud": nil]), (.audience, ["aud": "[\"me\",\"other\",7]"]),
            (.authorizedParty, ["azp": "\"other\""]), (.authorizedParty, ["azp": nil]),
            (.older, ["iat": "999"]), (.older, ["iat": nil]), (.older, ["iat": "\"1900\""]),
            (.nonce, ["nonce": "\"m\""]), (.nonce, ["nonce": "null"]), (.nonce, ["nonce": "[\"n\"]"]),
            (.authenticated, ["auth_time": "991"]), (.authenticated, ["auth_time": "\"990\""]),
        ]
        for (expected, changes) in cases { #expect(try fault(["iat": "1900"].merging(changes) { $1 }) == expected, "\(changes)") }
        #expect(try fault(["azp": "\"me\""], ofLogin: ["azp": nil]) == .authorizedParty)
        #expect(try fault(["nonce": "\"n\""], ofLogin: ["nonce": nil]) == .nonce)
        #expect(try fault(["auth_time": "1001"], ofLogin: ["auth_time": nil]) == .authenticated)
    }
}

@Suite("Refresh: the token endpoint and the revocation endpoint")
struct RefreshEndpointTests {
    let provider: FakeProvider

    init() throws { provider = try FakeProvider() }

    private func refresh(_ answer: String, _ status: Int = 200) throws -> RefreshAnswer {
        let document = try provider.document()
        provider.server.forget()
        let endpoint = TokenEndpoint(of: document, as: ClientRegistration(clientID: "me"), client: HTTPClient())
        return try provider.answering(answer, status) { try endpoint.refresh(Secret(Array("r-1".utf8))) }
    }

    @Test("an answer may lack the ID token and a new refresh token, and what it has is taken")
    func answers() throws {
        let whole = try refresh("{\"id_token\":\"a.b.c\",\"access_token\":\"t\",\"refresh_token\":\"r-2\",\"token_type\":\"bearer\"}")
        #expect(whole.idToken == Secret(Array("a.b.c".utf8)) && whole.refreshToken == Secret(Array("r-2".utf8)))
        let bare = try refresh("{\"access_token\":\"t\",\"token_type\":\"Bearer\"}")
        #expect(bare.idToken == nil && bare.refreshToken == nil && bare.accessToken != nil)
        for bad in [
            "{\"id_token\":\"a.b.c\"}", "{\"id_token\":7,\"token_type\":\"Bearer\"}", "{\"refresh_token\":\"\",\"token_type\":\"Bearer\"}",
        ] {
            #expect(throws: OIDCError.self) { try refresh(bad) }
        }
        #expect(throws: OIDCError.refused(error: "invalid_grant", description: nil)) { try refresh("{\"error\":\"invalid_grant\"}", 400) }
    }

    @Test("a revocation sends the token and who asks, in the way that the endpoint takes, and says what came of it")
    func revocation() throws {
        let url = "\"\(provider.server.url)/revoke\""
        let document = try provider.document([
            "revocation_endpoint": url, "token_endpoint_auth_methods_supported": "[\"client_secret_basic\"]",
            "revocation_endpoint_auth_methods_supported": "[\"client_secret_post\"]",
        ])
        let me = ClientRegistration(clientID: "me", secret: Secret(Array("s".utf8)))
        let endpoint = try #require(RevocationEndpoint(of: document, as: me, client: HTTPClient()))
        provider.server.forget()
        let token = Secret(Array("r-1".utf8))
        try provider.answering("", 200, type: "text/plain") { try endpoint.revoke(refreshToken: token) }
        let request = try #require(provider.server.requests.last)
        #expect(request.method == "POST" && request.target == "/revoke" && request.header("Authorization") == nil)
        let form = Dictionary(try #require(Form.decode(request.body)).map { ($0.name, $0.value) }, uniquingKeysWith: { _, _ in "twice" })
        #expect(form == ["token": "r-1", "token_type_hint": "refresh_token", "client_id": "me", "client_secret": "s"])
        #expect(throws: OIDCError.refused(error: "unsupported_token_type", description: nil)) {
            try provider.answering("{\"error\":\"unsupported_token_type\"}", 400) { try endpoint.revoke(refreshToken: token) }
        }
        #expect(throws: OIDCError.status(.revocation, 503)) { try provider.answering("", 503) { try endpoint.revoke(refreshToken: token) } }
        provider.server.play { _, connection in connection.answer(307, headers: ["Location: /elsewhere"], "") }
        provider.server.forget()
        #expect(throws: OIDCError.self) { try endpoint.revoke(refreshToken: token) }
        #expect(provider.server.requests.count == 1)
    }

    @Test("C03: a revocation or end-session endpoint that may not be asked is none, and stops no login")
    func endpoints() throws {
        let none = try provider.document()
        #expect(none.revocationEndpoint == nil && none.endSessionEndpoint == nil)
        #expect(RevocationEndpoint(of: none, as: ClientRegistration(clientID: "me"), client: HTTPClient()) == nil)
        for bad in ["\"file:///etc/passwd\"", "\"javascript:x\"", "7", "\"http://idp.example.com/x\"", "null"] {
            let document = try provider.document(["revocation_endpoint": bad, "end_session_endpoint": bad])
            #expect(document.revocationEndpoint == nil && document.endSessionEndpoint == nil, "\(bad)")
        }
        let good = try provider.document(["end_session_endpoint": "\"https://idp.example.com/out\"", "scopes_supported": "[\"openid\"]"])
        #expect(good.endSessionEndpoint?.text == "https://idp.example.com/out" && good.scopes == ["openid"])
    }
}
