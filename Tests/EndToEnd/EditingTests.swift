import Foundation
import Testing

extension RealSSH.InstalledTests {
    @Test("opk revoke has the next login refused, and opk restore lets in again")
    func revoke() async throws {
        try await withAlice { laptop, provider, server, key in
            try await server.write("alice alice@example.com \(provider.issuer)\n", to: "/etc/opk/auth_id")
            try await server.writeHome("bob", ["bob alice@example.com \(provider.issuer)"])
            let fingerprint = try await Command.mustRun("ssh-keygen", ["-lf", key + ".pub"]).split(separator: " ")[1]
            for who in ["alice@example.com", "sub:demo-alice@\(provider.issuer)", "issuer:\(provider.issuer)", String(fingerprint)] {
                #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == "alice")
                try await server.mustRun(["opk", "revoke", who])
                server.log.clear()
                #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil, "\(who)")
                #expect(try await laptop.whoami("bob", on: server.daemon, keys: [key]) == nil, "\(who), by the home file")
                _ = try await server.log.line("refused", "reason=revoked", "account=\"alice\"")
                try await server.mustRun(["opk", "restore", who])
            }
            #expect(try await laptop.whoami("bob", on: server.daemon, keys: [key]) == "bob")
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
