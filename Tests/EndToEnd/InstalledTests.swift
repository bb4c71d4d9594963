import Foundation
import Testing

extension RealSSH {
    /// What needs root's own files and sudo: on a copy of this machine after `make install`, through the drop-in that it wrote.
    @Suite("On a server as it is installed", .enabled(if: Machine.canCopy, Machine.noCopy))
    struct InstalledTests {
        func withAlice(_ body: (Laptop, DemoProviderProcess, InstalledServer, String) async throws -> Void) async throws {
            try await withDemoProvider { laptop, provider, server in
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                let installed = try await server.installed()
                try await installed.configure(providers: ["\(provider.issuer) opk-demo 24h"])
                try await body(laptop, provider, installed, key)
            }
        }

        // MARK: home files

        @Test("an account's own file admits to that account and no other, with the options of its rows, and the log says so")
        func homeFile() async throws {
            try await withAlice { laptop, provider, server, key in
                #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil)
                try await server.writeHome(
                    "alice", ["bob alice@example.com \(provider.issuer)", "alice alice@example.com \(provider.issuer)"])
                server.log.clear()
                #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == "alice")
                _ = try await server.log.line("admitted", "account=\"alice\"", "home-rows=2")
                #expect(try await laptop.whoami("bob", on: server.daemon, keys: [key]) == nil)
                try await server.writeHome("alice", ["alice alice@example.com \(provider.issuer) restrict,command=\"echo held\""])
                #expect(try await laptop.ssh("alice", on: server.daemon, keys: [key], ["id"]).output == "held\n")
            }
        }

        @Test("root's rules bind a home file, and home_policy: false switches it off without a look")
        func homeOff() async throws {
            try await withAlice { laptop, provider, server, key in
                func refusal(_ config: String) async throws -> String {
                    try await server.write(config, to: "/etc/opk/config.yml")
                    server.log.clear()
                    #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil)
                    return try await server.log.line("refused", "account=\"alice\"")
                }
                try await server.writeHome("alice", ["alice alice@example.com \(provider.issuer)"])
                #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == "alice")
                #expect(server.log.lines.contains { $0.contains("opk-home") && $0.contains("sudo") }, "sudo logs who asks for opk-home")
                #expect(try await refusal("home_policy: false\n").contains("reason=no-row-admits"))
                #expect(!server.log.lines.contains { $0.contains("opk-home") })
                #expect(try await refusal("deny_emails: [alice@example.com]\n").contains("reason=denied"))
                let rule = "require: [{accounts: [\"*\"], groups: [production], except_break_glass: true}]\n"
                #expect(try await refusal(rule).contains("wants group production"))
                // Nobody gets around a requirement by a row of their own.
                try await server.writeHome("alice", ["alice alice@example.com \(provider.issuer) break-glass"])
                #expect(try await refusal(rule).contains("wants group production"))
                try await server.write("home_policy: true\n", to: "/etc/opk/config.yml")
                try await server.writeHome("alice", ["alice alice@example.com \(provider.issuer)"])
                #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == "alice")
            }
        }

        @Test(
            "a home file that others could have written admits nobody, and the log says what is wrong (V66)",
            arguments: [
                ("chmod 0666 /home/alice/.opk/auth_id", "0666"), ("chmod 0775 /home/alice/.opk", "/home/alice/.opk"),
                ("chmod 0777 /home/alice", "/home/alice"), ("chown bob /home/alice/.opk/auth_id", "auth_id"),
                ("mv /home/alice/.opk /home/alice/real; ln -s real /home/alice/.opk", "link"),
            ])
        func homeWritable(harm: String, word: String) async throws {
            try await withAlice { laptop, provider, server, key in
                try await server.writeHome("alice", ["alice alice@example.com \(provider.issuer)"])
                #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == "alice")
                try await server.mustRun(["sh", "-c", harm])
                server.log.clear()
                #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil)
                let line = try await server.log.line("refused", "account=\"alice\"")
                #expect(line.contains("home") && line.contains(word), "\(line)")
                // A row of root's does not care.
                try await server.write("alice alice@example.com \(provider.issuer)\n", to: "/etc/opk/auth_id")
                #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == "alice")
                try await server.mustRun(["sh", "-c", "rm -rf /home/alice/.opk /home/alice/real; chmod 0755 /home/alice"])
            }
        }
    }
}
