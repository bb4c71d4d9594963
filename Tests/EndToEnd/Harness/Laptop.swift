import Foundation

/// What lies on a person's laptop: a home folder, keys, and what ssh is called with. Nothing of this machine's own ssh is read.
final class Laptop: Sendable {
    let home: URL

    init() throws {
        home = FileManager.default.temporaryDirectory.appendingPathComponent("opk-e2e-\(getpid())-laptop-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    func clean() {
        try? FileManager.default.removeItem(at: home)
    }

    func path(_ name: String) -> String { home.appendingPathComponent(name).path }

    /// The words of a certificate file: type, base64, comment.
    func certificate(_ key: String) throws -> [String] {
        try String(contentsOfFile: key + "-cert.pub", encoding: .utf8).split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// An ordinary key that no server knows.
    func plainKey(_ name: String = "plain") async throws -> String {
        try await Command.mustRun("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path(name)])
        return path(name)
    }

    /// The same key and token in a certificate for other principals, none if nil: what somebody with ssh-keygen can do to a certificate of their own.
    ///
    /// - Returns: the path of a copy of the key, beside which it lies.
    func signAgain(_ certificate: [String], key: String = "key", for principals: String?) async throws -> String {
        let copy = path("\(key)-\(UUID().uuidString.prefix(8))")
        try FileManager.default.copyItem(atPath: path(key), toPath: copy)
        try await Command.mustRun("ssh-keygen", ["-y", "-f", copy]).write(toFile: copy + ".pub", atomically: true, encoding: .utf8)
        let token = try CertificateSurgery.token(in: certificate)
        try await Command.mustRun(
            "ssh-keygen",
            ["-q", "-s", copy, "-I", "signed again"] + (principals.map { ["-n", $0] } ?? [])
                + ["-O", "extension:openpubkey-pkt=\(token)", copy + ".pub"])
        return copy
    }

    // MARK: opk login

    /// `opk login`, and in the browser's place `visit`, which is given the URL that it printed.
    ///
    /// - Returns: the path of the key.
    func logIn(
        _ provider: String, key name: String = "key", _ more: [String] = [], visit: (String) async throws -> Void
    ) async throws -> String {
        let outcome = try await logInAttempt(provider, key: name, more, visit: visit)
        guard outcome.status == 0 else { throw HarnessError("opk login: \(outcome.output)") }
        return path(name)
    }

    func logInAttempt(
        _ provider: String, key name: String = "key", _ more: [String] = [], visit: (String) async throws -> Void
    ) async throws -> Command.Outcome {
        guard let opk = Machine.programs?.appendingPathComponent("opk").path else { throw HarnessError("no opk") }
        let process = try BackgroundProcess(
            opk, ["login", "--provider", provider, "--no-browser", "-i", path(name)] + more,
            environment: Command.environment(home: home.path), log: home.appendingPathComponent("login.log"))
        do {
            try await visit(try await process.waitForLine("URL") { Laptop.url($0) })
            let status = try await process.waitForEnd()
            return Command.Outcome(status: status, output: process.text, errors: "")
        } catch {
            await process.stop()
            throw error
        }
    }

    /// The same with Debian's opkssh, whose login wants a provider with https. It prints the address of a page of its own, which leads to
    /// the provider's.
    func logInWithOpkssh(
        _ provider: String, certificateAuthority: String, key name: String, _ more: [String] = [], visit: (String) async throws -> Void
    ) async throws -> String {
        let process = try BackgroundProcess(
            Machine.opkssh.path, ["login", "--provider", provider, "--disable-browser-open", "-i", path(name)] + more,
            environment: Command.environment(home: home.path, adding: ["SSL_CERT_FILE": certificateAuthority]),
            log: home.appendingPathComponent("opkssh-login.log"))
        do {
            let page = try await process.waitForLine("URL") { line in
                line.range(of: "Open your browser to: ").map { line[$0.upperBound...].prefix { !$0.isWhitespace && $0 != "\"" } }
            }
            // Its cookies bind the answer to the question.
            let jar = path("opkssh.jar")
            let trust = ["-sS", "-b", jar, "-c", jar, "--cacert", certificateAuthority]
            let url = try await Command.mustRun("curl", trust + ["-o", "/dev/null", "-w", "%{redirect_url}", String(page)])
            try await visit(url)
            let status = try await process.waitForEnd()
            guard status == 0 else { throw HarnessError("opkssh login: \(process.text)") }
            return path(name)
        } catch {
            await process.stop()
            throw error
        }
    }

    /// A URL that stands on a line of its own.
    static func url(_ line: Substring) -> String? {
        let line = line.trimmingCharacters(in: .whitespaces)
        return (line.hasPrefix("http://") || line.hasPrefix("https://")) && !line.contains(" ") ? line : nil
    }

    // MARK: ssh

    private func options(_ server: SSHDaemon, _ keys: [String]) -> [String] {
        let set = [
            "BatchMode=yes", "StrictHostKeyChecking=yes", "UserKnownHostsFile=\(server.knownHosts.path)", "GlobalKnownHostsFile=/dev/null",
            "IdentitiesOnly=yes", "IdentityAgent=none", "PreferredAuthentications=publickey", "ConnectTimeout=10", "LogLevel=INFO",
        ]
        return ["-F", "none"] + set.flatMap { ["-o", $0] } + keys.flatMap { ["-i", $0] }
    }

    /// - Parameters:
    ///   - address: the client's.
    ///   - there: the server's.
    ///   - more: options of ssh besides.
    func ssh(
        _ account: String, on server: SSHDaemon, keys: [String], from address: String = "127.0.0.1", to there: String = "127.0.0.1",
        with more: [String] = [], _ command: [String]
    ) async throws -> Command.Outcome {
        try await Command.run(
            "ssh", options(server, keys) + ["-b", address, "-p", String(server.port)] + more + ["\(account)@\(there)"] + command,
            environment: Command.environment(home: home.path))
    }

    /// A session that stays; what it shows goes to its log. The caller stops it.
    func open(_ account: String, on server: SSHDaemon, keys: [String], with more: [String] = [], _ command: [String]) throws
        -> BackgroundProcess
    {
        try BackgroundProcess(
            "ssh", options(server, keys) + ["-p", String(server.port)] + more + ["\(account)@127.0.0.1"] + command,
            environment: Command.environment(home: home.path),
            log: home.appendingPathComponent("session-\(UUID().uuidString.prefix(8)).log"))
    }

    /// A file transfer that is open and does nothing; the caller stops it. Its standard input is a FIFO that itself holds open.
    func transfer(_ account: String, on server: SSHDaemon, keys: [String]) throws -> BackgroundProcess {
        let input = path("transfer-\(UUID().uuidString.prefix(8))")
        guard mkfifo(input, 0o600) == 0 else { throw HarnessError("no FIFO") }
        return try BackgroundProcess(
            "sh",
            ["-c", "exec ssh \"$@\" 0<>'\(input)'", "sh"] + options(server, keys) + [
                "-p", String(server.port), "-s", "\(account)@127.0.0.1", "sftp",
            ], environment: Command.environment(home: home.path), log: home.appendingPathComponent("transfer.log"))
    }

    /// Who one is on the server after logging in; nil where one is not let in.
    func whoami(
        _ account: String, on server: SSHDaemon, keys: [String], from address: String = "127.0.0.1", to there: String = "127.0.0.1"
    ) async throws -> String? {
        let outcome = try await ssh(account, on: server, keys: keys, from: address, to: there, ["id", "-un"])
        if outcome.status == 0 { return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines) }
        guard outcome.errors.contains("Permission denied (publickey)") else {
            throw HarnessError("ssh ended otherwise than refused: \(outcome.both)\n\(server.log.suffix(2000))")
        }
        return nil
    }

    func scp(_ from: String, _ to: String, on server: SSHDaemon, keys: [String]) async throws -> Command.Outcome {
        try await Command.run(
            "scp", options(server, keys) + ["-P", String(server.port), from, to], environment: Command.environment(home: home.path))
    }

    func sftp(_ account: String, on server: SSHDaemon, keys: [String], batch: String) async throws -> Command.Outcome {
        let file = path("batch")
        try batch.write(toFile: file, atomically: true, encoding: .utf8)
        return try await Command.run(
            "sftp", options(server, keys) + ["-b", file, "-P", String(server.port), "\(account)@127.0.0.1"],
            environment: Command.environment(home: home.path))
    }
}

/// A laptop for the length of `body`.
func withLaptop(_ body: (Laptop, Server) async throws -> Void) async throws {
    let laptop = try Laptop()
    defer { laptop.clean() }
    try await body(laptop, try Server.running())
}
