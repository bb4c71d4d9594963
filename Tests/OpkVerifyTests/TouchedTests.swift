import Foundation
import LibCrypto
import MintingKit
import TestSupport
import Testing
import Vocabulary

/// What strace(1) saw of a program, as a list without repetitions of what it touched.
private struct Touched {
    /// What the dynamic linker and Swift's start-up opened; other machines' differ.
    var atStart: [String] = []
    /// From the program's first own act, which is to close descriptors.
    var lines: [String] = []

    /// - Parameter names: texts that differ from run to run, and what stands for them.
    init(_ trace: String, naming names: [(String, String)]) {
        var hasBegun = false
        for call in trace.split(separator: "\n").map({ $0.drop { $0.isNumber || $0 == " " } }) {
            if call.hasPrefix("close_range(3, ") { hasBegun = true }
            guard var line = Touched.line(for: String(call)) else { continue }
            for (text, name) in names { line = line.replacing(text, with: name) }
            line = line.replacing(/\/proc\/[0-9]+\/stat/, with: "/proc/PARENT/stat")
            if hasBegun {
                if !lines.contains(line) { lines.append(line) }
            } else {
                atStart.append(line)
            }
        }
    }

    /// What strace says of the descriptor that comes first.
    private static func file(of call: String) -> String { call.firstMatch(of: /\(\d+<([^>]*)>/).map { String($0.1) } ?? "?" }

    /// Nil for what touches nothing: reading and closing what is open, memory, its own limits.
    private static func line(for call: String) -> String? {
        guard let open = call.firstIndex(of: "("), !call.hasPrefix("+++"), !call.hasPrefix("---"), !call.hasPrefix("<...") else {
            return nil
        }
        let name = call[..<open]
        let quoted = call.split(separator: "\"", omittingEmptySubsequences: false)
        let path = quoted.count > 1 ? String(quoted[1]) : ""
        switch name {
        case "openat":
            // `openat(3</folder>, "name", O_RDONLY…`: relative to a folder that strace names.
            let folder = call.firstMatch(of: /openat\(\d+<([^>]*)>/).map { $0.1 + "/" } ?? ""
            let whole = path.hasPrefix("/") ? path : folder + path
            if call.contains("O_PATH|O_DIRECTORY") { return "check folder \(whole)" }
            if call.contains("O_PATH") { return "name for Landlock \(whole)" }
            if call.contains("O_CREAT") || call.contains("O_TRUNC") { return "make \(whole)" }
            return call.contains("O_RDONLY") ? "read \(whole)" : "write \(whole)"
        case "socketpair", "clone", "clone3", "fork", "vfork": return "make its broker"
        case "socket": return "socket \(call[call.index(after: open)...].prefix { $0 != "," })"
        case "connect": return "connect \(path)"
        case "sendmsg", "sendto": return "send to its socket"
        // `writev(4</folder/audit.jsonl>, …`
        case "writev" where call.contains("audit.jsonl>"): return "append to \(file(of: call))"
        // Where there is room already it need not be made.
        case "fallocate": return nil
        case "write", "writev", "pwrite64", "pwritev", "sendfile":
            return "write descriptor \(call[call.index(after: open)...].prefix { $0.isNumber })"
        case "newfstatat" where path.isEmpty: return nil
        case "close", "close_range", "read", "pread64", "fstat", "newfstatat", "lseek", "mmap", "fcntl", "ioctl", "exit_group", "readlink",
            "access",
            "getppid", "fstatfs", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "getpid", "poll":
            return ["newfstatat", "access", "readlink"].contains(name) ? "look at \(path)" : nil
        default: return "\(name) \(path)"
        }
    }
}

@Suite(
    "opk-verify: what it touches", .serialized,
    .enabled(if: Root.canMount && FileManager.default.isExecutableFile(atPath: "/usr/bin/strace"), "not root, no mounting, or no strace"))
struct TouchedTests {
    private static let golden = SharedData.packageRoot.appendingPathComponent("Tests/OpkVerifyTests/touched.txt")
    let doorway: Doorway
    let logger: SystemLogger

    init() throws {
        doorway = try Doorway()
        logger = try SystemLogger(in: doorway.folder)
        try doorway.keep(try doorway.login().keys)
        try doorway.write("config.yml", "deny_users: [postgres]\nhome_policy: false\n")
        try FileManager.default.createDirectory(
            atPath: doorway.stateFolder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        let log = doorway.folder + "/log"
        try FileManager.default.createDirectory(
            atPath: log, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        try Data().write(to: URL(fileURLWithPath: log + "/audit.jsonl"))
        for (name, size) in [("refusals", 4096), ("recent", 135_168)] {
            let state = doorway.stateFolder + "/" + name
            try Data(count: size).write(to: URL(fileURLWithPath: state))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: state)
        }
    }

    private func touched(_ words: [[UInt8]], status: Int32 = 0) throws -> Touched {
        let trace = doorway.folder + "/trace"
        let strace = "set -- strace -f -y -s 200 -e trace=%file,%desc,%network,%process,close_range -o \(trace) \"$@\";"
        let surroundings = Root.seeing(logger.folder, at: "/dev", then: strace)
        let run = try Program.run(
            "/bin/sh", [Array("-c".utf8), Array(surroundings.utf8), Array("sh".utf8), Array(Program.verify.utf8)] + words,
            environment: Doorway.environment)
        #expect(run.ending == .exited(status), "\(run)")
        let record = try FileManager.default.contentsOfDirectory(atPath: doorway.cacheFolder).first { $0.hasSuffix(".json") } ?? ""
        let text = try String(contentsOfFile: trace, encoding: .utf8)
        return Touched(
            text,
            naming: [
                (doorway.config, "CONFIG"), (doorway.cacheFolder, "CACHE"), (doorway.stateFolder, "STATE"),
                (doorway.folder + "/log", "LOG"), (doorway.folder, "ABOVE"),
                (record, "ISSUER.json"),
                (Program.verify.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/", "PROGRAMS/"),
                (URL(fileURLWithPath: Program.verify).resolvingSymlinksInPath().deletingLastPathComponent().path + "/", "PROGRAMS/"),
                ("/etc/ssl/openssl.cnf", "OPENSSL.cnf"), ("/usr/lib/ssl/openssl.cnf", "OPENSSL.cnf"),
            ])
    }

    /// Opened, and written to.
    private func isAudit(_ line: String) -> Bool {
        line == "write LOG/audit.jsonl" || line == "append to LOG/audit.jsonl"
    }

    @Test("A warm admission, a refusal and a key that is not ours touch what is on the golden list, and nothing else")
    func golden() throws {
        let login = try doorway.login()
        let options = [
            "--config-dir", doorway.config, "--cache-dir", doorway.cacheFolder, "--state-dir", doorway.stateFolder, "--audit-log",
            doorway.folder + "/log/audit.jsonl", "--",
        ]
        let admitted = try touched(try doorway.words(login, options: options))
        let refused = try touched(try doorway.words(login, as: "root", options: options), status: 1)
        let key = TestKeys.ed25519.publicKey
        let notOurs = try touched((options + ["guest", Base64.encode(key.sshBlob), "ssh-ed25519"]).map { Array($0.utf8) })

        let all = [("a warm admission", admitted), ("a refusal by policy", refused), ("a key that is not ours", notOurs)]
        let text = all.map { about, touched in (["# \(about)"] + touched.lines).joined(separator: "\n") + "\n" }.joined(separator: "\n")
        if ProcessInfo.processInfo.environment["OPK_WRITE_GOLDEN"] != nil { try Data(text.utf8).write(to: Self.golden) }
        #expect(text == String(decoding: try Data(contentsOf: Self.golden), as: UTF8.self))

        // What the list must show, whoever writes it anew.
        for (about, touched) in all {
            #expect(touched.atStart.count { $0.hasPrefix("execve ") } == 1, "\(about) starts no program")
            let others = touched.atStart.filter { !$0.hasPrefix("execve ") && !$0.hasPrefix("read ") && !$0.hasPrefix("look at ") }
            #expect(others.isEmpty, "the start-up only reads: \(others)")
            for line in touched.lines {
                let harmless = ["name for Landlock ", "check folder ", "read ", "look at "].contains(where: line.hasPrefix)
                let allowed = [
                    "socket AF_UNIX", "connect /dev/log", "send to its socket", "make its broker", "write descriptor 1",
                    "write descriptor 2",
                ]
                #expect(
                    harmless || allowed.contains(line) || line == "write STATE/refusals"
                        || about != "a key that is not ours" && isAudit(line)
                        || about == "a refusal by policy" && line == "write STATE/recent",
                    "\(about): \(line)")
            }
        }
        #expect(notOurs.lines.allSatisfy { $0.hasPrefix("name for Landlock ") || $0 == "look at /proc/self/exe" }, "no file is read")
    }
}
