import Foundation
import Testing

extension RealSSH {
    /// What only the system's own audit log gets: events of programs that are told no other file.
    @Suite("The system's audit log", .enabled(if: Machine.canOverlay, Machine.noOverlay))
    struct AuditedSystemTests {
        private static let verify = "/usr/local/libexec/opk/opk-verify"

        private func running(as user: String, _ words: [String]) -> [String] {
            ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "--"] + words
        }

        @Test(
            "a wrong call of opk-verify is an event where root or sshd's user makes it, as by a line that gives too few words; others' are none"
        )
        func wrongCall() async throws {
            try await withSessionPeople { laptop, machine, alice, _ in
                let nonsense = "--\u{1B}[2J\"\n"
                for (caller, words) in [("root", [nonsense]), ("opksshuser", ["alice", "key"]), ("alice", [nonsense]), ("nobody", [])] {
                    let group =
                        caller == "nobody"
                        ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] : running(as: caller, [])
                    let run = try await machine.run(group + [Self.verify] + words, succeeds: false)
                    #expect(run.status == 2 && run.output.isEmpty, "\(caller): \(run.both)")
                }
                let events = try await machine.events()
                #expect(events.count == 2 && events.allSatisfy { text($0, "reason") == "wrong-call" && $0["granted"] as? Bool == false })
                #expect(events.allSatisfy { text($0, "type") == "decision" && $0["account"] == nil && $0["step"] == nil })
                #expect(text(events[0], "detail") == "unknown option --\\u{1b}[2J\\\"\\u{a}", "\(events)")
                #expect(text(events[1], "detail") == "a user, a key and a key type are wanted")

                try await machine.run(["sh", "-c", ": > /var/log/opk/audit.jsonl"])
                let asking = SessionServer.asking.replacing(" %k %t", with: " %k")
                let daemon = try await machine.startDaemon("words", asking: asking, pam: true)
                #expect(try await laptop.whoami("alice", on: daemon, keys: [alice]) == nil)
                await daemon.stop()
                let asked = try await machine.events()
                #expect(!asked.isEmpty && asked.allSatisfy { text($0, "reason") == "wrong-call" }, "\(asked)")
                // Of one connection, and no login.
                #expect(Set(asked.map { text($0, "attempt") ?? "" }).count == 1 && text(asked[0], "attempt") != nil)
            }
        }

        @Test(
            "keys that root had fetched or imported are one event, with their issuers and who did it; what stays as it is, and a try, are none"
        )
        func keys() async throws {
            try await withSessionPeople { _, machine, _, _ in
                let row = try await machine.run(["cat", "/etc/opk/providers"]).output
                let issuer = try #require(row.split(separator: " ").first.map(String.init))
                let closed = "http://127.0.0.1:\(try Machine.freePort())"
                func changes(_ count: Int) async throws -> [String: Any] {
                    let events = try await machine.events()
                    guard events.count == count else { throw HarnessError("\(events.count) events, not \(count): \(events)") }
                    return events.last ?? [:]
                }
                func expect(_ event: [String: Any], _ command: String, _ action: String) {
                    #expect(text(event, "type") == "keys.changed" && text(event, "program") == "opk" && text(event, "command") == command)
                    let change = event["change"] as? [String: Any] ?? [:]
                    #expect(text(change, "action") == action && change["rows"] as? [String] == [issuer] && change.count == 2, "\(event)")
                    let actor = event["actor"] as? [String: Any] ?? [:]
                    #expect(actor["uid"] as? Int == 0 && text(actor, "account") == "root", "\(actor)")
                    #expect(event["granted"] == nil && event["attempt"] == nil)
                }
                try await machine.opk(as: "keys refresh")
                expect(try await changes(1), "opk keys refresh", "fetched")
                try await machine.opk(as: "keys refresh", "--if-older-than", "1h")
                _ = try await changes(1)
                // One that cannot be fetched is not in it, and alone it is no event.
                try await machine.write(row + "\(closed) other 24h\n", to: "/etc/opk/providers")
                #expect(try await machine.opk(as: "keys refresh", succeeds: false).status == 1)
                expect(try await changes(2), "opk keys refresh", "fetched")
                #expect(try await machine.opk(as: "keys refresh", closed, succeeds: false).status == 1)
                _ = try await changes(2)

                try await machine.write(try await machine.opk(as: "keys export", issuer).output, to: "/root/keys")
                try await machine.opk(as: "keys import", "/root/keys")
                try await machine.opk(as: "keys import", "--force", "--dry-run", "/root/keys")
                _ = try await changes(2)
                try await machine.opk(as: "keys import", "--force", "/root/keys")
                expect(try await changes(3), "opk keys import", "imported")

                // The owner's own renewal, which a timer does every half hour.
                #expect(try await machine.run(running(as: "opksshuser", [try SessionServer.opk(), "keys", "refresh", issuer])).status == 0)
                _ = try await changes(3)
                // A log that is not to be written to: the keys are renewed, and it is said.
                try await machine.run(["chmod", "0666", "/var/log/opk/audit.jsonl"])
                let unsafe = try await machine.opk(as: "keys refresh", issuer)
                #expect(
                    unsafe.errors.contains("opk: warning: this change is not in the audit log (/var/log/opk/audit.jsonl): "),
                    "\(unsafe.both)")
                _ = try await changes(3)
            }
        }
    }
}
