import DemoProvider
import HTTP
import TestSupport
import Testing
import Vocabulary

@testable import Login

@Suite("DeviceLogin: a login on another device, against the demo provider", .serialized)
struct DeviceLoginTests {
    func withProvider<Value: Sendable>(
        _ control: Text = "{}", clients: [Client] = [], _ body: (DemoProvider) async throws -> Value
    ) async throws -> Value {
        var options = DemoProviderOptions()
        options.clients += clients
        // Time flies for the device and not for the provider, which must not think that it asks too often.
        options.control = [#"{"key_type": "ES256", "device_nonce": true, "device_interval": 0}"#, control]
        let provider = try await DemoProvider.start(options)
        let result = try await body(provider)
        await provider.stop()
        return result
    }

    @Test("a login that the person approves ends with a verified identity, kept once")
    func good() async throws {
        let attempt = try await withProvider { await Elsewhere.device(at: $0.issuer, person: { Elsewhere.approve($0) }) }
        #expect(try attempt.result.get().who == "alice@example.com")
        #expect(attempt.kept == 1 && attempt.seconds == 5)
        let invitation = try #require(attempt.invitation)
        #expect(
            invitation.url.hasSuffix("/device") && invitation.completeURL == invitation.url + "?user_code=" + invitation.userCode.string)
        #expect(!"\(attempt.notices)".contains("device_code"))
    }

    @Test("a client with a secret logs in, too")
    func secret() async throws {
        let attempt = try await withProvider(clients: [Client("confidential", secret: "s3cret")]) { provider in
            await Elsewhere.device(
                at: provider.issuer, client: "confidential", person: { Elsewhere.approve($0) },
                options: { $0.provider.clientSecret = Secret(Array("s3cret".utf8)) })
        }
        #expect(try attempt.result.get().who == "alice@example.com")
    }

    @Test("a provider whose device tokens carry no commitment is named as such, with the ways that work, and nothing is written")
    func withoutCommitment() async throws {
        for control: Text in [#"{"device_nonce": false}"#, #"{"override": {"id_token": {"nonce": "another"}}}"#] {
            let attempt = try await withProvider(control) { await Elsewhere.device(at: $0.issuer, person: { Elsewhere.approve($0) }) }
            guard case .deviceWithoutCommitment = attempt.error else { Issue.record("\(attempt.result)"); return }
            #expect(attempt.kept == 0)
            #expect(attempt.error?.description.contains("does not carry the commitment") == true)
            #expect(attempt.error?.hint?.contains("--remote") == true)
        }
    }

    @Test("a device token that fails any other check writes nothing")
    func badToken() async throws {
        let attempt = try await withProvider(#"{"signature": "bad"}"#) {
            await Elsewhere.device(at: $0.issuer, person: { Elsewhere.approve($0) })
        }
        guard case .identity(let refusal, _) = attempt.error else { Issue.record("\(attempt.result)"); return }
        #expect(refusal.code == .providerSignature && attempt.kept == 0)
    }

    @Test("C32: authorization_pending forever ends when the code does, after a question every five seconds")
    func forever() async throws {
        try await withProvider(#"{"device_lifetime": 60}"#) { provider in
            let attempt = await Elsewhere.device(at: provider.issuer)
            guard case .deviceCodeExpired = attempt.error else { Issue.record("\(attempt.result)"); return }
            #expect(attempt.seconds == 60)
            #expect(await provider.requestCount("/token") == 11)
        }
    }

    @Test("C32: whatever interval the provider names, five seconds lie between two questions", arguments: ["null", "0", "-5", "1"])
    func interval(value: String) async throws {
        let control = #"{"device_lifetime": 21, "override": {"device_authorization": {"interval": \#(value)}}}"#
        try await withProvider(Text(control)) { provider in
            let attempt = await Elsewhere.device(at: provider.issuer)
            guard case .deviceCodeExpired = attempt.error else { Issue.record("\(attempt.result)"); return }
            #expect(attempt.seconds == 21)
            #expect(await provider.requestCount("/token") == 4)
        }
    }

