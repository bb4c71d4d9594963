import Foundation
import Testing

extension RealSSH {
    /// What happens between a login and its end, on a real sshd with PAM.
    @Suite("Live sessions", .enabled(if: Machine.canOverlay, Machine.noOverlay))
    struct LiveSessionTests {
        @Test(
            "a login is recorded when it happened, tied to its decisions; a question alone, and a refusal, are none",
            arguments: OpenSSH.here)
        func recorded(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release) { laptop, machine, alice, bob in
                // sshd asks, and the client cannot sign: it has the certificate and no key.
                let shown = laptop.path("shown")
                try FileManager.default.copyItem(atPath: alice + "-cert.pub", toPath: shown + "-cert.pub")
                try await Command.mustRun("ssh-keygen", ["-y", "-f", alice]).write(toFile: shown, atomically: true, encoding: .utf8)
                #expect(
                    try await laptop.ssh(
                        "alice", on: machine.daemon, keys: [shown], with: ["-o", "CertificateFile=\(shown)-cert.pub"], ["true"]
                    )
                    .status != 0)
                #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [bob]) == nil)
                let asked = try await machine.events("decision")
                #expect(asked.contains { $0["granted"] as? Bool == true } && asked.contains { $0["granted"] as? Bool == false }, "\(asked)")
                #expect(try await machine.events("login").isEmpty)

