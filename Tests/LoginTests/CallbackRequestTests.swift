import Testing
import Vocabulary

@testable import Login

@Suite("CallbackRequest: which request is the provider's answer")
struct CallbackRequestTests {
    static let uri = RedirectURI(host: .localhost, port: 3000, path: "/login-callback")

    static func read(_ text: String) throws(StrayRequest) -> CallbackQuery? {
        switch try CallbackRequest.read(Array(text.utf8), for: uri) {
        case .answer(let query)?: query
        case .start?, nil: nil
        }
    }

    static func get(_ target: String, host: String = "localhost:3000", more: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\(more)\r\n"
    }

    @Test(
        "a GET of the exact path with a code and a state is the answer, whatever else it says",
        arguments: [
            "/login-callback?code=c&state=s", "/login-callback?state=s&code=c&session_state=x&scope=openid%20email",
            "/login-callback?state=%73&%63ode=c", "/login-callback?&code=c&&state=s&",
        ])
    func accepted(target: String) throws {
        let query = try #require(try CallbackRequestTests.read(CallbackRequestTests.get(target)))
        #expect(query.answer == .code("c"))
        #expect(query.state == "s")
        #expect(query.issuer == nil)
    }

    @Test("an error is an answer too; iss is kept (RFC 9207)")
    func error() throws {
        let target = "/login-callback?error=access_denied&error_description=a+b%0A%3Cb%3E&state=s&iss=https%3A%2F%2Fidp.example.com"
        let query = try #require(try CallbackRequestTests.read(CallbackRequestTests.get(target)))
        #expect(query.answer == .error("access_denied", description: "a b\n<b>"))
        #expect(query.issuer == "https://idp.example.com")
    }

    @Test(
        "localhost and both addresses are our hosts, in any case",
        arguments: ["localhost:3000", "LocalHost:3000", "127.0.0.1:3000", "[::1]:3000"])
    func hosts(host: String) throws {
        #expect(try CallbackRequestTests.read(CallbackRequestTests.get("/login-callback?code=c&state=s", host: host)) != nil)
    }

