import Foundation
import TestSupport
import Testing

/// A system on which PAM opens sshd's sessions and opk-session is told: a copy of this machine, or a newer Debian, with /etc/opk, /var/log/opk and /run of
/// its own, and three accounts, alice, bob and deploy.
final class SessionServer: Sendable {
    private let root: SSHRoot
    let daemon: SSHDaemon
    private let folder: URL

    private static let making = """
        chroot "$root" sh -ec '
            programs=$0
            getent passwd opksshuser >/dev/null || useradd --system --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin opksshuser
            install -d -m 0755 /usr/local/libexec /usr/local/libexec/opk /etc/opk
            for program in opk-verify opk-fetch opk-home opk-session; do install -m 0755 "$programs/$program" /usr/local/libexec/opk/; done
            chown root:opksshuser /usr/local/libexec/opk/opk-session
            chmod 2750 /usr/local/libexec/opk/opk-session
            install -d -m 0755 -o opksshuser -g opksshuser /var/cache/opk
            install -d -m 0755 /var/log/opk /var/lib/opk
            install -m 0640 -o opksshuser -g adm /dev/null /var/log/opk/audit.jsonl
            { echo "session optional pam_exec.so quiet type=open_session /usr/local/libexec/opk/opk-session"
              echo "account required pam_permit.so"
              echo "session required pam_permit.so"; } > /etc/pam.d/sshd
        ' "$shown"
        """

    static let asking = "AuthorizedKeysCommand /usr/local/libexec/opk/opk-verify -- %u %k %t\nAuthorizedKeysCommandUser opksshuser"

    static func start(_ server: Server, _ release: OpenSSH = .machine) async throws -> SessionServer {
        guard let programs = Machine.programs else { throw HarnessError("no programs") }
        let name = "sessions-\(UUID().uuidString.prefix(6))"
        let folder = server.folder.appendingPathComponent(name)
        try await Command.mustRun("install", ["-d", "-m", "0755", folder.path])
        let root = try await SSHRoot.copyOfThisMachine(
            name, server: server.folder, of: release.archive, showing: programs.resolvingSymlinksInPath(),
            accounts: ["alice", "bob", "deploy"], making)
        let made = SessionServer(root: root, daemon: SSHDaemon(folder: folder, port: try Machine.freePort(), root: root), folder: folder)
        do {
            try await made.daemon.start(asking: asking, pam: true)
        } catch {
            await made.stop()
            throw error
        }
        return made
    }

    private init(root: SSHRoot, daemon: SSHDaemon, folder: URL) { (self.root, self.daemon, self.folder) = (root, daemon, folder) }

    func stop() async {
        await daemon.stop()
        await root.stop()
    }

    /// Another sshd on it; the caller stops it.
    func startDaemon(_ name: String, asking: String = SessionServer.asking, more: String = "", pam: Bool) async throws -> SSHDaemon {
        let place = folder.appendingPathComponent(name)
        try await Command.mustRun("install", ["-d", "-m", "0755", place.path])
        let other = SSHDaemon(folder: place, port: try Machine.freePort(), root: root)
        try await other.start(asking: asking + "\n" + more, pam: pam)
        return other
    }

    /// A program on it, as root.
    @discardableResult
    func run(_ words: [String], succeeds: Bool = true) async throws -> Command.Outcome {
        let call = try root.entering() + words
        let outcome = try await Command.run(call[0], Array(call.dropFirst()), environment: Command.environment(home: "/root"))
        if succeeds, outcome.status != 0 { throw HarnessError("\(words.joined(separator: " ").prefix(200)): \(outcome.both)") }
        return outcome
    }

    /// `opk sessions …`, or another of its commands.
    @discardableResult
    func opk(as command: String = "sessions", _ words: String..., succeeds: Bool = true) async throws -> Command.Outcome {
        try await run([SessionServer.opk()] + command.split(separator: " ").map(String.init) + words, succeeds: succeeds)
    }

    /// Where it lies, outside and inside.
    static func opk() throws -> String {
        guard let programs = Machine.programs else { throw HarnessError("no programs") }
        return programs.resolvingSymlinksInPath().appendingPathComponent("opk").path
    }

