import ChildProcess
import Foundation
import TestSupport
import Testing

@testable import opk_verify

/// Accounts that only one process and its children know, with homes below a folder of root's: `alice` (4711) and `bob` (4712).
private final class Accounts {
    let folder = "/var/lib/opk-accounts-" + UUID().uuidString.prefix(8)
    static let alice: UInt32 = 4711
    static let program = BuiltPrograms.path("opk-home")
    static let hasSudo = FileManager.default.isExecutableFile(atPath: "/usr/bin/sudo")
    static let hasStrace = (try? Program.shell("exec strace -qq -o /dev/null true"))?.status == 0

    var home: String { folder + "/alice" }
    var file: String { home + "/.opk/auth_id" }

    init() throws {
        for path in [folder, home, home + "/.opk", folder + "/sudoers"] { mkdir(path, 0o755) }
        chmod(home, 0o700)
        try write("alice carol@example.com https://idp.example.com\n")
        var users = try String(contentsOfFile: "/etc/passwd", encoding: .utf8)
        if !users.hasSuffix("\n") { users += "\n" }
        users += "alice:x:4711:4711::\(home):/bin/sh\nbob:x:4712:4712::\(folder)/bob:/bin/sh\ncarol:x:4713:4713:::/bin/sh\n"
        try Data(users.utf8).write(to: URL(fileURLWithPath: folder + "/passwd"))
        // As sudoers.d/opk has it, for daemon, and for the program where it lies here.
        let rule = "Defaults:daemon env_reset, !requiretty, !lecture, !pam_session\ndaemon ALL=(root) NOPASSWD: \(Accounts.program) \"\"\n"
        _ = FileManager.default.createFile(
            atPath: folder + "/sudoers/opk", contents: Data(rule.utf8), attributes: [.posixPermissions: 0o440])
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        chmod(file, 0o600)
        for path in [home, home + "/.opk", file] { chown(path, Accounts.alice, Accounts.alice) }
    }

    struct Answer: CustomStringConvertible {
        let status: Int32?
        let output: String
        let complaints: [String]
        var description: String { "\(status.map(String.init) ?? "killed"): \(output.debugDescription) \(complaints)" }
        /// Not a word on standard output, one line on the other.
        func refused(_ status: Int32, _ words: String = "") -> Bool {
            self.status == status && output.isEmpty && complaints.count == 1 && complaints[0].hasPrefix("opk-home: ")
                && (words.isEmpty || complaints[0].contains(words))
        }
        var isAbsent: Bool { status == 3 && output.isEmpty && complaints.isEmpty }
    }

    /// - Parameter before: what a shell does first, as root.
    func ask(
        _ input: String, _ words: [String] = [], before: String = "", by caller: [String] = [], environment: ProcessEnvironment = .empty
    ) throws -> Answer {
        let script =
            "mount --bind \(folder)/passwd /etc/passwd && mount --bind \(folder)/sudoers /etc/sudoers.d || exit 99; \(before) exec \"$@\""
        let outcome = try ChildProcess.run(
            "/usr/bin/unshare", ["--mount", "/bin/sh", "-c", script, "sh"] + caller + [Accounts.program] + words,
            environment: environment, input: Array(input.utf8), outputLimit: 4 << 20, errorOutput: .captured(limit: 4096), deadline: 20_000)
        let status: Int32? = if case .exited(let status) = outcome.ending { status } else { nil }
        return Answer(
            status: status, output: String(decoding: outcome.output, as: UTF8.self),
            complaints: String(decoding: outcome.errorOutput, as: UTF8.self).split(separator: "\n").map(String.init))
    }

    static let asDaemon = ["/usr/bin/setpriv", "--reuid", "1", "--regid", "1", "--clear-groups"]
}

@Suite("opk-home", .serialized, .enabled(if: Root.canMount, "only root, where mounting is allowed, can have accounts of its own"))
struct HomeTests {
    private let accounts: Accounts

    init() throws { accounts = try Accounts() }

    @Test("The account on standard input, or as the one argument: its file's content and status 0, whatever the environment says")
    func reads() throws {
        let content = "alice carol@example.com https://idp.example.com\n"
        var environment = ProcessEnvironment.empty
        environment["HOME"] = "/nonexistent"
        environment["USER"] = "bob"
        for answer in [
            try accounts.ask("alice\n"), try accounts.ask("alice"), try accounts.ask("", ["alice"]), try accounts.ask("bob\n", ["alice"]),
            try accounts.ask("alice\n", environment: environment),
        ] {
            #expect(answer.status == 0 && answer.output == content && answer.complaints.isEmpty, "\(answer)")
        }
        try accounts.write("")
        let answer = try accounts.ask("alice\n")
        #expect(answer.status == 0 && answer.output.isEmpty, "\(answer)")
    }

