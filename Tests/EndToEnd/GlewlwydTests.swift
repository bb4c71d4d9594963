import Foundation
import Testing

extension RealSSH {
    @Suite("Through glewlwyd, a real provider", .enabled(if: Machine.hasGlewlwyd, Machine.noGlewlwyd))
    struct GlewlwydTests {
        @Test("by email and by group, with either kind of key", arguments: ["ecdsa", "ed25519"])
        func byEmailAndGroup(kind: String) async throws {
            try await withGlewlwyd { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) \(Glewlwyd.client) 24h"],
                    authID: ["\(server.alice) alice@example.com \(provider.issuer)", "\(server.bob) oidc:groups:ops \(provider.issuer)"])
                let key = try await laptop.logIn(
                    "\(provider.issuer),\(Glewlwyd.client)", ["-t", kind, "--scopes", Glewlwyd.scopes], visit: provider.logInAsAlice)
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == server.alice)
                #expect(try await laptop.whoami(server.bob, on: server.daemon, keys: [key]) == server.bob)
            }
        }

        @Test("by subject, and nobody else's")
        func bySubject() async throws {
            try await withGlewlwyd { laptop, provider, server in
                let key = try await laptop.logIn(
                    "\(provider.issuer),\(Glewlwyd.client)", ["--scopes", Glewlwyd.scopes], visit: provider.logInAsAlice)
                let subject = try #require(try CertificateSurgery.claims(in: try laptop.certificate(key))["sub"] as? String)
                try await server.configure(
                    providers: ["\(provider.issuer) \(Glewlwyd.client) 24h"],
                    authID: ["\(server.alice) \(subject) \(provider.issuer)", "\(server.bob) \(subject)x \(provider.issuer)"])
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == server.alice)
                #expect(try await laptop.whoami(server.bob, on: server.daemon, keys: [key]) == nil)
            }
        }

        @Test("opk providers test tells a client that is registered there from one that is not, without logging in")
        func examined() async throws {
            try await withGlewlwyd { laptop, provider, _ in
                guard let opk = Machine.programs?.appendingPathComponent("opk").path else { throw HarnessError("no opk") }
                for (client, status, words) in [(Glewlwyd.client, Int32(0), "ok    redirect"), ("nobody", 1, "fail  redirect")] {
                    let outcome = try await Command.run(
                        opk, ["providers", "test", "--provider", "\(provider.issuer),\(client)"],
                        environment: Command.environment(home: laptop.home.path))
                    #expect(outcome.status == status && outcome.output.contains(words), "\(outcome.both)")
                    #expect(outcome.output.contains("4 of 4 can be used"))
                }
            }
        }

        @Test("once its keys are replaced, what the old ones signed admits nobody (V69)")
        func rotated() async throws {
            try await withGlewlwyd { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) \(Glewlwyd.client) 24h"],
                    authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let old = try await laptop.logIn(
                    "\(provider.issuer),\(Glewlwyd.client)", key: "old", ["--scopes", Glewlwyd.scopes], visit: provider.logInAsAlice)
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [old]) == server.alice)
                try await provider.rotate()
                try await server.clearCache()
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [old]) == nil)
                #expect(try await server.verdict(on: try laptop.certificate(old), as: server.alice).reason == "no-fitting-key")
                let new = try await laptop.logIn(
                    "\(provider.issuer),\(Glewlwyd.client)", key: "new", ["--scopes", Glewlwyd.scopes], visit: provider.logInAsAlice)
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [new]) == server.alice)
            }
        }
    }
}