    @Test(
        "C16: a Host that is not ours does not count",
        arguments: [
            "evil.example", "localhost", "localhost:3001", "localhost:3000.evil.example", "evil@localhost:3000", "", "localhost:3000, evil",
        ])
    func otherHosts(host: String) {
        #expect(throws: StrayRequest.otherHost) {
            _ = try CallbackRequestTests.read(CallbackRequestTests.get("/login-callback?code=c&state=s", host: host))
        }
    }

    @Test("C16: no Host, or two of them, do not count")
    func hostCount() {
        #expect(throws: StrayRequest.otherHost) { _ = try CallbackRequestTests.read("GET /login-callback?code=c&state=s HTTP/1.1\r\n\r\n") }
        #expect(throws: StrayRequest.otherHost) {
            _ = try CallbackRequestTests.read(
                CallbackRequestTests.get("/login-callback?code=c&state=s", more: "Host: localhost:3000\r\n"))
        }
    }

    @Test("C16: HEAD, POST, a body and other methods do not count", arguments: ["HEAD", "POST", "PUT", "OPTIONS", "get", "GETT"])
    func methods(method: String) {
        #expect(throws: StrayRequest.otherMethod) {
            _ = try CallbackRequestTests.read("\(method) /login-callback?code=c&state=s HTTP/1.1\r\nHost: localhost:3000\r\n\r\n")
        }
    }

    @Test("C39: an answer that comes as a form (form_post), or not at all (fragment), does not count")
    func otherResponseModes() {
        #expect(throws: StrayRequest.otherMethod) {
            _ = try CallbackRequestTests.read(
                "POST /login-callback HTTP/1.1\r\nHost: localhost:3000\r\nContent-Length: 14\r\n\r\ncode=c&state=s")
        }
        #expect(throws: StrayRequest.withoutQuery) { _ = try CallbackRequestTests.read(CallbackRequestTests.get("/login-callback")) }
        #expect(throws: StrayRequest.withoutQuery) { _ = try CallbackRequestTests.read(CallbackRequestTests.get("/login-callback?")) }
    }

    @Test(
        "C16: another path does not count, however it is dressed up",
        arguments: [
            "/", "/favicon.ico", "/login-callback/?code=c&state=s", "/Login-callback?code=c&state=s", "//login-callback?code=c&state=s",
            "/login%2Dcallback?code=c&state=s", "http://localhost:3000/login-callback?code=c&state=s",
            "/x/../login-callback?code=c&state=s", "*",
        ])
    func paths(target: String) {
        #expect(throws: StrayRequest.otherPath) { _ = try CallbackRequestTests.read(CallbackRequestTests.get(target)) }
    }

    @Test(
        "C16: a parameter that counts comes once, also under an escape",
        arguments: [
            "code=a&code=b&state=s", "code=a&%63ode=a&state=s", "code=c&state=s&state=s", "error=e&error=e&state=s",
            "code=c&state=s&iss=a&iss=b",
        ])
    func repeated(query: String) {
        #expect(throws: StrayRequest.repeatedParameter) {
            _ = try CallbackRequestTests.read(CallbackRequestTests.get("/login-callback?" + query))
        }
    }

    @Test("C16: a code and an error at once, neither, or a code of other characters do not count")
    func contradictions() {
        let cases: [(String, StrayRequest)] = [
            ("code=c&error=e&state=s", .codeAndError), ("code=&error=&state=s", .codeAndError), ("state=s", .withoutCode),
            ("code=&state=s", .withoutCode), ("error=&state=s", .withoutCode), ("code=a%00b&state=s", .withoutCode),
            ("code=%C3%A9&state=s", .withoutCode), ("code=c&state=%FF", .malformedQuery), ("code=c&state=%4", .malformedQuery),
            ("code=c&state=%zz", .malformedQuery),
        ]
        for (query, stray) in cases {
            #expect(throws: stray, "\(query)") { _ = try CallbackRequestTests.read(CallbackRequestTests.get("/login-callback?" + query)) }
        }
    }

    @Test("C15: an answer without a state does not count", arguments: ["code=c", "code=c&state=", "error=access_denied"])
    func withoutState(query: String) {
        #expect(throws: StrayRequest.withoutState) {
            _ = try CallbackRequestTests.read(CallbackRequestTests.get("/login-callback?" + query))
        }
    }

    @Test("C16: a query of 64 KiB is refused, whether it ends or not")
    func large() {
        let long = "/login-callback?state=s&code=" + String(repeating: "c", count: 64 << 10)
        #expect(throws: StrayRequest.tooLarge) { _ = try CallbackRequestTests.read(CallbackRequestTests.get(long)) }
        #expect(throws: StrayRequest.tooLarge) { _ = try CallbackRequestTests.read("GET " + long) }
    }

    @Test("every beginning of a request is waited for, not answered")
    func beginnings() throws {
        let whole = Array(CallbackRequestTests.get("/login-callback?code=c&state=s", more: "Accept: */*\r\n").utf8)
        for end in 0..<whole.count {
            #expect(try CallbackRequest.read(Array(whole[..<end]), for: CallbackRequestTests.uri) == nil)
        }
        #expect(try CallbackRequest.read(whole, for: CallbackRequestTests.uri) != nil)
    }

    @Test(
        "what is no HTTP/1 request is refused",
        arguments: [
            "\n\n", "\r\n\r\n", "GET /login-callback?code=c&state=s\r\n\r\n", "GET  /login-callback HTTP/1.1\r\n\r\n",
            "GET /login-callback?code=c&state=s HTTP/2.0\r\nHost: localhost:3000\r\n\r\n", "\u{16}\u{3}\u{1}\n\n",
            "GET /login-callback?code=c&state=s HTTP/1.1\r\nHost : localhost:3000\r\n\r\n",
            "GET /login-callback?code=c&state=s HTTP/1.1\r\nHost: localhost:3000\r\n folded\r\n\r\n",
        ])
    func malformed(text: String) {
        #expect(throws: StrayRequest.malformed) { _ = try CallbackRequestTests.read(text) }
    }
}
