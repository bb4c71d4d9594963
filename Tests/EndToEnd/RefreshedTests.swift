import Foundation
import Testing

extension RealSSH {
    @Suite("Refreshed logins")
    struct RefreshedTests {
        @Test(
            "A certificate that opk agent-refresh renewed is admitted by opk-verify and by Debian's opkssh under oidc-refreshed when the first ID token is over, and not under oidc",
            .enabled(if: Machine.hasOpkssh, Machine.noOpkssh))
        func refreshed() async throws {
            try await withDemoProvider(["--token-lifetime", "10"]) { laptop, provider, server in
                let key = try await laptop.logIn(
                    provider.clientSpecification, ["--refresh", "--refresh-token-store", "file"], visit: provider.press("alice"))
                let authID = ["\(server.alice) alice@example.com \(provider.issuer)"]
                let first = try laptop.certificate(key)
                // Its 10 seconds are over, and the refreshed token has its own.
                try await Task.sleep(for: .seconds(11))
                try await provider.control(#"{"token_lifetime": 3600}"#)
                try await Self.refresh(laptop)
                #expect(try laptop.certificate(key) != first)
                try await server.configure(providers: ["\(provider.issuer) opk-demo oidc-refreshed"], authID: authID)
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == server.alice)
                #expect(try await server.verdict(on: first, as: server.alice).status != 0)
                try await server.configure(providers: ["\(provider.issuer) opk-demo oidc"], authID: authID)
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == nil)
                for (policy, account) in [("oidc_refreshed", server.alice), ("oidc", nil)] {
                    let theirs = try await OpksshServer.start(server, providers: ["\(provider.issuer) opk-demo \(policy)"], authID: authID)
                    do {
                        #expect(try await laptop.whoami(server.alice, on: theirs.daemon, keys: [key]) == account, "\(policy)")
                    } catch {
                        await theirs.stop()
                        throw error
                    }
                    await theirs.stop()
                }
            }
        }

        private static func refresh(_ laptop: Laptop) async throws {
            guard let opk = Machine.programs?.appendingPathComponent("opk").path else { throw HarnessError("no opk") }
            let outcome = try await Command.run(opk, ["agent-refresh", "--now"], environment: Command.environment(home: laptop.home.path))
            #expect(outcome.status == 0, "\(outcome.both)")
        }
    }
}
