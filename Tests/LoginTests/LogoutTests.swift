import DemoProvider
import Foundation
import HTTP
import Identities
import Testing
import TokenStore
import Vocabulary

@testable import Login

@Suite("Logout and status, against the demo provider", .serialized)
struct LogoutTests {
    private func status(_ login: KeptLogin) -> IdentityOverview {
        IdentityOverview(home: login.folder.path, environment: .empty)
    }

    @Test(
        "status reads the certificate: good, then damaged without its key, then nothing after a logout; the token is revoked at the provider"
    )
    func lifecycle() async throws {
        try await RefreshTests().withLogin { provider, login in
            let before = status(login)
            #expect(before.identities.map(\.state) == [.good] && before.exitStatus == 0)
            #expect(before.identities.first?.who == "alice@example.com" && before.short(now: .now()).hasPrefix("work "))
            try FileManager.default.removeItem(atPath: login.place.privateKey)
            #expect(status(login).identities.map(\.state) == [.damaged] && status(login).exitStatus == 2)
            let home = login.home
            let name = login.name
            let report = await onThread { Logout(below: home, http: HTTPClient(timeout: .seconds(60)), environment: .empty).run(name) }
            #expect(report.isGone && report.problems.isEmpty, "\(report)")
            #expect(await provider.requestCount("/revoke") == 1)
            #expect(status(login).identities.isEmpty && status(login).exitStatus == 1)
            #expect(!login.folder.names.contains { $0.hasPrefix(".ssh/id") || $0.hasPrefix(".opk/tokens/") || $0.hasSuffix(".json") })
        }
    }

    @Test("a provider that cannot be told is said, and everything here goes all the same")
    func unreachable() async throws {
        try await RefreshTests().withLogin { provider, login in
            try await provider.control(#"{"faults": {"revoke": "status:503"}}"#)
            let home = login.home
            let name = login.name
            let report = await onThread { Logout(below: home, http: HTTPClient(timeout: .seconds(60)), environment: .empty).run(name) }
            #expect(report.isGone && report.problems.count == 1)
            #expect(try login.token() == nil && login.record() == nil)
        }
    }

    @Test("a logout leaves another login's key where it is")
    func replaced() async throws {
        try await RefreshTests().withLogin { provider, login in
            let place = login.place
            let attempt = await Robot.logIn(at: provider.issuer, keep: { r throws(LoginError) in try r.key.write(to: place) })
            _ = try attempt.result.get()
            #expect(status(login).identities.first?.state == .damaged)
            let home = login.home
            let name = login.name
            let report = await onThread { Logout(below: home, http: HTTPClient(timeout: .seconds(60)), environment: .empty).run(name) }
            #expect(report.isGone)
            #expect(login.folder.names.contains(".ssh/id_ecdsa") && login.folder.names.contains(".ssh/id_ecdsa-cert.pub"))
            // It is seen, though nobody wrote it down.
            #expect(status(login).identities.map(\.name) == [nil])
        }
    }
}