    @Test("C32: an interval of 1e9 seconds is refused, and nobody waits for it")
    func longInterval() async throws {
        let control: Text = #"{"override": {"device_authorization": {"interval": 1e9}}}"#
        let attempt = try await withProvider(control) { await Elsewhere.device(at: $0.issuer) }
        guard case .deviceAuthorization = attempt.error else { Issue.record("\(attempt.result)"); return }
        #expect(attempt.seconds == 0 && attempt.notices.allSatisfy { if case .waitEnded = $0 { true } else { false } })
    }

    @Test("C32: slow_down makes it five seconds more each time")
    func slowDown() async throws {
        // The provider's own interval, of which the device is not told: to it every question but the first comes too soon.
        let control: Text = #"{"device_interval": 100, "device_lifetime": 200, "override": {"device_authorization": {"interval": 5}}}"#
        try await withProvider(control) { provider in
            let attempt = await Elsewhere.device(at: provider.issuer)
            guard case .deviceCodeExpired = attempt.error else { Issue.record("\(attempt.result)"); return }
            // At 5, 10, then 10, 15, 20, 25, 30, 35, 40 seconds later: 5 10 20 35 55 80 110 145 185.
            #expect(await provider.requestCount("/token") == 9)
            #expect(attempt.seconds == 200)
        }
    }

    @Test("--timeout ends it before the code does")
    func timeout() async throws {
        let attempt = try await withProvider { await Elsewhere.device(at: $0.issuer, options: { $0.devicePatience = 12 }) }
        guard case .deviceCodeExpired = attempt.error else { Issue.record("\(attempt.result)"); return }
        #expect(attempt.seconds == 12 && attempt.invitation?.seconds == 12)
    }

    @Test("C32: an expired code, and a person who refuses, end it at once, each in its own words")
    func refused() async throws {
        let refused = try await withProvider { await Elsewhere.device(at: $0.issuer, person: { Elsewhere.approve($0, as: "refuse") }) }
        guard case .refusedByProvider(error: "access_denied", description: _) = refused.error else {
            Issue.record("\(refused.result)")
            return
        }
        #expect(refused.seconds == 5 && refused.error?.hint != nil)
        // The provider's code lives no second; it says that it lives 600.
        let control: Text = #"{"device_lifetime": 0, "override": {"device_authorization": {"expires_in": 600}}}"#
        let expired = try await withProvider(control) { await Elsewhere.device(at: $0.issuer) }
        guard case .deviceCodeExpired = expired.error else { Issue.record("\(expired.result)"); return }
        #expect(expired.seconds == 5)
    }

    @Test("a provider that does not answer for a while is asked again, less often each time", arguments: ["status:503", "cut"])
    func hiccups(fault: String) async throws {
        let kind = fault.split(separator: ":")[0]
        let status = fault == "cut" ? "" : #", "status": 503"#
        let control = #"{"faults": {"token": {"kind": "\#(kind)"\#(status), "times": \#(fault == "cut" ? 1 : 3)}}}"#
        let attempt = try await withProvider(Text(control)) { await Elsewhere.device(at: $0.issuer, person: { Elsewhere.approve($0) }) }
        if fault == "cut" {
            // The answer was lost with the tokens in it: a device code is good for one.
            guard case .refusedByProvider(error: "invalid_grant", description: _) = attempt.error else {
                Issue.record("\(attempt.result)"); return
            }
            #expect(attempt.kept == 0 && attempt.retries == 1)
        } else {
            #expect(try attempt.result.get().who == "alice@example.com")
            #expect(attempt.retries == 3 && attempt.seconds == 5 + 10 + 20 + 40)
        }
    }

