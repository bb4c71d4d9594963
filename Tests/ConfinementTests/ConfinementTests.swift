import CSystem
import ChildProcess
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs the program that confines itself (Tests/Confined), and says what it said.
struct Confined {
    let lines: [String]
    let status: Int32
    let signal: Int32?

    static let program: String = {
        let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("confined")
        let isThere = FileManager.default.isExecutableFile(atPath: beside.path)
        return isThere ? beside.path : SharedData.packageRoot.appendingPathComponent(".build/debug/confined").path
    }()

    /// - Parameters:
    ///   - surroundings: what a shell does first.
    ///   - meanwhile: called once it has said "waiting".
    init(
        _ words: [String], surroundings: String = "", program: String = Confined.program, in folder: String = "/",
        meanwhile: ((Int32) throws -> Void)? = nil
    ) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "\(surroundings)\nexec \"$@\"", "sh", program] + words
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        if let meanwhile {
            var said = Data()
            while !said.contains(0x0A), case let more = output.fileHandleForReading.availableData, !more.isEmpty { said += more }
            try meanwhile(process.processIdentifier)
        }
        try input.fileHandleForWriting.close()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        lines = text.split(separator: "\n").map(String.init)
        status = process.terminationStatus
        signal = process.terminationReason == .uncaughtSignal ? process.terminationStatus : nil
    }

    /// What came of this try.
    subscript(_ word: String) -> String? {
        lines.first { $0.hasPrefix(word + " ") }.map { String($0.dropFirst(word.count + 1)) }
    }
}

/// A folder that is gone with the value.
final class Folder: Sendable {
    let path = "/tmp/opk-confined-" + UUID().uuidString.prefix(8)
    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String, _ text: String = "x") throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }
}

@Suite("Confinement: from the start")
struct BeginningTests {
    @Test("No core dump, few descriptors, bounded memory, time and files, hard limits too")
    func limits() throws {
        var limits: [String] = []
        _ = try Confined(["begin", "wait"]) { process in
            let text = try String(contentsOfFile: "/proc/\(process)/limits", encoding: .utf8)
            limits = text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        }
        for limit in [
            "Max core file size 0 0 bytes", "Max open files 64 64 files", "Max cpu time 10 10 seconds",
            "Max address space 1073741824 1073741824 bytes", "Max file size 16777216 16777216 bytes",
        ] {
            #expect(limits.contains(limit), "\(limits)")
        }
    }

    @Test("Beyond a limit is an error, not a signal, and limits that were lower stay")
    func errors() throws {
        let folder = try Folder()
        let words = ["begin", "memory:2000000000", "memory:500000000", "file:16777216", "file:16777217", "descriptors"]
        let confined = try Confined(words, in: folder.path)
        #expect(confined["descriptors"] == "64" && confined["memory:2000000000"] == "ENOMEM" && confined["memory:500000000"] == "ok")
        #expect(confined["file:16777216"] == "ok" && confined["file:16777217"] == "EFBIG", "\(confined)")
        let less = try Confined(words, surroundings: "ulimit -S -n 20; ulimit -f 2", in: folder.path)
        #expect(less["descriptors"] == "20" && less["file:16777216"] == "EFBIG", "\(less)")
    }

    @Test("Descriptors that somebody left open are closed")
    func descriptors() throws {
        var open: [String] = []
        _ = try Confined(["begin", "wait"], surroundings: "exec 7</etc/passwd 9</") { process in
            open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").sorted()
        }
        #expect(open == ["0", "1", "2"])
    }

    @Test(
        "Another process of the same user cannot look into it",
        .enabled(if: geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv"), "not root, or no setpriv"))
    func hidden() throws {
        let folder = try Folder()
        try FileManager.default.copyItem(atPath: Confined.program, toPath: folder.path + "/confined")
        let asNobody = "set -- setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\""
        for (words, owner, canBeRead) in [(["wait"], uid_t(65534), true), (["begin", "wait"], 0, false)] {
            _ = try Confined(words, surroundings: asNobody, program: folder.path + "/confined") { process in
                var facts = stat()
                #expect(stat("/proc/\(process)/environ", &facts) == 0 && facts.st_uid == owner)
                let look = try ChildProcess.run(
                    "/usr/bin/setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", "cat", "/proc/\(process)/maps"],
                    environment: .inherited(), deadline: 5000)
                #expect(look.succeeded == canBeRead, "\(look)")
            }
        }
    }

    @Test("When the time is over it ends with 1, whether it computes or waits, and whatever signals its caller left blocked or ignored")
    func time() throws {
        for (word, caller) in [
            ("spin", ""), ("sleep", ""), ("wait", ""), ("spin", "set -- env --block-signal=ALRM \"$@\""),
            ("sleep", "set -- env --ignore-signal=ALRM \"$@\""),
        ] {
            let confined = try Confined(
                ["begin-second", "words", word], surroundings: caller, meanwhile: word == "wait" ? { _ in sleep(3) } : nil)
            #expect(confined.signal == nil && confined.status == 1, "\(word) \(caller): \(confined)")
        }
    }
}

@Suite("Confinement: by Landlock", .enabled(if: opk_landlock_abi() > 0, "this kernel has no Landlock"))
struct RestrictionTests {
    let folder: Folder
    let version = Int(opk_landlock_abi())

