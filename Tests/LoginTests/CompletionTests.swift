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
        let commands = try ask("bash", ["-c", complete, "bash", path, "opk", "lo"]).split(separator: "\n").map(String.init)
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
        ("opk revoke x --issuer", "google"), ("opk setup server --provider", "microsoft"),
    ]

    @Test("zsh can read its script", .enabled(if: has("zsh"), "zsh is not here"))
    func zsh() throws {
        let path = try script("zsh")
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try ask("zsh", ["-f", "-n", path]).isEmpty)
        let first = try String(contentsOfFile: path, encoding: .utf8).prefix(20)
        #expect(first.hasPrefix("#compdef opk"))
    }

    /// A zsh at a terminal of its own (zpty), in which somebody types the words and then Tab; what stands on the line then is accepted and echoed. Bytes that
    /// the line editor draws with are in the answer, too.
    @Test(
        "a person at a zsh types part of a word and Tab, and it is completed", .enabled(if: has("zsh"), "zsh is not here"),
        arguments: [("opk logi", "opk login "), ("opk login --valid-f", "opk login --valid-for "), ("opk login gitl", "opk login gitlab ")])
    func zshTyped(typed: String, completed: String) throws {
        let folder = NSTemporaryDirectory() + "opk-completion-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.moveItem(atPath: try script("zsh"), toPath: folder + "/_opk")
        // The script is found as an installed one is: by its name in a folder of fpath.
        let dialogue = """
            zmodload zsh/zpty
            zpty -b shell zsh -f -i
            zpty -w shell "PS1= PS2= ; fpath=($1 \\$fpath); PATH=$2:\\$PATH; autoload -Uz compinit; compinit -u -d $1/dump; setopt no_beep; bindkey -e"
            zpty -w shell 'accept() { print -r -- "<<$BUFFER>>"; BUFFER=; zle accept-line }; zle -N accept; bindkey "^X" accept; print rea""dy'
            text=
            waitfor() { for i in {1..600}; do zpty -rt shell part && text+=$part; [[ $text == *$1* ]] && return 0; sleep 0.05; done; return 1 }
            waitfor ready || { print -r -- "not ready: $text"; exit 1 }
            zpty -w -n shell "$3"$'\\t'
            zpty -w -n shell $'\\x18'
            waitfor "<<$4>>" || { print -r -- "no answer: $text"; exit 1 }
            print -r -- "$text"
            zpty -d shell
            """
        let answer = try ask("zsh", ["-f", "-c", dialogue, "zsh", folder, BuiltPrograms.folder.path, typed, completed])
        #expect(answer.contains("<<\(completed)>>"), "\(answer.debugDescription)")
    }

    /// The same at a bash, whose readline has the whole line printed by `C-x`.
    @Test(
        "a person at a bash types part of a word and Tab, and it is completed",
        .enabled(if: has("bash") && has("python3"), "no bash or no python3"),
        arguments: [("opk logi", "opk login "), ("opk login --valid-f", "opk login --valid-for "), ("opk login gitl", "opk login gitlab ")])
    func bashTyped(typed: String, completed: String) throws {
        try typeAndTab(
            "bash", ["--norc", "--noprofile", "-i"],
            setUp: {
                #"PS1=; PATH=\#(BuiltPrograms.folder.path):$PATH; bind 'set enable-bracketed-paste off'; accept() { echo "<<$READLINE_LINE>>"; }; bind -x '"\C-x":accept'; source \#($0); echo rea""dy"#
            },
            typed, completed)
    }

    @Test(
        "a person at a fish types part of a word and Tab, and it is completed",
        .enabled(if: has("fish") && has("python3"), "no fish or no python3"),
        arguments: [("opk logi", "opk login "), ("opk login --valid-f", "opk login --valid-for "), ("opk login gitl", "opk login gitlab ")])
    func fishTyped(typed: String, completed: String) throws {
        try typeAndTab(
            "fish", ["--no-config", "-i"],
            setUp: {
                #"set -x PATH \#(BuiltPrograms.folder.path) $PATH; function fish_prompt; end; function accept; echo "<<"(commandline)">>"; end; bind \cx accept; source \#($0); echo rea""dy"#
            },
            typed, completed)
    }

    /// - Parameter setUp: what is typed first, given the completion's script; it ends with saying `ready`.
    private func typeAndTab(_ shell: String, _ arguments: [String], setUp: (String) -> String, _ typed: String, _ completed: String) throws
    {
        let path = try script(shell)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let dialogue = """
            import os, pty, select, signal, sys, time
            line, typed, wanted = sys.argv[1:4]
            child, terminal = pty.fork()
            if child == 0: os.execv(sys.argv[4], sys.argv[4:])
            text = ""
            def until(words, seconds=60):
                global text
                end = time.monotonic() + seconds
                while words not in text and time.monotonic() < end:
                    if select.select([terminal], [], [], 0.1)[0]:
                        try: part = os.read(terminal, 65536).decode("utf-8", "replace")
                        except OSError: return
                        # A shell that asks what its terminal is waits for the answer.
                        if "\\x1b[c" in part or "\\x1b[0c" in part: os.write(terminal, b"\\x1b[?62;c")
                        text += part
            os.write(terminal, line.encode() + b"\\r")
            until("ready")
            for _ in range(5):
                os.write(terminal, typed.encode() + b"\\t")
                until("never", 1.5)
                os.write(terminal, b"\\x18")
                until("<<" + wanted + ">>", 3)
                if "<<" + wanted + ">>" in text: break
                os.write(terminal, b"\\x15")
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            print(text)
            """
        let answer = try ask("python3", ["-c", dialogue, setUp(path), typed, completed, "/usr/bin/\(shell)"] + arguments)
        #expect(answer.contains("<<\(completed)>>"), "\(answer.debugDescription)")
    }
}
