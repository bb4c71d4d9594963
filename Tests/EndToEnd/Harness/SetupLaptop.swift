import Foundation

/// A laptop with an account of its own, since ssh reads its configuration in the home folder of the user database alone: with opk, a browser
/// that follows wherever it is led, and an ssh_config that knows the server by several names.
final class SetupLaptop: Sendable {
    let server: Server
    let provider: DemoProviderProcess
    let account = Accounts.name("carol")
    let home: String
    private let programs: String

    /// What is in `~/.ssh/config` before opk comes.
    let config: String

    static func start(_ server: Server, _ provider: DemoProviderProcess, ports: [String: UInt16]) async throws -> SetupLaptop {
        let laptop = SetupLaptop(server, provider, ports)
        try await laptop.make()
        return laptop
    }

    private init(_ server: Server, _ provider: DemoProviderProcess, _ ports: [String: UInt16]) {
        (self.server, self.provider) = (server, provider)
        home = server.folder.appendingPathComponent("home/\(account)").path
        programs = server.folder.appendingPathComponent("laptop").path
        // Without a line break at the end, so that to put it back takes care.
        config =
            ports.sorted { $0.key < $1.key }.map { name, port in
                "Host \(name)\n    HostName \(name.hasPrefix("stands-for") ? "localhost" : "127.0.0.1")\n    Port \(port)\n"
            }.joined() + """
                Host *
                    User \(server.alice)
                    BatchMode yes
                    StrictHostKeyChecking accept-new
                    ConnectTimeout 10
                    PreferredAuthentications publickey
                """
    }

