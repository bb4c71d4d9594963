import Foundation
import TestSupport
import Testing

/// A copy of this machine on which PAM opens sshd's sessions and opk-session is told: with this machine's /etc/opk, /var/log/opk and /run of its own, and
/// three accounts, alice, bob and deploy.
final class SessionServer: Sendable {
    private let root: SSHRoot
    let daemon: SSHDaemon
    private let folder: URL

    /// $1: where; $2: the programs; $3: the server's folder; $4: the tests' process.
    private static let script = """
        set -e
        root=$1 programs=$2 folder=$3 tests=$4
        mount -t tmpfs -o mode=0755 copy /mnt
        mkdir /mnt/upper /mnt/work /mnt/root
        mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
        mount --rbind /mnt/root "$root"
        cd "$root"
        mount -t tmpfs -o mode=0755 dev dev
        for node in 'null 3' 'zero 5' 'full 7' 'random 8' 'urandom 9'; do mknod -m 0666 "dev/${node% *}" c 1 "${node#* }"; done
        mknod -m 0666 dev/tty c 5 0
        mkdir dev/pts dev/shm
        ln -s /proc/self/fd dev/fd
        mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
        ln -s pts/ptmx dev/ptmx
        ln -s "$folder/log" dev/log
        mount -t proc proc proc
        mount -t tmpfs -o mode=0755 run run
        mkdir run/sshd
        mkdir -p ".$folder" ".$programs"
        mount --bind "$folder" ".$folder"
        mount --bind "$programs" ".$programs"
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
            for account in alice bob deploy; do
                useradd --create-home --home-dir "/home/$account" --shell /bin/sh --password "*" "$account"
            done
            { echo "session optional pam_exec.so quiet type=open_session /usr/local/libexec/opk/opk-session"
              echo "account required pam_permit.so"
              echo "session required pam_permit.so"; } > /etc/pam.d/sshd
        ' "$programs"
        echo ready
        # /proc is still that of outside, where the tests are a process.
        while [ -d "/proc/$tests" ]; do sleep 2; done
        """

    static let asking = "AuthorizedKeysCommand /usr/local/libexec/opk/opk-verify -- %u %k %t\nAuthorizedKeysCommandUser opksshuser"

    static func start(_ server: Server) async throws -> SessionServer {
        guard let programs = Machine.programs else { throw HarnessError("no programs") }
        let name = "sessions-\(UUID().uuidString.prefix(6))"
        let folder = server.folder.appendingPathComponent(name)
        try await Command.mustRun("install", ["-d", "-m", "0755", folder.path])
        let root = try await SSHRoot.start(
            script, name: name, server: server.folder,
            [programs.resolvingSymlinksInPath().path, server.folder.path, String(getpid())])
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
    func startDaemon(_ name: String, more: String = "", pam: Bool) async throws -> SSHDaemon {
        let place = folder.appendingPathComponent(name)
        try await Command.mustRun("install", ["-d", "-m", "0755", place.path])
        let other = SSHDaemon(folder: place, port: try Machine.freePort(), root: root)
        try await other.start(asking: SessionServer.asking + "\n" + more, pam: pam)
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

    /// `opk sessions …`
    @discardableResult
    func opk(_ words: String..., succeeds: Bool = true) async throws -> Command.Outcome {
        guard let programs = Machine.programs else { throw HarnessError("no programs") }
        return try await run(
            [programs.resolvingSymlinksInPath().appendingPathComponent("opk").path, "sessions"] + words, succeeds: succeeds)
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
