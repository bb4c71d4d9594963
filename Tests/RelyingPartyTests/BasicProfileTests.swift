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

/// OpenID's plan `oidcc-client-basic-certification-test-plan`, by its names, and those modules of `oidcc-client-test-plan` that say something
/// about the code flow. opk itself never asks userinfo at a login; where a module wants it, it is asked as a server's opk-fetch asks it.
@Suite("OpenID's relying-party checks: the basic profile", .serialized)
struct BasicProfileTests {
    private static let asksUserinfo: @Sendable (inout LoginOptions) -> Void = { $0.provider.sendsAccessToken = true }

    private func configuration(of issuer: Text) async throws -> DiscoveryDocument {
        try await onThread { Result { try DiscoveryDocument.fetch(issuer: issuer, client: HTTPClient(timeout: .seconds(30))) } }.get()
    }

    @Test("oidcc-client-test: a code-flow login, from the request through the token to userinfo")
    func clientTest() async throws {
        try await withDemoProvider { provider in
            let asked = Shared("")
            let attempt = await Robot.logIn(
                at: provider.issuer,
                browse: { address in
                    asked.value = address
                    return Robot.browse(address)
                }, options: Self.asksUserinfo)
            attempt.succeeded()
            let parameters = try parameters(of: asked.value)
            #expect(parameters["response_type"] == "code" && parameters["client_id"] == "opk-demo")
            #expect(parameters["scope"]?.split(separator: " ").contains("openid") == true)
            #expect(parameters["redirect_uri"]?.hasPrefix("http://localhost:") == true)
            let document = try await configuration(of: provider.issuer)
            let userinfo = try await onThread { Result { try attempt.userinfo(at: document) } }.get()
            #expect(userinfo.claims["sub"] == "demo-alice")
            for path: Text in ["/authorize", "/token", "/jwks", "/userinfo"] { #expect(await provider.requestCount(path) == 1, "\(path)") }
        }
    }

    @Test("oidcc-client-test-client-secret-basic: a client with a secret says it in the Authorization header, form-encoded, and only there")
    func clientSecretBasic() async throws {
        let (client, secret): (Text, Text) = ("confidential:1", "s3cret:/+% é")
        let confidential: @Sendable (inout LoginOptions) -> Void = {
            $0.provider.clientID = client
            $0.provider.clientSecret = Secret(secret.utf8)
        }
        let attempt = try await login("{}", clients: [Client(client, secret: secret)], options: confidential)
        attempt.succeeded()
        let provider = try ScriptedProvider { $0.claims = ["aud": .string(client)] }
        await Robot.logIn(at: provider.issuer, options: confidential).succeeded()
        let request = try #require(provider.server.requests.first { $0.target == "/token" })
        let pair = Form.escape(client.string) + ":" + Form.escape(secret.string)
        #expect(request.header("Authorization") == "Basic " + Data(pair.utf8).base64EncodedString())
        #expect(!request.body.contains("client_secret") && !request.body.contains("client_id") && !request.body.contains("s3cret"))
    }

    @Test("oidcc-client-test-idtoken-sig-none: an unsigned ID token is refused, though the code flow would allow it")
    func signatureNone() async throws {
        for algorithm in ["none", "None", "NONE"] {
            for signature in ["good", "empty"] {
                try await login(
                    Text(#"{"signature": "\#(signature)", "override": {"id_token_header": {"alg": "\#(algorithm)", "kid": null}}}"#)
                ).failed()
            }
        }
    }

    @Test("oidcc-client-test-idtoken-sig-rs256: an ID token signed with RS256 is accepted")
    func signatureRS256() async throws {
        let control: Text = #"{"key_type": "RS256", "override": {"discovery": {"id_token_signing_alg_values_supported": ["RS256"]}}}"#
        try await login(control).succeeded()
    }

    @Test("oidcc-client-test-invalid-sig-rs256: an ID token whose RS256 signature is wrong is refused")
    func invalidRS256() async throws {
        for signature in ["bad", "other-key", "empty"] {
            try await login(Text(#"{"key_type": "RS256", "signature": "\#(signature)"}"#)).refused(.providerSignature)
        }
    }

    @Test("oidcc-client-test-invalid-sig-es256: an ID token whose ES256 signature is wrong is refused")
    func invalidES256() async throws {
        for signature in ["bad", "other-key", "empty"] {
            try await login(Text(#"{"signature": "\#(signature)"}"#)).refused(.providerSignature)
        }
    }

    @Test("oidcc-client-test-invalid-sig-hs256: HMAC is refused, under the client's secret and under the provider's public key")
    func invalidHS256() async throws {
        let secret = Secret(Array("s3cret".utf8))
        let key = try PrivateKey(generating: .p256)
        for hmacKey in [secret.exposed, JSON.object(key.publicKey.jwk).serialized] {
            let provider = try ScriptedProvider(key: key)
            provider.change { $0.scripts["/token"] = Self.hmacToken(hmacKey, provider.issuer) }
            let attempt = await Robot.logIn(at: provider.issuer, options: { $0.provider.clientSecret = secret })
            guard case .tokenEndpoint(let why) = attempt.error, why.contains("algorithm") else { Issue.record("\(attempt.result)"); return }
            attempt.failed()
        }
    }

    private static func hmacToken(_ key: [UInt8], _ issuer: Text) -> ScriptedServer.Script {
        { _, connection in
            let claims = JSONObject(["iss": .string(issuer), "aud": "opk-demo", "sub": "alice-1", "iat": 1, "exp": 4_000_000_000])
            let signed = [#"{"alg":"HS256","kid":"key-1"}"#, String(decoding: JSON.object(claims).serialized, as: UTF8.self)]
                .map { Base64URL.encode(Array($0.utf8)) }.joined(separator: ".")
            let token = signed + "." + Base64URL.encode(hmac(Array(signed.utf8), key))
            connection.answer(#"{"access_token":"t","token_type":"Bearer","id_token":"\#(token)"}"#)
        }
    }

    /// RFC 2104 with SHA-256. opk itself has none, so that nothing can take a public key for the key of a MAC.
    private static func hmac(_ message: [UInt8], _ key: [UInt8]) -> [UInt8] {
        let short = key.count > 64 ? Digest.sha256(key) : key
        let block = short + [UInt8](repeating: 0, count: 64 - short.count)
        return Digest.sha256(block.map { $0 ^ 0x5C } + Digest.sha256(block.map { $0 ^ 0x36 } + message))
    }

    @Test("oidcc-client-test-invalid-iss: an ID token of another issuer is refused")
    func invalidIssuer() async throws {
        try await withDemoProvider { provider in
            for issuer in ["https://evil.example", provider.issuer.string + "/", provider.issuer.string.uppercased(), ""] {
                try await provider.control(Text(#"{"override": {"id_token": {"iss": "\#(issuer)"}}}"#))
                await Robot.logIn(at: provider.issuer).refused(.issuerUnknown)
            }
        }
    }

    @Test("oidcc-client-test-invalid-aud: an ID token for another client is refused")
    func invalidAudience() async throws {
        for audience in [#""other""#, #""opk-demo ""#, #"["other"]"#, "[]", #"["opk-demo", 7]"#] {
            try await login(Text(#"{"override": {"id_token": {"aud": \#(audience)}}}"#)).refused(.audience)
        }
    }

    @Test("oidcc-client-test-missing-aud: an ID token without aud is refused")
    func missingAudience() async throws {
        try await login(#"{"override": {"id_token": {"aud": null}}}"#).refused(.audience)
    }

    @Test("oidcc-client-test-missing-iat: an ID token without iat is refused")
    func missingIssuedAt() async throws {
        try await login(#"{"override": {"id_token": {"iat": null}}}"#).refused(.timeClaim)
    }

    @Test("oidcc-client-test-missing-sub: an ID token without sub is refused")
    func missingSubject() async throws {
        try await login(#"{"override": {"id_token": {"sub": null}}}"#).refused(.subject)
    }

    @Test("oidcc-client-test-nonce-invalid: an ID token with another nonce than the request's is refused")
    func invalidNonce() async throws {
        for nonce in [#""other""#, "null", #""""#, #"["other"]"#] {
            try await login(Text(#"{"override": {"id_token": {"nonce": \#(nonce)}}}"#)).refused(.commitment)
        }
    }

    @Test("oidcc-client-test-kid-absent-single-jwks: without a kid, the only key that fits is taken")
    func kidAbsentSingle() async throws {
        for kind in ["RS256", "ES256"] {
            let control: Text = Text(#"{"key_type": "\#(kind)", "override": {"id_token_header": {"kid": null}, "jwk": {"kid": null}}}"#)
            try await login(control).succeeded()
        }
        // One of another kind beside it fits nothing.
        try await withDemoProvider(#"{"override": {"id_token_header": {"kid": null}, "jwk": {"kid": null}}}"#) { provider in
            try await provider.control(#"{"key_type": "EdDSA", "rotate": "keep"}"#)
            await Robot.logIn(at: provider.issuer).succeeded()
        }
    }

    @Test("oidcc-client-test-kid-absent-multiple-jwks: without a kid, where several keys fit, nothing is guessed")
    func kidAbsentMultiple() async throws {
        try await withDemoProvider(#"{"override": {"id_token_header": {"kid": null}, "jwk": {"kid": null}}}"#) { provider in
            try await provider.control(#"{"rotate": "keep"}"#)
            await Robot.logIn(at: provider.issuer).refused(.ambiguousKey)
        }
    }

    @Test("oidcc-client-test-ignores-unparseable-key-in-jwks: a key of an unknown type or algorithm is passed over")
    func unparseableKey() async throws {
        let provider = try ScriptedProvider { habits in
            habits.keySet = { good in
                [
                    ["kty": "AKP", "alg": "ML-DSA-99", "kid": "pq-1", "pub": "AAAA"], ["kty": "made-up", "kid": "x-1", "use": "sig"],
                    .object(good),
                ]
            }
        }
        await Robot.logIn(at: provider.issuer).succeeded()
    }

    @Test("oidcc-client-test-scope-userinfo-claims: the claims of the scopes that were asked for come from userinfo")
    func scopes() async throws {
        try await withDemoProvider(#"{"userinfo_only": ["email", "email_verified"]}"#) { provider in
            let asked = Shared("")
            let attempt = await Robot.logIn(
                at: provider.issuer,
                browse: { address in
                    asked.value = address
                    return Robot.browse(address)
                }, options: Self.asksUserinfo)
            #expect(try parameters(of: asked.value)["scope"]?.split(separator: " ").contains("email") == true)
            #expect(try attempt.result.get().identity.claims["email"] == nil)
            let document = try await configuration(of: provider.issuer)
            let userinfo = try await onThread { Result { try attempt.userinfo(at: document) } }.get()
            #expect(userinfo.claims["email"] == "alice@example.com")
        }
    }

    @Test("oidcc-client-test-userinfo-bearer-header: the access token goes to userinfo in the Authorization header, and only there")
    func bearerHeader() async throws {
        let provider = try ScriptedProvider()
        let attempt = await Robot.logIn(at: provider.issuer, options: Self.asksUserinfo)
        let document = try await configuration(of: provider.issuer)
        _ = try await onThread { Result { try attempt.userinfo(at: document) } }.get()
        let request = try #require(provider.server.requests.last)
        #expect(request.method == "GET" && request.target == "/userinfo" && request.header("Authorization") == "Bearer t0ken")
        #expect(request.body.isEmpty && request.head.components(separatedBy: "t0ken").count == 2)
    }

    @Test(
        "oidcc-client-test-userinfo-invalid-sub, C28: userinfo about somebody else, unsure about whom, or in a form of its own counts for nothing"
    )
    func userinfoSubject() async throws {
        try await withDemoProvider { provider in
            let attempt = await Robot.logIn(at: provider.issuer, options: Self.asksUserinfo)
            let document = try await configuration(of: provider.issuer)
            for subject in [#""demo-bob""#, "null", #"["demo-alice"]"#, #""DEMO-ALICE""#, #""""#, #""demo-alice ""#, "7"] {
                try await provider.control(Text(#"{"override": {"userinfo": {"sub": \#(subject)}}}"#))
                let userinfo = await onThread { Result { try attempt.userinfo(at: document) } }
                #expect(throws: Refusal(.subject), "\(subject)") { try userinfo.get() }
            }
        }
        let signed = try ScriptedProvider { $0.scripts["/userinfo"] = { $1.answer(type: "application/jwt", "eyJhbGciOiJub25lIn0.e30.") } }
        let attempt = await Robot.logIn(at: signed.issuer, options: Self.asksUserinfo)
        let document = try await configuration(of: signed.issuer)
        let userinfo = await onThread { Result { try attempt.userinfo(at: document) } }
        #expect(throws: OIDCError.notJSON(.userinfo)) { try userinfo.get() }
    }
}
