import Foundation
import Testing

extension RealSSH {
    /// sshd's own options, from a row of auth_id through the line that is printed to the session.
    @Suite("What a row lets a session do")
    struct SessionTests {
        /// Whose certificate it is: the limits come from the server's line, whatever the certificate permits.
        enum Client: String, CaseIterable {
            case opk, opkssh

            /// Every version of sshd with our certificates; opkssh's, which differ in nothing that sshd looks at, with this machine's.
            static let andServers: [(Client, OpenSSH)] =
                OpenSSH.here.map { (.opk, $0) } + (Machine.hasOpkssh ? [(.opkssh, .machine)] : [])
        }

        /// Somebody logged in by that client. `rows` are what follows `ACCOUNT alice@example.com ISSUER`, all for the account alice.
        private func withSession(
            _ client: Client, _ body: (Laptop, Server, String, _ configure: ([String]) async throws -> Void) async throws -> Void
        ) async throws {
            switch client {
            case .opk:
                try await withDemoProvider { laptop, provider, server in
                    let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                    try await body(laptop, server, key) { rows in
                        try await server.configure(
                            providers: ["\(provider.issuer) opk-demo 24h"],
                            authID: rows.map { "\(server.alice) alice@example.com \(provider.issuer) \($0)" })
                    }
                }
            case .opkssh:
                try await withDemoProviderBehindTLS { laptop, provider, front, server in
                    let key = try await laptop.logInWithOpkssh(
                        "\(front.url),opk-demo", certificateAuthority: front.certificateAuthority, key: "theirs",
                        visit: provider.press("alice", ["--cacert", front.certificateAuthority, "-b", laptop.path("opkssh.jar")]))
                    try await body(laptop, server, key) { rows in
                        try await server.configure(
                            providers: ["\(front.url) opk-demo 24h"],
                            authID: rows.map { "\(server.alice) alice@example.com \(front.url) \($0)" },
                            certificateAuthority: front.certificateAuthority)
                    }
                }
            }
        }

        @Test("the forced command runs in place of the one that was asked for", arguments: Client.andServers)
        func command(client: Client, version: OpenSSH) async throws {
            try await withSession(client) { laptop, server, key, configure in
                let daemon = try server.daemon(version)
                try await configure([#"restrict,command="echo \"this, and no more\": $SSH_ORIGINAL_COMMAND""#])
                let outcome = try await laptop.ssh(server.alice, on: daemon, keys: [key], ["id", "-un"])
                #expect(outcome.status == 0 && outcome.output == "this, and no more: id -un\n", "\(outcome.both)")
                let copy = try await laptop.scp(key + "-cert.pub", "\(server.alice)@127.0.0.1:copied", on: daemon, keys: [key])
                #expect(copy.status != 0, "\(copy.both)")
                let copied = server.folder.appendingPathComponent("home/\(server.alice)/copied").path
                #expect(!FileManager.default.fileExists(atPath: copied))
                // The first row that admits is the one that counts.
                try await configure([#"command="echo first""#, ""])
                #expect(try await laptop.ssh(server.alice, on: daemon, keys: [key], ["echo", "second"]).output == "first\n")
            }
        }

        @Test("restrict takes the terminal and all forwarding away, and pty gives the terminal back", arguments: Client.andServers)
        func restrict(client: Client, version: OpenSSH) async throws {
            try await withSession(client) { laptop, server, key, configure in
                let daemon = try server.daemon(version)
                func terminal() async throws -> String {
                    try await laptop.ssh(server.alice, on: daemon, keys: [key], with: ["-tt"], ["tty || true"]).both
                }
                /// What sshd itself says through a forwarded connection to its own port.
                func forwarded() async throws -> Command.Outcome {
                    try await laptop.ssh(server.alice, on: daemon, keys: [key], with: ["-W", "127.0.0.1:\(daemon.port)"], [])
                }
                try await configure([""])
                #expect(try await terminal().contains("/dev/pts/"))
                var forward = try await forwarded()
                #expect(forward.output.hasPrefix("SSH-2.0-"), "\(forward.both)")

                try await configure(["restrict"])
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [key]) == server.alice)
                let refused = try await terminal()
                #expect(refused.contains("PTY allocation request failed") && !refused.contains("/dev/pts/"), "\(refused)")
                forward = try await forwarded()
                #expect(forward.output.isEmpty && forward.errors.contains("administratively prohibited"), "\(forward.both)")

                try await configure(["restrict,pty"])
                #expect(try await terminal().contains("/dev/pts/"))
                #expect(try await forwarded().output.isEmpty)
            }
        }

        @Test("permitopen lets a forwarding go there and nowhere else, port-forwarding is needed under restrict", arguments: OpenSSH.here)
        func permitOpen(version: OpenSSH) async throws {
            try await withSession(.opk) { laptop, server, key, configure in
                let daemon = try server.daemon(version)
                let other = try await server.connectionDaemon(OpenSSH.sayingConnection.first ?? .machine)
                func forwarded(to port: UInt16) async throws -> String {
                    try await laptop.ssh(server.alice, on: daemon, keys: [key], with: ["-W", "127.0.0.1:\(port)"], []).output
                }
                try await configure(["restrict,port-forwarding,permitopen=\"127.0.0.1:\(other.port)\""])
                #expect(try await forwarded(to: other.port).hasPrefix("SSH-2.0-"))
                #expect(try await forwarded(to: daemon.port).isEmpty)
                try await configure(["restrict,permitopen=\"127.0.0.1:\(other.port)\""])
                #expect(try await forwarded(to: other.port).isEmpty)
                try await configure(["no-port-forwarding"])
                #expect(try await forwarded(to: other.port).isEmpty)
                #expect(try await laptop.whoami(server.alice, on: daemon, keys: [key]) == server.alice)
            }
        }
    }
}
