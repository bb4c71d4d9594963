import Foundation
import Testing

extension RealSSH.InstalledTests {
    @Test("opk revoke has the next login refused, and opk restore lets in again")
    func revoke() async throws {
        try await withAlice { laptop, provider, server, key in
            try await server.write("alice alice@example.com \(provider.issuer)\n", to: "/etc/opk/auth_id")
            try await server.writeHome("bob", ["bob alice@example.com \(provider.issuer)"])
            let fingerprint = try await Command.mustRun("ssh-keygen", ["-lf", key + "-cert.pub"]).split(separator: " ")[1]
            try await server.write(try laptop.certificate(key).joined(separator: " ") + "\n", to: "/root/certificate")
            let people = ["alice@example.com", "sub:demo-alice@\(provider.issuer)", "issuer:\(provider.issuer)"]
            for who in people + [String(fingerprint), "/root/certificate"] {
                #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == "alice")
                try await server.mustRun(["opk", "revoke", who])
                server.log.clear()
                #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil, "\(who)")
                #expect(try await laptop.whoami("bob", on: server.daemon, keys: [key]) == nil, "\(who), by the home file")
                _ = try await server.log.line("refused", "reason=revoked", "account=\"alice\"")
                try await server.mustRun(["opk", "restore", who])
            }
            #expect(try await laptop.whoami("bob", on: server.daemon, keys: [key]) == "bob")
            // Who was only to log in again does so, and is in.
            try await server.mustRun(["opk", "revoke", "alice@example.com", "--before", "now"])
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil)
            try await Task.sleep(for: .seconds(1.1))
            let new = try await laptop.logIn(provider.clientSpecification, key: "new", visit: provider.press("alice"))
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [new]) == "alice")
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil)
        }
    }

    @Test("opk add and opk remove take effect at the next login, root's on /etc/opk and an account's on its own file")
    func add() async throws {
        try await withAlice { laptop, provider, server, key in
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil)
            try await server.mustRun(["opk", "add", "alice", "alice@example.com", provider.issuer, "--for", "2h", "--reason", "CHG-1"])
            server.log.clear()
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == "alice")
            _ = try await server.log.line("admitted", "grant-reason=\"CHG-1\"")
            try await server.mustRun(["opk", "remove", "alice", "alice@example.com", provider.issuer])
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil)

            let asAlice = ["runuser", "-u", "alice", "--", "env", "HOME=/home/alice", "opk"]
            try await server.mustRun(asAlice + ["add", "alice", "alice@example.com", provider.issuer])
            server.log.clear()
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == "alice")
            _ = try await server.log.line("admitted", "home-rows=")
            try await server.mustRun(asAlice + ["remove", "alice", "alice@example.com", provider.issuer])
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil)
        }
    }
}
