import Foundation
import HTTP
import JOSE
import KeyCache
import TestSupport
import Testing
import Vocabulary

@testable import OIDC

@Suite("A discovery document")
struct DiscoveryTests {
    let provider: FakeProvider

    init() throws { provider = try FakeProvider() }

    @Test("lies behind the issuer's path, one slash at its end left out")
    func place() throws {
        for (issuer, url) in [
            ("https://a.example", "https://a.example/.well-known/openid-configuration"),
            ("https://a.example/", "https://a.example/.well-known/openid-configuration"),
            ("https://a.example/realms/x", "https://a.example/realms/x/.well-known/openid-configuration"),
            ("https://a.example/realms/x/", "https://a.example/realms/x/.well-known/openid-configuration"),
        ] {
            #expect(try DiscoveryDocument.url(for: Text(issuer)).text == url)
        }
    }

    @Test(
        "C41 is not asked of an issuer that has a query, a fragment, a user, dot segments or no https",
        arguments: [
            "https://a.example?x=1", "https://a.example/?", "https://a.example/#x", "https://u:p@a.example/", "https://a.example/../b",
            "https://a.example/%2e%2e/b", "http://a.example", "https://[fe80::1%25eth0]/", "https://b\u{FC}cher.example", "a.example", "",
        ])
    func badIssuer(issuer: String) {
        #expect(throws: OIDCError.self) { try DiscoveryDocument.fetch(issuer: Text(issuer), client: HTTPClient()) }
    }

    static let endpoints = ["jwks_uri", "token_endpoint", "authorization_endpoint", "userinfo_endpoint", "device_authorization_endpoint"]

    @Test("is read as far as it is needed")
    func read() throws {
        let document = try provider.document([
            "token_endpoint_auth_methods_supported": "[\"client_secret_post\",7]", "code_challenge_methods_supported": "[\"S256\"]",
            "authorization_response_iss_parameter_supported": "true", "userinfo_endpoint": nil,
        ])
        #expect(document.issuer == provider.issuer && document.jwksURI.text == provider.server.url + "/jwks")
        #expect(document.userinfoEndpoint == nil && document.tokenEndpoint?.path == "/token" && document.namesIssuerInResponse)
        #expect(document.tokenAuthenticationMethods == ["client_secret_post"] && document.codeChallengeMethods == ["S256"])
    }

    @Test("C02 that promises iss in a way of its own is refused, not read as one that promises nothing")
    func promise() throws {
        for value in ["\"true\"", "1", "[true]", "{}"] {
            let error = #expect(throws: OIDCError.self) { try provider.document(["authorization_response_iss_parameter_supported": value]) }
            #expect(error?.isOfTheKind(.malformed(.discovery, "")) == true, "\(value)")
        }
        for (value, promises) in [(nil, false), ("null", false), ("false", false), ("true", true)] as [(String?, Bool)] {
            #expect(try provider.document(["authorization_response_iss_parameter_supported": value]).namesIssuerInResponse == promises)
        }
    }

    @Test("C01 of another issuer is refused: another host, a slash more, another case, none")
    func otherIssuer() throws {
        for said in ["https://evil.example", provider.server.url + "/", "HTTP" + provider.server.url.dropFirst(4), ""] {
            #expect(throws: OIDCError.otherIssuer(Text(said))) { try provider.document(["issuer": "\"\(said)\""]) }
        }
        for said in [nil, "null", "[\"\(provider.server.url)\"]", "7"] {
            let error = #expect(throws: OIDCError.self) { try provider.document(["issuer": said]) }
            #expect(error?.isOfTheKind(.malformed(.discovery, "")) == true)
        }
    }

