import Foundation
import Testing

extension RealSSH {
    /// `opk setup server` where the programs come from a package, and go again: on each system that the packages are for.
    @Suite("opk setup server, packaged", .enabled(if: Packages.canBuild, Packages.cannotBuild))
    struct PackagedSetupTests {
        private static let theirs = "/etc/ssh/sshd_config.d/60-opk-ssh.conf"
        private static let ours = "/etc/ssh/sshd_config.d/60-opk.conf"

        private func asked(_ machine: PackagedServer) async throws -> String {
            let effective = try await machine.mustRun(["sshd", "-T"]).split(separator: "\n")
            return effective.first { $0.lowercased().hasPrefix("authorizedkeyscommand ") }.map { String($0.dropFirst(22)) } ?? "none"
        }

        /// What sshd and PAM read.
        private func configuration(_ machine: PackagedServer) async throws -> Set<String> {
            try await machine.files().filter { $0.contains("/etc/ssh") || $0.contains("/etc/pam.d") }
        }

        private func on(_ system: PackagedServer.System, _ body: (PackagedServer, [[String]], String) async throws -> Void) async throws {
            let server = try Server.running()
            let packages = try await PackageTests.versions(in: server.folder)
            let machine = try await PackagedServer.start(system, server)
            do {
                try await body(machine, packages, server.alice)
            } catch {
                await machine.stop()
                throw error
            }
            await machine.stop()
        }

        @Test(
            "removing opk gives the word back to the opkssh whose place it took, with sshd's and PAM's files as they were",
            arguments: PackagedServer.System.here)
        func takenOver(_ system: PackagedServer.System) async throws {
            try await on(system) { machine, packages, alice in
                try await machine.mustRun(["mkdir", "-p", "/usr/local/bin"])
                try await machine.mustRun(["install", "-m", "0755", "/bin/true", "/usr/local/bin/opkssh"])
                try await machine.append("AuthorizedKeysCommand /usr/local/bin/opkssh verify %u %k %t", to: Self.theirs)
                try await machine.append("AuthorizedKeysCommandUser nobody", to: Self.theirs)
                try await machine.apt(["install"] + packages[0])
                try await machine.append("https://idp.example.com opk 24h", to: "/etc/opk/providers")
                try await machine.append("\(alice) alice@example.com https://idp.example.com", to: "/etc/opk/auth_id")
                let before = try await configuration(machine)
                try await machine.mustRun(["opk", "setup", "server", "--from-opkssh", "--json", "--only-way", "--no-reload"])
                #expect(try await asked(machine).contains("opk-verify"))
                // An upgrade leaves it.
                let upgraded = try await machine.apt(["install"] + packages[1])
                #expect(!upgraded.contains("setup server had"), "\(upgraded)")
                #expect(try await asked(machine).contains("opk-verify"))
                let said = try await machine.apt(["remove", "opk-server", "opk"])
                #expect(said.contains("took back what opk setup server had changed"), "\(said)")
                #expect(try await asked(machine).hasPrefix("/usr/local/bin/opkssh verify"))
                let after = try await configuration(machine)
                #expect(after.subtracting(before).sorted() == [] && before.subtracting(after).sorted() == [])
                #expect(try await machine.run(["test", "-e", "/var/lib/opk/setup.json"]).status == 1)
                #expect(try await machine.text(of: "/etc/opk/auth_id").contains("alice@example.com"), "rows stay until a purge")
                try await machine.apt(["purge", "opk-server", "opk"])
                #expect(try await asked(machine).hasPrefix("/usr/local/bin/opkssh verify"))
            }
        }

        @Test(
            "a removal goes on where setup cannot be taken back, and says what is left and what to do",
            arguments: PackagedServer.System.here.prefix(1))
        func refused(_ system: PackagedServer.System) async throws {
            try await on(system) { machine, packages, alice in
                try await machine.apt(["install"] + packages[0])
                let next = try await machine.text(of: "/var/lib/dpkg/info/opk-server.postinst")
                #expect(next.contains("say_next"))
                try await machine.mustRun([
                    "opk", "setup", "server", "--json", "--only-way", "--no-reload", "--provider", "https://idp.example.com,opk",
                    "--allow", "alice@example.com=\(alice)",
                ])
                try await machine.mustRun(["sh", "-c", "echo spoilt > /var/lib/opk/setup.json"])
                let said = try await machine.apt(["remove", "opk-server"])
                #expect(said.contains("was not taken back") && said.contains("opk setup server --undo --keep-policy --only-way"), "\(said)")
                // sshd calls nothing that is gone.
                #expect(try await asked(machine) == "none")
            }
        }

        @Test(
            "what setup wrote is called neither kept nor edited by a later installation; what it did not write is",
            arguments: PackagedServer.System.here.prefix(1))
        func upgraded(_ system: PackagedServer.System) async throws {
            try await on(system) { machine, packages, alice in
                let first = try await machine.apt(["install"] + packages[0])
                #expect(first.contains("next: sudo opk setup server"), "\(first)")
                try await machine.mustRun([
                    "opk", "setup", "server", "--json", "--only-way", "--no-reload", "--provider", "https://idp.example.com,opk",
                    "--allow", "alice@example.com=\(alice)",
                ])
                let written = try await machine.text(of: Self.ours)
                let second = try await machine.apt(["install"] + packages[1])
                #expect(!second.contains("kept "), "\(second)")
                #expect(try await machine.text(of: Self.ours) == written)
                try await machine.append("# mine", to: Self.ours)
                let third = try await machine.apt(["install"] + packages[2])
                #expect(third.contains("kept   \(Self.ours): it is yours"), "\(third)")
            }
        }

        @Test(
            "documents that the manuals and the monitoring lean on are there, and manuals name programs where they are",
            arguments: PackagedServer.System.here.prefix(1))
        func documents(_ system: PackagedServer.System) async throws {
            try await on(system) { machine, packages, _ in
                for package in packages[0] {
                    let tree = "/tmp/tree"
                    try await machine.mustRun(["rm", "-rf", tree])
                    try await machine.mustRun(["dpkg-deb", "-x", package, tree])
                    let strays = try await machine.run([
                        "sh", "-c", "zcat \(tree)/usr/share/man/man*/*.gz | grep -F /usr/local/libexec/opk/",
                    ])
                    #expect(strays.output.isEmpty, "\(strays.output)")
                    guard package.contains("opk-server") else { continue }
                    for name in [
                        "install.md", "audit-log.md", "monitoring.md", "monitoring/opk-alerts.yml", "monitoring/grafana-dashboard.json",
                        "audit/opk-audit.schema.json",
                    ] {
                        try await machine.mustRun(["test", "-s", "\(tree)/usr/share/doc/opk-server/\(name)"])
                    }
                }
            }
        }
    }
}
