import Foundation
import Testing

@testable import ChildProcess

/// A script of the test's own, run as `/bin/sh -c`: the shell is what is run here, not what runs it.
private func sh(
    _ script: String, environment: ProcessEnvironment = .empty, input: [UInt8] = [], outputLimit: Int = 1 << 20,
    errorOutput: ChildProcess.ErrorOutput = .discarded, deadline: Int = 20_000
) throws -> ChildProcess.Outcome {
    try ChildProcess.run(
        "/bin/sh", ["-c", script], environment: environment, input: input, outputLimit: outputLimit, errorOutput: errorOutput,
        deadline: deadline)
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite(.serialized) struct ChildProcessTests {
    @Test("output, error output and status come back")
    func speaks() throws {
        let outcome = try sh("echo out; echo err >&2; exit 7", errorOutput: .captured(limit: 100))
        #expect(text(outcome.output) == "out\n" && text(outcome.errorOutput) == "err\n" && outcome.ending == .exited(7))
        #expect(!outcome.succeeded)
        #expect(try sh("exit 0").succeeded)
    }

    @Test("an environment without secrets has everything else, name and bytes")
    func withoutSecrets() {
        func environment(_ entries: [String]) -> ProcessEnvironment { ProcessEnvironment(entries: entries.map { Array($0.utf8) }) }
        let kept = ["PATH=/bin", "HOME=/root", "XOPK_A=1", "OPKS=2", "A=OPK_SECRET", "SSH_AUTH_SOCK=/s", "GITHUB_ACTIONS=true"]
        let secret = [
            "OPKSSH_PROVIDERS=a,b,c,secret", "OPENPUBKEY_JWT=e30", "OPK_X=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=t",
            "ACTIONS_ID_TOKEN_REQUEST_URL=u",
        ]
        #expect(environment(secret + kept + secret).withoutSecrets == environment(kept))
    }

    @Test("no shell is between: an argument arrives as it is")
    func noShell() throws {
        let hostile = ["a b", "$(id)", ";", "*", "", "\"'", "-n\n", "ü"]
        let outcome = try ChildProcess.run(
            "/usr/bin/printf", ["[%s]"] + hostile, environment: .empty, deadline: 20_000)
        #expect(text(outcome.output) == hostile.map { "[\($0)]" }.joined())
    }

    @Test("a path that is not absolute, a NUL and a program that is not there are errors")
    func refuses() {
        func reason(_ program: String, _ arguments: [String] = []) -> ChildFailure.Reason? {
            do {
                _ = try ChildProcess.run(program, arguments, environment: .empty, deadline: 1000)
                return nil
            } catch {
                return error.reason
            }
        }
        #expect(reason("sh") == .notAbsolute)
        #expect(reason("") == .notAbsolute)
        #expect(reason("./sh") == .notAbsolute)
        #expect(reason("/bin/sh", ["a\0b"]) == .containsNUL)
        #expect(reason("/bin/sh\0") == .containsNUL)
        #expect(reason("/no/such/program") == .system(errno: ENOENT))
        #expect(reason("/etc/passwd") == .system(errno: EACCES))
        #expect(
            "\(ChildFailure(program: "/x\n", reason: .system(errno: ENOENT)))" == "/x\\u{a} cannot be run: No such file or directory")
    }

    @Test("the environment is the given one and nothing else")
    func environment() throws {
        #expect(try ChildProcess.run("/usr/bin/env", environment: .empty, deadline: 20_000).output.isEmpty)
        var given = ProcessEnvironment.empty
        given["A"] = "1"
        given["AB"] = "with = and\nnewline"
        given["A"] = "2"
        given["GONE"] = "x"
        given["GONE"] = nil
        #expect(given["A"] == "2" && given["GONE"] == nil)
        let outcome = try ChildProcess.run("/usr/bin/env", environment: given, deadline: 20_000)
        #expect(text(outcome.output) == "AB=with = and\nnewline\nA=2\n")
        setenv("OPK_TEST_BYTES", [CChar(bitPattern: 0xFF), 0x41, 0], 1)
        defer { unsetenv("OPK_TEST_BYTES") }
        #expect(ProcessEnvironment.inherited().entries.contains(Array("OPK_TEST_BYTES=".utf8) + [0xFF, 0x41]))
        #expect(ProcessEnvironment.inherited()["PATH"] == ProcessInfo.processInfo.environment["PATH"])
    }

    @Test("input is written while output is read, a MiB each way")
    func bothWays() throws {
        let input = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let outcome = try ChildProcess.run(
            "/bin/cat", environment: .empty, input: input, outputLimit: 1 << 20, deadline: 20_000)
        #expect(outcome.output == input && outcome.succeeded)
    }

    @Test("a child that does not read its input does no harm, and its end is seen at once")
    func unread() throws {
        let begin = Date()
        let outcome = try sh("exec <&-; exit 3", input: [UInt8](repeating: 1, count: 4 << 20))
        #expect(outcome.ending == .exited(3))
        #expect(Date().timeIntervalSince(begin) < 5)
    }

    @Test("one byte over the limit ends the child; exactly the limit does not")
    func tooMuch() throws {
        #expect(try sh("printf 12345", outputLimit: 5).output.count == 5)
        #expect(try sh("printf 12345", outputLimit: 5).succeeded)
        let outcome = try sh("printf 123456; sleep 60", outputLimit: 5)
        #expect(outcome.ending == .tooMuchOutput && text(outcome.output) == "12345")
        #expect(try sh("while :; do echo yyyyyyyyyyyyyyyy; done", outputLimit: 100_000).ending == .tooMuchOutput)
        let complaints = try sh(
            "i=0; while [ $i -lt 5000 ]; do echo eeeeeeeeeeeeeeeeeeeeeeeeeeeee >&2; i=$((i+1)); done", errorOutput: .captured(limit: 10))
        #expect(complaints.errorOutput.count == 10 && complaints.succeeded)
    }

    @Test(
        "the deadline kills the child and what it started, and comes on time",
        arguments: [
            "sleep 60", "sleep 60 & sleep 60", "trap '' TERM INT HUP; while :; do sleep 1; done", "exec >&- 2>&-; sleep 60",
            "while :; do echo x >&2; done",
        ])
    func deadline(script: String) throws {
        let begin = Date()
        let outcome = try sh(script, errorOutput: .captured(limit: 10), deadline: 200)
        #expect(outcome.ending == .timedOut)
        #expect((0.19..<5).contains(Date().timeIntervalSince(begin)))
    }

    @Test("what the child leaves running is killed and not waited for")
    func leftovers() throws {
        let begin = Date()
        let outcome = try sh("sleep 60 & echo $!")
        #expect(outcome.succeeded && Date().timeIntervalSince(begin) < 5)
        let left = try #require(pid_t(text(outcome.output).trimmingCharacters(in: .whitespacesAndNewlines)))
        var isAlive = true
        for _ in 0..<200 where isAlive {
            let state = try? String(contentsOfFile: "/proc/\(left)/stat", encoding: .utf8)
            isAlive = state.map { !$0.contains(") Z ") } ?? false
            if isAlive { usleep(10_000) }
        }
        #expect(!isAlive)
    }

    @Test("no descriptor but the first three is inherited, and nothing blocks or ignores a signal")
    func clean() throws {
        let leak = open("/dev/null", O_RDONLY)
        defer { close(leak) }
        #expect(leak > 2)
        var old = sigset_t()
        var blocked = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGUSR1)
        pthread_sigmask(SIG_BLOCK, &blocked, &old)
        let before = signal(SIGPIPE, SIG_IGN)
        defer {
            signal(SIGPIPE, before)
            pthread_sigmask(SIG_SETMASK, &old, nil)
        }
        let outcome = try sh("ls /proc/self/fd | wc -l; grep -E 'Sig(Blk|Ign)' /proc/self/status; ps -o sid= -p $$; echo $$")
        let lines = text(outcome.output).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        // 0, 1, 2 and the one with which ls reads the folder.
        #expect(lines.first == "4")
        #expect(lines.dropFirst().first == "SigBlk:\t0000000000000000")
        // glibc has posix_spawn ignore 32 and 33, which it keeps for itself.
        let ignored = lines.dropFirst(2).first.flatMap { UInt64($0.dropFirst("SigIgn:\t".count), radix: 16) }
        #expect(ignored.map { $0 & ~(3 << 31) } == 0)
        #expect(lines.count == 5 && lines[3] == lines[4], "it leads its own session")
    }

    @Test("standard input is empty unless given, and death by signal is told")
    func endings() throws {
        #expect(try ChildProcess.run("/bin/cat", environment: .empty, deadline: 20_000).output == [])
        #expect(try sh("kill -9 $$").ending == .killed(signal: 9))
    }

    @Test("a detached program runs on by itself")
    func detached() throws {
        let path = NSTemporaryDirectory() + "/opk-detached-" + UUID().uuidString
        try ChildProcess.spawnDetached("/bin/sh", ["-c", "echo done > \"$0\"", path], environment: .empty)
        defer { unlink(path) }
        for _ in 0..<500 where (try? String(contentsOfFile: path, encoding: .utf8)) != "done\n" { usleep(10_000) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "done\n")
    }
}
