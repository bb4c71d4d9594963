import Foundation
import Testing

extension RealSSH {
    @Suite("opk setup ssh: what is built on ssh")
    struct SetupSSHToolsTests {
        @Test("scp and sftp log in by themselves", arguments: ["scp", "sftp"])
        func files(program: String) async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                let sent = laptop.home + "/sent"
                try await laptop.write("a line\n", to: sent)
                if program == "scp" {
                    try await laptop.mustRun("scp", ["-q", sent, "target.opk.test:by-scp"])
                    try await laptop.mustRun("scp", ["-q", "target.opk.test:by-scp", laptop.home + "/back"])
                } else {
                    try await laptop.write("put \(sent) by-sftp\nget by-sftp \(laptop.home)/back\n", to: laptop.home + "/batch")
                    try await laptop.mustRun("sftp", ["-q", "-b", laptop.home + "/batch", "target.opk.test"])
                }
                #expect(try String(contentsOfFile: laptop.home + "/back", encoding: .utf8) == "a line\n")
                #expect(laptop.pages == 1)
            }
        }

        @Test("git clones and pushes", .enabled(if: Machine.path("git") != nil, "git is not installed"))
        func git() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                let repository = laptop.server.folder.appendingPathComponent("home/\(laptop.server.alice)/project.git").path
                try await laptop.mustRun("ssh", ["target.opk.test", "git", "init", "-q", "--bare", "-b", "main", "project.git"])
                let copy = laptop.home + "/project"
                try await laptop.mustRun("git", ["clone", "-q", "target.opk.test:project.git", copy])
                let who = ["-C", copy, "-c", "user.name=Carol", "-c", "user.email=carol@example.com"]
                try await laptop.mustRun("git", who + ["commit", "-q", "--allow-empty", "-m", "first"])
                try await laptop.mustRun("git", ["-C", copy, "push", "-q", "ssh://target.opk.test/~/project.git", "HEAD:main"])
                #expect(FileManager.default.fileExists(atPath: repository + "/refs/heads/main"))
                #expect(laptop.pages == 1)
                try FileManager.default.removeItem(atPath: repository)
            }
        }

        @Test("rsync copies", .enabled(if: Machine.path("rsync") != nil, "rsync is not installed"))
        func rsync() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                try await laptop.write("a line\n", to: laptop.home + "/sent")
                try await laptop.mustRun("rsync", ["-a", laptop.home + "/sent", "target.opk.test:by-rsync"])
                try await laptop.mustRun("rsync", ["-a", "target.opk.test:by-rsync", laptop.home + "/back"])
                #expect(try String(contentsOfFile: laptop.home + "/back", encoding: .utf8) == "a line\n")
                #expect(laptop.pages == 1)
            }
        }

        @Test("ProxyJump: both get the login, the other host and the one on the way")
        func jump() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                let outcome = try await laptop.run("ssh", ["-J", "strict.opk.test", "target.opk.test", "echo $SSH_CONNECTION"])
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(laptop.pages == 1)
                // And through one that is none of ours, in front of one that is.
                #expect(try await laptop.whoami("target.opk.test", ["-J", "other"]) == nil)
            }
        }

        /// What VS Code's Remote-SSH runs, as its logs show: `ssh -V`; then, in its terminal, a script piped into `ssh -T -D PORT HOST bash`, or, from a
        /// server of its own, into a login shell with an askpass program in the environment; without forwarding, `ClearAllForwardings`. It gives up
        /// where nothing has been said for `ConnectTimeout` seconds and a few more.
        @Test(
            "VS Code's Remote-SSH: its script is read by the shell there and by nobody before, whichever way it calls ssh",
            arguments: ["terminal", "local server", "no forwarding", "shared"])
        func remoteSSH(way: String) async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                #expect(try await laptop.run("ssh", ["-V"]).status == 0)
                // Longer than a pipe holds: who reads ahead would be noticed.
                let script =
                    "echo 5c1f: running\n" + String(repeating: "# padding\n", count: 10_000)
                    + "id -un\necho last line\n"
                let port = try Machine.freePort()
                var variables: [String: String] = [:]
                let arguments: [String]
                switch way {
                case "terminal": arguments = ["-T", "-D", String(port), "-o", "ConnectTimeout=15", "target.opk.test", "bash"]
                case "local server":
                    arguments = ["-v", "-T", "-D", String(port), "-o", "ConnectTimeout=15", "target.opk.test"]
                    variables = ["SSH_ASKPASS": "/bin/false", "DISPLAY": ":0"]
                case "no forwarding":
                    arguments = ["-T", "-o", "ClearAllForwardings=true", "-o", "ConnectTimeout=15", "target.opk.test", "bash"]
                default:
                    let shared = ["ControlMaster=auto", "ControlPath=\(laptop.home)/mux", "ControlPersist=2"].flatMap { ["-o", $0] }
                    arguments = ["-T", "-D", String(port)] + shared + ["-o", "ConnectTimeout=15", "target.opk.test", "bash"]
                }
                for _ in 0..<2 {
                    let answer = try await laptop.run("ssh", arguments, adding: variables, input: script)
                    #expect(answer.status == 0, "\(answer.errors)")
                    // A login shell is greeted first.
                    #expect(answer.output.hasSuffix("5c1f: running\n\(laptop.server.alice)\nlast line\n"), "\(answer.output)")
                    #expect(way == "local server" || answer.output.hasPrefix("5c1f"), "\(answer.output)")
                }
                if way == "shared" {
                    // It would stay for two seconds, and with it the account.
                    try await laptop.mustRun("ssh", ["-o", "ControlPath=\(laptop.home)/mux", "-O", "exit", "target.opk.test"])
                    for _ in 0..<200 where try await Command.run("pgrep", ["-u", laptop.account]).status == 0 {
                        try await Task.sleep(for: .milliseconds(50))
                    }
                }
                // It asks what is configured, too, and that is no second login.
                let options = try await laptop.mustRun("ssh", ["-G", "target.opk.test"])
                #expect(options.contains("certificatefile ") && options.contains("/.ssh/opk/demo-cert.pub\n"), "\(options)")
                #expect(laptop.pages == 1)
            }
        }

        @Test("VS Code's Remote-SSH in its terminal: what is said before the login is said at once, and the forwarding works")
        func remoteSSHForwarding() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                let (port, over) = (try Machine.freePort(), laptop.home + "/over")
                let script = "echo started; for i in $(seq 300); do [ -e \(over) ] && break; sleep 0.1; done; echo ended\n"
                try await laptop.write(script, to: laptop.home + "/install.sh")
                // A terminal around a pipe.
                let command = "cat install.sh | ssh -T -D \(port) -o ConnectTimeout=15 target.opk.test bash"
                async let terminal = laptop.run("script", ["-qec", "cd && \(command)", "/dev/null"])
                let answer = try await Command.run(
                    "curl",
                    [
                        "-sS", "--retry", "100", "--retry-delay", "0", "--retry-all-errors", "--retry-max-time", "30", "--socks5-hostname",
                        "127.0.0.1:\(port)", laptop.provider.issuer + "/.well-known/openid-configuration",
                    ], deadline: 60)
                try await laptop.write("", to: over, mode: "0644")
                try await Command.mustRun("chmod", ["0711", laptop.home])
                let seen = try await terminal
                #expect(answer.output.contains("authorization_endpoint"), "\(answer.both)")
                let words = seen.output.replacingOccurrences(of: "\r", with: "")
                #expect(seen.status == 0 && words.contains("started\nended\n"), "\(seen.both)")
                #expect(words.hasPrefix("opk: a login as demo is needed.\n"), "\(words)")
            }
        }

        @Test("as an editor calls ssh, and over a connection that is shared")
        func others() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.setUp()
                let port = try Machine.freePort()
                let editor = try await laptop.run("ssh", ["-T", "-D", String(port), "target.opk.test", "echo here"])
                #expect(editor.status == 0, "\(editor.errors)")
                #expect(editor.output == "here\n")
                let socket = ["-o", "ControlPath=\(laptop.home)/mux"]
                let master = try laptop.start("ssh", socket + ["-N", "-o", "ControlMaster=yes", "target.opk.test"])
                do {
                    try await Waiting.until("shared connection") { FileManager.default.fileExists(atPath: laptop.home + "/mux") }
                    let shared = try await laptop.run("ssh", socket + ["-v", "target.opk.test", "id", "-un"])
                    #expect(shared.output == "\(laptop.server.alice)\n", "\(shared.errors)")
                    #expect(!shared.errors.contains("Offering public key"))
                } catch {
                    await master.stop()
                    throw error
                }
                await master.stop()
                #expect(laptop.pages == 1)
            }
        }

        @Test("other hosts are as before to the last byte, and --undo leaves the file as it was")
        func undo() async throws {
            try await withSetupLaptop { laptop in
                func options(_ host: String) async throws -> String { try await laptop.mustRun("ssh", ["-G", host]) }
                let others = ["other", "not.opk.test", "github.com", "10.1.2.3"]
                var before: [String] = []
                for host in others { before.append(try await options(host)) }
                let shown = try await laptop.mustRun("opk", ["setup", "ssh", "--dry-run"])
                #expect(shown.contains("  + Include ~/.ssh/opk/config\n"))
                #expect(laptop.configNow == laptop.config)
                try await laptop.setUp()
                // ssh was asked what it understands, and nobody to log in.
                #expect(laptop.pages == 0)
                let once = laptop.configNow
                #expect(once != laptop.config)
                try await laptop.setUp()
                #expect(laptop.configNow == once)
                for (host, said) in zip(others, before) { #expect(try await options(host) == said, "\(host)") }
                // A script that does not say so changes nothing.
                let unasked = try await laptop.run("opk", ["setup", "ssh", "--undo"])
                #expect(unasked.status == 1)
                #expect(unasked.errors.contains("opk: hint: look at it with --dry-run, and write it with --yes"))
                #expect(laptop.configNow == once)
                try await laptop.setUp(["--undo"])
                #expect(laptop.configNow == laptop.config)
                #expect(!FileManager.default.fileExists(atPath: laptop.home + "/.ssh/opk/config"))
                #expect(try await laptop.whoami("target.opk.test") == nil)
                #expect(laptop.pages == 0)
            }
        }

        @Test("a person at a terminal is shown what it is and asked; only yes is a yes", arguments: ["y", "n", ""])
        func asked(answer: String) async throws {
            try await withSetupLaptop { laptop in
                let outcome = try await laptop.run("script", ["-qec", "opk setup ssh", "/dev/null"], input: answer + "\n")
                #expect(outcome.output.contains("  + Include ~/.ssh/opk/config"), "\(outcome.output)")
                #expect(outcome.output.contains("Write this? [y/N]"))
                #expect((laptop.configNow == laptop.config) == (answer != "y"))
                #expect(outcome.output.contains(answer == "y" ? "Written, and ssh understands it." : "Nothing was written."))
            }
        }

        @Test("--hosts names more hosts, and the login that is for them")
        func given() async throws {
            try await withSetupLaptop { laptop in
                try await laptop.configure(hosts: "[]")
                try await laptop.setUp(["--provider", "demo", "--hosts", "other", "x*"])
                #expect(try await laptop.whoami("target.opk.test") == nil)
                #expect(try await laptop.whoami("other") == laptop.server.alice)
                let unknown = try await laptop.run("opk", ["setup", "ssh", "--yes", "--provider", "nobody", "--hosts", "y"])
                #expect(unknown.errors.contains("there is no provider with the alias nobody"))
            }
        }
    }
}
