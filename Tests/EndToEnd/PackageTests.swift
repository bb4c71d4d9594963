import Foundation
import TestSupport
import Testing

extension RealSSH {
    /// The Debian packages on each system that they are for: what comes, what stays over an upgrade, and that nothing is left.
    @Suite("Debian packages", .enabled(if: Packages.canBuild, Packages.cannotBuild))
    struct PackageTests {
        @Test("Debian bookworm is here", .enabled(if: PackagedServer.System.bookworm.isHere, PackagedServer.System.bookworm.notHere))
        func bookworm() {}

        @Test("Debian trixie is here", .enabled(if: PackagedServer.System.trixie.isHere, PackagedServer.System.trixie.notHere))
        func trixie() {}

        @Test("Debian sid is here", .enabled(if: PackagedServer.System.sid.isHere, PackagedServer.System.sid.notHere))
        func sid() {}

        @Test("Ubuntu noble is here", .enabled(if: PackagedServer.System.noble.isHere, PackagedServer.System.noble.notHere))
        func noble() {}

        private static let dropIn = "/etc/ssh/sshd_config.d/60-opk.conf"

        /// What an administrator does to have sshd ask.
        private func activate(_ machine: PackagedServer) async throws {
            try await machine.mustRun(["install", "-m", "0644", "/usr/share/opk/60-opk.conf", Self.dropIn])
            try await machine.mustRun(["sshd", "-t"])
        }

        /// Whom the system's own sshd would ask.
        private func asked(_ machine: PackagedServer) async throws -> String {
            let effective = try await machine.mustRun(["sshd", "-T"]).split(separator: "\n")
            return effective.first { $0.lowercased().hasPrefix("authorizedkeyscommand ") }.map { String($0.dropFirst(22)) } ?? "none"
        }

        @Test(
            "installed, asked for a login, upgraded over edited files without a question, removed and purged: sshd always starts, and what was there before is there",
            arguments: PackagedServer.System.here)
        func life(_ system: PackagedServer.System) async throws {
            try await withDemoProvider { laptop, provider, server in
                let key = try await laptop.logIn(provider.clientSpecification, visit: provider.press("alice"))
                let packages = try await PackageTests.versions(in: server.folder)
                let machine = try await PackagedServer.start(system, server)
                do {
                    let before = try await machine.files()
                    try await installed(machine, packages[0], laptop, provider, key, alice: server.alice)
                    try await upgraded(machine, packages, laptop, key, alice: server.alice)
                    try await removed(machine, laptop, key, alice: server.alice)
                    let after = try await machine.files()
                    #expect(after.subtracting(before).sorted() == [], "left behind")
                    #expect(before.subtracting(after).sorted() == [], "gone")
                } catch {
                    await machine.stop()
                    throw error
                }
                await machine.stop()
            }
        }

        /// Three versions, made once for all systems: in the shared server's folder, which goes with it.
        static func versions(in folder: URL) async throws -> [[String]] {
            let place = folder.appendingPathComponent("packages")
            let names = [Packages.version, "9.8.1", "9.8.2"]
            if !FileManager.default.fileExists(atPath: place.path) {
                let draft = folder.appendingPathComponent("packages-draft")
                let first = try await Packages.build(into: draft)
                for name in names.dropFirst() { _ = try await Packages.later(name, of: first, into: draft) }
                try FileManager.default.moveItem(at: draft, to: place)
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: place.path)
            return names.map { name in files.filter { $0.contains("_\(name)-1_") }.map { place.appendingPathComponent($0).path } }
        }

        private func installed(
            _ machine: PackagedServer, _ packages: [String], _ laptop: Laptop, _ provider: DemoProviderProcess, _ key: String, alice: String
        ) async throws {
            let said = try await machine.apt(["install"] + packages)
            #expect(said.contains("wrote  /etc/opk/auth_id"), "\(said)")
            // Nobody's way in has changed.
            #expect(try await asked(machine) == "none")
            let owners = try await machine.mustRun([
                "stat", "-c", "%n %U:%G %a", "/etc/opk", "/etc/opk/auth_id", "/var/cache/opk", "/var/lib/opk", "/var/lib/opk/refusals",
                "/var/lib/opk/recent", "/var/log/opk", "/var/log/opk/audit.jsonl", "/run/opk/sessions", "/etc/sudoers.d/opk",
                "/usr/libexec/opk/opk-verify", "/usr/libexec/opk/opk-session",
            ])
            #expect(
                owners == """
                    /etc/opk root:root 755
                    /etc/opk/auth_id root:opksshuser 640
                    /var/cache/opk opkfetch:opkfetch 755
                    /var/lib/opk root:root 755
                    /var/lib/opk/refusals opksshuser:opksshuser 600
                    /var/lib/opk/recent opksshuser:opksshuser 600
                    /var/log/opk root:root 755
                    /var/log/opk/audit.jsonl opksshuser:adm 640
                    /run/opk/sessions root:root 700
                    /etc/sudoers.d/opk root:root 440
                    /usr/libexec/opk/opk-verify root:root 755
                    /usr/libexec/opk/opk-session root:opksshuser 2750

                    """)
            try await setUpAndBack(machine, laptop, provider, key, alice: alice)
            try await activate(machine)
            #expect(try await asked(machine) == "/usr/libexec/opk/opk-verify -- %u %k %t")
            let permissions = try await machine.run(["opk", "permissions", "check"])
            #expect(permissions.status == 0, "\(permissions.both)")