    private func make() async throws {
        try await Accounts.make(account, home: URL(fileURLWithPath: home))
        try await Command.mustRun("install", ["-d", "-m", "0755", programs])
        guard let opk = Machine.programs?.appendingPathComponent("opk").path else { throw HarnessError("no opk") }
        try await Command.mustRun("install", ["-m", "0755", opk, programs + "/opk"])
        try await write(
            "#!/bin/sh\necho \"$1\" >> \(home)/pages\nexec curl -fsSL --max-time 20 -o /dev/null \"$1\"\n", to: programs + "/browser",
            mode: "0755")
        for folder in [".ssh", ".opk"] {
            try await Command.mustRun("install", ["-d", "-m", "0700", "-o", account, "-g", account, "\(home)/\(folder)"])
        }
        try await write(config, to: home + "/.ssh/config")
        try await configure()
        try await provider.control(#"{"auto_login": "alice"}"#)
    }

    /// `~/.opk/config.yml`.
    func configure(hosts: String = #"["*.opk.test", "localhost", "!not.opk.test"]"#) async throws {
        try await write(
            """
            providers:
              - alias: demo
                issuer: \(provider.issuer)
                client_id: opk-demo
                hosts: \(hosts)

            """, to: home + "/.opk/config.yml")
    }

    func clean() async {
        await Accounts.remove(account)
        for folder in [home, programs] { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// A file of this account's.
    func write(_ text: String, to path: String, mode: String = "0600") async throws {
        let draft = server.folder.appendingPathComponent("draft-\(UUID().uuidString)").path
        try text.write(toFile: draft, atomically: true, encoding: .utf8)
        try await Command.mustRun("install", ["-o", account, "-g", account, "-m", mode, draft, path])
        try FileManager.default.removeItem(atPath: draft)
    }

    /// What is in `~/.ssh/config` now.
    var configNow: String { (try? String(contentsOfFile: home + "/.ssh/config", encoding: .utf8)) ?? "" }

    /// How many pages a browser was led to.
    var pages: Int { ((try? String(contentsOfFile: home + "/pages", encoding: .utf8)) ?? "").split(separator: "\n").count }

    private func environment(browser: Bool, _ more: [String: String]) -> [String: String] {
        var environment = Command.environment(home: home, adding: more)
        environment["PATH"] = programs + ":" + (environment["PATH"] ?? "")
        if browser { environment["BROWSER"] = programs + "/browser" }
        return environment
    }

    private var asPerson: [String] { ["--reuid=\(account)", "--regid=\(account)", "--clear-groups", "--"] }

    /// A program, as the person, without a terminal.
    func run(
        _ program: String, _ arguments: [String], browser: Bool = true, adding more: [String: String] = [:], input: String = ""
    ) async throws -> Command.Outcome {
        try await Command.run(
            "setpriv", asPerson + [program] + arguments, environment: environment(browser: browser, more), input: input, deadline: 60)
    }

    /// One that stays; the caller stops it.
    func start(_ program: String, _ arguments: [String]) throws -> BackgroundProcess {
        try BackgroundProcess(
            "setpriv", asPerson + [program] + arguments, environment: environment(browser: true, [:]),
            log: server.folder.appendingPathComponent("\(program).log"))
    }

    @discardableResult
    func mustRun(_ program: String, _ arguments: [String], adding more: [String: String] = [:]) async throws -> String {
        let outcome = try await run(program, arguments, adding: more)
        guard outcome.status == 0 else { throw HarnessError("\(program) \(arguments.joined(separator: " ")): \(outcome.both)") }
        return outcome.output
    }

    func setUp(_ more: [String] = []) async throws {
        try await mustRun("opk", ["setup", "ssh", "--yes"] + more)
    }

    /// Who one is there; nil where one is not let in.
    func whoami(_ host: String, _ more: [String] = [], adding variables: [String: String] = [:]) async throws -> String? {
        let outcome = try await run("ssh", more + [host, "id", "-un"], adding: variables)
        return outcome.status == 0 ? outcome.output.trimmingCharacters(in: .whitespacesAndNewlines) : nil
    }

    /// An agent with so many keys of no use, for the length of `body`, which is given what names it.
    func withAgent(keys: Int, _ body: ([String: String]) async throws -> Void) async throws {
        let socket = home + "/agent"
        let agent = try start("ssh-agent", ["-D", "-a", socket])
        do {
            try await Waiting.until("an agent") { FileManager.default.fileExists(atPath: socket) }
            let variables = ["SSH_AUTH_SOCK": socket]
            for number in 0..<keys {
                try await mustRun(
                    "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "other \(number)", "-f", "\(home)/other-\(number)"])
                try await mustRun("ssh-add", ["-q", "\(home)/other-\(number)"], adding: variables)
            }
            try await body(variables)
        } catch {
            await agent.stop()
            throw error
        }
        await agent.stop()
    }
}

/// For what takes a moment and says nothing.
enum Waiting {
    static func until(_ what: String, _ isThere: () -> Bool) async throws {
        for _ in 0..<500 {
            if isThere() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw HarnessError("no \(what)")
    }
}

/// A laptop with a provider, and a server that admits its person to alice's account, under the names `target.opk.test`, `not.opk.test`,
/// `stands-for-it` (whose HostName is one of the hosts) and `other`.
func withSetupLaptop(_ body: (SetupLaptop) async throws -> Void) async throws {
    try await withDemoProvider { _, provider, server in
        try await server.configure(
            providers: ["\(provider.issuer) opk-demo 24h"], authID: ["\(server.alice) alice@example.com \(provider.issuer)"])
        let strict = try await server.startDaemon(
            .machine, "sshd-strict-\(UUID().uuidString.prefix(8))", command: server.command(), tries: 2)
        let names = ["target.opk.test", "not.opk.test", "stands-for-it", "other"]
        var ports = Dictionary(uniqueKeysWithValues: names.map { ($0, server.daemon.port) })
        ports["strict.opk.test"] = strict.port
        do {
            let laptop = try await SetupLaptop.start(server, provider, ports: ports)
            do {
                try await body(laptop)
            } catch {
                await laptop.clean()
                throw error
            }
            await laptop.clean()
        } catch {
            await strict.stop()
            throw error
        }
        await strict.stop()
    }
}