    @Test("What is not there is status 3 and nothing: the account, its home, its .opk, its file")
    func absent() throws {
        for name in ["nobody-here", "bob", "carol"] { #expect(try accounts.ask(name + "\n").isAbsent, "\(name)") }
        unlink(accounts.file)
        #expect(try accounts.ask("alice\n").isAbsent)
        rmdir(accounts.home + "/.opk")
        #expect(try accounts.ask("alice\n").isAbsent)
    }

    @Test("V66 A file that must not be used is status 1, one line that says why, and nothing of it")
    func unusable() throws {
        chmod(accounts.file, 0o640)
        #expect(try accounts.ask("alice\n").refused(1, "mode 0640"))
        chmod(accounts.file, 0o600)
        chown(accounts.file, 0, 0)
        // Root's, so the account cannot even open it.
        #expect(try accounts.ask("alice\n").refused(1, "Permission denied"))
        chown(accounts.file, Accounts.alice, Accounts.alice)
        rename(accounts.home, accounts.folder + "/real")
        symlink(accounts.folder + "/real", accounts.home)
        #expect(try accounts.ask("alice\n").refused(1, "symbolic link"))
        unlink(accounts.home)
        rename(accounts.folder + "/real", accounts.home)
        try accounts.write("x\0y")
        #expect(try accounts.ask("alice\n").refused(1, "NUL"))
    }

    @Test("V56 A wrong call is status 2: no account, two, one that may not be written down, an option")
    func wrongCalls() throws {
        for input in [
            "", "\n", "alice\nbob\n", "alice\n\n", "-x\n", "../alice\n", "a b\n", "alice\0\n", "ali\u{1B}ce\n",
            String(repeating: "a", count: 130), String(repeating: "a", count: 100_000),
        ] {
            #expect(try accounts.ask(input).refused(2), "\(input.debugDescription.prefix(40))")
        }
        for words in [["alice", "bob"], ["--", "alice"], ["-x"], ["--config-dir"], [""], ["alice\n"], ["/root"]] {
            #expect(try accounts.ask("", words).refused(2), "\(words)")
        }
    }

    @Test("A caller who says nothing is waited for 3 seconds, and whoever is not root gets no other account's file")
    func others() throws {
        let answer = try accounts.ask("alice\n", by: Accounts.asDaemon)
        #expect(answer.refused(1, "Permission denied"), "\(answer)")
        let start = Date()
        let silent = try accounts.ask("", before: "mkfifo \(accounts.folder)/pipe; exec <>\(accounts.folder)/pipe;")
        #expect(silent.status == 1 && silent.output.isEmpty && (2.5..<10).contains(Date().timeIntervalSince(start)), "\(silent)")
    }

    @Test(
        "Root becomes the account, with its groups and for good, before it looks at its files",
        .enabled(if: Accounts.hasStrace, "no strace"))
    func becomes() throws {
        let trace = accounts.folder + "/trace"
        let answer = try accounts.ask("alice\n", by: ["/usr/bin/strace", "-qq", "-o", trace])
        #expect(answer.status == 0, "\(answer)")
        let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        let change = try #require(calls.firstIndex { $0.hasPrefix("setuid(4711)") && $0.hasSuffix(" = 0") })
        #expect(calls[..<change].contains { $0.hasPrefix("setgid(4711)") } && calls[..<change].contains { $0.hasPrefix("setgroups(") })
        #expect(calls[change...].contains { $0.hasPrefix("setuid(0)") && $0.contains("EPERM") })
        #expect(!calls[..<change].contains { $0.contains(accounts.folder) || $0.contains("auth_id") })
        #expect(calls[change...].contains { $0.contains("\"auth_id\", O_RDONLY") && $0.contains("O_NOFOLLOW") })
        #expect(
            !calls[change...].contains {
                $0.hasPrefix("execve(") || $0.hasPrefix("socket(") || $0.contains("O_WRONLY") || $0.contains("O_RDWR")
            })
    }

    @Test("The rule of sudoers lets opk-verify's user ask without an argument, and nothing else", .enabled(if: Accounts.hasSudo, "no sudo"))
    func sudo() throws {
        let sudo = Accounts.asDaemon + ["/usr/bin/sudo", "-n", "--"]
        let answer = try accounts.ask("alice\n", by: sudo)
        #expect(answer.status == 0 && answer.output.hasPrefix("alice "), "\(answer)")
        #expect(try accounts.ask("nobody-here\n", by: sudo).isAbsent)
        for words in [["alice"], ["--help"], [""]] {
            let refused = try accounts.ask("alice\n", words, by: sudo)
            #expect(refused.status == 1 && refused.output.isEmpty && refused.complaints.first?.hasPrefix("sudo: ") == true, "\(refused)")
        }
    }

    @Test("What sudo and opk-home say becomes an answer: content, absent, a reason of opk-home's, or why it could not be asked")
    func answers() {
        func answer(_ ending: ChildProcess.Ending, _ output: String = "", _ complaint: String = "") -> HelperAnswer {
            HomeCommand.answer(ending, Array(output.utf8), Array(complaint.utf8), 2000)
        }
        #expect(answer(.exited(0), "rows") == HelperAnswer(.done, Array("rows".utf8)))
        #expect(answer(.exited(0)) == HelperAnswer(.done))
        #expect(answer(.exited(3)) == HelperAnswer(.absent))
        #expect(answer(.exited(1), "", "opk-home: /h/.opk/auth_id is a link\nmore") == .failed("/h/.opk/auth_id is a link"))
        #expect(answer(.exited(1), "rows", "opk-home: it broke off").status == .failed)
        for (ending, output, complaint, words) in [
            (.exited(1), "", "sudo: a password is required", "cannot be asked: sudo: a password is required (is the rule"),
            (.exited(1), "", "", "it said nothing"), (.exited(3), "rows", "", "cannot be asked"), (.exited(2), "", "", "cannot be asked"),
            (.exited(127), "", "", "cannot be asked"), (.timedOut, "rows", "", "within 2.0 s"), (.tooMuchOutput, "rows", "", "too much"),
            (.killed(signal: 9), "rows", "", "signal 9"), (.exited(1), "", "opk-home: \u{1B}[2Jx", "\\u{1b}[2Jx"),
        ] as [(ChildProcess.Ending, String, String, String)] {
            let answer = answer(ending, output, complaint)
            #expect(answer.status == .failed && String(decoding: answer.content, as: UTF8.self).contains(words), "\(ending) \(complaint)")
        }
    }
}
