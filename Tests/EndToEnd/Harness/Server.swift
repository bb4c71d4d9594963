import Foundation
import Synchronization
import Testing

/// A server as an administrator would set it up, but for its place: our programs in a folder that is root's all the way, accounts of its
/// own, and on loopback one real sshd of each version, all of which ask opk-verify.
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
    let commandUser = Accounts.name("cmd")
    /// This machine's own sshd.
    let daemon: SSHDaemon
    private let roots: Mutex<[OpenSSH: SSHRoot]> = Mutex([:])
    private let daemons: Mutex<[OpenSSH: SSHDaemon]> = Mutex([:])
    private let connectionDaemons: Mutex<[OpenSSH: SSHDaemon]> = Mutex([:])
    private let installedServer: Mutex<InstalledServer?> = Mutex(nil)
    /// What the programs log that run in a root or on the installed server. (This machine's own log is its own.)
    let log: LogSocket

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
        try await Command.mustRun("install", ["-d", "-m", "0755", folder.path])
        log = try LogSocket(folder.appendingPathComponent("log").path)
        daemon = SSHDaemon(folder: folder, port: try Machine.freePort())
        do {
            for part in ["libexec", "etc", "home"] {
                try await Command.mustRun("install", ["-d", "-m", "0755", folder.appendingPathComponent(part).path])
            }
            for account in [alice, bob, commandUser] {
                try await Accounts.make(account, home: folder.appendingPathComponent("home/\(account)"))
            }
            guard let programs = Machine.programs else { throw HarnessError("no programs") }
            for name in ["opk-verify", "opk-fetch", "opk-home"] {
                try await Command.mustRun("install", ["-m", "0755", programs.appendingPathComponent(name).path, program(name)])
            }
            try await clearCache()
            try await daemon.start(command: command(), user: commandUser)
            for version in OpenSSH.here {
                guard let archive = version.archive else { continue }
                let root = try await SSHRoot.start(archive, name: version.rawValue, server: folder)
                roots.withLock { $0[version] = root }
                let other = try await startDaemon(version, "sshd-\(version)", command: command())
                daemons.withLock { $0[version] = other }
            }
        } catch {
            await stop()
            throw error
        }
    }

    func stop() async {
        await installedServer.withLock { $0 }?.stop()
        await daemon.stop()
        for other in connectionDaemons.withLock({ $0.values.map { $0 } }) { await other.stop() }
        for other in daemons.withLock({ $0.values.map { $0 } }) { await other.stop() }
        for root in roots.withLock({ $0.values.map { $0 } }) { await root.stop() }
        log.stop()
        for account in [alice, bob, commandUser] { await Accounts.remove(account) }
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: versions of sshd

    /// The sshd of a version. All of them have the same accounts, configuration and key cache.
    func daemon(_ version: OpenSSH) throws -> SSHDaemon {
        if version == .machine { return daemon }
        guard let other = daemons.withLock({ $0[version] }) else { throw HarnessError("no sshd of \(version)") }
        return other
    }

    /// Another sshd of a version, with a folder of its own; the caller stops it.
    func startDaemon(
        _ version: OpenSSH, _ name: String, command: String, addresses: [String] = ["127.0.0.1"], tries: Int = 6
    ) async throws -> SSHDaemon {
        let place = folder.appendingPathComponent(name)
        try await Command.mustRun("install", ["-d", "-m", "0755", place.path])
        let other = SSHDaemon(folder: place, port: try Machine.freePort(), root: roots.withLock { $0[version] })
        try await other.start(command: command, user: commandUser, addresses: addresses, tries: tries)
        return other
    }

    /// One that says `%C` too, on two addresses, 127.0.0.1 and 127.0.0.3, and on ::1 where that is there. It is stopped with the server.
    func connectionDaemon(_ version: OpenSSH) async throws -> SSHDaemon {
        if let there = connectionDaemons.withLock({ $0[version] }) { return there }
        let daemon = try await startDaemon(
            version, "sshd-\(version)-words", command: command(words: "%u %k %t %C"),
            addresses: ["127.0.0.1", "127.0.0.3"] + (Machine.hasIPv6 ? ["::1"] : []))
        connectionDaemons.withLock { $0[version] = daemon }
        return daemon
    }

    /// A server on which `make install` has been run. It is stopped with this one.
    func installed() async throws -> InstalledServer {
        if let there = installedServer.withLock({ $0 }) { return there }
        let made = try await InstalledServer.start(self)
        installedServer.withLock { $0 = made }
        return made
    }

    /// How sshd calls us, or `program` in our place.
    func command(_ program: String = "opk-verify", words: String = "%u %k %t") -> String {
        "\(self.program(program)) --config-dir \(configFolder.path) --cache-dir \(cacheFolder.path) -- \(words)"
    }

    /// A program and its arguments, as they are to be called to run where that version of sshd runs.
    func call(_ version: OpenSSH, _ words: [String]) throws -> [String] {
        guard let root = roots.withLock({ $0[version] }) else { return words }
        return try root.entering() + words
    }

    // MARK: what the administrator does

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

    func verdict(on certificate: [String], as account: String, by version: OpenSSH = .machine) async throws -> Verdict {
        guard certificate.count >= 2 else { throw HarnessError("no certificate") }
        let answer = folder.appendingPathComponent("home/\(commandUser)/answer").path
        let user = ["setpriv", "--reuid=\(commandUser)", "--regid=\(commandUser)", "--clear-groups", "--"]
        let call = try call(version, user + [command(words: "\(account) \(certificate[1]) \(certificate[0])")])
        // Only root can enter another namespace, so the terminal comes first and the other user after it.
        let outcome = try await Command.run("script", ["-qec", "\(call.joined(separator: " ")) >\(answer)", "/dev/null"])
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
