import Foundation
import HTTP
import JOSE
import LibCrypto
import TestSupport
import Testing
import Vocabulary

@testable import Login

/// A provider of which each answer can be said.
private struct ScriptedProvider {
    let server: ScriptedServer
    var keys: [String] = []
    var clockOff: TimeInterval?
    var more = ""
    /// Client id and redirect URI: status, Location, body.
    var authorize: @Sendable (_ client: String, _ redirect: String) -> (Int, String?, String) = { _, redirect in
        (302, redirect + "?error=login_required&state=x", "")
    }

    init() throws {
        server = try ScriptedServer()
        keys = [try ScriptedProvider.key(.p256, #""kid": "one""#)]
    }

    static func key(_ kind: PrivateKey.Kind, _ members: String) throws -> String {
        let key = String(decoding: JSON.object(try PrivateKey(generating: kind).publicKey.jwk).serialized, as: UTF8.self)
        return key.dropLast() + (members.isEmpty ? "" : ", " + members) + "}"
    }

    func examine(client: String = "opk", redirectURIs: [String] = ["http://localhost:3000/login-callback"]) async throws
        -> ProviderExamination
    {
        let (server, keys, clockOff, more, authorize) = (server, keys, clockOff, more, authorize)
        server.play { request, connection in
            let formatter = DateFormatter()
            formatter.locale = Locale(identifier: "en_US_POSIX")
            formatter.timeZone = TimeZone(identifier: "GMT")
            formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            let date = clockOff.map { ["Date: " + formatter.string(from: Date(timeIntervalSinceNow: $0))] } ?? []
            let url = "http://127.0.0.1:\(server.port)"
            switch request.target.split(separator: "?").first {
            case "/.well-known/openid-configuration":
                connection.answer(
                    headers: date,
                    "{\"issuer\": \"\(url)\", \"authorization_endpoint\": \"\(url)/auth\", \"token_endpoint\": \"\(url)/token\", \"jwks_uri\": \"\(url)/keys\"\(more)}"
                )
            case "/keys": connection.answer("{\"keys\": [\(keys.joined(separator: ", "))]}")
            case "/auth":
                let items = URLComponents(string: request.target)?.queryItems ?? []
                let value = { (name: String) in items.first { $0.name == name }?.value ?? "" }
                guard value("prompt") == "none", value("code_challenge_method") == "S256", !value("nonce").isEmpty else {
                    connection.answer(500, "{}")
                    return
                }
                let (status, location, body) = authorize(value("client_id"), value("redirect_uri"))
                connection.answer(status, type: "text/html", headers: location.map { ["Location: " + $0] } ?? [], body)
            default: connection.answer(404, "{}")
            }
        }
        var provider = ProviderConfig(issuer: Text(server.url), clientID: Text(client))
        provider.redirectURIs = try redirectURIs.map { try RedirectURI($0) }
        let config = provider
        return await onThread { ProviderExamination(config, http: HTTPClient(timeout: .seconds(5))) }
    }
}

extension ProviderExamination {
    fileprivate func check(_ name: String) -> ProviderCheck? { checks.first { $0.name == name } }
}

@Suite("ProviderExamination: what can be known without logging in")
struct ProviderExaminationTests {
    @Test("C40: a clock that is off is told by how much and which way; more than a minute fails")
    func clock() async throws {
        for (off, result, words) in [
            (0, .ok, "agree"), (3, .ok, "agree"), (30, .warn, "30 s behind"), (-30, .warn, "s ahead of"), (600, .fail, "behind"),
            (-600, .fail, "ahead of"),
        ] as [(TimeInterval, ProviderCheck.Result, String)] {
            var provider = try ScriptedProvider()
            // In the middle of a second, so that the test's own time cannot make it another one.
            provider.clockOff = off + (off == 0 ? 0 : off > 0 ? 0.5 : -0.5)
            let check = try #require(try await provider.examine().check("clock"))
            #expect(check.result == result, "\(off): \(check.text)")
            if off.magnitude != 30 { #expect(check.text.contains(words), "\(check.text)") }
            if off.magnitude == 30 { #expect(check.text.contains(off > 0 ? "behind" : "ahead of")) }
        }
        #expect(try await ScriptedProvider().examine().check("clock") == nil)
    }

    @Test("a redirect URI is registered where the provider sends the browser back, with prompt=none, and not where it refuses")
    func registered() async throws {
        var provider = try ScriptedProvider()
        let known = "http://localhost:3000/login-callback"
        provider.authorize = { _, redirect in
            redirect == known ? (303, redirect + "?error=interaction_required", "") : (400, nil, "redirect_uri_mismatch")
        }
        let good = try #require(try await provider.examine().check("redirect"))
        #expect(good.result == .ok && good.text.contains("are known: \(known)"), "\(good)")
        let some = try #require(
            try await provider.examine(redirectURIs: [known, "http://localhost:10001/login-callback"]).check("redirect"))
        #expect(some.result == .warn && some.text.contains("not registered: http://localhost:10001/login-callback"), "\(some)")
        provider.authorize = { client, _ in client == "opk" ? (400, nil, "redirect_uri_mismatch") : (401, nil, "unknown client") }
        let none = try #require(try await provider.examine().check("redirect"))
        #expect(none.result == .fail && none.text.contains("no redirect URI is registered for opk"), "\(none)")
        #expect(none.advice?.contains("register \(known)") == true)
        provider.authorize = { _, _ in (400, nil, "unknown client") }
        let client = try #require(try await provider.examine().check("redirect"))
        #expect(client.result == .fail && client.text.contains("answers opk as a client id that is made up"), "\(client)")
    }

    @Test("where a made-up redirect URI is answered in another way than ours, ours is known; where in the same way, it cannot be told")
    func byComparison() async throws {
        var provider = try ScriptedProvider()
        // As Google: errors are on a page of their own, a login on another.
        provider.authorize = { _, redirect in
            (
                302,
                redirect.contains("made-up")
                    ? "https://idp.example/error?x=1" : "https://idp.example/login?y=\(UInt32.random(in: 0...9999))", ""
            )
        }
        #expect(try await provider.examine().check("redirect")?.result == .ok)
        provider.authorize = { _, _ in (302, "https://idp.example/login?y=\(UInt32.random(in: 0...9999))", "") }
        let untold = try #require(try await provider.examine().check("redirect"))
        #expect(untold.result == .warn && untold.text.contains("cannot be told"))
        // An address that only begins as ours is another's.
        provider.authorize = { _, redirect in (302, "\(redirect).evil.example/?error=x", "") }
        #expect(try await provider.examine().check("redirect")?.result == .warn)
    }

    @Test(
        "what the provider says when it sends the browser back is heard: a scope it refuses, a flow the client may not use",
        arguments: [
            ("invalid_scope", "scopes", ProviderCheck.Result.fail), ("unauthorized_client", "client", .fail),
            ("\u{1B}[31m", "client", .warn),
        ])
    func errors(error: String, name: String, result: ProviderCheck.Result) async throws {
        var provider = try ScriptedProvider()
        let escaped = try #require(error.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        provider.authorize = { _, redirect in (302, "\(redirect)?error=\(escaped)", "") }
        let check = try #require(try await provider.examine().checks.last { $0.name == name })
        #expect(check.result == result && !check.text.contains("\u{1B}"), "\(check)")
    }

    @Test("C10: every key that is not used is named with the reason, and one with a private part is a warning")
    func keys() async throws {
        var provider = try ScriptedProvider()
        provider.keys = [
            try ScriptedProvider.key(.rsa(bits: 2048), #""kid": "rsa", "use": "sig""#),
            try ScriptedProvider.key(.p256, #""kid": "enc", "use": "enc""#),
            try ScriptedProvider.key(.ed25519, #""kid": "leaked", "d": "AAAA""#),
            try ScriptedProvider.key(.rsa(bits: 2048), #""kid": "512", "alg": "RS512""#),
            #"{"kty": "EC", "crv": "P-521", "kid": "big", "x": "AA", "y": "AA"}"#,
            #"{"kty": "RSA", "kid": "short", "n": "AQAB", "e": "AQAB"}"#,
        ]
        let examination = try await provider.examine()
        #expect(examination.check("keys")?.text == "1 of 6 can be used: RSA 2048 RS256 (rsa)")
        let unused = examination.checks.filter { $0.name == "key" }
        #expect(unused.count == 4)
        for (name, words, result) in [
            ("leaked", "private", ProviderCheck.Result.warn), ("512", "algorithm", .ok), ("big", "kind", .ok), ("short", "numbers", .warn),
        ] {
            let check = unused.first { $0.text.contains("the key \(name) ") }
            #expect(check?.result == result && check?.text.contains(words) == true, "\(name): \(unused)")
        }
        #expect(examination.isUsable)
        provider.keys = [try ScriptedProvider.key(.p256, ""), try ScriptedProvider.key(.p256, "")]
        #expect(try await provider.examine().check("key-ids")?.result == .warn)
    }

    @Test("the row for a server is one that a server reads, whatever the client id")
    func row() async throws {
        let provider = try ScriptedProvider()
        #expect(try await provider.examine().row == "\(provider.server.url) opk 24h")
        #expect(try await provider.examine(client: "a b#'c").row == "\(provider.server.url) 'a b#'\\''c' 24h")
    }

    @Test("nothing but discovery, keys and the login page is asked for, and the login page only with prompt=none")
    func requests() async throws {
        let provider = try ScriptedProvider()
        _ = try await provider.examine()
        let asked = provider.server.requests
        #expect(Set(asked.map { String($0.target.prefix { $0 != "?" }) }) == ["/.well-known/openid-configuration", "/keys", "/auth"])
        #expect(asked.allSatisfy { $0.method == "GET" && $0.header("Authorization") == nil })
        #expect(asked.filter { $0.target.hasPrefix("/auth") }.count == 2)
    }

    @Test("a common issuer of Microsoft's is answered with what to write in its place")
    func tenant() async throws {
        let server = try ScriptedServer { _, connection in
            connection.answer(#"{"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}"#)
        }
        let provider = ProviderConfig(issuer: Text(server.url), clientID: "x")
        let examination = await onThread { ProviderExamination(provider) }
        #expect(examination.check("discovery")?.advice?.contains("tenant") == true && !examination.isUsable)
    }
}
