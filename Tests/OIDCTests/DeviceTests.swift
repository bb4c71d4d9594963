import Foundation
import HTTP
import JOSE
import TestSupport
import Testing
import Vocabulary

@testable import OIDC

@Suite("The device grant (RFC 8628)")
struct DeviceTests {
    let provider: FakeProvider

    init() throws { provider = try FakeProvider() }

    /// A good answer with these changes; nil takes a member away.
    func answer(_ changes: [String: Any?] = [:]) throws -> String {
        var object: [String: Any] = [
            "device_code": "d3vice", "user_code": "WDJB-MJHT", "expires_in": 600, "interval": 7,
            "verification_uri": provider.server.url + "/device",
        ]
        for (name, value) in changes { object[name] = value }
        return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
    }

    func begin(_ changes: [String: Any?] = [:], secret: String? = nil, methods: String? = nil) throws -> DeviceAuthorization {
        try begin(body: answer(changes), secret: secret, methods: methods)
    }

    func begin(body: String, status: Int = 200, secret: String? = nil, methods: String? = nil) throws -> DeviceAuthorization {
        let grant = try grant(secret: secret, methods: methods)
        return try provider.answering(body, status) { try grant.begin(scopes: ["openid", "email"], nonce: "c0mmitment") }
    }

    func grant(secret: String? = nil, methods: String? = nil) throws -> DeviceGrant {
        let document = try provider.document([
            "device_authorization_endpoint": "\"\(provider.server.url)/device_authorization\"",
            "token_endpoint_auth_methods_supported": methods,
        ])
        provider.server.forget()
        let me = ClientRegistration(clientID: "me:1", secret: secret.map { Secret(Array($0.utf8)) })
        return DeviceGrant(of: document, as: me, client: HTTPClient())
    }

    func form() throws -> [String: String] {
        let request = try #require(provider.server.requests.last)
        #expect(request.method == "POST")
        let fields = try #require(Form.decode(request.body))
        return Dictionary(fields.map { ($0.name, $0.value) }, uniquingKeysWith: { _, _ in "twice" })
    }

    @Test("is asked for with the client id, the scopes and the commitment as nonce, authenticated as at the token endpoint")
    func request() throws {
        let device = try begin()
        #expect(try form() == ["client_id": "me:1", "scope": "openid email", "nonce": "c0mmitment"])
        #expect(provider.server.requests.last?.target == "/device_authorization")
        #expect(device.userCode == "WDJB-MJHT" && device.interval == 7 && device.expiresIn == 600)
        #expect(device.verificationURI.text == provider.server.url + "/device" && device.verificationURIComplete == nil)
        #expect(!"\(device)".contains("d3vice"))
        _ = try begin(secret: "s", methods: "[\"client_secret_post\"]")
        #expect(try form()["client_secret"] == "s")
        _ = try begin(secret: "s")
        #expect(try form()["client_secret"] == nil && form()["client_id"] == "me:1")
        #expect(provider.server.requests.last?.header("Authorization") == "Basic " + Data("me%3A1:s".utf8).base64EncodedString())
    }

    @Test("C32: an interval that is missing, 0 or negative is five seconds; one beyond the code's life is refused at once")
    func interval() throws {
        for interval in [nil, NSNull(), 0, -5, -1e9, 1, 4.9] as [Any?] {
            #expect(try begin(["interval": interval]).interval == 5, "\(interval as Any)")
        }
        #expect(try begin(["interval": 9.5]).interval == 9)
        for interval in [1e9, 600, 1e300, "5", [5]] as [Any] {
            let error = #expect(throws: OIDCError.self) { try begin(["interval": interval]) }
            #expect(error?.isOfTheKind(.malformed(.device, "")) == true, "\(interval)")
        }
        #expect(try begin(["interval": 5, "expires_in": 3]).interval == 5)
    }

    @Test("C32: a code without a life, or with a senseless one, is refused; a long life is a day")
    func life() throws {
        for life in [nil, NSNull(), 0, -1, "600", true] as [Any?] {
            #expect(throws: OIDCError.self, "\(life as Any)") { try begin(["expires_in": life]) }
        }
        #expect(try begin(["expires_in": 1_000_000]).expiresIn == 86_400)
    }

