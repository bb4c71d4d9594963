import Foundation

/// A copy of this machine after `make install`: /etc/opk, users, sudo and sshd's drop-in as they come, and an sshd that reads it. So what needs root's own
/// files and sudo can be seen at work.
final class InstalledServer: Sendable {
    let root: SSHRoot
    let daemon: SSHDaemon
    /// Of opk-verify and sudo.
    let log: LogSocket
    private let folder: URL

    static func start(_ server: Server) async throws -> InstalledServer {
        let root = try await SSHRoot.copyOfThisMachine(server: server.folder)
        let folder = server.folder.appendingPathComponent("installed")
        try await Command.mustRun("install", ["-d", "-m", "0755", folder.path])
        let daemon = SSHDaemon(folder: folder, port: try Machine.freePort(), root: root)
        let made = InstalledServer(root: root, daemon: daemon, log: server.log, folder: folder)
        do {
            try await daemon.start(asking: "Include /etc/ssh/sshd_config.d/60-opk.conf")
            return made
        } catch {
            await made.stop()
            throw error
        }
    }

    private init(root: SSHRoot, daemon: SSHDaemon, log: LogSocket, folder: URL) {
        (self.root, self.daemon, self.log, self.folder) = (root, daemon, log, folder)
    }

    func stop() async {
        await daemon.stop()
        await root.stop()
    }

    /// Another sshd on it, which asks somebody else; the caller stops it.
    func startDaemon(_ name: String, asking: String) async throws -> SSHDaemon {
        let place = folder.appendingPathComponent(name)
        try await Command.mustRun("install", ["-d", "-m", "0755", place.path])
        let other = SSHDaemon(folder: place, port: try Machine.freePort(), root: root)
        try await other.start(asking: asking)
        return other
    }

    /// A program on it, as root.
    func run(_ words: [String]) async throws -> Command.Outcome {
        let call = try root.entering() + words
        return try await Command.run(call[0], Array(call.dropFirst()), environment: Command.environment(home: "/root"))
    }

    @discardableResult
    func mustRun(_ words: [String]) async throws -> String {
        let outcome = try await run(words)
        guard outcome.status == 0 else { throw HarnessError("\(words.joined(separator: " ").prefix(300)): \(outcome.both)") }
        return outcome.output
    }

    /// - Parameter owner: with the group, as `alice:alice`.
    func write(_ text: String, to path: String, owner: String = "root:opksshuser", mode: String = "0640") async throws {
        let names = owner.split(separator: ":").map(String.init)
        // The folder is in the same place on the copy.
        let draft = folder.appendingPathComponent("draft").path
        try text.write(toFile: draft, atomically: true, encoding: .utf8)
        try await mustRun(["install", "-o", names[0], "-g", names[1], "-m", mode, draft, path])
    }

    /// What the administrator writes into /etc/opk; what is not given is not there. The key cache is as on the first day.
    func configure(providers: [String], authID: [String] = [], config: String? = nil) async throws {
        try await mustRun(["sh", "-c", "rm -rf /etc/opk/* /home/*/.opk /var/cache/opk/*"])
        try await write(providers.map { $0 + "\n" }.joined(), to: "/etc/opk/providers")
        try await write(authID.map { $0 + "\n" }.joined(), to: "/etc/opk/auth_id")
        if let config { try await write(config, to: "/etc/opk/config.yml") }
        log.clear()
    }

    /// What `account` writes into its own ~/.opk/auth_id.
    func writeHome(_ account: String, _ lines: [String]) async throws {
        try await mustRun(["install", "-d", "-m", "0755", "-o", account, "-g", account, "/home/\(account)/.opk"])
        try await write(
            lines.map { $0 + "\n" }.joined(), to: "/home/\(account)/.opk/auth_id", owner: "\(account):\(account)", mode: "0600")
    }
}
