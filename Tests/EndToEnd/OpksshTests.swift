import Foundation
import Testing

extension RealSSH {
    @Suite("With Debian's own opkssh at either end", .enabled(if: Machine.hasOpkssh, Machine.noOpkssh))
    struct OpksshTests {
        @Test("opkssh verify admits what opk login minted, and refuses it where it should", arguments: ["ecdsa", "ed25519"])
        func theirServer(kind: String) async throws {
            try await withDemoProvider { laptop, provider, server in
                let theirs = try await OpksshServer.start(
                    server, providers: ["\(provider.issuer) opk-demo 24h"],
                    authID: ["\(server.alice) alice@example.com \(provider.issuer)", "\(server.bob) bob@example.com \(provider.issuer)"])
                do {
                    let key = try await laptop.logIn(provider.clientSpecification, ["-t", kind], visit: provider.press("alice"))
                    #expect(try await laptop.whoami(server.alice, on: theirs.daemon, keys: [key]) == server.alice)
                    #expect(try await laptop.whoami(server.bob, on: theirs.daemon, keys: [key]) == nil)
                } catch {
                    await theirs.stop()
                    throw error
                }
                await theirs.stop()
            }
        }

        @Test("opk-verify admits what opkssh login minted, and refuses it where it should", arguments: ["ecdsa", "ed25519"], OpenSSH.here)
        func theirClient(kind: String, version: OpenSSH) async throws {
            try await withDemoProviderBehindTLS { laptop, provider, front, server in
                try await server.configure(
                    providers: ["\(front.url) opk-demo 24h"],
                    authID: ["\(server.alice) alice@example.com \(front.url)", "\(server.bob) bob@example.com \(front.url)"],
                    certificateAuthority: front.certificateAuthority)
                let key = try await laptop.logInWithOpkssh(
                    "\(front.url),opk-demo", certificateAuthority: front.certificateAuthority, key: "theirs", ["-t", kind],
                    visit: provider.press("alice", ["--cacert", front.certificateAuthority, "-b", laptop.path("opkssh.jar")]))
                #expect(try await laptop.whoami(server.alice, on: server.daemon(version), keys: [key]) == server.alice)
                #expect(try await laptop.whoami(server.bob, on: server.daemon(version), keys: [key]) == nil)
                #expect(try await server.verdict(on: try laptop.certificate(key), as: server.bob, by: version).reason == "no-row-admits")
            }
        }

        @Test("without the private CA in env_vars our fetcher trusts no such provider")
        func untrustedAuthority() async throws {
            try await withDemoProviderBehindTLS { laptop, provider, front, server in
                try await server.configure(
                    providers: ["\(front.url) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(front.url)"])
                let key = try await laptop.logInWithOpkssh(
                    "\(front.url),opk-demo", certificateAuthority: front.certificateAuthority, key: "theirs",
                    visit: provider.press("alice", ["--cacert", front.certificateAuthority, "-b", laptop.path("opkssh.jar")]))
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == nil)
                #expect(try await server.verdict(on: try laptop.certificate(key), as: server.alice).reason == "keys-unavailable")
            }
        }
    }
}