    func write(_ text: String, to path: String, owner: String = "root", mode: String = "0644") async throws {
        let draft = folder.appendingPathComponent("draft").path
        try text.write(toFile: draft, atomically: true, encoding: .utf8)
        try await run(["install", "-o", owner, "-m", mode, draft, path])
    }

    func configure(_ issuer: String, authID: [String], config: String = "") async throws {
        try await write("\(issuer) opk-demo 24h\n", to: "/etc/opk/providers")
        try await write(authID.map { "\($0)\n" }.joined(), to: "/etc/opk/auth_id")
        try await write(config, to: "/etc/opk/config.yml")
        try await run(["sh", "-c", "rm -rf /var/cache/opk/* /etc/opk/revoked; : > /var/log/opk/audit.jsonl"])
    }

    /// The audit log's events.
    func events(_ type: String? = nil) async throws -> [[String: Any]] {
        let log = try await run(["cat", "/var/log/opk/audit.jsonl"]).output
        #expect(try EventSchema.problems(log) == [])
        return try log.split(separator: "\n").map { line in
            try (JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]) ?? [:]
        }.filter { type == nil || $0["type"] as? String == type }
    }

    /// The events of that kind, once there are so many.
    func events(_ type: String, count: Int) async throws -> [[String: Any]] {
        for _ in 0..<100 {
            let found = try await events(type)
            if found.count >= count { return found }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await events(type)
    }

    /// The live sessions, as `opk sessions --json` has them.
    func sessions() async throws -> [[String: Any]] {
        let answer = try await opk("--json").output
        return ((try JSONSerialization.jsonObject(with: Data(answer.utf8))) as? [String: Any])?["sessions"] as? [[String: Any]] ?? []
    }

    /// Waits until no session is left.
    func gone() async throws { _ = try await sessions(count: 0) }

    /// Once there are so many.
    func sessions(count: Int) async throws -> [[String: Any]] {
        var found: [[String: Any]] = []
        for _ in 0..<200 {
            found = try await sessions()
            if found.count == count { return found }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw HarnessError("\(found.count) sessions, not \(count): \(found)")
    }

    /// Once it is so.
    func until(_ what: String, _ holds: () async throws -> Bool) async throws {
        for _ in 0..<200 {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw HarnessError("no \(what)")
    }

    /// Changes a member of a session's record, which is root's to write.
    func change(_ id: String, _ member: String, to value: Any) async throws {
        let path = "/run/opk/sessions/\(id)"
        let text = try await run(["cat", path]).output
        guard var record = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw HarnessError("no record")
        }
        record[member] = value
        try await write(String(decoding: try JSONSerialization.data(withJSONObject: record), as: UTF8.self), to: path, mode: "0600")
    }

    /// `seconds` from now, as a record has it.
    static func time(_ seconds: Int) -> String {
        let form = ISO8601DateFormatter()
        form.formatOptions = [.withInternetDateTime]
        return form.string(from: Date(timeIntervalSinceNow: Double(seconds)))
    }
}

/// A laptop whose alice and bob have logged in, with a key each, and a session server; alice may log in as alice, both as deploy.
///
/// - Parameters:
///   - options: of alice's row.
///   - rows: of auth_id besides, without the issuer.
func withSessionPeople(
    on release: OpenSSH = .machine, config: String = "", options: String = "", rows: [String] = [],
    _ body: (Laptop, SessionServer, _ alice: String, _ bob: String) async throws -> Void
) async throws {
    try await withDemoProvider { laptop, provider, server in
        let alice = try await laptop.logIn(provider.clientSpecification, key: "alice", visit: provider.press("alice"))
        let bob = try await laptop.logIn(provider.clientSpecification, key: "bob", visit: provider.press("bob"))
        let machine = try await SessionServer.start(server, release)
        do {
            let all = ["alice alice@example.com", "deploy alice@example.com", "deploy bob@example.com"] + rows
            try await machine.configure(
                provider.issuer, authID: all.enumerated().map { "\($1) \(provider.issuer)" + ($0 == 0 ? " \(options)" : "") },
                config: config)
            try await body(laptop, machine, alice, bob)
        } catch {
            await machine.stop()
            throw error
        }
        await machine.stop()
    }
}

/// A text of an event.
func text(_ event: [String: Any], _ member: String) -> String? { event[member] as? String }
