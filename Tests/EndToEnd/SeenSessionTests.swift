import Foundation
import Testing
import Vocabulary

@testable import AuditTrail

extension RealSSH {
    /// Sessions that PAM does not report, on a real sshd: what the timer sees and writes down, and what it leaves alone whatever the log says.
    @Suite("Seen sessions", .enabled(if: Machine.canOverlay, Machine.noOverlay))
    struct SeenSessionTests {
        private func records(_ machine: SessionServer) async throws -> [String] {
            try await machine.run(["sh", "-c", "ls /run/opk/sessions 2>/dev/null || true"]).output.split(separator: "\n").map(String.init)
                .filter { $0 != "enforced" }
        }

        @Test(
            "without PAM the timer writes a session down when it sees it first, tells of its login once, and of its end once; it outlives the log's rotation",
            arguments: OpenSSH.here)
        func written(_ release: OpenSSH) async throws {
            try await withSessionPeople(on: release, options: "break-glass,reason=\"emergency\"", rows: ["root alice@example.com"]) {
                laptop, machine, alice, _ in
                let daemon = try await machine.startDaemon("no-pam", more: "PermitRootLogin yes", pam: false)
                let session = try laptop.open("alice", on: daemon, keys: [alice], with: ["-tt"], ["sleep 300"])
                let ports = try laptop.open("root", on: daemon, keys: [alice], with: ["-N"], [])
                let seen = try await machine.sessions(count: 2)
                #expect(seen.allSatisfy { $0["seen_by_process"] as? Bool == true })
                #expect(try await records(machine).isEmpty)
                #expect(try await machine.events("login").isEmpty)
                for _ in 0..<2 { try await machine.opk("enforce") }
                let logins = try await machine.events("login")
                #expect(logins.count == 2 && logins.allSatisfy { $0["notes"] as? [String] == ["seen"] && text($0, "program") == "opk" })
                #expect(logins.first { text($0, "account") == "alice" }?["break_glass"] as? Bool == true, "\(logins)")
                #expect(try await records(machine).sorted() == seen.compactMap { text($0, "session") }.sorted())
                // Nothing in the log says any more who they are.
                try await machine.run(["sh", "-c", ": > /var/log/opk/audit.jsonl"])
                let kept = try await machine.sessions()
                #expect(kept.count == 2 && kept.allSatisfy { text($0, "email") == "alice@example.com" && $0["verified"] as? Bool == true })

                await session.stop()
                await ports.stop()
                for _ in 0..<100 where try await machine.sessions().count > 0 { try await Task.sleep(for: .milliseconds(50)) }
                #expect(try await machine.sessions().isEmpty)
                for _ in 0..<2 { try await machine.opk("enforce") }
                let logouts = try await machine.events("logout")
                #expect(logouts.count == 2 && logouts.allSatisfy { text($0, "ended_by") == "user" }, "\(logouts)")
                #expect(try await records(machine).isEmpty)
                #expect(try await machine.events("login").isEmpty)
                await daemon.stop()
            }
        }

        @Test(
            "what opksshuser writes into the log, and even a record, ends no listener, nor the sessions under it", arguments: OpenSSH.here)
        func forged(_ release: OpenSSH) async throws {
            let config = "deny_emails: [evil@example.com]\nend_with_identity: true\n"
            try await withSessionPeople(on: release, config: config) { laptop, machine, alice, _ in
                let session = try laptop.open("alice", on: machine.daemon, keys: [alice], ["sleep 300"])
                let own = try #require(try await machine.sessions(count: 1).first)
                let oldest = ["sh", "-c", "for name in $(grep -lx sshd /proc/[0-9]*/comm | sort -V); do echo $name; break; done"]
                let listener = try #require(
                    try await machine.run(oldest).output.split(separator: "/").dropFirst().first.flatMap { Int32($0) })
                #expect(try await machine.run(["cat", "/proc/\(listener)/cmdline"]).output.contains("[listener]"))
                let boot = try await machine.run(["cat", "/proc/sys/kernel/random/boot_id"]).output
                let start = try #require(
                    ConnectionID.startTime(Array(try await machine.run(["cat", "/proc/\(listener)/stat"]).output.utf8)))
                let id = ConnectionID.of(boot: Array(boot.utf8), process: listener, start: start)
                for account in ["root", "alice"] {
                    let line = """
                        {"v":1,"time":"\(AuditEvent.timestamp(.now()))","id":"aaaaaaaaaa","type":"decision","attempt":"\(id)","host":"x","program":"opk-verify",\
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
                let file = try await machine.run(["cat", "/run/opk/sessions/\(try #require(text(own, "session")))"]).output
                var record = try #require(try JSONSerialization.jsonObject(with: Data(file.utf8)) as? [String: Any])
                for (name, value) in [
                    ("session", id as Any), ("process", Int(listener)), ("process_start", String(decoding: start, as: UTF8.self)),
                    ("email", "evil@example.com"),
                ] { record[name] = value }
                let forged = String(decoding: try JSONSerialization.data(withJSONObject: record), as: UTF8.self)
                try await machine.write(forged, to: "/run/opk/sessions/\(id)", mode: "0600")
                let refused = try await machine.opk("enforce", succeeds: false)
                #expect(refused.status == 1 && refused.errors.contains("\(listener) is still there"), "\(refused.both)")
                try await machine.opk("end", id, succeeds: false)
                try await machine.run(["rm", "/run/opk/sessions/\(id)"])
                #expect(try await machine.events("session.ended").isEmpty)
                #expect(try await machine.run(["cat", "/proc/\(listener)/cmdline"]).output.contains("[listener]"))
                #expect(try await machine.sessions().compactMap { text($0, "session") } == [text(own, "session")])
                #expect(try await laptop.whoami("alice", on: machine.daemon, keys: [alice]) == "alice")
                await session.stop()
            }
        }
    }
}
