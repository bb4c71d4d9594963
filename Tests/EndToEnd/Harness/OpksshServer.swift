import Foundation

/// A second sshd that asks Debian's own opkssh instead of opk-verify. opkssh reads /etc/opk and nothing else, so this sshd lives in a mount
/// namespace of its own, in which /etc/opk is a folder of ours and /etc/passwd knows its user; the machine's own files are not touched.
final class OpksshServer: Sendable {
    let daemon: SSHDaemon
    private let madeMountPoint: Bool

    private static let user = "opksshuser"
    private static let identifier = "64999"

    static func start(_ server: Server, providers: [String], authID: [String], certificateAuthority: String? = nil) async throws
        -> OpksshServer
    {
        let folder = server.folder.appendingPathComponent("opkssh")
        let configuration = folder.appendingPathComponent("etc")
        try? FileManager.default.removeItem(at: folder)
        for part in [folder, configuration] { try await Command.mustRun("install", ["-d", "-m", "0755", part.path]) }
        let program = folder.appendingPathComponent("opkssh").path
        try await Command.mustRun("install", ["-m", "0755", Machine.opkssh.path, program])
        var files = ["providers": providers, "auth_id": authID]
        if let certificateAuthority { files["config.yml"] = ["---", "env_vars:", "  SSL_CERT_FILE: \(certificateAuthority)"] }
        for (name, lines) in files {
            let file = configuration.appendingPathComponent(name).path
            try lines.map { $0 + "\n" }.joined().write(toFile: file, atomically: true, encoding: .utf8)
            try await Command.mustRun("chmod", ["0640", file])
            try await Command.mustRun("chown", ["0:\(identifier)", file])
        }
        try addingUser(to: "/etc/passwd", "\(user):x:\(identifier):\(identifier)::/nonexistent:/usr/sbin/nologin", in: folder)
        try addingUser(to: "/etc/group", "\(user):x:\(identifier):", in: folder)
        // A mount needs something to be mounted on.
        let madeMountPoint = mkdir("/etc/opk", 0o755) == 0
        let script = """
            set -e
            mount --bind "$1/etc" /etc/opk
            mount --bind "$1/passwd" /etc/passwd
            mount --bind "$1/group" /etc/group
            shift
            exec "$@"
            """
        let daemon = SSHDaemon(folder: folder, port: try Machine.freePort())
        let result = OpksshServer(daemon: daemon, madeMountPoint: madeMountPoint)
        do {
            guard let unshare = Machine.path("unshare") else { throw HarnessError("no unshare") }
            try await daemon.start(
                command: "\(program) verify %u %k %t", user: user,
                wrapper: [unshare, "--mount", "--propagation", "private", "sh", "-c", script, "sh", folder.path])
            return result
        } catch {
            await result.stop()
            throw error
        }
    }

    private init(daemon: SSHDaemon, madeMountPoint: Bool) {
        self.daemon = daemon
        self.madeMountPoint = madeMountPoint
    }

    func stop() async {
        await daemon.stop()
        // Only if it is empty, as it was made.
        if madeMountPoint { rmdir("/etc/opk") }
    }

    /// A copy of the file, with this line instead of any for the same name.
    private static func addingUser(to path: String, _ line: String, in folder: URL) throws {
        let name = line.prefix { $0 != ":" } + ":"
        let kept = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix(name) }
        let copy = folder.appendingPathComponent(URL(fileURLWithPath: path).lastPathComponent).path
        guard
            FileManager.default.createFile(
                atPath: copy, contents: Data((kept + [Substring(line)]).map { $0 + "\n" }.joined().utf8),
                attributes: [.posixPermissions: 0o644])
        else { throw HarnessError("cannot write \(copy)") }
    }
}
