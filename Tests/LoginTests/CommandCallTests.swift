import Foundation
import Testing
import Vocabulary

@testable import Login

/// How a call is answered: one that is wrong, one for help, one for the version.
extension CommandTests {
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
        process.executableURL = OpkProgram.url?.deletingLastPathComponent().appendingPathComponent(name)
        process.arguments = ["--version"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        #expect(String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) == "\(name) \(Version.text)\n")
    }
}
