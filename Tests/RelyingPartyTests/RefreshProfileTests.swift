import ChildProcess
import DemoProvider
import Foundation
import HTTP
import Identities
import PKToken
import SSHKeys
import Testing
import TokenStore
import Vocabulary

@testable import Login

/// OpenID's plan `oidcc-client-refreshtoken-certification-test-plan`, by its names: OpenID Connect Core section 12.2.
@Suite("OpenID's relying-party checks: refresh tokens", .serialized)
struct RefreshProfileTests {
    /// A login at the provider with its refresh token in a file, gone with this value.
    private final class Kept: Sendable {
        let name: IdentityName
        let place: KeyPlace
        let refresher: IdentityRefresher
        private let folder: String

        init(at provider: DemoProvider) async throws {
            folder =
                FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appendingPathComponent("opk-rp-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            name = try #require(IdentityName("work"))
            let place = KeyPlace(folder + "/key")
            self.place = place
            refresher = IdentityRefresher(below: folder + "/.opk", http: HTTPClient(timeout: .seconds(60)), environment: .empty)
            let attempt = await Robot.logIn(
                at: provider.issuer, keep: { result throws(LoginError) in try result.key.write(to: place) },
                options: {
                    $0.provider.wantsRefreshToken = true
                    $0.lifetime = .oidc
                })
            let result = try attempt.result.get()
            let config = ProviderConfig(issuer: provider.issuer, clientID: "opk-demo")
            try refresher.identities.write(
                StoredIdentity(
                    name: name, issuer: provider.issuer, clientID: "opk-demo", subject: result.identity.subject, email: nil,
                    loggedInAt: .now(), ends: result.ends, store: .file, keyFile: place.privateKey,
                    publicKey: result.identity.certificate.key.sshBlob))
            let (refresher, name) = (refresher, name)
            #expect(try await onThread { Result { try refresher.keep(result, as: name, of: config, in: .file) } }.get())
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        func refresh() async -> Result<IdentityRefresher.Outcome, RefreshError> {
            await onThread {
                do throws(RefreshError) {
                    return .success(try self.refresher.refresh(self.name, isForced: true))
                } catch {
                    return .failure(error)
                }
            }
        }

        func certificate() throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: place.certificate))) }

        func token() throws -> StoredRefreshToken? { try refresher.tokens.token(name, in: .file) }
    }

    private func withLogin(_ body: (DemoProvider, Kept) async throws -> Void) async throws {
        try await withDemoProvider(#"{"token_lifetime": 600, "issued_at_offset": -100}"#) { provider in
            let login = try await Kept(at: provider)
            try await provider.control(#"{"issued_at_offset": 0}"#)
            try await body(provider, login)
        }
    }

    private func refused(_ claims: String) async throws {
        try await withLogin { provider, login in
            let before = try login.certificate()
            try await provider.control(Text(#"{"override": {"refreshed_id_token": \#(claims)}}"#))
            guard case .failure(.notThisLogin) = await login.refresh() else { Issue.record("taken: \(claims)"); return }
            #expect(try login.certificate() == before)
            #expect(try login.token() == nil)
        }
    }

    @Test("oidcc-client-test-refresh-token: a fresh ID token for the refresh token is taken where iss, sub, aud and nonce are the login's")
    func refreshToken() async throws {
        try await withLogin { provider, login in
            let before = try SSHCertificate(parsing: try #require(SSHKeyLine(parsing: try login.certificate())).blob)
            for _ in 0..<2 {
                let token = try #require(try login.token())
                guard case .success(.refreshed) = await login.refresh() else { Issue.record("not refreshed"); return }
                // The provider rotates them: the next refresh is with the new one.
                #expect(try login.token()?.token != token.token)
            }
            let after = try SSHCertificate(parsing: try #require(SSHKeyLine(parsing: try login.certificate())).blob)
            #expect(after.key == before.key && after.validBefore >= before.validBefore + 99)
            #expect(await provider.requestCount("/token") == 3)
        }
    }

    @Test(
        "oidcc-client-test-refresh-token-invalid-issuer: a refreshed ID token of another issuer is refused, and the login stays as it was")
    func invalidIssuer() async throws {
        for issuer in [#""https://evil.example""#, #""""#, "null"] { try await refused(#"{"iss": \#(issuer)}"#) }
    }

    @Test("oidcc-client-test-refresh-token-invalid-sub: a refreshed ID token of another subject is refused, and the login stays as it was")
    func invalidSubject() async throws {
        for subject in [#""demo-bob""#, #""""#, "null"] { try await refused(#"{"sub": \#(subject)}"#) }
    }
}
