import Foundation
import Testing

extension RealSSH {
    /// A server where opkssh is at home: its files as its documentation has them, with its owners and modes. Two daemons read them at once: one asks
    /// Debian's own opkssh, the other opk-verify.
    @Suite(
        "An opkssh server's /etc/opk as it is", .enabled(if: Machine.canCopy, Machine.noCopy),
        .enabled(if: Machine.hasOpkssh, Machine.noOpkssh))
    struct MigrationTests {
        private static let accounts = ["guest", "dev", "acme", "quoted", "root2", "denied", "plug"]

        private static let providers = """
            # Issuer Client-ID expiration-policy
            https://accounts.google.com 206584157355-7cbe4s640tvm7naoludob4ut1emii7sf.apps.googleusercontent.com 24h
            https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0 096ce0a3-5e72-4da8-9c86-12924b294a01 24h
            https://gitlab.com 8d8b7024572c7fd501f64374dec6bba37096783dfcd792b3988104be08cb6923 24h

            # Our own
            ISSUER opk-demo 24h

            """

        private static let authID = """
            # email/sub principal issuer
            alice alice@example.com https://accounts.google.com
            guest alice@example.com https://accounts.google.com
            dev bob@microsoft.com https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0

            # Group identifier
            dev oidc:groups:developer https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0

            # Our own
            alice ALICE@example.com ISSUER
            root2 demo-bob ISSUER
            dev oidc:groups:dev ISSUER
            guest oidc-match-end:email:@example.com ISSUER
            acme 'oidc:"https://acme.com/groups":ssh-users' ISSUER
            quoted oidc:"https://acme.com/groups":ssh-users ISSUER
            denied alice@example.com ISSUER

            """

        private static let config = """
            ---
            env_vars:
              HTTPS_PROXY: http://yourproxy:3128
            deny_emails:
              - "user1@example.com"
              - "user2@example.com"
            deny_users:
              - denied

            """

        private static let plugin = """
            #!/usr/bin/env sh

            if [ "${OPKSSH_PLUGIN_U}" = "plug" ] && [ "${OPKSSH_PLUGIN_EMAIL}" = "bob@example.com" ] && [ "${OPKSSH_PLUGIN_EMAIL_VERIFIED}" = "true" ]; then
                echo "allow"
                exit 0
            else
                echo "deny"
                exit 1
            fi

            """

        /// opkssh as it is installed: the program, its log, and the rule by which it reads home files.
        private func setUp(_ server: InstalledServer, _ issuer: String) async throws -> SSHDaemon {
            try await server.configure(providers: [])
            let program = Machine.opkssh.path
            try await server.mustRun(["install", "-m", "0755", program, "/usr/local/bin/opkssh"])
            try await server.write("", to: "/var/log/opkssh.log", mode: "0660")
            try await server.write(
                "opksshuser ALL=(ALL) NOPASSWD: /usr/local/bin/opkssh readhome *\n", to: "/etc/sudoers.d/opkssh", owner: "root:root",
                mode: "0440")
            for account in Self.accounts where try await server.run(["id", account]).status != 0 {
                try await server.mustRun([
                    "useradd", "--create-home", "--home-dir", "/home/\(account)", "--shell", "/bin/sh", "-p", "*", account,
                ])
            }
            func file(_ text: String) -> String { text.replacingOccurrences(of: "ISSUER", with: issuer) }
            try await server.write(file(Self.providers), to: "/etc/opk/providers")
            try await server.write(file(Self.authID), to: "/etc/opk/auth_id")
            try await server.write(Self.config, to: "/etc/opk/config.yml")
            try await server.mustRun(["install", "-d", "-o", "root", "-g", "opksshuser", "-m", "0750", "/etc/opk/policy.d"])
            try await server.write(
                "name: Example plugin config\ncommand: /etc/opk/plugin-cmd.sh\n", to: "/etc/opk/policy.d/example-plugin.yml")
            try await server.write(Self.plugin, to: "/etc/opk/plugin-cmd.sh", mode: "0755")
            try await server.writeHome("bob", ["# email/sub principal issuer", "bob bob@example.com \(issuer)"])
            return try await server.startDaemon(
                "opkssh-sshd", asking: "AuthorizedKeysCommand /usr/local/bin/opkssh verify %u %k %t\nAuthorizedKeysCommandUser opksshuser")
        }

        /// Who of the demo's people gets in where, by opkssh's rules.
        private static let in_ = [
            ("alice", "alice"), ("alice", "guest"), ("alice", "dev"), ("alice", "acme"), ("bob", "root2"), ("bob", "dev"), ("bob", "guest"),
            ("bob", "bob"), ("bob", "plug"),
        ]
        private static let out = [
            ("alice", "bob"), ("alice", "root2"), ("alice", "denied"), ("alice", "plug"), ("bob", "alice"), ("bob", "acme"),
            ("dave", "guest"),
            ("dave", "dev"),
        ]

        @Test("whom opkssh lets in, opk-verify lets in on the same files, and refuses whom it refuses, but for what it should have refused")
        func sideBySide() async throws {
            let claims = #"{"claims": {"alice": {"https://acme.com/groups": ["ssh-users"]}}}"#
            try await withDemoProvider(["--control", claims]) { laptop, provider, shared in
                let server = try await shared.installed()
                let theirs = try await setUp(server, provider.issuer)
                let result: Result<Void, any Error>
                do {
                    var keys: [String: String] = [:]
                    for person in ["alice", "bob", "carol", "dave"] {
                        keys[person] = try await laptop.logIn(provider.clientSpecification, key: person, visit: provider.press(person))
                    }
                    func answers(_ person: String, _ account: String) async throws -> (theirs: String?, ours: String?) {
                        let key = try #require(keys[person])
                        return (
                            try await laptop.whoami(account, on: theirs, keys: [key]),
                            try await laptop.whoami(account, on: server.daemon, keys: [key])
                        )
                    }
                    for (person, account) in Self.in_ {
                        let both = try await answers(person, account)
                        #expect(both.theirs == account && both.ours == account, "\(person) as \(account): \(both)")
                    }
                    for (person, account) in Self.out {
                        let both = try await answers(person, account)
                        #expect(both.theirs == nil && both.ours == nil, "\(person) as \(account): \(both)")
                    }
                    // A quoted claim without single quotes around it, as opkssh's documentation has it: it means another claim,
                    // to opkssh as to us.
                    let quoted = try await answers("alice", "quoted")
                    #expect(quoted.theirs == quoted.ours, "\(quoted)")
                    #expect(quoted.ours == nil)
                    // What differs, or does not do what its writer meant, is in the audit, row by row.
                    let audit = try await server.run(["opk", "audit"]).both
                    #expect(audit.contains("line 15: a claim that is a URL needs quotes of its own"), "\(audit)")
                    #expect(audit.split(separator: "\n").contains { $0.contains("opkssh-email") && $0.contains(" 13,") }, "\(audit)")
                    // What opkssh admits and should not (docs/migrating-from-opkssh.md): an email that its provider has not verified.
                    let unverified = try await answers("carol", "guest")
                    #expect(unverified.theirs == "guest" && unverified.ours == nil, "\(unverified)")
                    // Whose administrator wants it all the same says so.
                    try await server.write("\(provider.issuer) opk-demo 24h trust-unverified-email\n", to: "/etc/opk/providers")
                    #expect(try await answers("carol", "guest").ours == "guest")
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
                await theirs.stop()
                try await server.mustRun(["rm", "/etc/sudoers.d/opkssh"])
                try result.get()
            }
        }
    }
}
