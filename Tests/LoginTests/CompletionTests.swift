import ChildProcess
import Foundation
import TestSupport
import Testing

/// What bash, zsh and fish complete is what opk knows, asked of the shells themselves.
@Suite("Completions")
struct CompletionTests {
    private static let environment = ProcessEnvironment(entries: [
        Array("PATH=/usr/bin:/bin".utf8), Array("HOME=\(NSTemporaryDirectory())opk-completion-home".utf8),
    ])

    private func script(_ shell: String) throws -> String {
        let outcome = try ChildProcess.run(
            BuiltPrograms.path("opk"), ["--generate-completion-script", shell], environment: Self.environment, deadline: 20_000)
        try #require(outcome.succeeded)
        let path = NSTemporaryDirectory() + "opk-completion-\(UUID().uuidString).\(shell)"
        try Data(outcome.output).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func ask(_ shell: String, _ arguments: [String]) throws -> String {
        let outcome = try ChildProcess.run(
            "/usr/bin/\(shell)", arguments, environment: Self.environment, errorOutput: .captured(limit: 4096), deadline: 30_000)
        // fish reads a command line that is being typed, and says that here none is.
        #expect(shell == "fish" || outcome.errorOutput.isEmpty, "\(String(decoding: outcome.errorOutput, as: UTF8.self))")
        return String(decoding: outcome.output, as: UTF8.self)
    }

    private static func has(_ shell: String) -> Bool { FileManager.default.isExecutableFile(atPath: "/usr/bin/\(shell)") }

    @Test("bash completes a command's name and its options", .enabled(if: has("bash"), "bash is not here"))
    func bash() throws {
        let path = try script("bash")
        defer { try? FileManager.default.removeItem(atPath: path) }
        // For names of its own the script asks the opk of the PATH.
        let complete = """
            PATH=\(BuiltPrograms.folder.path):$PATH
            source "$1"; shift
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
            _opk opk "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; printf '%s\\n' "${COMPREPLY[@]}"
            """
        let commands = try ask("bash", ["-c", complete, "bash", path, "opk", "log"]).split(separator: "\n").map(String.init)
        #expect(commands.contains("login"), "\(commands)")
        let options = try ask("bash", ["-c", complete, "bash", path, "opk", "login", "--valid"])
        #expect(options.contains("--valid-for"), "\(options)")
        let aliases = try ask("bash", ["-c", complete, "bash", path, "opk", "login", "gi"])
        #expect(aliases == "gitlab\n", "\(aliases)")
        let provider = try ask("bash", ["-c", complete, "bash", path, "opk", "setup", "ssh", "--provider", "gi"])
        #expect(provider == "gitlab\n", "\(provider)")
    }

    @Test("fish completes a command's name and its options", .enabled(if: has("fish"), "fish is not here"))
    func fish() throws {
        let path = try script("fish")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let words = try ask("fish", ["--no-config", "-c", "source \(path); complete -C 'opk log'; complete -C 'opk login --valid'"])
        #expect(words.contains("login") && words.contains("--valid-for"), "\(words)")
        let kinds = try ask("fish", ["--no-config", "-c", "source \(path); complete -C 'opk login --store '"])
        #expect(["agent", "file", "both"].allSatisfy(kinds.contains), "\(kinds)")
        for (line, word) in Self.known {
            let words = try ask("fish", ["--no-config", "-c", "source \(path); complete -C '\(line) '"])
            #expect(words.contains(word), "\(line): \(words)")
        }
    }

    /// Options whose words are known, and one of those.
    private static let known = [
        ("opk providers add a b c --store", "both"), ("opk providers add a b c --key-type", "ed25519"),
        ("opk providers add a b c --refresh-token", "secret-service"), ("opk providers add a b c --prompt", "select_account"),
        ("opk login --valid-for", "oidc"), ("opk edit", "revoked"),
        ("opk revoke x --issuer", "google"),
    ]

    @Test("zsh can read its script", .enabled(if: has("zsh"), "zsh is not here"))
    func zsh() throws {
        let path = try script("zsh")
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try ask("zsh", ["-f", "-n", path]).isEmpty)
        let first = try String(contentsOfFile: path, encoding: .utf8).prefix(20)
        #expect(first.hasPrefix("#compdef opk"))
    }
}
