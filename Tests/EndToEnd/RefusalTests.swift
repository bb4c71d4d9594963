import Foundation
import Testing
import Vocabulary

extension RealSSH {
    @Suite("Who is not authorized stays out, for the right reason")
    struct RefusalTests {
        /// Refused by sshd, and by opk-verify for this reason.
        func expectRefused(
            _ laptop: Laptop, _ server: Server, _ key: String, as account: String, reason: String, by version: OpenSSH = .machine
        ) async throws {
            let verdict = try await server.verdict(on: try laptop.certificate(key), as: account, by: version)
            #expect(verdict.status == 1)
            #expect(verdict.lines.isEmpty)
            #expect(verdict.reason == reason, "\(verdict.log)")
            #expect(try await laptop.whoami(account, on: server.daemon(version), keys: [key]) == nil)
        }

        @Test("alice is let into her own account and refused from bob's", arguments: OpenSSH.here)
        func otherAccount(version: OpenSSH) async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"],
                    authID: ["\(server.alice) alice@example.com \(provider.issuer)", "\(server.bob) bob@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: server.daemon(version), keys: [key]) == server.alice)
                try await expectRefused(laptop, server, key, as: server.bob, reason: "no-row-admits", by: version)
            }
        }

        @Test("an identity older than the provider's row allows is refused", arguments: OpenSSH.here)
        func expired(version: OpenSSH) async throws {
            try await withDemoProvider { laptop, provider, server in
                let authID = ["\(server.alice) alice@example.com \(provider.issuer)"]
                try await server.configure(providers: ["\(provider.issuer) opk-demo 1h"], authID: authID)
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: server.daemon(version), keys: [key]) == server.alice)
                // An hour is long to wait: the administrator turns it into a second.
                try await server.configure(providers: ["\(provider.issuer) opk-demo 1s"], authID: authID)
                try await Task.sleep(for: .seconds(1.2))
                try await expectRefused(laptop, server, key, as: server.alice, reason: "expired", by: version)
            }
        }

        @Test("under oidc an identity ends with its ID token")
        func expiredIDToken() async throws {
            try await withDemoProvider(["--token-lifetime", "3"]) { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo oidc"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                try await Task.sleep(for: .seconds(3.2))
                try await expectRefused(laptop, server, key, as: server.alice, reason: "expired")
            }
        }

        @Test("an identity for another client is refused")
        func otherAudience() async throws {
            try await withDemoProvider(["--client", "another-app"]) { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let key = try await laptop.logIn("\(provider.issuer),another-app", visit: provider.press("alice"))
                try await expectRefused(laptop, server, key, as: server.alice, reason: "audience")
            }
        }

        @Test("an identity of another provider is refused, whatever email it claims")
        func otherProvider() async throws {
            try await withDemoProvider { laptop, provider, server in
                let evil = try await DemoProviderProcess.start(laptop, name: "evil")
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(evil.clientSpecification, visit: evil.press("alice"))
                try await expectRefused(laptop, server, key, as: server.alice, reason: "issuer-unknown")
                // Trusted for others, but not for alice.
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h", "\(evil.issuer) opk-demo 24h"],
                    authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                try await expectRefused(laptop, server, key, as: server.alice, reason: "no-row-admits")
                await evil.stop()
            }
        }

        @Test("an email that the provider has not verified admits nobody (V63)")
        func unverified() async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) carol@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("carol"))
                try await expectRefused(laptop, server, key, as: server.alice, reason: "email-not-verified")
            }
        }

        @Test("a stolen token in a certificate for the thief's key is refused")
        func stolenToken() async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                let token = try CertificateSurgery.token(in: try laptop.certificate(key))
                let thief = try await laptop.plainKey("thief")
                try await Command.mustRun(
                    "ssh-keygen",
                    [
                        "-q", "-s", thief, "-I", "alice@example.com", "-n", "opkssh-wildcard", "-O", "extension:openpubkey-pkt=\(token)",
                        thief + ".pub",
                    ])
                try await expectRefused(laptop, server, thief, as: server.alice, reason: "key-mismatch")
            }
        }

        @Test("a certificate with one byte changed is refused", arguments: OpenSSH.here)
        func tampered(version: OpenSSH) async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                let good = try laptop.certificate(key)
                let other = try CertificateSurgery.flippingOneByteOfTheKeyID(of: good, "alice@example.com")
                let verdict = try await server.verdict(on: other, as: server.alice, by: version)
                #expect(verdict.status == 1)
                #expect(verdict.lines.isEmpty)
                #expect(verdict.reason == "certificate-signature", "\(verdict.log)")
                try (other.joined(separator: " ") + "\n").write(toFile: key + "-cert.pub", atomically: true, encoding: .utf8)
                #expect(try await laptop.whoami(server.alice, on: server.daemon(version), keys: [key]) == nil)
            }
        }

        @Test("a key that the provider no longer publishes admits nobody; a new login with its new key does (V69)")
        func rotated() async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let old = try await laptop.logIn(provider.clientSpecification, key: "old", visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [old]) == server.alice)
                try await provider.control(#"{"rotate": true}"#)
                try await server.clearCache()
                try await expectRefused(laptop, server, old, as: server.alice, reason: "no-fitting-key")
                let new = try await laptop.logIn(provider.clientSpecification, key: "new", visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [new]) == server.alice)
            }
        }

        @Test("a new key of the provider is found by itself, asking for it at most once in ten seconds (C12)")
        func rotatedKeeping() async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let old = try await laptop.logIn(provider.clientSpecification, key: "old", visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [old]) == server.alice)
                try await provider.control(#"{"rotate": "keep"}"#)
                let new = try await laptop.logIn(provider.clientSpecification, key: "new", visit: provider.press("alice"))
                let before = try await provider.requests()["/jwks"]
                try await expectRefused(laptop, server, new, as: server.alice, reason: "no-fitting-key")
                #expect(try await provider.requests()["/jwks"] == before)
                try await Task.sleep(for: .seconds(10))
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [new]) == server.alice)
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [old]) == server.alice)
            }
        }

        @Test(
            "with a provider that fails and no keys in the cache nobody gets in (V69)",
            arguments: ["status:500", "html", "cut", "huge", "redirect", "issuer:https://evil.example"])
        func providerFails(fault: String) async throws {
            try await withDemoProvider(["--key-type", "ES256"]) { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                try await provider.control("{\"faults\": {\"discovery\": \"\(fault)\"}}")
                try await expectRefused(laptop, server, key, as: server.alice, reason: "keys-unavailable")
            }
        }

        @Test("a name on a deny list stays out, and a configuration that cannot be read lets nobody in")
        func denied() async throws {
            try await withDemoProvider { laptop, provider, server in
                let providers = ["\(provider.issuer) opk-demo 24h"]
                let authID = ["\(server.alice) alice@example.com \(provider.issuer)"]
                try await server.configure(providers: providers, authID: authID, config: "deny_emails: [ALICE@example.com]\n")
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                try await expectRefused(laptop, server, key, as: server.alice, reason: "denied")
                try await server.configure(providers: providers, authID: authID, config: "deny_emails: [nobody@example.com\n")
                let verdict = try await server.verdict(on: try laptop.certificate(key), as: server.alice)
                #expect(verdict.status == 2)
                #expect(verdict.reason == "configuration")
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == nil)
            }
        }

        @Test(
            "opk login writes no key for an ID token that is not good (C22, C23, C25)",
            arguments: [
                #"{"signature": "bad"}"#, #"{"override": {"id_token_header": {"alg": "none"}}}"#,
                #"{"override": {"id_token": {"nonce": "x"}}}"#,
                #"{"override": {"id_token": {"aud": "another"}}}"#, #"{"override": {"id_token": {"sub": null}}}"#,
                #"{"override": {"callback": {"state": "x"}}}"#,
            ])
        func badIDToken(control: String) async throws {
            try await withDemoProvider(["--control", control]) { laptop, provider, _ in
                let outcome = try await laptop.logInAttempt(provider.clientSpecification, ["--timeout", "4s"]) { url in
                    // What the page in the browser says of it is not the matter here.
                    _ = try? await provider.press("alice")(url)
                }
                #expect(outcome.status != 0)
                #expect(outcome.output.contains("opk: error: "))
                #expect(!FileManager.default.fileExists(atPath: laptop.path("key")))
                #expect(!FileManager.default.fileExists(atPath: laptop.path("key-cert.pub")))
            }
        }
    }
}