            #expect(try await who(alice, on: machine, laptop, key) == nil)
            try await machine.append("\(provider.issuer) opk-demo 24h", to: "/etc/opk/providers")
            try await homeFile(machine, laptop, provider, key, alice: alice)
            try await machine.append("\(alice) alice@example.com \(provider.issuer)", to: "/etc/opk/auth_id")
            #expect(try await who(alice, on: machine, laptop, key) == alice)
            #expect(try await machine.mustRun(["sh", "-c", "stat -c %U /var/cache/opk/*.json"]) == "opkfetch\n")
            try await runUnits(machine)
        }

        /// Her own file, which opk-verify has opk-home read through this system's sudo, lets her in.
        private func homeFile(
            _ machine: PackagedServer, _ laptop: Laptop, _ provider: DemoProviderProcess, _ key: String, alice: String
        ) async throws {
            let folder =
                try await machine.mustRun(["sh", "-c", "getent passwd \(alice) | cut -d: -f6"]).split(separator: "\n").joined() + "/.opk"
            try await machine.mustRun(["install", "-d", "-o", alice, "-m", "0700", folder])
            try await machine.mustRun(["install", "-o", alice, "-m", "0600", "/dev/null", folder + "/auth_id"])
            #expect(try await who(alice, on: machine, laptop, key) == nil)
            try await machine.append("\(alice) alice@example.com \(provider.issuer)", to: folder + "/auth_id")
            #expect(try await who(alice, on: machine, laptop, key) == alice, "by the home file")
            try await machine.mustRun(["rm", "-r", folder])
        }

        /// From the package to a login in one command, and back to the byte: no sshd runs in here, so there is none to reload.
        private func setUpAndBack(
            _ machine: PackagedServer, _ laptop: Laptop, _ provider: DemoProviderProcess, _ key: String, alice: String
        ) async throws {
            let before = try await machine.files()
            let setup = ["opk", "setup", "server", "--json", "--only-way", "--no-reload"]
            let wanted = ["--provider", "\(provider.issuer),opk-demo,24h", "--allow", "alice@example.com=\(alice)"]
            #expect(try await machine.mustRun(setup + wanted).contains("\"changed\": true"))
            let address = machine.system.saysConnection ? " %C" : ""
            #expect(try await asked(machine) == "/usr/libexec/opk/opk-verify -- %u %k %t" + address)
            try await recorded(machine, laptop, key, alice: alice)
            #expect(try await machine.mustRun(setup + wanted).contains("\"changed\": false"))
            #expect(try await machine.mustRun(setup + ["--undo"]).contains("\"changed\": true"))
            #expect(try await asked(machine) == "none")
            // The lock and the timer's mark are empty, and gone with the package or the machine's next start.
            let known = ["/var/cache/opk/", "/var/log/opk/", "/run/opk-setup.lock", "/run/opk/sessions/enforced"]
            let after = try await machine.files().filter { file in !known.contains { file.contains($0) } }
            #expect(after.subtracting(before).sorted() == [], "left by setup and its undoing")
            #expect(before.subtracting(try await machine.files()).filter { !$0.contains("/var/log/opk/") }.sorted() == [], "gone by it")
        }

