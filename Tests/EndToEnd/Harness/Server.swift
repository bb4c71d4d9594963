import Foundation
import Testing

/// A server as an administrator would set it up, but for its place: our programs in a folder that is root's all the way, accounts of its
/// own, a real sshd on loopback that asks opk-verify.
final class Server: Sendable {
    /// The one that the suite's tests share; they run one after the other.
    @TaskLocal static var current: Server?

    static func running() throws -> Server {
        guard let server = current else { throw HarnessError("no server") }
        return server
    }

    /// /run may be mounted noexec.
    static let base = URL(fileURLWithPath: "/var/lib")

    let folder: URL
    let alice = Accounts.name("alice")
    let bob = Accounts.name("bob")
    private let commandUser = Accounts.name("cmd")
    let daemon: SSHDaemon

    var configFolder: URL { folder.appendingPathComponent("etc") }
    var cacheFolder: URL { folder.appendingPathComponent("cache") }
    func program(_ name: String) -> String { folder.appendingPathComponent("libexec/\(name)").path }

    static func start() async throws -> Server {
        await Accounts.removeLeftovers(in: [base, FileManager.default.temporaryDirectory])
        let folder = base.appendingPathComponent(Accounts.name("server"))
        let server = try await Server(folder)
        return server
    }

    private init(_ folder: URL) async throws {
        self.folder = folder
        daemon = SSHDaemon(folder: folder, port: try Machine.freePort())
        do {
            for part in ["", "libexec", "etc", "home"] {
                try await Command.mustRun("install", ["-d", "-m", "0755", folder.appendingPathComponent(part).path])
            }
            for account in [alice, bob, commandUser] {
                try await Accounts.make(account, home: folder.appendingPathComponent("home/\(account)"))
            }
            guard let programs = Machine.programs else { throw HarnessError("no programs") }
            for name in ["opk-verify", "opk-fetch"] {
                try await Command.mustRun("install", ["-m", "0755", programs.appendingPathComponent(name).path, program(name)])
            }
            try await clearCache()
            let command = "\(program("opk-verify")) --config-dir \(configFolder.path) --cache-dir \(cacheFolder.path) -- %u %k %t"
            try await daemon.start(command: command, user: commandUser)
        } catch {
            await stop()
            throw error
        }
    }

    func stop() async {
        await daemon.stop()
        for account in [alice, bob, commandUser] { await Accounts.remove(account) }
        try? FileManager.default.removeItem(at: folder)
    }

    /// What the administrator writes. The key cache is as on the first day.
    ///
    /// - Parameter certificateAuthority: a file that is copied beside the configuration and named there: opk-fetch, started by opk-verify, cannot read
    ///   every place.
    func configure(providers: [String], authID: [String], config: String? = nil, certificateAuthority: String? = nil) async throws {
        try write(providers.map { $0 + "\n" }.joined(), to: "providers")
        try write(authID.map { $0 + "\n" }.joined(), to: "auth_id")
        if let certificateAuthority {
            try write(try String(contentsOfFile: certificateAuthority, encoding: .utf8), to: "ca.pem")
            try write("env_vars: {SSL_CERT_FILE: \"\(configFolder.path)/ca.pem\"}\n", to: "config.yml")
        } else if let config {
            try write(config, to: "config.yml")
        } else {
            try? FileManager.default.removeItem(at: configFolder.appendingPathComponent("config.yml"))
        }
        try await clearCache()
    }

    func clearCache() async throws {
        try? FileManager.default.removeItem(at: cacheFolder)
        try await Command.mustRun("install", ["-d", "-m", "0700", "-o", commandUser, cacheFolder.path])
    }

    private func write(_ text: String, to name: String) throws {
        let file = configFolder.appendingPathComponent(name)
        try? FileManager.default.removeItem(at: file)
        guard FileManager.default.createFile(atPath: file.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o644]) else {
            throw HarnessError("cannot write \(file.path)")
        }
    }

    /// What opk-verify says about a certificate, called as sshd calls it, with a terminal to say it to.
    struct Verdict {
        let status: Int32?
        /// What sshd would read.
        let lines: [String]
        /// The log line.
        let log: String

        /// The `reason=` of the log line.
        var reason: String? {
            log.split(separator: " ").first { $0.hasPrefix("reason=") }.map { String($0.dropFirst("reason=".count)) }
        }
    }

    func verdict(on certificate: [String], as account: String) async throws -> Verdict {
        guard certificate.count >= 2 else { throw HarnessError("no certificate") }
        let answer = folder.appendingPathComponent("home/\(commandUser)/answer").path
        let call = [
            program("opk-verify"), "--config-dir", configFolder.path, "--cache-dir", cacheFolder.path, "--", account, certificate[1],
            certificate[0], ">\(answer)",
        ]
        let outcome = try await Command.run(
            "setpriv",
            [
                "--reuid=\(commandUser)", "--regid=\(commandUser)", "--clear-groups", "--", "script", "-qec",
                call.joined(separator: " "), "/dev/null",
            ])
        let lines = (try? String(contentsOfFile: answer, encoding: .utf8))?.split(separator: "\n").map(String.init) ?? []
        return Verdict(status: outcome.status, lines: lines, log: outcome.output.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}

/// Starts one server before a suite's first test and takes all of it away after the last.
struct ServerTrait: SuiteTrait, TestScoping {
    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        let server = try await Server.start()
        do {
            try await Server.$current.withValue(server) { try await function() }
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}

extension Trait where Self == ServerTrait {
    static var realServer: ServerTrait { ServerTrait() }
}