    @Test("C03, C34 with an endpoint that is not https, or has a fragment or a user, is refused")
    func schemes() throws {
        for url in [
            "http://a.example/jwks", "file:///etc/passwd", "ftp://a.example/", "gopher://a.example/", "data:application/json,{}",
            "//a.example",
            "https://a.example/#f", "https://u@a.example/", "javascript:alert(1)", "https://a.example/$(id)`x`", "",
        ] {
            for name in ["jwks_uri", "token_endpoint", "authorization_endpoint", "userinfo_endpoint", "device_authorization_endpoint"] {
                #expect(throws: OIDCError.endpoint(name)) { try provider.document([name: "\"\(url)\""]) }
            }
        }
        #expect(throws: OIDCError.endpoint("jwks_uri")) { try provider.document(["jwks_uri": "[\"https://a.example/\"]"]) }
        #expect(
            try provider.document(["jwks_uri": "\"https://www.googleapis.com/oauth2/v3/certs\""]).jwksURI.host.text == "www.googleapis.com")
    }

    @Test(
        "C42 of a public issuer must not point into the network that asks",
        arguments: [
            "http://localhost:8080/", "https://localhost/", "http://127.0.0.1:1/", "https://127.0.0.2/", "https://[::1]/",
            "https://10.0.0.1/",
            "https://192.168.0.1/", "https://169.254.169.254/latest/meta-data", "https://[fd00::1]/", "https://[::ffff:10.0.0.1]/",
            "https://x.localhost/",
        ])
    func privateNetwork(url: String) throws {
        let parsed = try WebURL(parsing: url)
        #expect(!Endpoint(of: try WebURL(parsing: "https://idp.example.com")).permits(parsed))
        #expect(!Endpoint(of: try WebURL(parsing: "https://203.0.114.7")).permits(parsed))
        #expect(!Endpoint(of: try WebURL(parsing: "https://10.9.9.9")).permits(parsed))
    }

    @Test("C42 is refused as a whole where any endpoint leads into the network that asks", arguments: endpoints)
    func privateEndpoint(name: String) throws {
        let issuer = "https://idp.example.com"
        func read(_ url: String) throws -> DiscoveryDocument {
            let members = ["issuer": issuer, "jwks_uri": issuer + "/jwks", "token_endpoint": issuer + "/token"].merging([name: url]) { $1 }
            let text = String(decoding: try JSONSerialization.data(withJSONObject: members), as: UTF8.self)
            return try DiscoveryDocument(parsing: JSONObject(parsing: Array(text.utf8)), issuer: Text(issuer))
        }
        for url in [
            "http://localhost:8080/", "https://localhost/", "http://127.0.0.1:1/", "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/", "https://[fe80::1]/", "https://[::ffff:192.168.0.1]/", "https://0.0.0.0/", "https://2130706433/",
            "https://0x7f.1/",
        ] {
            #expect(throws: OIDCError.endpoint(name), "\(url)") { try read(url) }
        }
        _ = try read("https://keys.example.net/x")
    }

    @Test("C42 may name what the administrator configured as the issuer itself")
    func ownAddress() throws {
        for (issuer, endpoint) in [
            ("https://10.0.0.1", "https://10.0.0.1:8443/jwks"), ("http://localhost:3000", "http://127.0.0.1:3001/"),
            ("https://localhost", "https://localhost/x"), ("https://idp.example.com", "https://8.8.8.8/"),
            ("https://idp.example.com", "https://keys.example.net/"),
        ] {
            #expect(Endpoint(of: try WebURL(parsing: issuer)).permits(try WebURL(parsing: endpoint)), "\(issuer) \(endpoint)")
        }
    }

    @Test("C09 with a content type other than JSON, a byte order mark, duplicate members, or of another form is refused")
    func notJSON() throws {
        let fetch = { try DiscoveryDocument.fetch(issuer: provider.issuer, client: HTTPClient()) }
        let good = provider.discovery()
        for type in ["text/html", "text/plain", "application/octet-stream"] {
            #expect(throws: OIDCError.notJSON(.discovery)) { try provider.answering(good, type: type, work: fetch) }
        }
        for body in [
            "\u{FEFF}" + good, "<html></html>", "[]", "null", "", good + "x", good.dropLast() + ",\"issuer\":\"\(provider.server.url)\"}",
            good.dropLast() + ",\"jwks_uri\":\"https://evil.example/\"}",
            good.dropLast() + ",\"jwks_\\u0075ri\":\"https://evil.example/\"}",
        ] {
            let error = #expect(throws: OIDCError.self) { try provider.answering(String(body), work: fetch) }
            #expect(error?.isOfTheKind(.malformed(.discovery, "")) == true, "\(body)")
        }
        for status in [204, 404, 500, 503] {
            #expect(throws: OIDCError.status(.discovery, status)) { try provider.answering(status == 204 ? "" : good, status, work: fetch) }
        }
        #expect(try provider.answering(good, work: fetch).issuer == provider.issuer)
    }

    @Test("C13 whose key set fails, is empty or holds no usable key gives no keys")
    func keys() throws {
        let document = try provider.document()
        for (body, status, type) in [
            ("{\"keys\":[]}", 200, "application/json"), ("{}", 200, "application/json"), ("[]", 200, "application/json"),
            (FakeProvider.keySet, 500, "application/json"), (FakeProvider.keySet, 200, "text/html"), ("", 204, "application/json"),
            ("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", 200, "application/json"),
            (FakeProvider.keySet.replacingOccurrences(of: "\"kid\"", with: "\"use\":\"enc\",\"kid\""), 200, "application/json"),
        ] {
            #expect(throws: OIDCError.self) {
                try provider.answering(body, status, type: type) { try ProviderKeys.fetch(by: document, client: HTTPClient()) }
            }
        }
        let keys = try provider.answering(FakeProvider.keySet, type: "application/jwk-set+json") {
            try ProviderKeys.fetch(by: document, client: HTTPClient())
        }
        #expect(keys.issuer == provider.issuer && keys.jwks.keys.count == 1 && keys.isFresh(at: .now()))
    }

    @Test("C28 leads to userinfo as JSON with status 200 only, asked with the bearer token")
    func userinfo() throws {
        let endpoint = try #require(provider.document().userinfoEndpoint)
        let token = Secret(Array("t0ken".utf8))
        let fetch = { try Userinfo.fetch(from: endpoint, accessToken: token, client: HTTPClient()) }
        #expect(try provider.answering("{\"sub\":\"a\"}", work: fetch) == Array("{\"sub\":\"a\"}".utf8))
        #expect(provider.server.requests.last?.header("Authorization") == "Bearer t0ken")
        #expect(throws: OIDCError.status(.userinfo, 401)) { try provider.answering("{\"sub\":\"a\"}", 401, work: fetch) }
        #expect(throws: OIDCError.notJSON(.userinfo)) { try provider.answering("eyJ.eyJ.sig", type: "application/jwt", work: fetch) }
        #expect(throws: OIDCError.self) { try provider.answering("[]", work: fetch) }
    }
}
