import Foundation
import JOSE
import Testing
import Vocabulary

@testable import DemoProvider

@Suite("The control endpoint")
struct ControlTests {
    func discovery(_ party: RelyingParty) async throws -> RelyingParty.Answer {
        try await party.get("/.well-known/openid-configuration")
    }

    @Test("without its token it does nothing; what it does not understand it refuses as a whole")
    func refusals() async throws {
        try await withProvider { party in
            let document = #"{"auto_login": "alice"}"#
            #expect(try await party.send("POST", "/control", body: document).status == 401)
            #expect(try await party.get("/control/requests", bearer: "guess").status == 401)
            let bearer = ["Authorization": "Bearer " + party.provider.controlToken.string]
            for bad in [
                "", "[]", #"{"nothing": 1}"#, #"{"auto_login": "mallory"}"#, #"{"key_type": "HS256"}"#, #"{"rotate": "maybe"}"#,
                #"{"token_lifetime": 1e99}"#, #"{"token_lifetime": -9223372036854775808}"#, #"{"faults": {"moon": "cut"}}"#,
                #"{"faults": {"jwks": "slow:x"}}"#, #"{"override": {"id_token": 1}}"#, #"{"claims": {"mallory": {}}}"#,
                #"{"auto_login": "alice", "signature": "fine"}"#,
            ] {
                #expect(try await party.send("POST", "/control", body: bad, headers: bearer).status == 400, "\(bad)")
            }
            #expect(try await party.get(party.authorizationPath()).status == 200)
            #expect(try await party.send("POST", "/control", body: document, headers: bearer).status == 200)
            #expect(try await party.get(party.authorizationPath()).status == 302)
            _ = try await party.send("POST", "/control", body: #"{"reset": true}"#, headers: bearer)
            #expect(try await party.get(party.authorizationPath()).status == 200)
        }
    }

    @Test("it counts requests by path")
    func counting() async throws {
        try await withProvider { party in
            _ = try await party.get("/jwks")
            _ = try await party.get("/jwks")
            #expect(await party.provider.requestCount("/jwks") == 2)
            let counts = try await party.get("/control/requests", bearer: party.provider.controlToken.string)
            #expect(counts.json["/jwks"] == 2)
        }
    }

    @Test("after a rotation the old key is gone at once, or stays published, as asked")
    func rotation() async throws {
        try await withProvider { party in
            let first = try await party.idToken()
            try await party.provider.control(#"{"rotate": "keep"}"#)
            let second = try await party.idToken()
            #expect(first.header.keyID != second.header.keyID)
            #expect(try await party.holds(first))
            #expect(try await party.holds(second))
            try await party.provider.control(#"{"rotate": true, "key_type": "ES256"}"#)
            #expect(try await party.holds(first) == false)
            #expect(try await party.holds(second) == false)
            #expect(try await party.holds(try await party.idToken()))
            #expect(try await party.get("/jwks").json["keys"]?.array?.count == 1)
        }
    }

    @Test("tokens can be long over, or yet to come")
    func times() async throws {
        try await withProvider(#"{"token_lifetime": 60, "issued_at_offset": -90000}"#) { party in
            let claims = try await party.idToken().payload()
            let issuedAt = try #require(claims["iat"]?.number?.integer)
            #expect(abs(issuedAt - (UnixTime.now().seconds - 90000)) < 10)
            #expect(claims["exp"]?.number?.integer == issuedAt + 60)
        }
    }

    @Test("an ID token can lack its kid and typ, carry another nonce, aud and iss, or miss a claim")
    func overrides() async throws {
        try await withProvider(
            """
            {"override": {"id_token_header": {"kid": null, "typ": null},
              "id_token": {"nonce": "x", "aud": ["a", "b"], "iss": "https://evil.example", "sub": null, "iat": null},
              "jwk": {"alg": null}, "callback": {"iss": ["https://evil.example", "b"]}, "token_response": {"token_type": "mac"}}}
            """
        ) { party in
            let callback = try await party.send("POST", party.authorizationPath(), form: ["person": "alice"])
            #expect(callback.location?.contains("iss=https%3A%2F%2Fevil.example&iss=b") == true)
            let answer = try await party.exchange(callback.callback["code"] ?? "")
            #expect(answer.json["token_type"] == "mac")
            let token = try RelyingParty.idToken(answer)
            #expect(token.header.members["kid"] == nil)
            #expect(token.header.members["typ"] == nil)
            let claims = try token.payload()
            #expect(claims["nonce"] == "x")
            #expect(claims["aud"] == ["a", "b"])
            #expect(claims["iss"] == "https://evil.example")
            #expect(claims["sub"] == nil)
            #expect(claims["iat"] == nil)
            #expect(try await party.get("/jwks").json["keys"]?.array?.first?["alg"] == nil)
        }
    }

    @Test("only refreshed ID tokens can be wrong")
    func refreshedOverride() async throws {
        try await withProvider(#"{"override": {"refreshed_id_token": {"sub": "another"}}}"#) { party in
            let login = try await party.exchange(try await party.code())
            #expect(try RelyingParty.idToken(login).payload()["sub"] == "demo-alice")
            let refreshed = try await party.refresh(login.json["refresh_token"]?.string?.string ?? "")
            #expect(try RelyingParty.idToken(refreshed).payload()["sub"] == "another")
        }
    }

    @Test("a signature can be bad, missing, or another key's", arguments: ["bad", "empty", "other-key"])
    func signatures(kind: String) async throws {
        try await withProvider(Text("{\"signature\": \"\(kind)\"}")) { party in
            let answer = try await party.exchange(try await party.code())
            let text = try #require(answer.json["id_token"]?.string).string
            if kind == "empty" {
                #expect(text.hasSuffix("."))
            } else {
                #expect(try await party.holds(try RelyingParty.idToken(answer)) == false)
            }
        }
    }

    @Test("alg none comes without a signature")
    func algorithmNone() async throws {
        try await withProvider(#"{"override": {"id_token_header": {"alg": "none"}}}"#) { party in
            let answer = try await party.exchange(try await party.code())
            #expect(answer.json["id_token"]?.string?.hasSuffix(".") == true)
        }
    }

    @Test("each fault does what its name says, as often as asked, and then all is well")
    func faults() async throws {
        try await withProvider { party in
            func set(_ fault: String) async throws {
                try await party.provider.control(Text("{\"faults\": {\"discovery\": \(fault)}}"))
            }
            try await set(#"{"kind": "status", "status": 503, "times": 1}"#)
            #expect(try await discovery(party).status == 503)
            #expect(try await discovery(party).status == 200)
            try await set(#""issuer:https://evil.example""#)
            #expect(try await discovery(party).json["issuer"] == "https://evil.example")
            try await set(#""html""#)
            #expect(try await discovery(party).text.hasPrefix("<!DOCTYPE html>"))
            try await set(#""redirect""#)
            let elsewhere = try await discovery(party).location
            #expect(elsewhere == "http://127.0.0.1:\(party.provider.port)/.well-known/openid-configuration")
            try await set(#""redirect:https://evil.example/x""#)
            #expect(try await discovery(party).location == "https://evil.example/x")
            try await set(#""huge:2097152""#)
            #expect(try await discovery(party).body.count == 2_097_152)
            try await set(#""slow:0.5""#)
            let begin = ContinuousClock.now
            #expect(try await discovery(party).status == 200)
            #expect(ContinuousClock.now - begin >= .milliseconds(500))
            try await set(#""none""#)
            #expect(try await discovery(party).json["issuer"] == .string(party.provider.issuer))
        }
    }

    @Test("a cut answer says that it is longer than it is")
    func cut() async throws {
        try await withProvider(#"{"faults": {"jwks": "cut"}}"#) { party in
            let answer = try await party.get("/jwks")
            let length = try #require(answer.headers["content-length"].flatMap { Int($0) })
            #expect(answer.status == 200)
            #expect(answer.body.count == length - 1000)
        }
    }

    @Test("a Host that rebinding could bring is turned away")
    func hostHeader() async throws {
        try await withProvider { party in
            let answer = try await party.send("GET", "/jwks", headers: ["Host": "evil.example"])
            #expect(answer.status == 421)
        }
    }

    @Test("two providers live side by side; a taken port and an external URL that is not loopback are refused")
    func starting() async throws {
        try await withProvider { first in
            try await withProvider { second in
                #expect(first.provider.port != second.provider.port)
            }
            var options = DemoProviderOptions()
            options.port = first.provider.port
            await #expect(throws: DemoProviderError.portTaken(first.provider.port)) { _ = try await DemoProvider.start(options) }
            options.port = 0
            options.externalURL = "https://provider.example"
            await #expect(throws: DemoProviderError.externalURL) { _ = try await DemoProvider.start(options) }
        }
    }

    @Test("after stop() nothing answers")
    func stopping() async throws {
        let provider = try await DemoProvider.start()
        await provider.stop()
        await #expect(throws: RawConnection.Failure.self) {
            try await RelyingParty(provider).get("/")
        }
    }
}