                try await machine.run(["sh", "-c", ": > /var/log/opk/audit.jsonl"])
                #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [alice]) == "alice")
                // The timer does it: PAM runs nothing of ours at the end.
                try await machine.gone()
                #expect(try await machine.events("logout").isEmpty)
                try await machine.opk("enforce")
                let logout = try #require(try await machine.events("logout", count: 1).first)
                let login = try #require(try await machine.events("login").first)
                let decisions = try await machine.events("decision")
                #expect(decisions.count == 2 && Set(decisions.compactMap { text($0, "attempt") }).count == 1)
                for event in [login, logout] {
                    #expect(text(event, "attempt") == text(decisions[0], "attempt") && text(event, "session") == text(event, "attempt"))
                    #expect(text(event, "email") == "alice@example.com" && text(event, "account") == "alice")
                    #expect(event["verified"] as? Bool == true && text(event, "source_address") == "127.0.0.1")
                    #expect(text(event, "key_fingerprint") == text(decisions[0], "key_fingerprint"))
                }
                #expect(text(login, "identity_ends") == text(decisions[0], "identity_ends") && login["decided_by"] != nil)
                #expect(text(logout, "ended_by") == "user")
                #expect(try await machine.events("login").count == 1)
                #expect(try await machine.run(["ls", "/run/opk/sessions"]).output == "enforced\n")
            }
        }

        @Test(
            "a shared account's sessions are each person's; a connection with many channels is one, with or without a terminal",
            arguments: OpenSSH.here)
        func shared(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release, config: "session_limit: 8h\n") { laptop, machine, alice, bob in
                let control = laptop.path("control")
                let first = try laptop.open(
                    "deploy", on: machine.daemon, keys: [alice], with: ["-tt", "-M", "-S", control], ["echo in; sleep 300"])
                _ = try await first.waitForLine("session") { $0.contains("in") ? true : nil }
                let second = try laptop.open("deploy", on: machine.daemon, keys: [bob], ["sleep 300"])
                _ = try await machine.sessions(count: 2)
                let third = try laptop.open(
                    "deploy", on: machine.daemon, keys: [alice], with: ["-S", control, "-tt"], ["echo in; sleep 300"])
                _ = try await third.waitForLine("channel") { $0.contains("in") ? true : nil }
                let sessions = try await machine.sessions()
                #expect(sessions.count == 2 && sessions.allSatisfy { text($0, "account") == "deploy" && $0["verified"] as? Bool == true })
                for session in sessions {
                    // sshd's privileged process, whatever its program is called.
                    let process = "/proc/\(session["process"] as? Int ?? -1)"
                    #expect(try await machine.run(["stat", "-c", "%U", process]).output == "root\n")
                    #expect(try await machine.run(["cat", process + "/comm"]).output.hasPrefix("sshd"))
                }
                let of = { (email: String) in sessions.first { text($0, "email") == email } ?? [:] }
                #expect((of("alice@example.com")["tty"] as? [String])?.count == 2)
                #expect((of("bob@example.com")["tty"] as? [String]) == [])
                #expect(text(of("bob@example.com"), "ends_by") == "limit" && text(of("bob@example.com"), "session_ends") != nil)
                let table = try await machine.opk().output.split(separator: "\n")
                #expect(table.count == 3 && table.contains { $0.contains("bob@example.com    deploy   127.0.0.1  -") }, "\(table)")

                // Nobody of that name; then one by address, and one by id.
                let nobody = try await machine.opk("end", "carol@example.com", succeeds: false)
                #expect(nobody.status == 1 && nobody.errors.contains("nobody of that name is in"))
                let ended = try await machine.opk("end", "Bob@Example.com", "--reason", "left")
                #expect(ended.output.contains("bob@example.com in deploy") && !ended.output.contains("alice"), "\(ended.both)")
                #expect(try await second.waitForEnd() != 0)
                let id = try #require(text(of("alice@example.com"), "session"))
                #expect(try await machine.opk("end", id, "--reason", "work\u{1B}[2J").output.contains(id))
                #expect(try await first.waitForEnd() != 0)
                #expect(first.text.contains("ended by an administrator: work\\u{1b}[2J"), "\(first.text)")
                await third.stop()
                #expect(try await machine.sessions().isEmpty)
                let events = try await machine.events("session.ended")
                #expect(events.count == 2 && events.allSatisfy { text($0, "ended_by") == "administrator" && $0["actor"] != nil })
                #expect(events.contains { text($0, "email") == "bob@example.com" && text($0, "detail") == "left" })
                let logouts = try await machine.events("logout")
                #expect(logouts.count == 2 && logouts.allSatisfy { text($0, "ended_by") == "administrator" }, "\(logouts)")
                // Both decisions, the login and its end are one attempt.
                let decisions = try await machine.events("decision")
                for session in sessions {
                    let own = { (events: [[String: Any]]) in events.filter { text($0, "attempt") == text(session, "session") } }
                    #expect(own(decisions).count == 2 && own(logouts).count == 1 && own(events).count == 1, "\(session)")
                }
                #expect(try await machine.run(["sh", "-c", "pgrep -u deploy || true"]).output.isEmpty)
            }
        }

        @Test(
            "at its limit a session ends, and its terminal was told before; what ran without a terminal ends as well",
            arguments: OpenSSH.here)
        func limit(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release, config: "session_limit: 10m\n") { laptop, machine, alice, bob in
                let session = try laptop.open("alice", on: machine.daemon, keys: [alice], with: ["-tt"], ["sleep 300"])
                let silent = try laptop.open("deploy", on: machine.daemon, keys: [bob], ["sleep 300"])
                let ids = try await machine.sessions(count: 2).compactMap { text($0, "session") }
                try await machine.opk("enforce")
                #expect(try await machine.events("session.warned").isEmpty)
                for id in ids { try await machine.change(id, "session_began", to: SessionServer.time(-302)) }
                try await machine.opk("enforce")
                _ = try await session.waitForLine("warning") { $0.contains("this session ends in 5 minutes") ? true : nil }
                try await machine.opk("enforce")
                let warned = try await machine.events("session.warned")
                #expect(warned.count == 1 && warned.first.flatMap { text($0, "tty") }?.hasPrefix("pts/") == true, "\(warned)")
                // Its time is over, and yet it was told only now: four minutes are its due.
                for id in ids { try await machine.change(id, "session_began", to: SessionServer.time(-700)) }
                try await machine.opk("enforce")
                #expect(try await machine.sessions().count == 2)
                for id in ids { try await machine.change(id, "warned", to: SessionServer.time(-241)) }
                try await machine.opk("enforce")
                #expect(try await session.waitForEnd() != 0)
                #expect(try await silent.waitForEnd() != 0)
                #expect(session.text.contains("this session ends now: sessions here last 10m at most"), "\(session.text)")
                let ended = try await machine.events("session.ended")
                #expect(ended.count == 2 && ended.allSatisfy { text($0, "ended_by") == "limit" })
                #expect(try await machine.events("logout").allSatisfy { text($0, "ended_by") == "limit" })
                #expect(try await machine.run(["sh", "-c", "pgrep -x sleep -u alice,deploy || true"]).output.isEmpty)
            }
        }

        @Test(
            "a session ends with its identity, and at once where its person is revoked; a broken config.yml changes neither",
            arguments: OpenSSH.here)
        func identity(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release, config: "end_with_identity: true\n") { laptop, machine, alice, bob in
                let session = try laptop.open("alice", on: machine.daemon, keys: [alice], with: ["-tt"], ["sleep 300"])
                let other = try laptop.open("deploy", on: machine.daemon, keys: [bob], with: ["-tt"], ["sleep 300"])
                let sessions = try await machine.sessions(count: 2)
                #expect(sessions.allSatisfy { text($0, "ends_by") == "identity" })
                let id = try #require(sessions.first { text($0, "account") == "alice" }.flatMap { text($0, "session") })
                try await machine.write("no_such_key: 1\n", to: "/etc/opk/config.yml")
                let broken = try await machine.opk("enforce", succeeds: false)
                #expect(broken.status == 1 && broken.errors.contains("no_such_key"))
                #expect(try await machine.sessions().count == 2)
                try await machine.change(id, "identity_ends", to: SessionServer.time(-1))
                try await machine.change(id, "warned", to: SessionServer.time(-300))
                try await machine.opk("enforce", succeeds: false)
                #expect(try await session.waitForEnd() != 0)
                #expect(try await machine.sessions().count == 1)

                try await machine.write("end_with_identity: true\n", to: "/etc/opk/config.yml")
                try await machine.write("email:carol@example.com\n", to: "/etc/opk/revoked")
                try await machine.opk("enforce")
                #expect(try await machine.sessions().count == 1)
                try await machine.write("email:BOB@example.com\n", to: "/etc/opk/revoked")
                try await machine.opk("enforce")
                #expect(try await other.waitForEnd() != 0)
                #expect(other.text.contains("its login is no longer allowed"), "\(other.text)")
                let ended = try await machine.events("session.ended")
                #expect(ended.compactMap { text($0, "ended_by") } == ["identity", "revoked"])
            }
        }

        @Test(
            "whom config.yml denies while they are in is out at once: by account, by group, by email; others stay", arguments: OpenSSH.here)
        func denied(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release) { laptop, machine, alice, bob in
                let own = try laptop.open("alice", on: machine.daemon, keys: [alice], with: ["-tt"], ["sleep 300"])
                let shared = try laptop.open("deploy", on: machine.daemon, keys: [alice], ["sleep 300"])
                let other = try laptop.open("deploy", on: machine.daemon, keys: [bob], with: ["-tt"], ["sleep 300"])
                _ = try await machine.sessions(count: 3)
                func enforce(_ config: String, stay count: Int) async throws {
                    try await machine.write(config, to: "/etc/opk/config.yml")
                    try await machine.opk("enforce")
                    #expect(try await machine.sessions().count == count, "\(config)")
                }
                let ends = "end_with_identity: true\n"
                try await enforce("deny_users: [alice, deploy]\n", stay: 3)
                try await enforce(ends + "deny_users: [root]\ndeny_groups: [admins]\ndeny_emails: [carol@example.com]\n", stay: 3)
                try await enforce(ends + "deny_users: [Alice]\n", stay: 2)
                #expect(try await own.waitForEnd() != 0)
                #expect(own.text.contains("this session ends now: its login is no longer allowed"), "\(own.text)")
                // Hers, and not bob's.
                try await enforce(ends + "deny_groups: [OPS]\n", stay: 1)
                #expect(try await shared.waitForEnd() != 0)
                #expect(other.status == nil)
                try await enforce(ends + "deny_emails: [BOB@example.com]\n", stay: 0)
                #expect(try await other.waitForEnd() != 0)
                let ended = try await machine.events("session.ended")
                #expect(
                    ended.compactMap { text($0, "detail") } == [
                        "config.yml: deny_users has alice", "config.yml: deny_groups has ops",
                        "config.yml: deny_emails has bob@example.com",
                    ], "\(ended)")
                #expect((ended + (try await machine.events("logout"))).allSatisfy { text($0, "ended_by") == "revoked" })
                #expect(try await laptop.whoami("deploy", on: machine.daemon, keys: [bob]) == nil)
                #expect(try await machine.run(["sh", "-c", "pgrep -u alice,deploy || true"]).output.isEmpty)
            }
        }

        @Test(
            "who is revoked while they are in, by opk revoke, by key or by subject, is out within a run of the timer",
            arguments: OpenSSH.here)
        func revoked(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release, config: "end_with_identity: true\n") { laptop, machine, alice, bob in
                let first = try laptop.open("deploy", on: machine.daemon, keys: [alice], with: ["-tt"], ["sleep 300"])
                let second = try laptop.open("deploy", on: machine.daemon, keys: [bob], ["sleep 300"])
                let sessions = try await machine.sessions(count: 2)
                func of(_ email: String) throws -> [String: Any] { try #require(sessions.first { text($0, "email") == email }) }
                let key = try #require(text(try of("alice@example.com"), "key_fingerprint"))
                let subject = try #require(text(try of("bob@example.com"), "subject"))
                let issuer = try #require(text(try of("bob@example.com"), "issuer"))

                try await machine.opk(as: "revoke", key)
                try await machine.opk("enforce")
                #expect(try await first.waitForEnd() != 0)
                #expect(try await machine.sessions().compactMap { text($0, "email") } == ["bob@example.com"])
                // Of this identity alone, so another login would stay; then of the subject.
                try await machine.opk(as: "revoke", "sub:\(subject)@\(issuer)", "--before", SessionServer.time(-3600))
                try await machine.opk("enforce")
                #expect(try await machine.sessions().count == 1)
                try await machine.opk(as: "revoke", "sub:\(subject)@\(issuer)")
                try await machine.opk("enforce")
                #expect(try await second.waitForEnd() != 0)
                #expect(try await machine.sessions().isEmpty)
                let ended = try await machine.events("session.ended")
                #expect(ended.count == 2 && ended.allSatisfy { text($0, "ended_by") == "revoked" })
                #expect(text(ended[0], "detail")?.contains(key) == true && text(ended[1], "detail")?.contains(subject) == true, "\(ended)")
            }
        }

        @Test(
            "a process that has another's number is left alone, and sshd killed leaves a record that is cleared away",
            arguments: OpenSSH.here)
        func stale(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release) { laptop, machine, alice, _ in
                let session = try laptop.open("alice", on: machine.daemon, keys: [alice], ["sleep 300"])
                let first = try #require(try await machine.sessions(count: 1).first)
                let id = try #require(text(first, "session"))
                let start = try #require(text(first, "process_start"))
                // The session of before, whose number this process got.
                try await machine.change(id, "process_start", to: String((UInt64(start) ?? 1) - 1))
                #expect(try await machine.opk("end", id, succeeds: false).status == 0, "seen by its process")
                #expect(try await session.waitForEnd() != 0)

                let next = try laptop.open("alice", on: machine.daemon, keys: [alice], ["sleep 300"])
                let record = try #require(try await machine.sessions(count: 1).first { text($0, "session") != id })
                try await machine.run(["sh", "-c", ": > /var/log/opk/audit.jsonl"])
                try await machine.run(["kill", "-KILL", String(record["process"] as? Int ?? -1)])
                // What serves the account lives on without it, until the client goes.
                await next.stop()
                try await machine.opk("enforce")
                let logouts = try await machine.events("logout")
                #expect(logouts.contains { text($0, "session") == text(record, "session") && text($0, "ended_by") == "user" }, "\(logouts)")
                #expect(try await machine.run(["ls", "/run/opk/sessions"]).output == "enforced\n")
            }
        }

        @Test("without PAM a session is seen by its process and a decision, warned and ended all the same", arguments: OpenSSH.here)
        func withoutPAM(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release, config: "session_limit: 10m\n", rows: ["root bob@example.com"]) {
                laptop, machine, alice, bob in
                let daemon = try await machine.startDaemon("no-pam", pam: false)
                let session = try laptop.open("alice", on: daemon, keys: [alice], with: ["-tt"], ["sleep 300"])
                let seen = try #require(try await machine.sessions(count: 1).first)
                #expect(seen["seen_by_process"] as? Bool == true && text(seen, "email") == "alice@example.com")
                #expect(try await machine.events("login").isEmpty)
                #expect(try await machine.opk().output.contains("alice@example.com (seen)"))
                #expect(try await machine.opk("end", "account:alice").output.contains("alice@example.com"))
                #expect(try await session.waitForEnd() != 0)
                #expect(try await machine.sessions().isEmpty)

                // For root sshd has no other user's process, or, before 9.8, no other process at all.
                let root = try laptop.open("root", on: daemon, keys: [bob], with: ["-tt"], ["sleep 300"])
                let roots = try #require(try await machine.sessions(count: 1).first)
                #expect(roots["seen_by_process"] as? Bool == true && text(roots, "email") == "bob@example.com")
                #expect(text(roots, "account") == "root")
                // sshd asks for a terminal when the login is over.
                try await machine.until("root has a terminal") {
                    (try await machine.sessions().first?["tty"] as? [String])?.count == 1
                }
                #expect(try await machine.opk("end", "account:root").output.contains("bob@example.com"))
                #expect(try await root.waitForEnd() != 0)
                #expect(try await machine.sessions().isEmpty)
                await daemon.stop()
            }
        }

        @Test("SSH_OPK_IDENTITY says whose the session is, where sshd allows it; a row cannot say otherwise, and a session can")
        func told() async throws {
            let config = "session_identity: true\n"
            try await withSessionPeople(config: config, options: "environment=\"SSH_OPK_IDENTITY=root@example.com\"") {
                laptop, machine, alice, bob in
                let command = ["echo is:$SSH_OPK_IDENTITY"]
                // Not allowed: sshd passes the option over, and lets in all the same.
                #expect(try await laptop.ssh("alice", on: machine.daemon, keys: [alice], command).output == "is:\n")
                let daemon = try await machine.startDaemon("told", more: "PermitUserEnvironment SSH_OPK_IDENTITY", pam: true)
                #expect(try await laptop.ssh("alice", on: daemon, keys: [alice], command).output == "is:alice@example.com\n")
                #expect(try await laptop.ssh("deploy", on: daemon, keys: [bob], command).output == "is:bob@example.com\n")
                // What a client sends does not count.
                let sent = try await laptop.ssh(
                    "deploy", on: daemon, keys: [bob], with: ["-o", "SetEnv=SSH_OPK_IDENTITY=alice@example.com"], command)
                #expect(sent.output == "is:bob@example.com\n")
                // What the account has in its home does: the manual says so.
                try await machine.run(["install", "-d", "-o", "deploy", "-m", "0700", "/home/deploy/.ssh"])
                try await machine.write("SSH_OPK_IDENTITY=carol@example.com\n", to: "/home/deploy/.ssh/environment", owner: "deploy")
                #expect(try await laptop.ssh("deploy", on: daemon, keys: [bob], command).output == "is:carol@example.com\n")
                await daemon.stop()
            }
        }
    }
}
