import Foundation

/// A private sshd on 127.0.0.1, with a host key and a configuration of its own: this machine's program, or a root's.
final class SSHDaemon: @unchecked Sendable {
    let port: UInt16
    private let folder: URL
    private let root: SSHRoot?
    private var process: BackgroundProcess?
    private var madeRunFolder = false

    init(folder: URL, port: UInt16, root: SSHRoot? = nil) {
        self.folder = folder
        self.port = port
        self.root = root
    }

    var knownHosts: URL { folder.appendingPathComponent("known_hosts") }
    var log: String { process?.text ?? "" }

    /// - Parameters:
    ///   - wrapper: what to start sshd with, as `unshare -m …`; it gets sshd's path and arguments.
    ///   - addresses: where it listens.
    ///   - tries: after so many failed ones it hangs up.
    func start(
        command: String, user: String, wrapper: [String] = [], addresses: [String] = ["127.0.0.1"], tries: Int = 6
    ) async throws {
        try await start(
            asking: "AuthorizedKeysCommand \(command)\nAuthorizedKeysCommandUser \(user)", wrapper: wrapper, addresses: addresses,
            tries: tries)
    }

    /// - Parameter asking: the lines of its configuration that say whom it asks about a key.
    ///
    /// - Parameter pam: whether PAM opens and closes its sessions, as `/etc/pam.d/sshd` says.
    func start(
        asking: String, wrapper: [String] = [], addresses: [String] = ["127.0.0.1"], tries: Int = 6, pam: Bool = false
    ) async throws {
        let hostKey = folder.appendingPathComponent("host_key").path
        if !FileManager.default.fileExists(atPath: hostKey) {
            try await Command.mustRun("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", hostKey])
        }
        if root == nil { makeRunFolder() }
        let file = folder.appendingPathComponent("sshd_config").path
        let configuration = """
            Port \(port)
            \(addresses.map { "ListenAddress \($0)" }.joined(separator: "\n"))
            HostKey \(hostKey)
            PidFile none
            LogLevel VERBOSE
            AuthenticationMethods publickey
            AuthorizedKeysFile .ssh/authorized_keys
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            UsePAM \(pam ? "yes" : "no")
            MaxAuthTries \(tries)
            Subsystem sftp internal-sftp
            \(asking)

            """
        let sshd = try program()
        // From OpenSSH 9.8 on, failed logins make their address wait; earlier ones do not know the word.
        for extra in ["PerSourcePenalties no\n", ""] {
            try (configuration + extra).write(toFile: file, atomically: true, encoding: .utf8)
            if try await Command.run(sshd[0], sshd.dropFirst() + ["-t", "-f", file]).status == 0 { break }
        }
        let call = wrapper + sshd + ["-D", "-e", "-f", file]
        process = try BackgroundProcess(call[0], Array(call.dropFirst()), log: folder.appendingPathComponent("sshd.log"))
        _ = try await process?.waitForLine("listening sshd") { $0.contains("Server listening on \(addresses[0])") ? true : nil }
        let publicKey = try String(contentsOfFile: hostKey + ".pub", encoding: .utf8).split(separator: " ").prefix(2)
        let name = addresses.map { "[\($0)]:\(port)" }.joined(separator: ",")
        try "\(name) \(publicKey.joined(separator: " "))\n".write(to: knownHosts, atomically: true, encoding: .utf8)
    }

    func stop() async {
        await process?.stop()
        if madeRunFolder { rmdir("/run/sshd") }
    }

    /// sshd, and what it is put behind.
    private func program() throws -> [String] {
        if let root { return try root.entering() + ["/usr/sbin/sshd"] }
        guard let sshd = Machine.path("sshd") else { throw HarnessError("no sshd") }
        return [sshd]
    }

    /// The version that answers on its port.
    func version() async throws -> OpenSSH.Version {
        let greeting = try await Command.run("ssh-keyscan", ["-t", "ed25519", "-p", String(port), "127.0.0.1"]).both
        guard let version = OpenSSH.Version(in: greeting) else { throw HarnessError("no OpenSSH answers: \(greeting)") }
        return version
    }

    /// sshd wants its privilege separation folder.
    private func makeRunFolder() {
        if mkdir("/run/sshd", 0o755) == 0 { madeRunFolder = true }
    }
}
