import Foundation
import SSHKeys
import Testing
import Vocabulary

@testable import Login

private enum Program {
    /// Beside the tests' own binary.
    static let url: URL? = Bundle.main.executableURL.flatMap { tests in
        let program = tests.deletingLastPathComponent().appendingPathComponent("opk")
        return FileManager.default.isExecutableFile(atPath: program.path) ? program : nil
    }

    static let hasCurl: Bool = FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")
}

/// The program itself, as a person or a script calls it.
@Suite("opk: what the commands print, write and answer", .serialized, .enabled(if: Program.url != nil, "opk is not built"))
struct CommandTests {
    struct Run: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    static func run(
        _ arguments: [String], home: String, browser: String? = nil, input: String = "", agent: String? = nil,
        failing: String? = nil, adding more: [String: String] = [:]
    ) async throws -> Run {
        let program = try #require(Program.url)
        return try await onThread { () -> Result<Run, any Error> in
            Result {
                let process = Process()
                process.executableURL = failing == nil ? program : URL(fileURLWithPath: "/usr/bin/strace")
                let injection = failing.map { ["-qq", "-o", "/dev/null", "-e", "inject=" + $0, program.path] } ?? []
                process.arguments = injection + arguments
                let usual = ["HOME": home, "PATH": "/usr/bin:/bin", "BROWSER": browser ?? "", "LC_ALL": "C.UTF-8"]
                process.environment = usual.merging(more) { _, new in new }
                if let agent { process.environment?["SSH_AUTH_SOCK"] = agent }
                let (inputPipe, output, errors) = (Pipe(), Pipe(), Pipe())
                (process.standardInput, process.standardOutput, process.standardError) = (inputPipe, output, errors)
                let heard = Shared("")
                try process.run()
                // Read beside each other, so that neither pipe fills up.
                let reader = ThreadHandle {
                    heard.value = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                }
                inputPipe.fileHandleForWriting.write(Data(input.utf8))
                try inputPipe.fileHandleForWriting.close()
                let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                reader.join()
                process.waitUntilExit()
                return Run(status: process.terminationStatus, output: text, errors: heard.value)
            }
        }.get()
    }

    /// A login at a demo provider, with curl for a browser. The provider is a process of its own: in this one it would have to wait for
    /// other tests, and opk does not wait long.
    func logIn(
        _ arguments: [String], provider more: [String] = [], in folder: TemporaryFolder, agent: String? = nil,
        failing: String? = nil
    ) async throws -> (run: Run, issuer: Text) {
        let provider = Process()
        provider.executableURL = Program.url?.deletingLastPathComponent().appendingPathComponent("opk-demo-provider")
        provider.arguments = ["--auto-login", "alice", "--key-type", "ES256"] + more
        let output = Pipe()
        provider.standardOutput = output
        provider.standardError = FileHandle.nullDevice
        try provider.run()
        defer { provider.terminate() }
        let issuer = try #require(await onThread { CommandTests.issuer(output.fileHandleForReading) })
        try folder.write(Array("#!/bin/sh\nexec curl -sSL -o /dev/null \"$1\"\n".utf8), to: "browser", mode: 0o700)
        let whole = ["login", "--provider", issuer + ",opk-demo", "--redirect-uri", "http://localhost:0/cb", "--timeout", "60s"]
        let run = try await CommandTests.run(
            whole + arguments, home: folder.path, browser: folder.path + "/browser", agent: agent, failing: failing)
        return (run, Text(issuer))
    }

    /// The provider's first line: `issuer: URL`.
    private static func issuer(_ output: FileHandle) -> String? {
        var text = ""
        while !text.contains("\n") {
            let chunk = output.availableData
            if chunk.isEmpty { return nil }
            text += String(decoding: chunk, as: UTF8.self)
        }
        return text.split(separator: "\n").first.map { String($0.dropFirst("issuer: ".count)) }
    }

