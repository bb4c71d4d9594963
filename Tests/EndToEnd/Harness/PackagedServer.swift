import Foundation
import Testing

/// A small system, in memory, into which opk's packages are installed. .ci/install-sshd-roots fetches it.
final class PackagedServer: Sendable {
    enum System: String, CaseIterable, CustomTestStringConvertible {
        case bookworm, trixie, sid, noble

        var testDescription: String { self == .noble ? "Ubuntu noble" : "Debian \(rawValue)" }
        var archive: URL { Machine.packageRoot.appendingPathComponent(".build/sshd-roots/\(rawValue).tar") }
        var isHere: Bool { FileManager.default.fileExists(atPath: archive.path) && OpenSSH.whyNoRoots == nil }
        var notHere: Comment { "\(testDescription): \(OpenSSH.whyNoRoots ?? "it is not here (.ci/install-sshd-roots)")" }

        /// Whether its sshd knows `%C`.
        var saysConnection: Bool { self == .trixie || self == .sid }

        static let here = allCases.filter(\.isHere)
    }

    let root: SSHRoot
    let system: System
    private let server: Server
    private let folder: URL

    static func start(_ system: System, _ server: Server) async throws -> PackagedServer {
        let root = try await SSHRoot.start(system.archive, name: "packages-\(system)", server: server.folder)
        let folder = server.folder.appendingPathComponent("packaged-\(system)")
        try await Command.mustRun("install", ["-d", "-m", "0755", folder.path])
        let made = PackagedServer(root: root, system: system, server: server, folder: folder)
        do {
            // sudo asks for the machine's own name, and sshd for host keys.
            try await made.mustRun(["sh", "-c", "ssh-keygen -A >/dev/null; echo \"127.0.1.1 $(hostname)\" >> /etc/hosts"])
            return made
        } catch {
            await made.stop()
            throw error
        }
    }

    private init(root: SSHRoot, system: System, server: Server, folder: URL) {
        (self.root, self.system, self.server, self.folder) = (root, system, server, folder)
    }

    func stop() async {
        await root.stop()
    }

    /// A program in there, as root, with nobody to answer a question.
    func run(_ words: [String]) async throws -> Command.Outcome {
        let call = try root.entering() + words
        return try await Command.run(
            call[0], Array(call.dropFirst()),
            environment: Command.environment(home: "/root", adding: ["DEBIAN_FRONTEND": "noninteractive"]),
            deadline: 120)
    }

    @discardableResult
    func mustRun(_ words: [String]) async throws -> String {
        let outcome = try await run(words)
        guard outcome.status == 0 else { throw HarnessError("\(words.joined(separator: " ").prefix(300)): \(outcome.both)") }
        return outcome.both
    }

    /// - Parameter words: `install` and package files, or `remove` or `purge` and names.
    /// - Returns: all that was said.
    @discardableResult
    func apt(_ words: [String]) async throws -> String {
        try await mustRun(["apt-get", "-y", "-qq", "-o", "Dpkg::Use-Pty=0"] + words)
    }

    func append(_ line: String, to path: String) async throws {
        try await mustRun(["sh", "-c", "printf '%s\\n' \"$0\" >> \"$1\"", line, path])
    }

    func text(of path: String) async throws -> String { try await mustRun(["cat", path]) }

    /// What there is and whose it is, each file and folder of the system on a line, and what the files of /etc hold. Left out is what dpkg, apt and
    /// the tools that make accounts keep for themselves, whatever package comes and goes.
    func files() async throws -> Set<String> {
        let own = [
            "/var/lib/dpkg", "/var/lib/apt", "/var/cache/apt", "/var/cache/debconf", "/var/log/apt", "/var/log/dpkg.log",
            "/var/log/alternatives.log",
            // PAM's own, after the first login.
            "/run/motd.dynamic",
            "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/.pwd.lock",
        ]
        let prune = own.flatMap { ["-o", "-path", $0] }.dropFirst()
        let list = try await mustRun(["find", "/", "-xdev", "("] + prune + [")", "-prune", "-o", "-printf", "%p %y %m %U:%G %l\\n"])
        let content = try await mustRun(
            ["find", "/etc", "-xdev", "("] + prune + [")", "-prune", "-o", "-type", "f", "-exec", "sha256sum", "{}", "+"])
        return Set((list + content).split(separator: "\n").map(String.init))
    }

    /// An sshd in there that reads the drop-ins of /etc/ssh; the caller stops it.
    func startDaemon(pam: Bool = false) async throws -> SSHDaemon {
        let place = folder.appendingPathComponent("sshd-\(UUID().uuidString.prefix(8))")
        try await Command.mustRun("install", ["-d", "-m", "0755", place.path])
        let daemon = SSHDaemon(folder: place, port: try Machine.freePort(), root: root)
        try await daemon.start(asking: "Include /etc/ssh/sshd_config.d/*.conf", pam: pam)
        return daemon
    }
}
