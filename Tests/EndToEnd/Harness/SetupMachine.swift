import Foundation

/// A copy of this machine of a test's own, on which `opk setup server` may do what it does: `make install` has been run, and sshd runs as a
/// distribution starts it, by /etc/ssh/sshd_config and with its PidFile.
final class SetupMachine: Sendable {
    let root: SSHRoot
    /// For a laptop: where that sshd listens, and its host key.
    let daemon: SSHDaemon
    /// In the same place on the copy.
    let folder: URL

    /// - Parameters:
    ///   - configuration: further lines of sshd_config, at its end.
    ///   - hasDropIn: whether the file that `make install` writes for sshd is there.
    ///   - hasKey: whether root has a key in authorized_keys, which is another way in: `/etc/ssh/test_host_key`.
    ///   - isBare: whether nothing of opk's is there yet.
    static func start(
        _ server: Server, configuration: [String] = [], hasDropIn: Bool = false, hasKey: Bool = true, isBare: Bool = false
    ) async throws -> SetupMachine {
        let folder = server.folder.appendingPathComponent("setup-\(UUID().uuidString.prefix(8))")
        try await Command.mustRun("install", ["-d", "-m", "0755", folder.path])
        let port = try Machine.freePort()
        let root = try await SSHRoot.copyOfThisMachine(server: folder, isBare: isBare)
        let machine = SetupMachine(root: root, daemon: SSHDaemon(folder: folder, port: port, root: root), folder: folder)
        do {
            try await machine.prepare(port, configuration, hasDropIn, hasKey)
            return machine
        } catch {
            await machine.stop()
            throw error
        }
    }

    private init(root: SSHRoot, daemon: SSHDaemon, folder: URL) {
        (self.root, self.daemon, self.folder) = (root, daemon, folder)
    }

    private func prepare(_ port: UInt16, _ configuration: [String], _ hasDropIn: Bool, _ hasKey: Bool) async throws {
        let lines =
            [
                "Include /etc/ssh/sshd_config.d/*.conf", "Port \(port)", "ListenAddress 127.0.0.1", "HostKey /etc/ssh/test_host_key",
                "LogLevel VERBOSE", "PasswordAuthentication no", "KbdInteractiveAuthentication no", "UsePAM yes",
                "Subsystem sftp internal-sftp",
            ] + configuration
        try await shell(
            """
            find /etc/ssh/sshd_config.d -name '*.conf' \(hasDropIn ? "! -name 60-opk.conf" : "") -delete
            ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/test_host_key
            rm -rf /root/.ssh; install -d -m 0700 /root/.ssh; \(hasKey ? "cp /etc/ssh/test_host_key.pub /root/.ssh/authorized_keys" : "true")
            """)
        try await write(lines.map { $0 + "\n" }.joined(), to: "/etc/ssh/sshd_config")
        try await startSSHD()
        let key = try await shell("cut -d ' ' -f 1,2 /etc/ssh/test_host_key.pub").trimmingCharacters(in: .whitespacesAndNewlines)
        try "[127.0.0.1]:\(port) \(key)\n".write(to: daemon.knownHosts, atomically: true, encoding: .utf8)
    }

    /// - Parameter words: of its command line.
    func startSSHD(_ words: [String] = []) async throws {
        try await shell(
            """
            [ ! -e /run/sshd.pid ] || { kill "$(cat /run/sshd.pid)"; while [ -e /run/sshd.pid ]; do sleep 0.05; done; }
            /usr/sbin/sshd -E /run/sshd.log "$@"
            while ! [ -s /run/sshd.pid ]; do sleep 0.05; done
            """, words)
    }

    func stopSSHD() async throws {
        try await shell("kill \"$(cat /run/sshd.pid)\"; while [ -e /run/sshd.pid ]; do sleep 0.05; done")
    }

    func stop() async { await root.stop() }

    /// A folder of the test data, copied to where it is as readable as a package's.
    func place(_ data: URL) async throws -> String {
        let copy = folder.appendingPathComponent(data.lastPathComponent)
        if !FileManager.default.fileExists(atPath: copy.path) { try FileManager.default.copyItem(at: data, to: copy) }
        return copy.path
    }

    /// A program on it, as root.
    func run(_ words: [String], deadline: Int = 60) async throws -> Command.Outcome {
        let call = try root.entering() + words
        return try await Command.run(call[0], Array(call.dropFirst()), environment: Command.environment(home: "/root"), deadline: deadline)
    }

    @discardableResult
    func shell(_ script: String, _ words: [String] = [], deadline: Int = 60) async throws -> String {
        let outcome = try await run(["sh", "-ec", script, "sh"] + words, deadline: deadline)
        guard outcome.status == 0 else { throw HarnessError("\(script.prefix(300)): \(outcome.both)") }
        return outcome.output
    }

    /// `opk setup server`, unasked.
    func setUp(_ words: [String]) async throws -> Command.Outcome { try await run(["opk", "setup", "server", "--yes"] + words) }

    func write(_ text: String, to path: String, owner: String = "root:root", mode: String = "0644") async throws {
        let names = owner.split(separator: ":").map(String.init)
        // The folder is in the same place on the copy.
        let draft = folder.appendingPathComponent("draft").path
        try text.write(toFile: draft, atomically: true, encoding: .utf8)
        try await shell("install -o \"$1\" -g \"$2\" -m \"$3\" \"$4\" \"$5\"", [names[0], names[1], mode, draft, path])
    }

    /// Every file and folder that a server's setup could touch, with owner, mode and digest; but for what logins count and keep.
    func inventory(of places: String = "etc usr/local var/lib/opk root/.ssh") async throws -> Set<String> {
        let text = try await shell(
            """
            cd /
            places='\(places)'
            find $places ! -path 'var/lib/opk/recent' ! -path 'var/lib/opk/refusals' -printf '%y %m %u:%g %p %l\\n'
            find $places -type f ! -path 'var/lib/opk/recent' ! -path 'var/lib/opk/refusals' -print0 | xargs -0 sha256sum
            """)
        return Set(text.split(separator: "\n").map(String.init))
    }

    /// How often sshd has been told to read its configuration anew.
    func reloads() async throws -> Int {
        Int(try await shell("grep -c 'Received SIGHUP' /run/sshd.log || true").trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    /// Whom sshd asks about an account's keys, by its own words.
    func asked(_ account: String = "alice") async throws -> String {
        let words = "/usr/sbin/sshd -T -C user=\(account),host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22"
        return try await shell("\(words) | sed -n 's/^authorizedkeyscommand //Ip'").trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A machine for the length of `body`.
func withSetupMachine(
    configuration: [String] = [], hasDropIn: Bool = false, hasKey: Bool = true, isBare: Bool = false,
    _ body: (SetupMachine) async throws -> Void
) async throws {
    let machine = try await SetupMachine.start(
        try Server.running(), configuration: configuration, hasDropIn: hasDropIn, hasKey: hasKey, isBare: isBare)
    do {
        try await body(machine)
    } catch {
        await machine.stop()
        throw error
    }
    await machine.stop()
}
