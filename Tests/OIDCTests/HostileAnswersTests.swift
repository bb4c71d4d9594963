import Foundation
import HTTP
import JOSE
import TestSupport
import Testing
import Vocabulary

@testable import OIDC

/// What every document of a provider must withstand, tried on each of them.
@Suite("Any answer of a provider")
struct HostileAnswersTests {
    enum Request: CaseIterable, Sendable { case discovery, keys, token, refresh, userinfo }

    let provider: FakeProvider
    let document: DiscoveryDocument

    init() throws {
        provider = try FakeProvider()
        document = try provider.document()
    }

    /// Asks for one document with a patience of a second.
    private func ask(_ request: Request, _ script: @escaping ScriptedServer.Script) throws {
        let client = HTTPClient(timeout: .seconds(1))
        let me = ClientRegistration(clientID: "me")
        let authorization = try AuthorizationRequest(to: document, as: me, redirectURI: "http://localhost:1/cb", nonce: "n")
        provider.server.play(script)
        provider.server.forget()
        let endpoint = TokenEndpoint(of: document, as: me, client: client)
        switch request {
        case .discovery: _ = try DiscoveryDocument.fetch(issuer: provider.issuer, client: client)
        case .keys: _ = try ProviderKeys.fetch(by: document, client: client)
        case .token: _ = try endpoint.exchange(code: Secret(Array("c0de".utf8)), of: authorization)
        case .refresh: _ = try endpoint.refresh(Secret(Array("r".utf8)))
        case .userinfo:
            let userinfo = try #require(document.userinfoEndpoint)
            _ = try Userinfo.fetch(from: userinfo, accessToken: Secret(Array("t".utf8)), client: client)
        }
    }

    private func failure(_ request: Request, _ script: @escaping ScriptedServer.Script) throws -> OIDCError {
        try #require(throws: OIDCError.self) { try ask(request, script) }
    }

    private func code(_ request: Request, _ script: @escaping ScriptedServer.Script) throws -> HTTPError.Code? {
        guard case .http(let error) = try failure(request, script) else { return nil }
        return error.code
    }

    @Test("C08 that is too large or too slow is given up in time", arguments: Request.allCases)
    func large(request: Request) throws {
        let began = ContinuousClock.now
        #expect(try code(request) { $1.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n") } == .tooLarge)
        #expect(try code(request) { $1.answerWithoutEnd() } == .tooLarge)
        #expect(try code(request) { $1.answerWithoutEnd(chunked: true) } == .tooLarge)
        #expect(try code(request) { $1.drip() } == .timeout)
        #expect(try code(request) { $1.hang() } == .timeout)
        #expect(ContinuousClock.now - began < .seconds(10))
    }

    @Test("C09 that is HTML, no JSON, has a byte order mark or says something twice is not read", arguments: Request.allCases)
    func notJSON(request: Request) throws {
        let (good, again) =
            switch request {
            case .discovery: (provider.discovery(), #""jwks_uri":"https://evil.example/""#)
            case .keys: (FakeProvider.keySet, #""keys":[]"#)
            case .token, .refresh: (#"{"id_token":"a.b.c","access_token":"t","token_type":"Bearer"}"#, #""id_token":"x.y.z""#)
            case .userinfo: (#"{"sub":"alice-1"}"#, #""s\u0075b":"bob""#)
            }
        try ask(request) { $1.answer(good) }
        for body in ["\u{FEFF}" + good, "<html></html>", "", "[]", "null", good + good, good.dropLast() + ",\(again)}"] {
            guard case .malformed = try failure(request, { $1.answer(body) }) else { Issue.record("\(body)"); continue }
        }
        for type in ["text/html", "text/plain", "application/jwt", nil] {
            guard case .notJSON = try failure(request, { $1.answer(type: type, good) }) else { Issue.record("\(type ?? "none")"); continue }
        }
        for status in [201, 206, 404, 500] {
            guard case .status = try failure(request, { $1.answer(status, good) }) else { Issue.record("\(status)"); continue }
        }
    }

    @Test("C04, C05 that leads to another origin is not followed", arguments: Request.allCases, [301, 302, 303, 307, 308])
    func redirect(request: Request, status: Int) throws {
        let other = try ScriptedServer { $1.answer("{}") }
        for location in [
            other.url + "/", "http://169.254.169.254/latest", "file:///etc/passwd", "https://127.0.0.1:\(provider.server.port)/",
        ] {
            #expect(try code(request) { $1.answer(status, headers: ["Location: \(location)"], "") } == .redirectRefused)
            #expect(provider.server.requests.count == 1 && other.requests.isEmpty)
        }
    }

    @Test("C06 that sets a cookie sets none", arguments: Request.allCases)
    func cookies(request: Request) throws {
        for _ in 0..<2 {
            #expect(throws: OIDCError.self) { try ask(request) { $1.answer(404, headers: ["Set-Cookie: a=b; Path=/"], "{}") } }
        }
        #expect(provider.server.requests.allSatisfy { $0.header("Cookie") == nil })
    }
}