        /// A login by the system's own sshd and PAM, as setup has left them: both decisions, the session and its end are one, and say from where.
        private func recorded(_ machine: PackagedServer, _ laptop: Laptop, _ key: String, alice: String) async throws {
            let log = "/var/log/opk/audit.jsonl"
            try await machine.mustRun(["sh", "-c", ": > \(log)"])
            #expect(try await who(alice, on: machine, laptop, key, pam: true) == alice)
            // The last one is the timer's, once sshd's process has gone, a moment after ssh.
            for _ in 0..<100 where !(try await machine.text(of: log)).contains("\"logout\"") {
                try await machine.mustRun(["opk", "sessions", "enforce"])
                try await Task.sleep(for: .milliseconds(50))
            }
            let text = try await machine.text(of: log)
            #expect(try EventSchema.problems(text) == [])
            let events = try text.split(separator: "\n").map {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
            }
            #expect(events.map { $0["type"] as? String } == ["decision", "decision", "login", "logout"], "\(text)")
            #expect(
                Set(events.map { $0["attempt"] as? String ?? "" }).count == 1 && events.allSatisfy { $0["account"] as? String == alice })
            for event in events {
                let isSaid = machine.system.saysConnection || event["type"] as? String != "decision"
                #expect(event["source_address"] as? String == (isSaid ? "127.0.0.1" : nil), "\(event)")
            }
            #expect(events[2]["verified"] as? Bool == true && events[2]["email"] as? String == "alice@example.com")
        }

        /// What the units start, as they say it, by hand: there is no systemd in here.
        private func runUnits(_ machine: PackagedServer) async throws {
            func command(_ unit: String) async throws -> String {
                let lines = try await machine.text(of: "/usr/lib/systemd/system/\(unit)").split(separator: "\n")
                let start = try #require(lines.first { $0.hasPrefix("ExecStart=") }).dropFirst("ExecStart=".count)
                #expect(lines.contains("User=opkfetch") && lines.contains("SupplementaryGroups=opksshuser"))
                return "setpriv --reuid opkfetch --regid opkfetch --groups opkfetch,opksshuser --no-new-privs -- \(start)"
            }
            let keys = try await machine.run(["sh", "-c", command("opk-keys.service")])
            #expect(keys.status == 0 && keys.both.isEmpty, "\(keys.both)")
            // A question that is none is refused, by an opk-fetch that runs.
            let fetch = try await machine.run(["sh", "-c", "echo | " + command("opk-fetch@.service")])
            #expect(fetch.status == 1 || fetch.status == 2, "\(String(describing: fetch.status)) \(fetch.both)")
        }

        private func upgraded(
            _ machine: PackagedServer, _ packages: [[String]], _ laptop: Laptop, _ key: String, alice: String
        ) async throws {
            let rows = try await machine.text(of: "/etc/opk/auth_id")
            // What nobody edited follows the package.
            let first = try await machine.apt(["install"] + packages[1])
            #expect(first.contains("kept   /etc/opk/auth_id: it is yours; ours is /usr/share/opk/policy/auth_id"), "\(first)")
            #expect(try await machine.text(of: "/etc/opk/config.yml").hasSuffix("# of version 9.8.1\n"))
            #expect(try await machine.text(of: Self.dropIn).hasSuffix("# of version 9.8.1\n"))
            // What somebody edited, or took away, does not.
            try await machine.append("# mine", to: Self.dropIn)
            try await machine.mustRun(["rm", "/etc/opk/revoked"])
            let second = try await machine.apt(["install"] + packages[2])
            #expect(second.contains("kept   \(Self.dropIn)"), "\(second)")
            #expect(try await machine.text(of: Self.dropIn).hasSuffix("# of version 9.8.1\n# mine\n"))
            #expect(try await machine.text(of: "/etc/opk/auth_id") == rows)
            #expect(try await machine.run(["test", "-e", "/etc/opk/revoked"]).status == 1)
            #expect(try await machine.text(of: "/etc/opk/config.yml").hasSuffix("# of version 9.8.2\n"))
            #expect(try await who(alice, on: machine, laptop, key) == alice)
        }

        /// Who one is after logging in to an sshd that starts now; nil where one is not let in.
        private func who(
            _ account: String, on machine: PackagedServer, _ laptop: Laptop, _ key: String, pam: Bool = false
        ) async throws -> String? {
            let daemon = try await machine.startDaemon(pam: pam)
            do {
                let who = try await laptop.whoami(account, on: daemon, keys: [key])
                await daemon.stop()
                return who
            } catch {
                await daemon.stop()
                throw error
            }
        }

        private func removed(_ machine: PackagedServer, _ laptop: Laptop, _ key: String, alice: String) async throws {
            // As `opk setup server` leaves them.
            let block = "# >>> opk: `opk setup server --undo` takes these lines away >>>\n# lines\n# <<< opk <<<"
            let pam = try await machine.text(of: "/etc/pam.d/sshd")
            let facts = try await machine.mustRun(["stat", "-c", "%a %U:%G", "/etc/pam.d/sshd"])
            let mark = "printf '%s\\n' \"$0\" | cat - /etc/pam.d/sshd > /tmp/marked && cat /tmp/marked > /etc/pam.d/sshd && rm /tmp/marked"
            try await machine.mustRun(["sh", "-c", mark, block])
            let said = try await machine.apt(["remove", "opk-server", "opk"])
            #expect(
                try await machine.text(of: "/etc/pam.d/sshd") == pam && said.contains("took   opk's lines out of /etc/pam.d/sshd"),
                "\(said)")
            #expect(said.contains("moved \(Self.dropIn) to \(Self.dropIn).removed"), "\(said)")
            try await machine.mustRun(["sshd", "-t"])
            #expect(try await asked(machine) == "none")
            #expect(try await machine.text(of: "/etc/opk/auth_id").contains("alice@example.com"))
            #expect(try await machine.run(["test", "-e", "/etc/sudoers.d/opk"]).status == 1)
            #expect(try await who(alice, on: machine, laptop, key) == nil)
            try await machine.mustRun(["sh", "-c", mark, block])
            try await machine.apt(["purge", "opk-server", "opk"])
            #expect(try await machine.text(of: "/etc/pam.d/sshd") == pam)
            #expect(try await machine.mustRun(["stat", "-c", "%a %U:%G", "/etc/pam.d/sshd"]) == facts)
            try await machine.mustRun(["sshd", "-t"])
        }
    }
}