    @Test(
        "C33: a verification_uri that is not https (or this machine for an issuer on it) is refused, and never shown",
        arguments: [
            "javascript:alert(1)", "file:///etc/passwd", "ssh://host", "https://x;$(id)", "https://x.example/\u{1B}[2J", "-flag", "",
            "http://idp.example.com/device", "https://ex\u{E4}mple.com/", "https://\u{430}pple.com/", "https://user@x.example/",
            "https://x.example/#f", "https://192.168.1.1/", "https://x.example/a b", "HTTPS://x.example/", " https://x.example/",
            "https://x.example/\u{202E}",
        ])
    func place(uri: String) throws {
        let error = #expect(throws: OIDCError.self) { try begin(["verification_uri": uri]) }
        #expect(error == .endpoint("verification_uri"))
        if uri.utf8.count > 1 { #expect(error?.description.contains(uri) == false) }
    }

    @Test("C33: http on this machine is only for an issuer on this machine")
    func loopback() throws {
        let document = try DiscoveryDocument(
            parsing: try JSONObject(
                parsing: Array(#"{"issuer": "https://idp.example.com", "jwks_uri": "https://idp.example.com/jwks"}"#.utf8)),
            issuer: "https://idp.example.com")
        let object = try JSONObject(parsing: Array(answer().utf8))
        #expect(throws: OIDCError.endpoint("verification_uri")) { try DeviceAuthorization(object, from: document) }
    }

    @Test("a place at another host than the issuer's, or under Google's older name, is taken")
    func elsewhere() throws {
        #expect(try begin(["verification_uri": "https://www.example.com/device"]).verificationURI.text == "https://www.example.com/device")
        #expect(
            try begin(["verification_uri": nil, "verification_url": "https://www.example.com/device"]).verificationURI.text
                == "https://www.example.com/device")
        #expect(throws: OIDCError.self) { try begin(["verification_uri": nil]) }
    }

    @Test("C36: a complete address at another place, or that is none, is not used, and that is said")
    func complete() throws {
        let uri = "https://idp.example.com/device"
        let good = try begin(["verification_uri": uri, "verification_uri_complete": uri + "?user_code=WDJB-MJHT"])
        #expect(good.verificationURIComplete?.text == uri + "?user_code=WDJB-MJHT" && !good.isCompleteIgnored)
        for other in [
            "https://evil.example/device?user_code=WDJB-MJHT", "https://idp.example.com:444/device",
            "https://idp.example.com.evil.example/",
            "javascript:x", "", 7,
        ] as [Any] {
            let device = try begin(["verification_uri": uri, "verification_uri_complete": other])
            #expect(device.verificationURIComplete == nil && device.isCompleteIgnored, "\(other)")
        }
        #expect(try !begin().isCompleteIgnored)
    }

    @Test("C35, C37: a code or an answer of any size or kind is bounded")
    func bounds() throws {
        for code in ["", String(repeating: "A", count: 65), 7, nil] as [Any?] {
            #expect(throws: OIDCError.self) { try begin(["user_code": code]) }
        }
        #expect(try begin(["user_code": "\u{1B}[2J\u{202E}X"]).userCode.escaped == "\\u{1b}[2J\\u{202e}X")
        for code in ["", "a\nb", 7, nil] as [Any?] { #expect(throws: OIDCError.self) { try begin(["device_code": code]) } }
        let long = String(repeating: "y", count: 100_000)
        let error = #expect(throws: OIDCError.self) {
            try begin(body: "{\"error\":\"invalid_scope\",\"error_description\":\"\\u001b[2J\(long)\"}", status: 400)
        }
        #expect(try #require(error).description.hasPrefix("the provider refused: invalid_scope (\\u{1b}[2Jyyy"))
        #expect(try #require(error).description.utf8.count < 500)
    }

    @Test("a provider without the endpoint has no device login")
    func none() throws {
        let document = try provider.document()
        let grant = DeviceGrant(of: document, as: ClientRegistration(clientID: "me"), client: HTTPClient())
        #expect(throws: OIDCError.noDeviceLogin) { try grant.begin(scopes: ["openid"], nonce: "n") }
    }

    @Test("C32: what the provider says to a question is taken for what it means")
    func answers() throws {
        let device = try begin()
        let grant = try grant()
        func ask(_ body: String, _ status: Int) throws -> DeviceGrant.Answer {
            try provider.answering(body, status) { try grant.ask(about: device) }
        }
        func error(_ code: String) -> String { "{\"error\":\"\(code)\"}" }
        // 428 and 403 are Google's.
        for status in [400, 428] {
            guard case .notYet = try ask(error("authorization_pending"), status) else { Issue.record("\(status)"); continue }
        }
        for (body, status) in [(error("slow_down"), 400), (error("slow_down"), 403), ("{}", 429)] {
            guard case .slowDown = try ask(body, status) else { Issue.record("\(body) \(status)"); continue }
        }
        #expect(
            try form() == [
                "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "d3vice", "client_id": "me:1",
            ])
        for code in ["expired_token", "access_denied", "invalid_grant"] {
            let refused = #expect(throws: OIDCError.refused(error: Text(code), description: nil)) { try ask(error(code), 400) }
            #expect(refused?.mayPass == false)
        }
        #expect(#expect(throws: OIDCError.self) { try ask("oops", 503) }?.mayPass == true)
        #expect(#expect(throws: OIDCError.self) { try ask("{}", 404) }?.mayPass == false)
        let answer = try ask("{\"id_token\":\"a.b.c\",\"token_type\":\"Bearer\"}", 200)
        guard case .tokens(let tokens) = answer else { Issue.record("\(answer)"); return }
        #expect(tokens.idToken == Secret(Array("a.b.c".utf8)))
        provider.server.play { _, connection in connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{") }
        #expect(#expect(throws: OIDCError.self) { try grant.ask(about: device) }?.mayPass == true)
    }

    @Test("C32: five seconds at least, five more at every slow_down, and twice as long after each failure up to a minute")
    func pace() {
        for start: Int64 in [-5, 0, 1, 5] { #expect(DevicePace(interval: start).wait == 5) }
        var pace = DevicePace(interval: 5)
        pace.slowDown()
        pace.wasAnswered()
        #expect(pace.wait == 10)
        pace.slowDown()
        #expect(pace.wait == 15)
        var waits: [Int64] = []
        for _ in 0..<4 {
            pace.wasNotAnswered()
            waits.append(pace.wait)
        }
        #expect(waits == [30, 60, 60, 60])
        pace.wasAnswered()
        #expect(pace.wait == 15)
        for _ in 0..<1000 { pace.wasNotAnswered() }
        #expect(pace.wait == 60)
        var slow = DevicePace(interval: 300)
        slow.wasNotAnswered()
        #expect(slow.wait == 300)
    }
}
