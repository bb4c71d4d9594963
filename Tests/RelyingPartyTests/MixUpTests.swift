import DemoProvider
import Foundation
import HTTP
import JOSE
import LibCrypto
import PKToken
import TestSupport
import Testing
import Vocabulary

@testable import Login

/// Answers that belong to another login, another provider or another time (C02, C11, C15), and requests that ask for less than they must
/// (C20, C27).
@Suite("Adversaries: mix-ups", .serialized)
struct MixUpTests {
    @Test(
        "C02: an answer that does not say whose it is, though the provider promised it, or says another's, ends the login before a code is sent"
    )
    func issuerParameter() async throws {
        try await withDemoProvider { provider in
            let own = provider.issuer.string
            for said in ["null", #""https://evil.example""#, #""""#, #""\#(own)/""#, #""\#(own.uppercased())""#] {
                try await provider.control(Text(#"{"override": {"callback": {"iss": \#(said)}}}"#))
                let attempt = await Robot.logIn(at: provider.issuer)
                guard case .answerFromAnother = attempt.error else { Issue.record("\(said): \(attempt.result)"); return }
                attempt.failed()
            }
            #expect(await provider.requestCount("/token") == 0)
        }
    }

    @Test("C02: an answer that says twice whose it is counts as none")
    func issuerTwice() async throws {
        for second in ["https://evil.example", "SELF"] {
            try await withDemoProvider { provider in
                let pair = #"["\#(provider.issuer)", "\#(second == "SELF" ? provider.issuer.string : second)"]"#
                try await provider.control(Text(#"{"override": {"callback": {"iss": \#(pair)}}}"#))
                let attempt = await Robot.logIn(at: provider.issuer, browse: Robot.browseInVain)
                #expect(attempt.wasInVain && attempt.page.hasPrefix("HTTP/1.1 400"), "\(attempt.result)")
                #expect(await provider.requestCount("/token") == 0)
            }
        }
    }

    @Test("C02: a discovery document that promises iss in a way of its own is not read as one that does not")
    func promise() async throws {
        for promise in [#""true""#, "1", "[true]"] {
            let control = #"{"override": {"discovery": {"authorization_response_iss_parameter_supported": \#(promise)}}}"#
            let attempt = try await login(Text(control))
            guard case .discovery = attempt.error else { Issue.record("\(promise): \(attempt.result)"); return }
        }
    }

    @Test("C02: a provider that sends the browser to another one to log in does not get the other one's code (mix-up)")
    func mixUp() async throws {
        try await withDemoProvider { honest in
            let attacker: Text = Text(#"{"override": {"discovery": {"authorization_endpoint": "\#(honest.issuer)/authorize"}}}"#)
            try await withDemoProvider(attacker) { evil in
                let attempt = await Robot.logIn(at: evil.issuer)
                guard case .answerFromAnother = attempt.error else { Issue.record("\(attempt.result)"); return }
                attempt.failed()
                #expect(await honest.requestCount("/authorize") == 1)
                for provider in [honest, evil] { #expect(await provider.requestCount("/token") == 0) }
            }
        }
    }

    @Test("C02, C15: the answer that ended a login at one provider counts neither for the next at the same, nor for one at another")
    func replay() async throws {
        try await withDemoProvider { first in
            let answer = Shared("")
            let one = await Robot.logIn(
                at: first.issuer,
                browse: { address in
                    answer.value = Robot.callback(after: address)
                    return Robot.get(answer.value)
                })
            one.succeeded()
            try await withDemoProvider { second in
                for provider in [first, second] {
                    let page = Shared("")
                    let attempt = await Robot.logIn(
                        at: provider.issuer,
                        browse: { address in
                            let callback = Robot.callback(after: address)
                            let replayed = String(callback.prefix { $0 != "?" }) + String(answer.value.drop { $0 != "?" })
                            page.value = Robot.get(replayed)
                            return Robot.get(callback)
                        })
                    #expect(page.value.hasPrefix("HTTP/1.1 403"))
                    attempt.succeeded()
                }
            }
        }
    }

    @Test("C26: an ID token that speaks of another access token than the one that came, or of one that did not, is refused")
    func accessTokenHash() async throws {
        for change in [
            #""id_token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}"#, #""id_token": {"at_hash": ""}"#, #""id_token": {"at_hash": ["x"]}"#,
            #""token_response": {"access_token": "another-0ne"}"#, #""token_response": {"access_token": null}"#,
        ] {
            let attempt = try await login(Text(#"{"override": {\#(change)}}"#))
            guard case .accessTokenHash = attempt.error else { Issue.record("\(change): \(attempt.result)"); continue }
            attempt.failed()
        }
        // OpenID Connect Core section 3.1.3.6: in the code flow it may be left out.
        try await login(#"{"override": {"id_token": {"at_hash": null}}}"#).succeeded()
    }

    @Test("C11: the same kid at another provider is another key")
    func sameKeyID() async throws {
        let (one, other) = (try ScriptedProvider(), try ScriptedProvider())
        await Robot.logIn(at: other.issuer).succeeded()
        let key = try #require(try? PrivateKey(generating: .p256))
        one.change { $0.signsWith = key }
        await Robot.logIn(at: one.issuer).refused(.providerSignature)
    }

    @Test("C11, C12, C14: opk login asks for the keys at every login, once, and keeps none: there is no cache to poison, flood or edit")
    func keysOfOneLogin() async throws {
        let provider = try ScriptedProvider()
        for _ in 0..<2 { await Robot.logIn(at: provider.issuer).succeeded() }
        #expect(provider.count("/jwks") == 2)
        provider.change { $0.header = ["kid": "nobody-knows-it"] }
        await Robot.logIn(at: provider.issuer).refused(.noFittingKey)
        #expect(provider.count("/jwks") == 3)
    }

    @Test("C13: keys that fail or are none are an error, whatever the last login had", arguments: [0, 1, 2, 3])
    func keysThatFail(which: Int) async throws {
        let provider = try ScriptedProvider()
        await Robot.logIn(at: provider.issuer).succeeded()
        provider.change { habits in
            switch which {
            case 0: habits.scripts["/jwks"] = { $1.answer(503, "{}") }
            case 1: habits.keySet = { _ in [] }
            case 2: habits.scripts["/jwks"] = { $1.answer(type: "text/html", "<html>") }
            default: habits.scripts["/jwks"] = { $1.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"keys\":") }
            }
        }
        let attempt = await Robot.logIn(at: provider.issuer)
        guard case .keys = attempt.error else { Issue.record("\(attempt.result)"); return }
        attempt.failed()
    }

    @Test(
        "C20: a provider that takes plain only, or no method at all, is not asked for a code",
        arguments: [#"["plain"]"#, "[]", #"["s256"]"#])
    func plainOnly(methods: String) async throws {
        try await withDemoProvider(Text(#"{"override": {"discovery": {"code_challenge_methods_supported": \#(methods)}}}"#)) { provider in
            let attempt = await Robot.logIn(at: provider.issuer)
            guard case .discovery = attempt.error else { Issue.record("\(attempt.result)"); return }
            #expect(attempt.notices.allSatisfy { $0 == "waitEnded" }, "\(attempt.notices)")
            #expect(await provider.requestCount("/authorize") == 0)
        }
    }

    @Test(
        "C20, C27: the request asks for exactly this: S256 whatever the provider says, and neither max_age nor acr, so that there is nothing to check in the answer"
    )
    func request() async throws {
        let asked = Shared("")
        let control: Text =
            #"{"override": {"discovery": {"code_challenge_methods_supported": null}, "id_token": {"auth_time": 1, "acr": "0"}}}"#
        let attempt = try await login(
            control,
            browse: { address in
                asked.value = address
                return Robot.browse(address)
            })
        attempt.succeeded()
        let parameters = try parameters(of: asked.value)
        #expect(
            Set(parameters.keys) == [
                "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
                "prompt",
                "access_type",
            ])
        #expect(parameters["code_challenge_method"] == "S256" && parameters["code_challenge"]?.utf8.count == 43)
    }

    @Test("C20: the verifier that redeems the code is the one of the challenge, of 43 characters that need no escape")
    func verifier() async throws {
        let provider = try ScriptedProvider()
        let asked = Shared("")
        await Robot.logIn(
            at: provider.issuer,
            browse: { address in
                asked.value = address
                return Robot.browse(address)
            }
        ).succeeded()
        let request = try #require(provider.server.requests.first { $0.target == "/token" })
        let verifier = try #require(Form.decode(request.body)?.first { $0.name == "code_verifier" }?.value)
        #expect(verifier.wholeMatch(of: /[A-Za-z0-9\-_]{43}/) != nil)
        #expect(try parameters(of: asked.value)["code_challenge"] == Base64URL.encode(Digest.sha256(Array(verifier.utf8))))
        #expect(!asked.value.contains(verifier))
    }
}
