import DemoProvider
import Foundation
import HTTP
import JOSE
import LibCrypto
import OIDC
import PKToken
import TestSupport
import Testing
import Vocabulary

@testable import Login

/// What a provider, or somebody in its place, can do to whole logins by what it answers.
@Suite("Adversaries: hostile providers", .serialized)
struct HostileProviderTests {
    static let endpoints = ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "device_authorization_endpoint"]

    @Test(
        "C03: an endpoint in plain http elsewhere, or in no http at all, ends the login before anybody is sent there", arguments: endpoints)
    func endpoint(name: String) async throws {
        try await withDemoProvider { provider in
            for url in [
                "http://idp.example.com/x", "http://127.0.0.2:1/", "file:///etc/passwd", "data:application/json,{}",
                "ftp://idp.example.com/",
                "gopher://127.0.0.1:70/_x", "javascript:alert(1)", "HTTPS://idp.example.com/", "https://idp.example.com:0/", "/relative",
                "",
            ] {
                try await provider.control(Text(#"{"override": {"discovery": {"\#(name)": "\#(url)"}}}"#))
                let attempt = await Robot.logIn(at: provider.issuer)
                guard case .discovery(_, let why) = attempt.error else { Issue.record("\(url): \(attempt.result)"); continue }
                #expect(why.contains(name) && attempt.notices.isEmpty)
            }
            #expect(await provider.requestCount("/authorize") == 0)
        }
    }

    @Test(
        "C04, C05: neither discovery, nor keys, nor a code goes where a redirect to another origin points",
        arguments: ["discovery", "jwks", "token"],
        [301, 302, 303, 307, 308])
    func redirect(endpoint: String, status: Int) async throws {
        // The same server by its other name, so that a request that was sent on would be counted.
        let control = #"{"faults": {"\#(endpoint)": {"kind": "redirect", "status": \#(status)}}}"#
        try await withDemoProvider(Text(control)) { provider in
            await Robot.logIn(at: provider.issuer).failed()
            let path = endpoint == "discovery" ? "/.well-known/openid-configuration" : "/" + endpoint
            #expect(await provider.requestCount(Text(path)) == 1)
        }
    }

    @Test(
        "C05: a code, its verifier and the client's secret are not sent again within the same origin either",
        arguments: [301, 302, 303, 307, 308])
    func postAgain(status: Int) async throws {
        let provider = try ScriptedProvider { $0.scripts["/token"] = { $1.answer(status, headers: ["Location: /elsewhere"], "") } }
        let attempt = await Robot.logIn(at: provider.issuer, options: { $0.provider.clientSecret = Secret(Array("s3cret".utf8)) })
        guard case .tokenEndpoint = attempt.error else { Issue.record("\(attempt.result)"); return }
        attempt.failed()
        #expect(provider.count("/token") == 1 && provider.count("/elsewhere") == 0)
    }

    @Test("C05: an access token is not sent on to another origin", arguments: [301, 302, 303, 307, 308])
    func bearerElsewhere(status: Int) throws {
        let elsewhere = try ScriptedServer { $1.answer(#"{"sub":"alice-1"}"#) }
        let provider = try ScriptedServer { $1.answer(status, headers: ["Location: \(elsewhere.url)/userinfo"], "") }
        #expect(throws: OIDCError.self) {
            try Userinfo.fetch(
                from: WebURL(parsing: provider.url + "/userinfo"), accessToken: Secret(Array("t0ken".utf8)), client: HTTPClient())
        }
        #expect(provider.requests.count == 1 && elsewhere.requests.isEmpty)
    }

    @Test("C06: a cookie that a provider sets does not come back to it")
    func cookies() async throws {
        let provider = try ScriptedProvider { $0.headers = ["Set-Cookie: track=me; Path=/", "Set-Cookie: two=2"] }
        for _ in 0..<2 { await Robot.logIn(at: provider.issuer).succeeded() }
        let ours = provider.server.requests.filter { !$0.target.hasPrefix("/authorize") }
        #expect(ours.count == 6)
        for request in ours { #expect(request.header("Cookie") == nil && request.header("Referer") == nil) }
    }

    @Test(
        "C07: a certificate that does not hold ends the login before anybody is sent anywhere, and nothing offers to go on",
        .enabled(if: OpenSSLServer.isThere, "the openssl command is not here"), arguments: [OpenSSLServer.Certificate.selfSigned, .expired])
    func certificate(certificate: OpenSSLServer.Certificate) async throws {
        let server = try OpenSSLServer(certificate: certificate, connections: 1)
        var attempt = await Robot.logIn(at: Text("https://localhost:\(server.port)"))
        for _ in 0..<100 where "\(attempt.result)".contains("no connection") {
            try await Task.sleep(for: .milliseconds(100))
            attempt = await Robot.logIn(at: Text("https://localhost:\(server.port)"))
        }
        guard case .unreachable(_, let error) = attempt.error else { Issue.record("\(attempt.result)"); return }
        #expect(error.code == .tls && attempt.notices.isEmpty)
    }

    @Test(
        "C08: a document without end, or of 1 GiB, ends the login", arguments: ["discovery", "token", "jwks"], ["huge", "huge:1073741824"])
    func huge(endpoint: String, fault: String) async throws {
        let attempt = try await login(Text(#"{"faults": {"\#(endpoint)": "\#(fault)"}}"#))
        attempt.failed()
        #expect(attempt.error.map { "\($0)".contains("too large") } == true, "\(attempt.result)")
    }

    @Test("C08: a million keys are too many; as many as fit into the limit neither hide the good one nor take long")
    func manyKeys() async throws {
        let provider = try ScriptedProvider { $0.keySet = { [JSON](repeating: [:], count: 1_000_000) + [.object($0)] } }
        let attempt = await Robot.logIn(at: provider.issuer)
        guard case .keys(let why) = attempt.error else { Issue.record("\(attempt.result)"); return }
        #expect(why.contains("too large"))
        provider.change { $0.keySet = { [JSON](repeating: [:], count: 300_000) + [.object($0)] } }
        let began = ContinuousClock.now
        await Robot.logIn(at: provider.issuer).succeeded()
        #expect(ContinuousClock.now - began < .seconds(30))
    }

    @Test("C10: keys that are not for signatures, are secret, or are none at all do not count, and do not hide the good one")
    func badKeys() async throws {
        let bad: @Sendable (JSONObject) -> [JSON] = { good in
            var keys: [JSON] = [
                ["kty": "oct", "k": "AAAA", "kid": "key-1"], ["kty": "unknown", "kid": "key-1"], "key-1", 7, .null, [], [:],
            ]
            for change in [["use": "enc"], ["key_ops": ["encrypt"]], ["d": "AAAA"], ["k": "AAAA"], ["alg": "HS256"], ["alg": 7]]
                as [ScriptedProvider.Changes]
            {
                keys.append(.object(good.changed(by: change)))
            }
            return keys
        }
        let provider = try ScriptedProvider { $0.keySet = { bad($0) + [.object($0)] } }
        await Robot.logIn(at: provider.issuer).succeeded()
        provider.change { $0.keySet = bad }
        let attempt = await Robot.logIn(at: provider.issuer)
        guard case .keys = attempt.error else { Issue.record("\(attempt.result)"); return }
        attempt.failed()
    }

    @Test("C21: an answer of the token endpoint that is not what OpenID says ends the login")
    func tokenAnswer() async throws {
        try await withDemoProvider { provider in
            for change in [
                #""id_token": null"#, #""id_token": "null""#, #""id_token": """#, #""id_token": 7"#, #""id_token": "a.b.c""#,
                #""token_type": null"#,
                #""token_type": "mac""#, #""token_type": "DPoP""#, #""expires_in": -1"#, #""expires_in": 99999999999"#,
                #""expires_in": "3600""#,
                #""access_token": "null""#, #""access_token": """#, #""refresh_token": "null""#,
            ] {
                try await provider.control(Text(#"{"override": {"token_response": {\#(change)}}}"#))
                let attempt = await Robot.logIn(at: provider.issuer)
                guard case .tokenEndpoint = attempt.error else { Issue.record("\(change): \(attempt.result)"); continue }
                attempt.failed()
            }
            for change in [#""token_type": "bEARER""#, #""expires_in": null"#, #""expires_in": 0"#, #""refresh_token": null"#] {
                try await provider.control(Text(#"{"override": {"token_response": {\#(change)}}}"#))
                await Robot.logIn(at: provider.issuer).succeeded()
            }
        }
    }

    @Test(
        "C37: an error of 100000 characters with commands for the terminal is said in a line, escaped, in the terminal and in the browser")
    func hugeError() async throws {
        let words = #"\u001b[2J\u202e<script>"# + String(repeating: "x", count: 100_000)
        let provider = try ScriptedProvider {
            $0.scripts["/token"] = { $1.answer(400, #"{"error":"invalid_grant\u0007","error_description":"\#(words)"}"#) }
        }
        let attempt = await Robot.logIn(at: provider.issuer)
        let error = try #require(attempt.error)
        let said = "\(error)" + (error.hint ?? "")
        #expect(said.contains("invalid_grant") && said.utf8.count < 1000)
        #expect(said.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
        #expect(attempt.page.utf8.count < 10_000 && !attempt.page.contains("<script>") && !attempt.page.unicodeScalars.contains("\u{1B}"))
        #expect(attempt.kept == 0)
    }
}
