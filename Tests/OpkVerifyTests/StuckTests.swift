import CSystem
import Foundation
import MintingKit
import Testing
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file system that never answers: mounted, but with nobody behind it. What waits for it runs no signal handler.
private final class DeadFileSystem: Sendable {
    static let canBeMade: Bool = Root.isHere && (try? DeadFileSystem(at: "/tmp/opk-dead-\(getpid())")) != nil

    let place: String
    private let device: Int32

    init(at place: String) throws {
        self.place = place
        device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard device >= 0, mkdir(place, 0o755) == 0 else { throw POSIXError(.ENODEV) }
        let options = "fd=\(device),rootmode=40000,user_id=0,group_id=0"
        guard mount("opk-test", place, "fuse", UInt(MS_NOSUID) | UInt(MS_NODEV), options) == 0 else {
            rmdir(place)
            throw POSIXError(.ENODEV)
        }
    }

    deinit {
        umount2(place, Int32(MNT_DETACH))
        close(device)
        rmdir(place)
    }
}

@Suite("opk-verify: held by what it waits for", .serialized)
struct StuckTests {
    let doorway: Doorway
    let login: MintedLogin

    init() throws {
        doorway = try Doorway()
        login = try doorway.login()
        try doorway.keep(login.keys)
    }

    private func lines(_ file: String, of process: Int32) -> [String] {
        let text = FileManager.default.contents(atPath: "/proc/\(process)/\(file)").map { String(decoding: $0, as: UTF8.self) }
        return (text ?? "").split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    }

    @Test("An sshd that does not read its answer is waited for 8 seconds, with all limits in force, and the line in the log says so")
    func answerNotRead() throws {
        let logger = Root.canMount ? try SystemLogger(in: doorway.folder) : nil
        let surroundings = logger.map { Root.seeing($0.folder, at: "/dev") } ?? "exec \"$@\""
        let words = ["-c", surroundings, "sh", Program.verify].map { Array($0.utf8) } + (try doorway.words(login))
        var limits: [String] = []
        var status: [String] = []
        let run = try Program.run("/bin/sh", words, environment: Doorway.environment, output: .stuck) { process in
            // Until it waits in write(2), which is system call 1 or 64.
            for _ in 0..<5000 {
                if let call = lines("syscall", of: process).first, call.hasPrefix("1 0x1 ") || call.hasPrefix("64 0x1 ") { break }
                usleep(1000)
            }
            limits = lines("limits", of: process)
            status = lines("status", of: process)
        }
        #expect(run.refused(1, "step=10 reason=timed-out account=\"guest\" | the decision took too long"), "\(run)")
        #expect(logger.map { $0.messages() == ["<36>opk-verify[\(run.process)]: \(run.terminal.dropLast())"] } != false)
        for limit in [
            "Max core file size 0 0 bytes", "Max open files 64 64 files", "Max cpu time 10 10 seconds",
            "Max address space 1073741824 1073741824 bytes", "Max file size 1073741824 1073741824 bytes",
        ] {
            #expect(limits.contains(limit), "\(limits)")
        }
        #expect(status.contains("NoNewPrivs: 1"), "\(status)")
    }

    @Test(
        "A configuration on a file system that does not answer holds nobody: the process is killed, without an answer",
        .enabled(if: DeadFileSystem.canBeMade, "no FUSE, or not root"))
    func deadFileSystem() throws {
        let dead = try DeadFileSystem(at: doorway.folder + "/dead")
        let run = try doorway.ask(login, options: ["--config-dir", dead.place + "/opk", "--cache-dir", doorway.cacheFolder, "--"])
        #expect(run.ending == .killed(signal: SIGKILL) && run.output.isEmpty, "\(run)")
    }

    /// A quarter of what the process may take in all: if it waits for its log, then for that long.
    private static let bound = 2.0

    @Test(
        "A log that is stuck costs an admission and a refusal the line, and neither the decision nor the time",
        .enabled(if: Root.canMount, "only root, where mounting is allowed, can put another /dev in place"), arguments: [false, true])
    func stuckLog(stream: Bool) throws {
        let logger = try SystemLogger(in: doorway.folder, stream: stream)
        logger.fill()
        let surroundings = Root.seeing(logger.folder, at: "/dev")
        let start = Date()
        let admitted = try doorway.ask(login, surroundings: surroundings)
        #expect(admitted.admitted, "\(admitted)")
        let refused = try doorway.ask(login, as: "root", surroundings: surroundings)
        #expect(refused.refused(1, "reason=no-row-admits "), "\(refused)")
        #expect(Date().timeIntervalSince(start) < 2 * Self.bound)
        #expect(!logger.messages().contains { $0.contains("admitted") })
        // And when it goes on, so do we.
        #expect(try doorway.ask(login, surroundings: surroundings).admitted)
        #expect(logger.messages().count { $0.contains(" opk-verify[") && $0.contains("]: admitted ") } == 1)
    }

    @Test(
        "A log server that wants a stream gets the line with a NUL at its end",
        .enabled(if: Root.canMount, "only root, where mounting is allowed, can put another /dev in place"))
    func streamLog() throws {
        let logger = try SystemLogger(in: doorway.folder, stream: true)
        let run = try doorway.ask(login, surroundings: Root.seeing(logger.folder, at: "/dev"))
        let messages = logger.messages()
        #expect(run.admitted && messages.count == 1, "\(run), \(messages)")
        #expect(messages.first?.hasPrefix("<38>") == true && messages.first?.hasSuffix(run.terminal.dropLast()) == true, "\(messages)")
    }
}
