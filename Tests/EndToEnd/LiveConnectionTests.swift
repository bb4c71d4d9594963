import Foundation
import Testing

extension RealSSH {
    /// Connections that are no shell: forwarded ports, jumps, file transfers. To sshd, and so to PAM, each is a session like any other.
    @Suite("Live connections without a shell", .enabled(if: Machine.canOverlay, Machine.noOverlay))
    struct LiveConnectionTests {
        @Test(
            "a connection that only forwards ports is a session; ended, what it forwarded ends on the server's side, though its client does nothing",
            arguments: OpenSSH.here)
        func forwards(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release) { laptop, machine, alice, _ in
                let (local, remote, target) = (try Machine.freePort(), try Machine.freePort(), try LoopbackPort())
                let session = try laptop.open(
                    "alice", on: machine.daemon, keys: [alice],
                    with: [
                        "-N", "-o", "ExitOnForwardFailure=yes", "-L", "127.0.0.1:\(local):127.0.0.1:\(target.port)",
                        "-R", "127.0.0.1:\(remote):127.0.0.1:\(target.port)",
                    ], [])
                let record = try #require(try await machine.sessions(count: 1).first)
                #expect(text(record, "account") == "alice" && text(record, "email") == "alice@example.com")
                #expect(record["verified"] as? Bool == true && record["seen_by_process"] == nil && record["tty"] as? [String] == [])
                let table = try await machine.opk().output.split(separator: "\n")
                #expect(table.count == 2 && table.last?.contains("alice@example.com  alice    127.0.0.1  - ") == true, "\(table)")
                let login = try #require(try await machine.events("login").first)
                #expect(text(login, "attempt") == text(record, "session"))

                try await Waiting.until("forwarded port") { (try? LoopbackConnection(to: remote)) != nil }
                while (try? await target.accept(seconds: 0.2)) != nil {}
                let near = try #require(try LoopbackConnection(to: local))
                let far = try await target.accept()
                near.send("there")
                #expect(try await far.next() == "there")
                far.send("back")
                #expect(try await near.next() == "back")
                let outer = try #require(try LoopbackConnection(to: remote))
                let inner = try await target.accept()
                outer.send("out")
                #expect(try await inner.next() == "out")

                // From here on the client helps nobody.
                kill(session.identifier, SIGSTOP)
                let id = try #require(text(record, "session"))
                #expect(try await machine.opk("end", id).output.contains(id))
                #expect(try await far.next() == nil)
                #expect(try await outer.next() == nil)
                #expect(try LoopbackConnection(to: remote) == nil)
                #expect(try await machine.run(["sh", "-c", "pgrep -u alice || true"]).output.isEmpty)
                kill(session.identifier, SIGCONT)
                #expect(try await session.waitForEnd() != 0)
                #expect(try LoopbackConnection(to: local) == nil)
                #expect(try await machine.sessions().isEmpty)
                let logout = try #require(try await machine.events("logout").first)
                #expect(text(logout, "session") == id && text(logout, "ended_by") == "administrator")
            }
        }

        @Test(
            "a jump is a session of its own on the host that it goes through; who ends it ends what went through it",
            arguments: OpenSSH.here)
        func jump(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release) { laptop, machine, alice, bob in
                let file = laptop.path("ssh_config")
                let jump = "Host jump\nHostName 127.0.0.1\nPort \(machine.daemon.port)\nUser alice\nIdentityFile \(alice)\nHost *\n"
                let rest = [
                    "BatchMode yes", "UserKnownHostsFile \(machine.daemon.knownHosts.path)", "IdentitiesOnly yes", "IdentityAgent none",
                ]
                try (jump + rest.map { $0 + "\n" }.joined()).write(toFile: file, atomically: true, encoding: .utf8)
                let options = ["-F", file, "-J", "jump", "-tt"]
                let through = try laptop.open("deploy", on: machine.daemon, keys: [bob], with: options, ["echo in; sleep 300"])
                _ = try await through.waitForLine("session") { $0.contains("in") ? true : nil }
                let sessions = try await machine.sessions(count: 2)
                let first = try #require(sessions.first { text($0, "account") == "alice" })
                let second = try #require(sessions.first { text($0, "account") == "deploy" })
                #expect(text(first, "email") == "alice@example.com" && first["tty"] as? [String] == [])
                #expect(text(second, "email") == "bob@example.com" && (second["tty"] as? [String])?.count == 1)
                #expect(text(first, "session") != text(second, "session") && first["process"] as? Int != second["process"] as? Int)

                let ended = try await machine.opk("end", try #require(text(first, "session")))
                #expect(ended.output.contains("alice@example.com") && !ended.output.contains("bob"), "\(ended.both)")
                #expect(try await through.waitForEnd() != 0)
                try await machine.gone()
                try await machine.opk("enforce")
                let logouts = try await machine.events("logout", count: 2)
                // The host behind only sees that its client has gone.
                #expect(text(logouts.first { text($0, "account") == "alice" } ?? [:], "ended_by") == "administrator", "\(logouts)")
                #expect(text(logouts.first { text($0, "account") == "deploy" } ?? [:], "ended_by") == "user", "\(logouts)")
            }
        }

        @Test(
            "sftp is a session, also by internal-sftp in a chroot: recorded, shown, and ended with all that it started",
            arguments: OpenSSH.here)
        func files(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release) { laptop, machine, _, bob in
                try await machine.run(["install", "-d", "-m", "0755", "/srv/files"])
                try await machine.run(["install", "-d", "-o", "deploy", "/srv/files/in"])
                let confined = "Match User deploy\nChrootDirectory /srv/files\nForceCommand internal-sftp"
                let daemon = try await machine.startDaemon("files", more: confined, pam: true)
                let put = try await laptop.sftp("deploy", on: daemon, keys: [bob], batch: "put \(bob)-cert.pub /in/key\n")
                #expect(put.status == 0, "\(put.both)")
                #expect(try await machine.run(["stat", "-c", "%U", "/srv/files/in/key"]).output == "deploy\n")
                try await machine.gone()
                try await machine.opk("enforce")
                let logout = try #require(try await machine.events("logout", count: 1).first)
                let login = try #require(try await machine.events("login").first)
                #expect(text(login, "email") == "bob@example.com" && text(login, "session") == text(logout, "session"))
                #expect(text(logout, "ended_by") == "user")

                let transfer = try laptop.transfer("deploy", on: daemon, keys: [bob])
                let record = try #require(try await machine.sessions(count: 1).first)
                #expect(text(record, "account") == "deploy" && text(record, "email") == "bob@example.com")
                #expect(record["verified"] as? Bool == true && record["tty"] as? [String] == [])
                // The file server works in its chroot.
                let root = "for process in $(pgrep -u deploy); do readlink /proc/$process/root; done"
                try await machine.until("a process in the chroot") {
                    try await machine.run(["sh", "-c", root]).output.contains("/srv/files\n")
                }
                #expect(try await machine.opk("end", "account:deploy").output.contains("bob@example.com"))
                #expect(try await transfer.waitForEnd() != 0)
                #expect(try await machine.sessions().isEmpty)
                #expect(try await machine.run(["sh", "-c", "pgrep -u deploy || true"]).output.isEmpty)
                #expect(try await machine.events("logout").last.flatMap { text($0, "ended_by") } == "administrator")
                await daemon.stop()
            }
        }
    }
}
