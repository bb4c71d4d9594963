import DemoProvider
import Foundation
import HTTP
import LibCrypto
import PKToken
import SSHKeys
import Testing
import Vocabulary

@testable import Login

@Suite("LoginFlow: a whole login, against the demo provider", .serialized)
struct LoginFlowTests {
    func withProvider<Value: Sendable>(
        _ control: Text = "{}", clients: [Client] = [], _ body: (DemoProvider) async throws -> Value
    ) async throws -> Value {
        var options = DemoProviderOptions()
        options.clients += clients
        // Not RSA, whose keys take long to make.
        options.control = [#"{"auto_login": "alice", "key_type": "ES256"}"#, control]
        let provider = try await DemoProvider.start(options)
        let result = try await body(provider)
        await provider.stop()
        return result
    }

    @Test("a login ends with a verified identity, a key that was kept once, and a page that says so", arguments: KeyKind.allCases)
    func good(kind: KeyKind) async throws {
        for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
            let attempt = try await withProvider(Text(#"{"key_type": "\#(algorithm)"}"#)) { provider in
                await Robot.logIn(at: provider.issuer, options: { $0.keyKind = kind })
            }
            let result = try attempt.result.get()
            #expect(result.who == "alice@example.com")
            #expect(attempt.kept == 1)
            #expect(attempt.page.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(attempt.page.contains("alice@example.com"))
            switch (kind, result.key.privateKey.publicKey) {
            case (.ecdsa, .p256), (.ed25519, .ed25519): break
            default: Issue.record("another kind of key")
            }
        }
    }

    @Test("a login without an email is known by its subject")
    func withoutEmail() async throws {
        let attempt = try await withProvider(#"{"auto_login": "dave"}"#) { await Robot.logIn(at: $0.issuer) }
        let result = try attempt.result.get()
        #expect(result.who == "demo-dave")
        #expect(result.key.certificate.keyID == Array("demo-dave".utf8))
    }

    /// Changes to the ID token under which nothing may be written, and why it is refused.
    static let badTokens: [(id: String, control: Text, code: Refusal.Code)] = [
        ("C23 nonce missing", #"{"override": {"id_token": {"nonce": null}}}"#, .commitment),
        ("C23 nonce another", #"{"override": {"id_token": {"nonce": "x"}}}"#, .commitment),
        ("C23 nonce a list", #"{"override": {"id_token": {"nonce": ["x"]}}}"#, .commitment),
        ("C24 sub missing", #"{"override": {"id_token": {"sub": null}}}"#, .subject),
        ("C24 sub empty", #"{"override": {"id_token": {"sub": ""}}}"#, .subject),
        ("C24 iat missing", #"{"override": {"id_token": {"iat": null}}}"#, .timeClaim),
        ("C24 exp missing", #"{"override": {"id_token": {"exp": null}}}"#, .timeClaim),
        ("C24 aud missing", #"{"override": {"id_token": {"aud": null}}}"#, .audience),
        ("C24 iss missing", #"{"override": {"id_token": {"iss": null}}}"#, .issuerUnknown),
        ("C24 iss another", #"{"override": {"id_token": {"iss": "https://evil.example"}}}"#, .issuerUnknown),
        ("C25 aud another", #"{"override": {"id_token": {"aud": "other"}}}"#, .audience),
        ("C25 several aud without azp", #"{"override": {"id_token": {"aud": ["opk-demo", "other"], "azp": null}}}"#, .authorizedParty),
        ("C25 azp another", #"{"override": {"id_token": {"azp": "other"}}}"#, .authorizedParty),
        ("C22 signature bad", #"{"signature": "bad"}"#, .providerSignature),
        ("C22 signature of another key", #"{"signature": "other-key"}"#, .providerSignature),
        ("C22 signature empty", #"{"signature": "empty"}"#, .providerSignature),
        ("V59 from the future", #"{"issued_at_offset": 3600}"#, .issuedInFuture),
    ]

    @Test("C22, C23, C24, C25: a token that fails any check writes nothing, and the page says that it failed", arguments: badTokens.indices)
    func badToken(index: Int) async throws {
        let bad = LoginFlowTests.badTokens[index]
        let attempt = try await withProvider(bad.control) { await Robot.logIn(at: $0.issuer) }
        #expect(attempt.refusal == bad.code, "\(bad.id): \(attempt.result)")
        #expect(attempt.kept == 0)
        #expect(attempt.page.contains("did not succeed"))
    }

    @Test("a clock that is off is named as the cause only where a time was refused")
    func clockHint() {
        for code in [Refusal.Code.issuedInFuture, .expired, .certificateExpired, .notYetValid, .certificateNotYetValid] {
            #expect(LoginError.identity(Refusal(code), clockOff: 3600).hint?.contains("clock") == true)
            #expect(LoginError.identity(Refusal(code), clockOff: nil).hint == nil)
        }
        for code in [Refusal.Code.commitment, .providerSignature, .audience, .subject] {
            #expect(LoginError.identity(Refusal(code), clockOff: 3600).hint?.contains("clock") != true)
        }
    }

    @Test("C22: alg none and HMAC write nothing", arguments: ["none", "None", "HS256", "", "RS512"])
    func badAlgorithm(name: String) async throws {
        for signature in ["good", "empty"] {
            let control = #"{"signature": "\#(signature)", "override": {"id_token_header": {"alg": "\#(name)"}}}"#
            let attempt = try await withProvider(Text(control)) { await Robot.logIn(at: $0.issuer) }
            #expect(attempt.error != nil)
            #expect(attempt.kept == 0)
        }
    }

    @Test("C26: an at_hash that is not the access token's writes nothing")
    func accessTokenHash() async throws {
        let attempt = try await withProvider(#"{"override": {"id_token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}}}"#) {
            await Robot.logIn(at: $0.issuer)
        }
        guard case .accessTokenHash = attempt.error else { Issue.record("\(attempt.result)"); return }
        #expect(attempt.kept == 0)
    }

    @Test("C19: what the provider says when it refuses is shown escaped, in the browser and in the terminal")
    func refusedByProvider() async throws {
        let control: Text = #"{"auto_login": "refuse", "override": {"callback": {"error_description": "<script>\u001b[2J"}}}"#
        let attempt = try await withProvider(control) { await Robot.logIn(at: $0.issuer) }
        guard case .refusedByProvider(let error, _) = attempt.error else { Issue.record("\(attempt.result)"); return }
        #expect(error == "access_denied")
        #expect(attempt.page.hasPrefix("HTTP/1.1 403"))
        #expect(attempt.page.contains("&lt;script&gt;") && !attempt.page.contains("<script>"))
        #expect(attempt.error.map { !"\($0)".unicodeScalars.contains("\u{1B}") } == true)
        #expect(attempt.error?.hint != nil)
        #expect(attempt.kept == 0)
    }

    @Test("C15: an answer without this login's state, or with two, is not taken")
    func otherState() async throws {
        for state in [#""x""#, "null", #"["x", "y"]"#, #""""#] {
            let attempt = try await withProvider(Text(#"{"override": {"callback": {"state": \#(state)}}}"#)) {
                await Robot.logIn(at: $0.issuer, browse: Robot.browseInVain)
            }
            #expect(attempt.wasInVain, "\(state): \(attempt.result)")
            #expect(attempt.page.contains("not the answer that was awaited"))
        }
    }

    @Test("C15: an attacker who sends answers of his own neither ends the login nor gets into it")
    func attacker() async throws {
        let pages = Shared<[String]>([])
        let attempt = try await withProvider { provider in
            await Robot.logIn(
                at: provider.issuer,
                browse: { address in
                    let callback = Robot.callback(after: address)
                    let base = String(callback.prefix { $0 != "?" })
                    pages.value = ["code=evil&state=x", "error=access_denied&state=x", "code=evil", "error=access_denied"].map {
                        Robot.get(base + "?" + $0)
                    }
                    return Robot.get(callback)
                })
        }
        #expect(try attempt.result.get().who == "alice@example.com")
        #expect(pages.value.count == 4)
        #expect(pages.value.allSatisfy { $0.contains("not the answer that was awaited") })
    }

    @Test("C16: an answer with a code twice, or a code and an error, is not taken")
    func doubled() async throws {
        for change in [#""code": ["a", "b"]"#, #""error": "e""#, #""code": """#] {
            let attempt = try await withProvider(Text(#"{"override": {"callback": {\#(change)}}}"#)) {
                await Robot.logIn(at: $0.issuer, browse: Robot.browseInVain)
            }
            #expect(attempt.wasInVain, "\(change): \(attempt.result)")
            #expect(attempt.page.hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test("C02: an answer that names another provider is not taken, and no code is sent anywhere")
    func otherIssuer() async throws {
        try await withProvider(#"{"override": {"callback": {"iss": "https://evil.example"}}}"#) { provider in
            let attempt = await Robot.logIn(at: provider.issuer)
            guard case .answerFromAnother = attempt.error else { Issue.record("\(attempt.result)"); return }
            #expect(await provider.requestCount("/token") == 0)
            #expect(attempt.kept == 0)
        }
    }

    @Test("C39: an answer in the fragment, or posted as a form, is said to be one that cannot be used")
    func otherResponseModes() async throws {
        let pages = Shared<[String]>([])
        let attempt = try await withProvider { provider in
            await Robot.logIn(
                at: provider.issuer,
                browse: { address in
                    let callback = Robot.callback(after: address)
                    // A fragment never reaches a server.
                    pages.value = [Robot.get(String(callback.prefix { $0 != "?" })), Robot.get(callback, method: "POST")]
                    Robot.end(address, callback)
                    return ""
                })
        }
        #expect(attempt.wasInVain)
        #expect(pages.value.first?.hasPrefix("HTTP/1.1 400") == true && pages.value.first?.contains("response_mode=fragment") == true)
        #expect(pages.value.last?.hasPrefix("HTTP/1.1 405") == true && pages.value.last?.contains("form_post") == true)
    }

    @Test("C01: a discovery document of another issuer ends the login before anything is asked")
    func discoveryOfAnother() async throws {
        try await withProvider(#"{"faults": {"discovery": "issuer:https://evil.example"}}"#) { provider in
            let attempt = await Robot.logIn(at: provider.issuer)
            guard case .discovery = attempt.error else { Issue.record("\(attempt.result)"); return }
            #expect(attempt.notices.isEmpty)
            #expect(await provider.requestCount("/authorize") == 0)
        }
    }

    @Test(
        "a token endpoint or a key set that fails writes nothing", arguments: ["token", "jwks"], ["status:500", "html", "cut", "redirect"])
    func faults(endpoint: String, fault: String) async throws {
        let attempt = try await withProvider(Text(#"{"faults": {"\#(endpoint)": "\#(fault)"}}"#)) { await Robot.logIn(at: $0.issuer) }
        switch attempt.error {
        case .tokenEndpoint where endpoint == "token", .keys where endpoint == "jwks": break
        default: Issue.record("\(attempt.result)")
        }
        #expect(attempt.kept == 0)
        #expect(attempt.page.contains("did not succeed"))
    }

    @Test("a key that cannot be written is a failed login, in the browser too")
    func keepFails() async throws {
        let attempt = try await withProvider { provider in
            await Robot.logIn(at: provider.issuer, keep: { _ throws(LoginError) in throw .somebodyElses(path: "/k", why: "x") })
        }
        guard case .somebodyElses = attempt.error else { Issue.record("\(attempt.result)"); return }
        #expect(attempt.page.contains("did not succeed"))
    }

    @Test("C31: the keys of a login are written, with their modes, and the next login replaces them")
    func written() async throws {
        let folder = try TemporaryFolder()
        let place = KeyPlace(folder.path + "/.ssh/id_ecdsa")
        try await withProvider { provider in
            for _ in 0..<2 {
                let attempt = await Robot.logIn(at: provider.issuer, keep: { result throws(LoginError) in try result.key.write(to: place) })
                let key = try attempt.result.get().key
                #expect(try OpenSSHPrivateKeyFile.decode(try folder.read(".ssh/id_ecdsa")).key.publicKey == key.privateKey.publicKey)
                #expect(try folder.mode(".ssh/id_ecdsa") == 0o600)
                #expect(try folder.read(".ssh/id_ecdsa-cert.pub") == key.certificateFile)
            }
        }
    }

    @Test("C38: what the terminal and the browser are shown holds no code, no verifier, no token and no client secret")
    func secrets() async throws {
        let page = Shared("")
        let callback = Shared("")
        let secret = "a-s3cret-of-the-client"
        let attempt = try await withProvider(clients: [Client("confidential", secret: Text(secret))]) { provider in
            await Robot.logIn(
                at: provider.issuer,
                browse: { address in
                    callback.value = Robot.callback(after: address)
                    page.value = Robot.get(callback.value)
                    return page.value
                },
                options: {
                    $0.provider.sendsAccessToken = true
                    $0.provider.clientID = "confidential"
                    $0.provider.clientSecret = Secret(Array(secret.utf8))
                })
        }
        let result = try attempt.result.get()
        let code = try #require(callback.value.firstRange(of: "code=").map { callback.value[$0.upperBound...].prefix { $0 != "&" } })
        let accessToken = try #require(result.identity.accessToken)
        let shown =
            attempt.notices.joined() + page.value
            + Summary(result, place: KeyPlace("/k"), isUsualPlace: true).lines(now: .now()).joined()
        for secret in [secret, String(code), String(decoding: accessToken.exposed, as: UTF8.self), "code_verifier", "client_secret", "eyJ"]
        {
            #expect(!shown.contains(secret))
        }
        // Nor when the whole result is printed by mistake.
        #expect(!"\(result.identity.accessToken as Any)".contains(String(decoding: accessToken.exposed, as: UTF8.self)))
    }

    @Test("C38: the browser's arguments hold neither the state nor the provider's address, but an address that leads there once")
    func browserArguments() async throws {
        let folder = try TemporaryFolder()
        let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" > \(folder.path)/new\nmv \(folder.path)/new \(folder.path)/arguments\n"
        try folder.write(Array(script.utf8), to: "browser", mode: 0o700)
        let browser = Browser(environment: BrowserTests.environment(["BROWSER": folder.path + "/browser", "PATH": "/usr/bin:/bin"]))
        let printed = Shared("")
        let attempt = try await withProvider { provider in
            await Robot.logIn(
                at: provider.issuer, browser: browser,
                browse: { address in
                    printed.value = address
                    for _ in 0..<600 where !folder.names.contains("arguments") { usleep(50_000) }
                    let argument = (try? folder.read("arguments")).map { String(decoding: $0.dropLast(), as: UTF8.self) } ?? ""
                    return Robot.browse(argument)
                },
                options: { $0.opensBrowser = true })
        }
        #expect(try attempt.result.get().who == "alice@example.com")
        let argument = String(decoding: try folder.read("arguments"), as: UTF8.self)
        #expect(argument.hasPrefix("http://localhost:") && argument.contains("/start/") && argument.utf8.count < 100)
        #expect(printed.value.contains("/authorize?") && printed.value.contains("state="))
    }

    @Test("C38: a browser in which the provider was chosen is sent on to its login page, and none is opened")
    func chosen() async throws {
        let folder = try TemporaryFolder()
        let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" >> \(folder.path)/arguments\n: > \(folder.path)/done\n"
        try folder.write(Array(script.utf8), to: "browser", mode: 0o700)
        let browser = Browser(environment: BrowserTests.environment(["BROWSER": folder.path + "/browser", "PATH": "/usr/bin:/bin"]))
        let page = Shared("")
        let who = try await withProvider { provider in
            let issuer = provider.issuer
            return await onThread { () -> Result<Text, LoginError> in
                var demo = ProviderConfig(issuer: issuer, clientID: "opk-demo")
                demo.aliases = ["demo"]
                demo.redirectURIs = [RedirectURI(host: .localhost, port: 0, path: "/login-callback")]
                let person = ThreadHandle {
                    for _ in 0..<600 where !folder.names.contains("done") { usleep(50_000) }
                    let start = (try? folder.read("arguments")).map { String(decoding: $0.dropLast(), as: UTF8.self) } ?? ""
                    let chooser = Robot.header("Location", in: Robot.get(start)) ?? ""
                    page.value = Robot.browse(chooser + "/1")
                }
                defer { person.join() }
                do throws(LoginError) {
                    let providers = [ChooserTests.providers[0], demo]
                    let chosen = try ProviderChooser(among: providers, browser: browser) { _ in }.choose(patience: 60)
                    let options = LoginOptions(provider: chosen.provider)
                    let flow = LoginFlow(options, http: HTTPClient(timeout: .seconds(60)), browser: browser, waiting: chosen.browser) { _ in
                    }
                    return .success(try flow.run { _ throws(LoginError) in }.who)
                } catch {
                    return .failure(error)
                }
            }
        }
        #expect(try who.get() == "alice@example.com")
        #expect(page.value.contains("You are logged in") && page.value.contains("alice@example.com"))
        let arguments = String(decoding: try folder.read("arguments"), as: UTF8.self)
        #expect(arguments.split(separator: "\n").count == 1 && arguments.contains("/start/"))
    }

    @Test("the request asks with PKCE S256, a state and the commitment as the nonce")
    func request() async throws {
        let asked = Shared("")
        let attempt = try await withProvider { provider in
            await Robot.logIn(
                at: provider.issuer,
                browse: { address in
                    asked.value = address
                    return Robot.browse(address)
                },
                options: { $0.provider.scopes = ["openid", "groups"] })
        }
        let nonce = try #require(try attempt.result.get().identity.claims["nonce"]?.string)
        for part in [
            "code_challenge_method=S256", "code_challenge=", "state=", "nonce=" + nonce.string, "scope=openid%20groups",
            "response_type=code",
        ] {
            #expect(asked.value.contains(part))
        }
    }
}
