import DemoProvider
import JOSE
import LibCrypto
import PKToken
import Testing
import Vocabulary

@testable import Login

/// OpenID's plan `oidcc-client-config-certification-test-plan`, by its names.
@Suite("OpenID's relying-party checks: the config profile", .serialized)
struct DiscoveryProfileTests {
    @Test("oidcc-client-test-discovery-openid-config: the first thing that is asked for is the issuer's .well-known/openid-configuration")
    func configuration() async throws {
        let provider = try ScriptedProvider()
        await Robot.logIn(at: provider.issuer).succeeded()
        #expect(provider.paths == ["/.well-known/openid-configuration", "/authorize", "/token", "/jwks"])
        for request in provider.server.requests where request.target != "/token" { #expect(request.method == "GET") }
    }

    @Test("oidcc-client-test-discovery-jwks-uri-keys: the keys come from the jwks_uri that the configuration names, wherever that is")
    func keysURI() async throws {
        let provider = try ScriptedProvider()
        let key = try PrivateKey(generating: .ed25519)
        var jwk = key.publicKey.jwk
        jwk["kid"] = "key-1"
        let set = JSON.object(JSONObject(["keys": [.object(jwk)]])).serialized
        let place = "/keys/" + Base64URL.encode(randomBytes(8)) + "?set=a%20b"
        provider.change { habits in
            habits.discovery = ["jwks_uri": .string(Text(provider.server.url + place))]
            habits.signsWith = key
            habits.scripts[String(place.prefix { $0 != "?" })] = { $1.answer(set) }
        }
        await Robot.logIn(at: provider.issuer).succeeded()
        #expect(provider.server.requests.last?.target == place && provider.count("/jwks") == 0)
    }

    @Test(
        "oidcc-client-test-discovery-issuer-mismatch, C01: a configuration of another issuer ends the login, and nobody is sent to log in",
        arguments: ["https://evil.example", "SELF/", "self", ""])
    func issuerMismatch(said: String) async throws {
        try await withDemoProvider { provider in
            let other =
                said == "SELF/" ? provider.issuer.string + "/" : said == "self" ? "HTTP" + provider.issuer.string.dropFirst(4) : said
            try await provider.control(Text(#"{"override": {"discovery": {"issuer": "\#(other)"}}}"#))
            let attempt = await Robot.logIn(at: provider.issuer)
            guard case .discovery = attempt.error else { Issue.record("\(attempt.result)"); return }
            attempt.failed()
            #expect(attempt.notices.isEmpty)
            for path: Text in ["/authorize", "/token", "/jwks"] { #expect(await provider.requestCount(path) == 0) }
        }
    }

    @Test("oidcc-client-test-signing-key-rotation: a login after the provider's keys have changed takes the new ones")
    func rotation() async throws {
        try await withDemoProvider { provider in
            await Robot.logIn(at: provider.issuer).succeeded()
            try await provider.control(#"{"rotate": true}"#)
            await Robot.logIn(at: provider.issuer).succeeded()
            #expect(await provider.requestCount("/jwks") == 2)
        }
    }

    @Test(
        "oidcc-client-test-signing-key-rotation-just-before-signing: keys that change between the request and the ID token are no trouble")
    func rotationBeforeSigning() async throws {
        let provider = try ScriptedProvider { $0.rotatesBeforeSigning = true }
        for _ in 0..<2 { await Robot.logIn(at: provider.issuer).succeeded() }
    }
}