    @Test(
        "a login prints the address on a line of its own, and at the end who, until when and where",
        .enabled(if: Program.hasCurl, "no curl"))
    func login() async throws {
        let folder = try TemporaryFolder()
        let (run, issuer) = try await logIn([], in: folder)
        #expect(run.status == 0, "\(run)")
        let urls = run.errors.split(separator: "\n").filter { $0.hasPrefix(issuer.string + "/authorize?") }
        #expect(urls.count == 1)
        let lines = run.output.split(separator: "\n")
        #expect(lines.first == "Logged in as alice@example.com at \(issuer.string).")
        #expect(lines.contains { $0.hasPrefix("Good until ") })
        #expect(lines.contains { $0.contains("\(folder.path)/.ssh/id_ecdsa ") })
        #expect(folder.names.filter { $0.hasPrefix(".ssh/") } == [".ssh/id_ecdsa", ".ssh/id_ecdsa-cert.pub"])
        let shown = try await CommandTests.run(["inspect", folder.path + "/.ssh/id_ecdsa"], home: folder.path)
        #expect(shown.status == 0)
        #expect(shown.output.contains("alice@example.com"))
    }

    @Test(
        "--print-key prints the certificate and the key, writes nothing, and keeps standard output for them",
        .enabled(if: Program.hasCurl, "no curl"))
    func printKey() async throws {
        let folder = try TemporaryFolder()
        let (run, _) = try await logIn(["--print-key", "-t", "ed25519"], in: folder)
        #expect(run.status == 0, "\(run)")
        let line = try #require(SSHKeyLine(parsing: Array(run.output.utf8)))
        #expect(line.type == "ssh-ed25519-cert-v01@openssh.com")
        let rest = run.output.split(separator: "\n", maxSplits: 1)[1]
        let key = try OpenSSHPrivateKeyFile.decode(Array(rest.utf8)).key
        #expect(try SSHCertificate(parsing: line.blob).key == key.publicKey)
        #expect(folder.names == ["browser"])
        #expect(run.errors.contains("Logged in as"))
    }

    @Test("--print-id-token prints the claims as JSON, and never the token", .enabled(if: Program.hasCurl, "no curl"))
    func printIDToken() async throws {
        let folder = try TemporaryFolder()
        let (run, issuer) = try await logIn(["--print-id-token", "-i", folder.path + "/key"], in: folder)
        #expect(run.status == 0, "\(run)")
        let claims = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(claims["iss"] as? String == issuer.string)
        #expect(claims["email"] as? String == "alice@example.com")
        #expect(!(run.output + run.errors).contains("eyJ"))
    }

