import ChildProcess
import DemoProvider
import Foundation
import HTTP
import Identities
import JOSE
import PKToken
import SSHKeys
import Testing
import TokenStore
import Vocabulary

@testable import Login

/// A login with a refresh token, kept in a file, as `opk login --refresh` leaves it.
struct KeptLogin: Sendable {
    let folder: TemporaryFolder
    let name: IdentityName
    let place: KeyPlace
    let result: LoginResult
    let refresher: IdentityRefresher

    var home: String { folder.path + "/.opk" }

    static func make(
        at provider: DemoProvider, options: @escaping @Sendable (inout LoginOptions) -> Void = { _ in }
    ) async throws -> KeptLogin {
        let folder = try TemporaryFolder()
        let name = try #require(IdentityName("work"))
        let place = KeyPlace(folder.path + "/.ssh/id_ecdsa")
        let attempt = await Robot.logIn(
            at: provider.issuer, keep: { result throws(LoginError) in try result.key.write(to: place) },
            options: {
                $0.provider.wantsRefreshToken = true
                $0.lifetime = .oidc
                options(&$0)
            })
        let result = try attempt.result.get()
        let refresher = IdentityRefresher(
            below: folder.path + "/.opk", http: HTTPClient(timeout: .seconds(60)), environment: .empty)
        try refresher.identities.write(
            StoredIdentity(
                name: name, issuer: provider.issuer, clientID: "opk-demo", subject: result.identity.subject, email: nil, loggedInAt: .now(),
                ends: result.ends, store: .file, keyFile: place.privateKey, publicKey: result.identity.certificate.key.sshBlob))
        var config = ProviderConfig(issuer: provider.issuer, clientID: "opk-demo")
        config.wantsRefreshToken = true
        let (login, kept) = (result, config)
        #expect(try await onThread { Result { try refresher.keep(login, as: name, of: kept, in: .file) } }.get())
        return KeptLogin(folder: folder, name: name, place: place, result: result, refresher: refresher)
    }

    func refresh(isForced: Bool = true) async -> Result<IdentityRefresher.Outcome, RefreshError> {
        await onThread {
            do throws(RefreshError) {
                return .success(try refresher.refresh(name, isForced: isForced))
            } catch {
                return .failure(error)
            }
        }
    }

