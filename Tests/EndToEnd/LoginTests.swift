import Foundation
import Testing

extension RealSSH {
    @Suite("Who is authorized gets in")
    struct LoginTests {
        @Test("opk login, and then ssh just works", arguments: ["ecdsa", "ed25519"], OpenSSH.here)
        func byEmail(kind: String, version: OpenSSH) async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, ["-t", kind], visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: server.daemon(version), keys: [key]) == server.alice)
                let verdict = try await server.verdict(on: try laptop.certificate(key), as: server.alice, by: version)
                #expect(verdict.status == 0, "\(verdict.log)")
                #expect(verdict.lines.count == 1)
                #expect(verdict.lines.first?.hasPrefix("cert-authority,principals=\"opkssh-wildcard\" ") == true)
            }
        }

        @Test("with any signature algorithm of the provider", arguments: ["RS256", "PS256", "ES256", "EdDSA"])
        func algorithms(algorithm: String) async throws {
            try await withDemoProvider(["--key-type", algorithm]) { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == server.alice)
            }
        }

        @Test("by subject, where there is no email at all")
        func bySubject() async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.bob) demo-dave \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("dave"))
                #expect(try await laptop.whoami(server.bob, on: server.daemon, keys: [key]) == server.bob)
            }
        }

        @Test("by group: all of it, and nobody else")
        func byGroup() async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"],
                    authID: ["\(server.alice) oidc:groups:ops \(provider.issuer)", "\(server.bob) oidc:groups:dev \(provider.issuer)"])
                let alice = try await laptop.logIn(provider.clientSpecification, key: "alice", visit: provider.press("alice"))
                let bob = try await laptop.logIn(provider.clientSpecification, key: "bob", visit: provider.press("bob"))
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [alice]) == server.alice)
                #expect(try await laptop.whoami(server.bob, on: server.daemon, keys: [alice]) == server.bob)
                #expect(try await laptop.whoami(server.bob, on: server.daemon, keys: [bob]) == server.bob)
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [bob]) == nil)
                let verdict = try await server.verdict(on: try laptop.certificate(bob), as: server.alice)
                #expect(verdict.reason == "no-row-admits")
            }
        }

        @Test("the second login asks the provider nothing, and one with the provider gone works")
        func warmCache() async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                let before = try await provider.requests()["/jwks"] ?? 0
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == server.alice)
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == server.alice)
                #expect(try await provider.requests()["/jwks"] == before + 1)
                await provider.stop()
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [key]) == server.alice)
            }
        }

        @Test("scp and sftp carry files both ways", arguments: OpenSSH.here)
        func files(version: OpenSSH) async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                let content = String(repeating: "a line of a file\n", count: 10_000)
                try content.write(toFile: laptop.path("sent"), atomically: true, encoding: .utf8)
                let there = "\(server.alice)@127.0.0.1:by-scp"
                let daemon = try server.daemon(version)
                let up = try await laptop.scp(laptop.path("sent"), there, on: daemon, keys: [key])
                #expect(up.status == 0, "\(up.errors)")
                let down = try await laptop.scp(there, laptop.path("back"), on: daemon, keys: [key])
                #expect(down.status == 0, "\(down.errors)")
                #expect(try String(contentsOfFile: laptop.path("back"), encoding: .utf8) == content)
                let sftp = try await laptop.sftp(
                    server.alice, on: daemon, keys: [key],
                    batch: "put \(laptop.path("sent")) by-sftp\nget by-sftp \(laptop.path("back-by-sftp"))\nrm by-sftp\n")
                #expect(sftp.status == 0, "\(sftp.errors)")
                #expect(try String(contentsOfFile: laptop.path("back-by-sftp"), encoding: .utf8) == content)
            }
        }

        @Test("a plain key offered first does no harm, and authorized_keys goes on working", arguments: OpenSSH.here)
        func plainKeys(version: OpenSSH) async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
                let daemon = try server.daemon(version)
                let plain = try await laptop.plainKey()
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [plain]) == nil)
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [plain, key]) == server.alice)
                let words = try String(contentsOfFile: plain + ".pub", encoding: .utf8).split(whereSeparator: \.isWhitespace).map(
                    String.init)
                let verdict = try await server.verdict(on: words, as: server.alice, by: version)
                #expect(verdict.status == 0)
                #expect(verdict.lines.isEmpty)
                #expect(verdict.log.isEmpty)
                let ownFolder = server.folder.appendingPathComponent("home/\(server.bob)/.ssh")
                try await Command.mustRun("install", ["-d", "-m", "0700", "-o", server.bob, ownFolder.path])
                try await Command.mustRun(
                    "install", ["-m", "0600", "-o", server.bob, plain + ".pub", ownFolder.appendingPathComponent("authorized_keys").path])
                #expect(try await laptop.whoami(server.bob, on: daemon, keys: [plain]) == server.bob)
                try FileManager.default.removeItem(at: ownFolder)
            }
        }

        @Test("a certificate for one account is good for that account alone (V53)", arguments: OpenSSH.here)
        func principals(version: OpenSSH) async throws {
            try await withDemoProvider { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"],
                    authID: [server.alice, server.bob].map { "\($0) alice@example.com \(provider.issuer)" })
                let daemon = try server.daemon(version)
                let key = try await laptop.logIn(
                    provider.clientSpecification, ["--principals", server.alice], visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [key]) == server.alice)
                #expect(try await laptop.whoami(server.bob, on: daemon, keys: [key]) == nil)
                #expect(
                    try await server.verdict(on: try laptop.certificate(key), as: server.bob, by: version).reason
                        == "account-not-in-certificate")
            }
        }

        @Test("groups that only userinfo tells decide where the access token came along")
        func userinfo() async throws {
            try await withDemoProvider(["--control", #"{"userinfo_only": ["groups"]}"#]) { laptop, provider, server in
                try await server.configure(
                    providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) oidc:groups:ops \(provider.issuer)"])
                let without = try await laptop.logIn(provider.clientSpecification, key: "without", visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [without]) == nil)
                let with = try await laptop.logIn(
                    provider.clientSpecification, key: "with", ["--send-access-token"], visit: provider.press("alice"))
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [with]) == server.alice)
                try await provider.control(#"{"override": {"userinfo": {"sub": "demo-mallory"}}}"#)
                #expect(try await laptop.whoami(server.alice, on: server.daemon, keys: [with]) == nil)
            }
        }
    }
}
