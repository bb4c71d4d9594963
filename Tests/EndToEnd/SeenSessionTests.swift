import Foundation
import Testing
import Vocabulary

@testable import AuditTrail

extension RealSSH {
    /// Sessions that PAM does not report, on a real sshd: what the timer sees and writes down, and what it leaves alone whatever the log says.
    @Suite("Seen sessions", .enabled(if: Machine.canOverlay, Machine.noOverlay))
    struct SeenSessionTests {
        /// alice with a key; she may log in as alice, and in an emergency as root.
        private func withAlice(
            config: String = "", _ body: (Laptop, SessionServer, _ alice: String) async throws -> Void
        ) async throws {
            try await withDemoProvider { laptop, provider, server in
                let alice = try await laptop.logIn(provider.clientSpecification, key: "alice", visit: provider.press("alice"))
                let machine = try await SessionServer.start(server)
                do {
                    let person = "alice@example.com \(provider.issuer)"
                    try await machine.configure(
                        provider.issuer, authID: ["alice \(person)", "root \(person) break-glass,reason=\"emergency\""], config: config)
                    try await body(laptop, machine, alice)
                } catch {
                    await machine.stop()
                    throw error
                }
                await machine.stop()
            }
        }

        private func member(_ event: [String: Any], _ name: String) -> String? { event[name] as? String }

        private func records(_ machine: SessionServer) async throws -> [String] {
            try await machine.run(["sh", "-c", "ls /run/opk/sessions 2>/dev/null || true"]).output.split(separator: "\n").map(String.init)
        }

        @Test("without PAM the timer writes a session down when it sees it first, tells of its login once, and of its end once; it outlives the log's rotation")
        func written() async throws {
            try await withAlice { laptop, machine, alice in
                let daemon = try await machine.startDaemon("no-pam", more: "PermitRootLogin yes", pam: false)
                let session = try laptop.open("alice", on: daemon, keys: [alice], with: ["-tt"], ["sleep 300"])
                let ports = try laptop.open("root", on: daemon, keys: [alice], with: ["-N"], [])
                let seen = try await machine.sessions(count: 2)
                #expect(seen.allSatisfy { $0["seen_by_process"] as? Bool == true })
                #expect(try await records(machine).isEmpty && machine.events("login").isEmpty)
                for _ in 0..<2 { try await machine.opk("enforce") }
                let logins = try await machine.events("login")
                #expect(logins.count == 2 && logins.allSatisfy { $0["notes"] as? [String] == ["seen"] && member($0, "program") == "opk" })
                #expect(logins.first { member($0, "account") == "root" }?["break_glass"] as? Bool == true, "\(logins)")
                #expect(try await records(machine).sorted() == seen.compactMap { member($0, "session") }.sorted())
                // Nothing in the log says any more who they are.
                try await machine.run(["sh", "-c", ": > /var/log/opk/audit.jsonl"])
                let kept = try await machine.sessions()
                #expect(kept.count == 2 && kept.allSatisfy { member($0, "email") == "alice@example.com" && $0["verified"] as? Bool == true })

                await session.stop()
                await ports.stop()
                for _ in 0..<100 where try await machine.sessions().count > 0 { try await Task.sleep(for: .milliseconds(50)) }
                #expect(try await machine.sessions().isEmpty)
                for _ in 0..<2 { try await machine.opk("enforce") }
                let logouts = try await machine.events("logout")
                #expect(logouts.count == 2 && logouts.allSatisfy { member($0, "ended_by") == "user" }, "\(logouts)")
                #expect(try await records(machine).isEmpty && machine.events("login").isEmpty)
                await daemon.stop()
            }
        }

        @Test("what opksshuser writes into the log, and even a record, ends no listener, nor the sessions under it")
        func forged() async throws {
            try await withAlice(config: "deny_emails: [evil@example.com]\nend_with_identity: true\n") { laptop, machine, alice in
                let session = try laptop.open("alice", on: machine.daemon, keys: [alice], ["sleep 300"])
                let own = try #require(try await machine.sessions(count: 1).first)
                let listener = try #require(Int32(try await machine.run(["pgrep", "-o", "-x", "sshd"]).output.dropLast()))
                #expect(try await machine.run(["cat", "/proc/\(listener)/cmdline"]).output.contains("[listener]"))
                let boot = try await machine.run(["cat", "/proc/sys/kernel/random/boot_id"]).output
                let start = try #require(ConnectionID.startTime(Array(try await machine.run(["cat", "/proc/\(listener)/stat"]).output.utf8)))
                let id = ConnectionID.of(boot: Array(boot.utf8), process: listener, start: start)
                for account in ["root", "alice"] {
                    let line = """
                        {"v":1,"time":"\(UnixTime.now())","id":"aaaaaaaaaa","type":"decision","attempt":"\(id)","host":"x","program":"opk-verify",\
                        "account":"\(account)","granted":true,"verified":true,"issuer":"https://x.example","subject":"s","email":"evil@example.com"}
                        """
                    try await machine.run([
                        "setpriv", "--reuid=opksshuser", "--regid=opksshuser", "--clear-groups", "sh", "-c",
                        "printf '%s\\n' '\(line)' >> /var/log/opk/audit.jsonl",
                    ])
                    #expect(try await machine.sessions().count == 1)
                    try await machine.opk("enforce")
                }
                // A record that says it: root alone could write it.
                let file = try await machine.run(["cat", "/run/opk/sessions/\(try #require(member(own, "session")))"]).output
                var record = try #require(try JSONSerialization.jsonObject(with: Data(file.utf8)) as? [String: Any])
                for (name, value) in [
                    ("session", id as Any), ("process", Int(listener)), ("process_start", String(decoding: start, as: UTF8.self)),
                    ("email", "evil@example.com"),
                ] { record[name] = value }
                let text = String(decoding: try JSONSerialization.data(withJSONObject: record), as: UTF8.self)
                try await machine.write(text, to: "/run/opk/sessions/\(id)", mode: "0600")
                let refused = try await machine.opk("enforce", succeeds: false)
                #expect(refused.status == 1 && refused.errors.contains("\(listener) is still there"), "\(refused.both)")
                try await machine.opk("end", id, succeeds: false)
                try await machine.run(["rm", "/run/opk/sessions/\(id)"])
                #expect(try await machine.events("session.ended").isEmpty)
                #expect(try await machine.run(["pgrep", "-o", "-x", "sshd"]).output == "\(listener)\n")
                #expect(try await machine.sessions().compactMap { member($0, "session") } == [member(own, "session")])
                #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [alice]) == "alice")
                await session.stop()
            }
        }
    }
}
