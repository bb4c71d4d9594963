import Foundation
import Testing

extension RealSSH.InstalledTests {
    /// A plugin named so, and its script.
    private func plugin(_ name: String, _ script: String, on server: InstalledServer) async throws {
        try await server.mustRun(["install", "-d", "-m", "0755", "/etc/opk/policy.d", "/usr/local/libexec/plugins"])
        try await server.write("#!/bin/sh\n\(script)\n", to: "/usr/local/libexec/plugins/\(name)", owner: "root:root", mode: "0755")
        try await server.write("name: \(name)\ncommand: /usr/local/libexec/plugins/\(name)\n", to: "/etc/opk/policy.d/\(name).yml")
    }

    @Test("a plugin that says allow lets in whom no row names, and the log names it; one that says anything else does not")
    func pluginAllows() async throws {
        try await withAlice { laptop, provider, server, key in
            try await plugin("deny", "echo allowed", on: server)
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil)
            let script =
                "[ \"$OPKSSH_PLUGIN_U $OPKSSH_PLUGIN_EMAIL $OPKSSH_PLUGIN_ISS\" = \"alice alice@example.com \(provider.issuer)\" ] && echo allow"
            try await plugin("gate", script, on: server)
            server.log.clear()
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == "alice")
            _ = try await server.log.line("admitted", "account=\"alice\"", "plugin=\"gate\"")
            #expect(try await laptop.whoami("bob", on: server.daemon, keys: [key]) == nil)
            // Requirements bind it: this sshd says no address, so the rule goes out with the line.
            try await server.write("require: [{accounts: [alice], from: [127.0.0.2]}]\n", to: "/etc/opk/config.yml")
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key], from: "127.0.0.2") == "alice")
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key], from: "127.0.0.1") == nil)
            // It adds, and takes nothing back.
            try await server.write("deny_users: [alice]\n", to: "/etc/opk/config.yml")
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil)
        }
    }

    @Test("a plugin that hangs, whatever it ignores, costs its time: the login is refused, the log says why, and nothing of it is left")
    func pluginHangs() async throws {
        try await withAlice { laptop, provider, server, key in
            try await plugin("hang", "trap '' TERM INT HUP; echo $$ > /run/plugin/hang; sleep 4711 & sleep 4711", on: server)
            try await server.mustRun(["install", "-d", "-m", "0777", "/run/plugin"])
            server.log.clear()
            let start = ContinuousClock.now
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == nil)
            // opk-verify's own time is 8 s, and sshd's patience longer.
            #expect(ContinuousClock.now - start < .seconds(10))
            let line = try await server.log.line("refused", "account=\"alice\"")
            #expect(line.contains("hang") && line.contains("did not answer within"), "\(line)")
            try await server.mustRun(["test", "-s", "/run/plugin/hang"])
            for name in ["sleep 4711", "/bin/sh /usr/local/libexec/plugins/hang", "/usr/local/libexec/opk/opk-verify .*"] {
                var isLeft = true
                // The kernel may take a moment to end what was killed.
                for _ in 0..<100 where isLeft {
                    isLeft = try await server.run(["pgrep", "-fx", name]).status != 1
                    if isLeft { try await Task.sleep(for: .milliseconds(50)) }
                }
                #expect(!isLeft, "\(name) is left")
            }
            // Who is admitted by a row does not wait for it.
            try await server.write("alice alice@example.com \(provider.issuer)\n", to: "/etc/opk/auth_id")
            try await server.mustRun(["rm", "/run/plugin/hang"])
            #expect(try await laptop.whoami("alice", on: server.daemon, keys: [key]) == "alice")
            #expect(try await server.run(["test", "-e", "/run/plugin/hang"]).status == 1)
        }
    }
}