    func certificate() throws -> SSHCertificate {
        try SSHCertificate(parsing: try #require(SSHKeyLine(parsing: try bytesOfFile(place.certificate))).blob)
    }

    func token() throws -> StoredRefreshToken? { try refresher.tokens.token(name, in: .file) }
    func record() throws -> StoredIdentity? { try refresher.identities.read(name) }
}

@Suite("Refresh: an identity kept alive, against the demo provider", .serialized)
struct RefreshTests {
    /// Logins are an hour old when they are made, so that a refreshed one is later.
    func withLogin<Value: Sendable>(
        _ options: @escaping @Sendable (inout LoginOptions) -> Void = { _ in },
        _ body: (DemoProvider, KeptLogin) async throws -> Value
    ) async throws -> Value {
        var demo = DemoProviderOptions()
        demo.control = [#"{"auto_login": "alice", "key_type": "ES256", "token_lifetime": 600, "issued_at_offset": -100}"#]
        let provider = try await DemoProvider.start(demo)
        let login = try await KeptLogin.make(at: provider, options: options)
        try await provider.control(#"{"issued_at_offset": 0}"#)
        let result = try await body(provider, login)
        await provider.stop()
        return result
    }

    @Test(
        "C30: a refresh moves the certificate's end, keeps key, comment and mode, and the rotated token is the one that is kept; again and again"
    )
    func good() async throws {
        try await withLogin { _, login in
            let before = try login.certificate()
            let first = try #require(try login.token())
            guard case .success(.refreshed(let end)) = await login.refresh() else { Issue.record("not refreshed"); return }
            let after = try login.certificate()
            #expect(after.key == before.key && after.keyID == before.keyID && after.principals == before.principals)
            #expect(after.validBefore >= before.validBefore + 99 && after.end == end)
            #expect(try login.record()?.ends == end)
            #expect(try textOfFile(login.place.certificate).hasSuffix(" openpubkey\n"))
            let second = try #require(try login.token())
            #expect(second.token != first.token && second.movesEnd)
            guard case .success(.refreshed) = await login.refresh() else { Issue.record("not refreshed twice"); return }
            #expect(try login.token()?.token != second.token)
            // One refreshed token, not two.
            let token = try CompactToken(parsing: try #require(try login.certificate().extensionNamed(SSHCertificate.tokenExtension)).value)
            #expect(token.refreshed != nil)
        }
    }

    @Test("a certificate whose end the person chose keeps it")
    func fixedEnd() async throws {
        try await withLogin({ $0.lifetime = .maximumAge(seconds: 7200) }) { _, login in
            let before = try login.certificate().validBefore
            guard case .success(.refreshed) = await login.refresh() else { Issue.record("not refreshed"); return }
            #expect(try login.certificate().validBefore == before)
        }
    }

    @Test("nothing is asked before it is due")
    func notDue() async throws {
        try await withLogin { provider, login in
            guard case .success(.notDue(let due)) = await login.refresh(isForced: false) else { Issue.record("asked"); return }
            // Three quarters of 600 seconds, of which 100 had gone.
            #expect(abs(due - .now() - 350) < 30)
            #expect(await provider.requestCount("/token") == 1)
        }
    }

    @Test("an access token in the certificate is renewed with it, and nobody else may read it")
    func accessToken() async throws {
        try await withLogin({ $0.provider.sendsAccessToken = true }) { _, login in
            let before = try #require(try login.certificate().extensionNamed(SSHCertificate.accessTokenExtension)).value
            guard case .success(.refreshed) = await login.refresh() else { Issue.record("not refreshed"); return }
            #expect(try #require(try login.certificate().extensionNamed(SSHCertificate.accessTokenExtension)).value != before)
            #expect(try login.folder.mode(".ssh/id_ecdsa-cert.pub") == 0o600)
        }
    }

    static let bad = [
        #"{"iss": "https://evil.example"}"#, #"{"sub": "demo-bob"}"#, #"{"aud": "other"}"#, #"{"azp": "other"}"#, #"{"iat": 1000000000}"#,
        #"{"nonce": "other"}"#, #"{"auth_time": 1000000000}"#, #"{"sub": null}"#,
    ]

    @Test(
        "C29: a refreshed token that is not this login's leaves the certificate as it was, and the refresh token is dropped", arguments: bad
    )
    func notThisLogin(claims: String) async throws {
        try await withLogin { provider, login in
            let before = try bytesOfFile(login.place.certificate)
            try await provider.control(Text(#"{"override": {"refreshed_id_token": \#(claims)}}"#))
            guard case .failure(.notThisLogin) = await login.refresh() else { Issue.record("taken: \(claims)"); return }
            #expect(try bytesOfFile(login.place.certificate) == before)
            #expect(try login.token() == nil && login.record()?.refreshToken == nil)
        }
    }

    @Test("C22: a refreshed token with another signature leaves the certificate as it was", arguments: ["bad", "empty", "other-key"])
    func signature(quality: String) async throws {
        try await withLogin { provider, login in
            let before = try bytesOfFile(login.place.certificate)
            try await provider.control(Text(#"{"signature": "\#(quality)"}"#))
            guard case .failure(.identity) = await login.refresh() else { Issue.record("taken"); return }
            #expect(try bytesOfFile(login.place.certificate) == before)
            // The provider may be changing its keys: the rotated token is kept for another try.
            try await provider.control(#"{"signature": "good"}"#)
            guard case .success(.refreshed) = await login.refresh() else { Issue.record("not refreshed afterwards"); return }
        }
    }

    @Test("C30: a refresh token that was used before is dropped, and the provider is asked once and not again")
    func usedBefore() async throws {
        try await withLogin { provider, login in
            let old = try #require(try login.token())
            guard case .success(.refreshed) = await login.refresh() else { Issue.record("not refreshed"); return }
            // As after a crash between the provider's answer and the disk.
            try login.refresher.tokens.keep(old, login.name, in: .file)
            let asked = await provider.requestCount("/token")
            guard case .failure(let error) = await login.refresh(), case .drop = error.consequence else { Issue.record("taken"); return }
            #expect(error.hint?.contains("opk login --refresh") == true)
            #expect(try login.token() == nil)
            guard case .success(.nothingToDo) = await login.refresh() else { Issue.record("tried again"); return }
            #expect(await provider.requestCount("/token") == asked + 1)
        }
    }

    @Test("a provider without ID tokens on a refresh is said to be unable to keep a login alive, and is asked no more")
    func noIDToken() async throws {
        try await withLogin { provider, login in
            try await provider.control(#"{"refreshed_id_token": false}"#)
            guard case .failure(.noIDToken) = await login.refresh() else { Issue.record("taken"); return }
            #expect("\(RefreshError.noIDToken)".contains("cannot keep an identity alive"))
            #expect(try login.token() == nil)
        }
    }

    @Test("C30: a provider that fails leaves the token for another try", arguments: ["discovery", "jwks", "token"])
    func faults(endpoint: String) async throws {
        try await withLogin { provider, login in
            let before = try login.token()
            try await provider.control(Text(#"{"faults": {"\#(endpoint)": "status:503"}}"#))
            guard case .failure(let error) = await login.refresh(), case .tryAgain = error.consequence else {
                Issue.record("dropped"); return
            }
            #expect(try login.token() == before)
        }
    }

    @Test("a token is never sent to another provider than it is from, whatever the record says")
    func otherProvider() async throws {
        try await withLogin { provider, login in
            let asked = await provider.requestCount("/token")
            var token = try #require(try login.token())
            token.issuer = "https://evil.example"
            try login.refresher.tokens.keep(token, login.name, in: .file)
            guard case .failure(.tokenOfAnother) = await login.refresh() else { Issue.record("sent"); return }
            #expect(await provider.requestCount("/token") == asked)
        }
    }

    @Test("a key that another login has put there is not touched, and the provider is not asked")
    func replaced() async throws {
        try await withLogin { provider, login in
            let asked = await provider.requestCount("/token")
            let place = login.place
            let attempt = await Robot.logIn(at: provider.issuer, keep: { r throws(LoginError) in try r.key.write(to: place) })
            _ = try attempt.result.get()
            let before = try bytesOfFile(place.certificate)
            guard case .failure(.certificate) = await login.refresh() else { Issue.record("taken"); return }
            #expect(try bytesOfFile(place.certificate) == before)
            #expect(await provider.requestCount("/token") == asked + 1)
        }
    }

    @Test("failures are spaced further and further, within a fifth")
    func pauses() {
        #expect((1...8).map { RefreshSchedule.pause(after: $0, jitter: 0) } == [30, 60, 120, 240, 480, 900, 900, 900])
        #expect(RefreshSchedule.pause(after: 1000, jitter: 5) == 1080 && RefreshSchedule.pause(after: 0, jitter: -5) == 24)
    }

    @Test("the loop says a failure once, waits, and stops at what only a login helps")
    func loop() async throws {
        try await withLogin { provider, login in
            let lines = Shared("")
            try await provider.control(#"{"faults": {"token": "status:503"}}"#)
            let refresher = login.refresher
            await onThread {
                var loop = RefreshLoop(refresher) { lines.value += $0 + "\n" }
                let first = loop.round(at: .now(), isForced: true)
                #expect(first.failed == 1 && first.looksAfter == 1)
                // Not due yet after the failure.
                let second = loop.round(at: .now() + 1, isForced: true)
                #expect(second.failed == 0 && second.looksAfter == 1)
                #expect(loop.round(at: .now() + 60, isForced: true).failed == 1)
            }
            #expect(lines.value.split(separator: "\n").count == 1)
            #expect(lines.value.hasPrefix("work: not refreshed: ") && !lines.value.contains("eyJ"))
        }
    }
}