    init() throws { folder = try Folder() }

    @Test("What is not named can be neither read, written, made, removed nor run; what is named can, and no more than that")
    func files() throws {
        let (named, other) = (try folder.file("named"), try folder.file("other"))
        let state = try folder.file("state")
        let tries = [
            "open:\(named)", "write:\(named)", "open:\(other)", "write:\(other)", "open:/etc/passwd", "make:\(folder.path)/new",
            "remove:\(named)",
            "open:\(state)", "write:\(state)", "truncate:\(state)", "remove:\(state)", "run:/bin/true",
        ]
        let free = try Confined(["begin", "may-start"] + tries)
        #expect(tries.allSatisfy { free[$0] == "ok" }, "without the restriction all can be done: \(free)")
        for name in ["named", "other", "state"] { _ = try folder.file(name) }
        try FileManager.default.removeItem(atPath: folder.path + "/new")
        let confined = try Confined(["begin", "read=\(named)", "change=\(state)", "may-start", "restrict"] + tries)
        #expect(confined.lines.first == "restricted \(version)")
        for word in tries {
            let may = ["open:\(named)", "open:\(state)", "write:\(state)"].contains(word) || (word.hasPrefix("truncate") && version < 3)
            #expect(confined[word] == (may ? "ok" : "EACCES"), "\(word): \(confined)")
        }
    }

    @Test("A folder that is managed lets files be made and removed, one that is read does not; programs run where they may")
    func folders() throws {
        let managed = folder.path + "/managed"
        try FileManager.default.createDirectory(atPath: managed, withIntermediateDirectories: false)
        let words = [
            "begin", "read=\(folder.path)", "manage=\(managed)", "run=/usr", "run=/bin", "run=/lib", "run=/lib64", "read=/etc",
            "change=/dev/null",
            "absent", "read=/nonexistent/x", "may-start", "restrict", "make:\(managed)/a", "open:\(managed)/a", "truncate:\(managed)/a",
            "remove:\(managed)/a", "make:\(folder.path)/a", "run:/bin/true",
        ]
        let confined = try Confined(words)
        for word in ["make:\(managed)/a", "open:\(managed)/a", "truncate:\(managed)/a", "remove:\(managed)/a", "run:/bin/true"] {
            #expect(confined[word] == "ok", "\(word): \(confined)")
        }
        #expect(confined["make:\(folder.path)/a"] == "EACCES")
    }

    @Test("New privileges are given up, and it shows")
    func privileges() throws {
        var status = ""
        _ = try Confined(
            ["begin", "restrict", "wait"],
            meanwhile: { process in
                // "restricted" came first.
                for _ in 0..<1000 where !status.contains("NoNewPrivs:\t1") {
                    status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
                    usleep(1000)
                }
            })
        #expect(status.contains("NoNewPrivs:\t1"))
    }

    @Test("TCP is denied, but connecting where that is allowed", .enabled(if: opk_landlock_abi() >= 4, "Landlock here knows no network"))
    func network() throws {
        // Nobody listens at port 1.
        let free = try Confined(["begin", "connect:1", "bind:0"])
        #expect(free["connect:1"] == "ECONNREFUSED" && free["bind:0"] == "ok", "\(free)")
        let confined = try Confined(["begin", "restrict", "connect:1", "bind:0"])
        #expect(confined["connect:1"] == "EACCES" && confined["bind:0"] == "EACCES", "\(confined)")
        let fetching = try Confined(["begin", "may-connect", "restrict", "connect:1", "bind:0"])
        #expect(fetching["connect:1"] == "ECONNREFUSED" && fetching["bind:0"] == "EACCES", "\(fetching)")
    }

    @Test(
        "A socket in a folder can be reached, an abstract one and another's process cannot",
        .enabled(if: opk_landlock_abi() >= 6, "Landlock here knows no scopes"))
    func scopes() throws {
        let path = folder.path + "/socket"
        let abstract = "@opk-confined-\(getpid())"
        let sockets = [Array(path.utf8), [0] + Array(abstract.utf8.dropFirst())].map { name -> Int32 in
            let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
            let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count + (name[0] == 0 ? 0 : 1))
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) }
            }
            #expect(bound == 0 && listen(socket, 5) == 0)
            return socket
        }
        defer { for socket in sockets { close(socket) } }
        let tries = ["unix:\(path)", "unix:\(abstract)", "signal:\(getpid())"]
        let free = try Confined(["begin"] + tries)
        #expect(tries.allSatisfy { free[$0] == "ok" }, "\(free)")
        let confined = try Confined(["begin", "restrict"] + tries)
        #expect(tries.map { confined[$0] } == ["ok", "EPERM", "EPERM"], "\(confined)")
    }
}

@Suite("Confinement: the shared tally")
struct TallyTests {
    @Test("A file that is cut short while it is in use ends the process with its last words, not with a signal of its own")
    func cut() throws {
        let folder = try Folder()
        let path = try folder.file("tally", String(repeating: "\0", count: Int(OPK_TALLY_SIZE)))
        #expect(chmod(path, 0o600) == 0)
        let confined = try Confined(["begin", "words", "tally=\(path)", "wait", "count"]) { _ in truncate(path, 0) }
        #expect(confined.signal == nil && confined.status == 1 && confined["count"] == nil, "\(confined)")
    }
}
