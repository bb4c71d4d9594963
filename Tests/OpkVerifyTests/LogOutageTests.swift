import Foundation
import KeyCache
import MintingKit
import Testing
import Vocabulary

/// Nobody takes the log line, or the answer. (A log that is full, and an sshd that does not read: StuckTests.)
@Suite("opk-verify: the log or sshd has gone", .serialized)
struct LogOutageTests {
    let doorway: Doorway
    let login: MintedLogin

    init() throws {
        doorway = try Doorway()
        login = try doorway.login()
        doorway.serve(login.keys)
    }

    @Test(
        "Where the log's socket is not there, nobody listens at it, or it is something else: the same answer, and nothing is written to it",
        .enabled(if: Root.canMount, "only root, where mounting is allowed, can put another /dev in place"),
        arguments: [
            "true", "python3 -c \"import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind(\\\"log\\\")\"", "mkdir log",
            ": >log", "mkfifo log", "ln -s /nowhere log",
        ])
    func logGone(_ making: String) throws {
        let devices = doorway.folder + "/dev"
        try FileManager.default.createDirectory(atPath: devices, withIntermediateDirectories: false)
        let made = try Program.shell("cd '\(devices)' && : >null && \(making)")
        #expect(made.status == 0, "\(made)")
        let surroundings = Root.seeing(devices, at: "/dev")
        for _ in 0..<2 {
            // Fetched the first time, cached the second.
            let (run, seconds) = try doorway.timed(login, surroundings: surroundings)
            #expect(run.admitted && seconds < 10, "\(making): \(run)")
            let other = try doorway.ask(login, as: "root", surroundings: surroundings)
            #expect(other.refused(1, "step=9 reason=no-row-admits "), "\(making): \(other)")
        }
        #expect(doorway.asked.count == 2)
        if making.contains(":") { #expect(FileManager.default.contents(atPath: devices + "/log") == Data()) }
    }

    @Test("Where sshd has gone before the answer, the keys that were fetched for it are kept for the next login")
    func sshdGone() throws {
        let gone = try doorway.ask(login, output: .nobodyReads)
        #expect(gone.ending == .exited(1) && gone.terminal.contains("could not be written"), "\(gone)")
        #expect(doorway.asked.count == 2)
        #expect(try doorway.ask(login).admitted && doorway.asked.count == 2)
        // With the renewal behind an answer that nobody reads.
        try doorway.age(by: KeyLimits.standard.refreshAfter)
        #expect(try doorway.ask(login, output: .nobodyReads).ending == .exited(1))
        #expect(doorway.eventually { doorway.cache.read(issuer: doorway.issuer)?.isFresh(at: .now()) == true })
        #expect(try doorway.ask(login, surroundings: "exec >/dev/full").ending == .exited(1))
        #expect(try doorway.ask(login).admitted && doorway.asked.count == 4)
    }
}