    @Test(
        "--store agent: the key is in ssh-agent, its certificate beside, and ssh needs no -i",
        .enabled(if: Program.hasCurl && TestAgent.isThere, "no curl or no ssh-agent"))
    func storeAgent() async throws {
        let folder = try TemporaryFolder()
        let agent = try TestAgent()
        defer { agent.end() }
        let (run, _) = try await logIn(["--store", "agent"], in: folder, agent: agent.socket)
        #expect(run.status == 0 && !run.errors.contains("warning"), "\(run)")
        #expect(
            folder.names.filter { $0.hasPrefix(".ssh/") } == [".ssh/opk", ".ssh/opk/localhost-cert.pub", ".ssh/opk/localhost.pub"])
        #expect(folder.names.contains(".opk/identities/localhost.json"))
        #expect(run.output.contains("Key: in ssh-agent alone (certificate: \(folder.path)/.ssh/opk/localhost-cert.pub)\n"))
        #expect(run.output.contains("Connect: ssh USER@HOST\n"))
        let line = try #require(SSHKeyLine(parsing: try folder.read(".ssh/opk/localhost-cert.pub")))
        #expect(try agent.identities().first?.blob == line.blob)
    }

    @Test(
        "--store agent without an agent ends before the provider is asked; --store both says so and goes on",
        .enabled(if: Program.hasCurl, "no curl"))
    func storeWithoutAgent() async throws {
        let folder = try TemporaryFolder()
        let run = try await CommandTests.run(["login", "--provider", "http://localhost:1,x", "--store", "agent"], home: folder.path)
        #expect(run.status == 1 && run.output.isEmpty && folder.names.isEmpty)
        #expect(run.errors.hasPrefix("opk: error: there is no ssh-agent: SSH_AUTH_SOCK is not set\nopk: hint: "), "\(run)")
        let (both, _) = try await logIn(["--store", "both"], in: folder)
        #expect(both.status == 0 && both.errors.contains("opk: warning: there is no ssh-agent"), "\(both)")
        #expect(folder.names.filter { $0.hasPrefix(".ssh/") } == [".ssh/id_ecdsa", ".ssh/id_ecdsa-cert.pub"])
    }

    /// strace makes a system call fail as some file systems do; it needs a kernel that lets it.
    private static let canInject: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/strace")
        process.arguments = ["-qq", "-o", "/dev/null", "-e", "inject=flock:error=ENOLCK", "/bin/true"]
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test(
        "C31: where the file system knows no locks (NFS) a login is written all the same; where it cannot write, the last one stays",
        .enabled(if: Program.hasCurl && canInject, "no curl, or strace cannot be used"))
    func fileSystems() async throws {
        let folder = try TemporaryFolder()
        let (good, _) = try await logIn([], in: folder, failing: "flock:error=ENOLCK")
        #expect(good.status == 0, "\(good)")
        let files = [".ssh/id_ecdsa", ".ssh/id_ecdsa-cert.pub", ".opk/identities/localhost.json"]
        let before = try files.map(folder.read)
        let (bad, _) = try await logIn([], in: folder, failing: "fsync:error=EIO")
        #expect(bad.status == 1 && bad.errors.contains("cannot be written: Input/output error"), "\(bad)")
        #expect(try files.map(folder.read) == before)
        #expect(!folder.names.contains { $0.contains(".opk-") })
    }

    @Test("C22: a login whose token does not hold leaves the key of the last one as it was", .enabled(if: Program.hasCurl, "no curl"))
    func badToken() async throws {
        let folder = try TemporaryFolder()
        let (good, _) = try await logIn([], in: folder)
        #expect(good.status == 0)
        let files = [".ssh/id_ecdsa", ".ssh/id_ecdsa-cert.pub"]
        let before = try files.map(folder.read)
        let (bad, _) = try await logIn([], provider: ["--control", #"{"signature": "other-key"}"#], in: folder)
        #expect(bad.status == 1 && bad.output.isEmpty, "\(bad)")
        #expect(try files.map(folder.read) == before)
        #expect(folder.names.filter { $0.hasPrefix(".ssh/") } == files)
    }

    @Test("a provider that takes longer over a code than over anything else is waited for", .enabled(if: Program.hasCurl, "no curl"))
    func slowTokenEndpoint() async throws {
        let folder = try TemporaryFolder()
        let (run, _) = try await logIn([], provider: ["--fault", "token=slow:6"], in: folder)
        #expect(run.status == 0, "\(run)")
    }

    @Test("ssh does not know $HOME, so a key there is named, as one word of a shell", .enabled(if: Program.hasCurl, "no curl"))
    func connect() async throws {
        let folder = try TemporaryFolder()
        let (usual, _) = try await logIn([], in: folder)
        #expect(usual.output.contains("Connect: ssh -i \(folder.path)/.ssh/id_ecdsa USER@HOST\n"))
        let (named, _) = try await logIn(["-i", folder.path + "/a key's"], provider: ["--auto-login", "carol"], in: folder)
        #expect(named.output.contains("Connect: ssh -i '\(folder.path)/a key'\\''s' USER@HOST\n"))
        // Carol's address is not verified.
        #expect(named.output.contains("is not verified") && !usual.output.contains("is not verified"))
    }

    @Test("a provider with a secret that was given without --provider is not repeated")
    func forgottenOption() async throws {
        let whole = "https://idp.example.com,opk,s3cret"
        for arguments in [["login", whole], ["login", "google", whole], ["login", "opk,s3cret"], ["login", "https://s3cret"]] {
            let run = try await CommandTests.run(arguments, home: "/nonexistent")
            #expect(run.status == 64)
            #expect(!run.errors.contains("s3cret"), "\(run)")
            #expect(run.errors.contains("--provider"))
        }
    }

    @Test("a folder that keys cannot lie in ends the command before the provider is asked")
    func folderFirst() async throws {
        let folder = try TemporaryFolder()
        mkdir(folder.path + "/.ssh", 0o700)
        chmod(folder.path + "/.ssh", 0o775)
        let run = try await CommandTests.run(["login", "--provider", "http://localhost:1,x"], home: folder.path)
        #expect(run.status == 1)
        #expect(run.errors.contains("others may write there"), "\(run)")
        #expect(run.errors.contains("chmod 700 \(folder.path)/.ssh"))
    }

    #if os(Linux)
        @Test("output that cannot be written is an error")
        func fullOutput() async throws {
            let provider = try TestProvider()
            let folder = try TemporaryFolder()
            try folder.write(try provider.mint(try provider.maker()).key.certificateFile, to: "c")
            let path = folder.path
            let program = try #require(Program.url)
            let (status, errors) = try await onThread { () -> Result<(Int32, String), any Error> in
                Result {
                    let process = Process()
                    process.executableURL = program
                    process.arguments = ["inspect", "--json", path + "/c"]
                    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: "/dev/full"))
                    let errors = Pipe()
                    process.standardError = errors
                    try process.run()
                    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                    process.waitUntilExit()
                    return (process.terminationStatus, text)
                }
            }.get()
            #expect(status == 1)
            #expect(errors.contains("opk: error: standard output: "))
        }
    #endif

    /// libfaketime, for one, changes the environment before main, and Swift's CommandLine is empty then.
    private static let preloadable = ["x86_64", "aarch64"].map { "/usr/lib/\($0)-linux-gnu/faketime/libfaketime.so.1" }
        .first { FileManager.default.fileExists(atPath: $0) }

    @Test(
        "every program has its arguments, whatever was preloaded", .enabled(if: preloadable != nil, "no libfaketime"),
        arguments: ["opk", "opk-demo-provider", "opk-fetch", "opk-verify"])
    func preloaded(name: String) async throws {
        try await version(name: name, environment: ["LD_PRELOAD": Self.preloadable ?? "", "FAKETIME": "@2026-11-21 10:00:00"])
    }

    @Test("every program says its version", arguments: ["opk", "opk-demo-provider", "opk-fetch", "opk-verify"])
    func version(name: String) async throws {
        try await version(name: name, environment: [:])
    }

    private func version(name: String, environment: [String: String]) async throws {
        let process = Process()
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        process.executableURL = Program.url?.deletingLastPathComponent().appendingPathComponent(name)
        process.arguments = ["--version"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        #expect(String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) == "\(name) \(Version.text)\n")
    }

    @Test("a login that fails says why, writes nothing and ends with 1", .enabled(if: Program.hasCurl, "no curl"))
    func failure() async throws {
        let folder = try TemporaryFolder()
        let (run, _) = try await logIn(["--provider", "http://localhost:1,x"], in: folder)
        #expect(run.status == 1)
        #expect(run.output.isEmpty)
        #expect(run.errors.contains("opk: error: "))
        #expect(run.errors.contains("opk: hint: "))
        #expect(folder.names == ["browser"])
    }

    @Test(
        "a wrong call ends with 64 and touches nothing",
        arguments: [
            ["login"], ["login", "nobody"], ["login", "google", "--provider", "https://a,b"], ["login", "google", "-t", "rsa"],
            ["login", "google", "--valid-for", "forever"], ["login", "google", "--principals", "a b"],
            ["login", "google", "--principals", "root,opkssh-wildcard"], ["login", "google", "--principals", ""],
            ["login", "google", "--print-key", "--print-id-token"], ["login", "google", "--print-key", "-i", "x"],
            ["login", "google", "--print-key", "--store", "agent"], ["login", "google", "--store", "disk"],
            ["login", "google", "-i", ""], ["login", "google", "gitlab"],
            ["login", "google", "--redirect-uri", "http://localhost:1/a/../b"],
            ["login", "--provider", "https://a"],
            ["login", "google", "--redirect-uri", "http://0.0.0.0:1/x"], ["inspect"], ["nonsense"], ["login", "google", "--no-such-flag"],
        ])
    func wrongCall(arguments: [String]) async throws {
        let folder = try TemporaryFolder()
        let run = try await CommandTests.run(arguments, home: folder.path)
        #expect(run.status == 64, "\(run)")
        #expect(run.output.isEmpty)
        #expect(!run.errors.isEmpty)
        #expect(folder.names.isEmpty)
    }

    @Test("without a provider the aliases are listed")
    func aliases() async throws {
        let run = try await CommandTests.run(["login"], home: "/nonexistent")
        for alias in ["google", "azure", "microsoft", "gitlab", "hello", "--provider"] { #expect(run.errors.contains(alias)) }
    }

    @Test("every command and every command of a command has help that fits a screen of 80 columns, and there is a version")
    func help() async throws {
        let commands = try await CommandTests.commands()
        #expect(commands.count > 25 && commands.contains(["setup", "ssh"]) && commands.contains([]))
        for command in commands {
            let run = try await CommandTests.run(command + ["--help"], home: "/nonexistent")
            let name = command.joined(separator: " ")
            #expect(run.status == 0, "\(name)")
            let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 50, "\(name): \(lines.count) lines")
            #expect(lines.allSatisfy { $0.count <= 80 }, "\(name): \(lines.filter { $0.count > 80 })")
            #expect(run.output.contains("USAGE: opk" + (name.isEmpty ? "" : " " + name)), "\(name)")
        }
        #expect(try await CommandTests.run(["--version"], home: "/nonexistent").output.hasPrefix("opk 0."))
    }

    @Test("what is wrong with a call is said as every other error: cause, usage and where to read on")
    func oneStyle() async throws {
        let flag = try await CommandTests.run(["providers", "test", "--nonsense"], home: "/nonexistent")
        #expect(flag.status == 64 && flag.output.isEmpty)
        #expect(
            flag.errors.split(separator: "\n") == [
                "opk: error: Unknown option '--nonsense'", "Usage: opk providers test [<options>] [<alias>]",
                "opk: hint: see `opk providers test --help`",
            ], "\(flag)")
        let value = try await CommandTests.run(["login", "google", "-t", "rsa"], home: "/nonexistent")
        #expect(value.status == 64 && value.errors.hasPrefix("opk: error: ") && !value.errors.contains("Error:"), "\(value)")
        for (arguments, words) in [
            (["login", "google", "--valid-for", "24hh"], "for example 30m"), (["login", "google", "--timeout", "5mm"], "for example 30s"),
        ] {
            let time = try await CommandTests.run(arguments, home: "/nonexistent")
            #expect(time.status == 64 && time.errors.contains(words), "\(time)")
        }
    }

    /// The words of each, as ArgumentParser itself tells them; opk alone is no words.
    private static func commands() async throws -> [[String]] {
        let dump = try await run(["--experimental-dump-help"], home: "/nonexistent")
        let tree = try #require(try JSONSerialization.jsonObject(with: Data(dump.output.utf8)) as? [String: Any])
        func walk(_ command: [String: Any], _ above: [String]) -> [[String]] {
            let subcommands = command["subcommands"] as? [[String: Any]] ?? []
            return [above]
                + subcommands.flatMap { sub -> [[String]] in
                    guard let name = sub["commandName"] as? String, name != "help" else { return [] }
                    return walk(sub, above + [name])
                }
        }
        return walk(try #require(tree["command"] as? [String: Any]), [])
    }

    @Test("inspect reads standard input; what is no certificate ends with 1")
    func inspect() async throws {
        let provider = try TestProvider()
        let key = try provider.mint(try provider.maker()).key
        let text = String(decoding: key.certificateFile, as: UTF8.self)
        let good = try await CommandTests.run(["inspect", "--json", "-"], home: "/nonexistent", input: text)
        #expect(good.status == 0, "\(good)")
        let document = try #require(try JSONSerialization.jsonObject(with: Data(good.output.utf8)) as? [String: Any])
        #expect(document["sound"] as? Bool == true)
        for bad in ["", "x", "ssh-ed25519 AAAA"] {
            #expect(try await CommandTests.run(["inspect", "-"], home: "/nonexistent", input: bad).status == 1)
        }
        // The last byte of the signature.
        var blob = key.certificate.blob
        blob[blob.count - 1] ^= 1
        let damaged = SSHKeyLine(blob: blob, type: key.certificate.type, comment: "").bytes
        let run = try await CommandTests.run(["inspect", "-"], home: "/nonexistent", input: String(decoding: damaged, as: UTF8.self))
        #expect(run.status == 1)
        #expect(run.output.contains("FAILS"))
    }
}