    @Test("a fault that will not pass ends it", arguments: ["status:404", "html", "redirect"])
    func faults(fault: String) async throws {
        let attempt = try await withProvider(Text(#"{"faults": {"token": "\#(fault)"}}"#)) { await Elsewhere.device(at: $0.issuer) }
        guard case .tokenEndpoint = attempt.error else { Issue.record("\(attempt.result)"); return }
        #expect(attempt.seconds == 5 && attempt.kept == 0)
    }

    @Test("C33, C36: a place that nobody should be sent to is not shown; a complete one elsewhere is ignored, and that is said")
    func places() async throws {
        for uri in ["javascript:alert(1)", "file:///etc/passwd", "https://x;$(id)", "-flag", "http://idp.example.com/"] {
            let control = #"{"override": {"device_authorization": {"verification_uri": "\#(uri)"}}}"#
            let attempt = try await withProvider(Text(control)) { await Elsewhere.device(at: $0.issuer) }
            guard case .deviceAuthorization = attempt.error else { Issue.record("\(attempt.result)"); return }
            #expect(attempt.invitation == nil && attempt.error?.description.contains(uri) == false)
        }
        let control: Text =
            #"{"override": {"device_authorization": {"verification_uri_complete": "https://evil.example/device?user_code=X"}}}"#
        let attempt = try await withProvider(control) { await Elsewhere.device(at: $0.issuer, person: { Elsewhere.approve($0) }) }
        #expect(attempt.invitation?.completeURL == nil && attempt.invitation?.isCompleteIgnored == true)
        #expect(attempt.kept == 1)
    }

    @Test("a provider without a device login says which ways there are")
    func none() async throws {
        let control: Text = #"{"override": {"discovery": {"device_authorization_endpoint": null}}}"#
        let attempt = try await withProvider(control) { await Elsewhere.device(at: $0.issuer) }
        guard case .noDeviceLogin = attempt.error else { Issue.record("\(attempt.result)"); return }
        #expect(attempt.error?.hint?.contains("--remote") == true)
    }

    @Test("a client that the provider does not know is named, where the code is asked for and where the token is", arguments: ["/d", "/t"])
    func client(path: String) async throws {
        let server = try ScriptedServer()
        let url = server.url
        server.play { request, connection in
            switch request.target {
            case "/.well-known/openid-configuration":
                connection.answer(
                    #"{"issuer":"\#(url)","jwks_uri":"\#(url)/jwks","token_endpoint":"\#(url)/t","device_authorization_endpoint":"\#(url)/d"}"#
                )
            case path: connection.answer(401, #"{"error":"invalid_client","error_description":"nobody I know"}"#)
            default:
                connection.answer(
                    #"{"device_code":"d","user_code":"AAAA-BBBB","verification_uri":"\#(url)/v","expires_in":600,"interval":5}"#)
            }
        }
        let attempt = await Elsewhere.device(at: Text(url), client: "misspelt")
        guard case .clientRefused = attempt.error else { Issue.record("\(attempt.result)"); return }
        #expect(attempt.error?.description.contains("does not take the client id misspelt: invalid_client (nobody I know)") == true)
        #expect(attempt.error?.hint?.contains("check the client id") == true && attempt.kept == 0)
        // It will not pass: nobody is asked a second time.
        #expect(server.requests.count { $0.target == path } == 1)
    }

    @Test("C37: a refusal with a huge and hostile description is cut and escaped")
    func hostileRefusal() async throws {
        let server = try ScriptedServer()
        let url = server.url
        server.play { request, connection in
            switch request.target {
            case "/.well-known/openid-configuration":
                connection.answer(
                    "{\"issuer\":\"\(url)\",\"jwks_uri\":\"\(url)/jwks\",\"token_endpoint\":\"\(url)/t\",\"device_authorization_endpoint\":\"\(url)/d\"}"
                )
            default:
                connection.answer(
                    400,
                    "{\"error\":\"invalid_client\",\"error_description\":\"\\u001b]0;x\\u0007\\u202e\(String(repeating: "y", count: 90_000))\"}"
                )
            }
        }
        let attempt = await Elsewhere.device(at: Text(url))
        let words = try #require(attempt.error).description
        #expect(attempt.error?.hint?.contains("check the client id") == true)
        #expect(words.contains("invalid_client (\\u{1b}]0;x\\u{7}\\u{202e}yyy") && words.utf8.count < 600)
    }
}
