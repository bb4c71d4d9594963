import Foundation
import KeyCache
import MintingKit
import Synchronization
import TestSupport
import Testing
import Vocabulary

/// strace(1), which ends a process at a system call of one's choice, before that call does anything.
enum Strace {
    static let works: Bool = (try? Program.shell("exec strace -qq -o /dev/null true"))?.status == 0

    /// One system call of a run: its name, and the how manieth of that name it is.
    struct Moment: Sendable, CustomStringConvertible {
        let call: String
        let count: Int

        var description: String { "\(call) \(count)" }

        /// For `surroundings`: dies at this moment.
        var surroundings: String { "set -- strace -qq -o /dev/null -e inject=\(call):signal=KILL:when=\(count) \"$@\"" }
    }

    /// For `surroundings`: the calls come to that file.
    static func noting(in file: String) -> String { "set -- strace -qq -s 300 -o '\(file)' \"$@\"" }

    /// All moments of the run in `file` from the first call that names `text`: before that the dynamic linker and the runtime are at work.
    static func moments(in file: String, from text: String) throws -> [Moment] {
        var counts: [String: Int] = [:]
        var moments: [Moment] = []
        var hasBegun = false
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
            guard let end = line.firstIndex(of: "("), line.first?.isLowercase == true else { continue }
            let call = String(line[..<end])
            counts[call, default: 0] += 1
            hasBegun = hasBegun || (line.contains(text) && call != "execve")
            if hasBegun { moments.append(Moment(call: call, count: counts[call] ?? 0)) }
        }
        return moments
    }
}

@Suite("opk-verify, opk-fetch: killed at any moment", .serialized, .enabled(if: Strace.works, "no strace"))
struct KilledTests {
    /// opk-fetch as opk-verify starts it.
    private func fetch(_ doorway: Doorway, _ surroundings: String) throws -> Run {
        let program = BuiltPrograms.path("opk-fetch")
        let script = "\(surroundings)\nprintf 'opk-fetch/1 keys \(doorway.issuer.string)\\n' | \"$@\""
        let words = ["-c", script, "sh", program, "--config-dir", doorway.config, "--cache-dir", doorway.cacheFolder, "serve"]
        return try Program.run("/bin/sh", words.map { Array($0.utf8) }, environment: Doorway.environment)
    }

    private func leftovers(_ doorway: Doorway) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: doorway.cacheFolder).filter { $0.hasSuffix(".new") }
            .map { doorway.cacheFolder + "/" + $0 }
    }

    @Test(
        "C13 However far opk-fetch came: the record is the old one or the new one, whole; no lock is left, the next login comes in, and what is left is swept"
    )
    func fetcher() async throws {
        let sample = try Doorway()
        sample.serve(try sample.login().keys)
        let trace = sample.folder + "/trace"
        #expect(try fetch(sample, Strace.noting(in: trace)).output.hasPrefix("opk-fetch/1 ok\n"))
        let moments = try Strace.moments(in: trace, from: sample.config)
        let calls = Set(moments.map(\.call))
        #expect(calls.isSuperset(of: ["openat", "flock", "connect", "write", "fsync", "renameat"]), "\(calls)")
        let killed = Atomic(0)
        let abandoned = Atomic(0)
        try await atOnce(moments.enumerated().map { ($0.offset, $0.element) }) { index, moment in
            let doorway = try Doorway()
            // A record that a login cannot use, or none.
            let login = try (index % 2 == 0 ? CacheState.tooOld : .none).arrange(doorway)
            let old = doorway.record
            doorway.serve(login.keys)
            let run = try fetch(doorway, moment.surroundings)
            if run.status == 128 + SIGKILL { killed.add(1, ordering: .relaxed) }
            let new = doorway.record
            #expect(
                new == old || new != nil && doorway.cache.read(issuer: doorway.issuer)?.isFresh(at: .now()) == true, "\(moment): \(run)")
            #expect(run.output.isEmpty || run.output.hasPrefix("opk-fetch/1 ok\n"), "\(moment): \(run)")
            #expect(doorway.cache.withLock(issuer: doorway.issuer, waitingAtMost: 0) { $0 != .busy }, "\(moment): a lock is left")
            let next = try doorway.ask(login)
            #expect(next.admitted && !next.terminal.contains("keys:"), "\(moment): \(next)")
            for file in try leftovers(doorway) {
                abandoned.add(1, ordering: .relaxed)
                let longAgo = [FileAttributeKey.modificationDate: Date(timeIntervalSinceNow: -120)]
                try FileManager.default.setAttributes(longAgo, ofItemAtPath: file)
            }
            try doorway.age(by: KeyLimits.standard.maximumAge)
            #expect(try doorway.ask(login).admitted && leftovers(doorway).isEmpty, "\(moment)")
        }
        // Otherwise this shows nothing.
        #expect(killed.load(ordering: .relaxed) > moments.count / 2, "of \(moments.count)")
        #expect(abandoned.load(ordering: .relaxed) > 0)
    }

    @Test("However far opk-verify came: its answer is whole or not there, and nothing is changed for the next one")
    func verifier() async throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        try doorway.keep(login.keys)
        let trace = doorway.folder + "/trace"
        let whole = try doorway.ask(login, surroundings: Strace.noting(in: trace))
        #expect(whole.admitted)
        let moments = try Strace.moments(in: trace, from: doorway.config)
        let record = doorway.record
        let killed = Atomic(0)
        let answered = Atomic(0)
        try await atOnce(moments) { moment in
            let run = try doorway.ask(login, surroundings: moment.surroundings)
            if run.ending == .killed(signal: SIGKILL) {
                killed.add(1, ordering: .relaxed)
            } else {
                #expect(run.admitted, "\(moment): \(run)")
            }
            #expect(run.output.isEmpty || run.output == whole.output, "\(moment): \(run)")
            if !run.output.isEmpty { answered.add(1, ordering: .relaxed) }
        }
        #expect(killed.load(ordering: .relaxed) > moments.count / 2, "of \(moments.count)")
        #expect(answered.load(ordering: .relaxed) < moments.count)
        #expect(doorway.record == record && doorway.asked == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: doorway.cacheFolder).count == 1)
        #expect(doorway.eventually { doorway.verifiers.isEmpty }, "its broker is left")
        #expect(try doorway.ask(login).admitted)
    }

    @Test("However far opk-verify came with a refusal: nobody is let in, and the next refusal and the next admission are what they are")
    func refusingVerifier() async throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        try doorway.keep(login.keys)
        #expect(mkdir(doorway.stateFolder, 0o755) == 0)
        let trace = doorway.folder + "/trace"
        #expect(try doorway.ask(login, as: "root", surroundings: Strace.noting(in: trace)).refused(1, "reason=no-row-admits "))
        let moments = try Strace.moments(in: trace, from: doorway.config)
        try await atOnce(moments) { moment in
            let run = try doorway.ask(login, as: "root", surroundings: moment.surroundings)
            #expect(run.output.isEmpty && run.ending != .exited(0), "\(moment): \(run)")
        }
        #expect(try doorway.ask(login, as: "root").refused(1, "reason=no-row-admits "))
        #expect(try doorway.ask(login).admitted)
    }

    @Test("The same where it was waiting for keys: opk-fetch ends its work or never began it, and the next login comes in")
    func waitingVerifier() async throws {
        let sample = try Doorway()
        let login = try sample.login()
        sample.serve(login.keys)
        let trace = sample.folder + "/trace"
        #expect(try sample.ask(login, surroundings: Strace.noting(in: trace)).admitted)
        let moments = try Strace.moments(in: trace, from: sample.config)
        let killed = Atomic(0)
        try await atOnce(moments) { moment in
            let doorway = try Doorway()
            let login = try doorway.login()
            doorway.serve(login.keys)
            let run = try doorway.ask(login, surroundings: moment.surroundings)
            if run.ending == .killed(signal: SIGKILL) {
                killed.add(1, ordering: .relaxed)
            } else {
                #expect(run.admitted, "\(moment): \(run)")
            }
            let next = try doorway.ask(login)
            #expect(next.admitted && !next.terminal.contains("keys:"), "\(moment): \(next)")
            #expect(doorway.eventually { doorway.fetchers.isEmpty && (try? leftovers(doorway).isEmpty) == true }, "\(moment)")
            #expect(doorway.eventually { doorway.verifiers.isEmpty }, "\(moment): its broker is left")
        }
        #expect(killed.load(ordering: .relaxed) > moments.count / 2, "of \(moments.count)")
    }

    @Test("sshd that loses patience (SIGTERM) while keys are fetched leaves a fetch that ends by itself; whoever comes meanwhile shares it")
    func terminated() throws {
        let doorway = try Doorway()
        try doorway.writeRow("timeout=\"2s\"")
        let login = try doorway.login()
        let asked = doorway.folder + "/asked"
        doorway.provider.play { _, connection in
            _ = FileManager.default.createFile(atPath: asked, contents: nil)
            connection.hang()
        }
        let script = "\"$@\" & until [ -e \(asked) ]; do sleep 0.02; done; kill -TERM $!; wait $!; exit $?"
        let run = try doorway.ask(login, surroundings: script)
        #expect(run.ending == .exited(128 + SIGTERM) && run.output.isEmpty, "\(run)")
        #expect(doorway.fetchers.count == 1, "it is still at work")
        let next = try doorway.ask(login)
        #expect(next.refused(1, "reason=keys-unavailable ", "in time") && doorway.asked.count == 1, "\(next)")
        #expect(doorway.eventually { doorway.fetchers.isEmpty })
        #expect(try leftovers(doorway).isEmpty && doorway.lastAttempt?.failures == 1)
        doorway.serve(login.keys)
        try doorway.forgetFailure()
        #expect(try doorway.ask(login).admitted)
    }

    @Test("An opk-fetch that is killed lets go of who waits for it: that one fetches, and comes in")
    func waitedFor() async throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        doorway.provider.play { _, connection in connection.hang() }
        try await atOnce(["first", "second", "killer"]) { part in
            switch part {
            case "first":
                let run = try doorway.ask(login)
                #expect(run.refused(1, "reason=keys-unavailable ", "ended by signal 9"), "\(run)")
            case "second":
                #expect(doorway.eventually { doorway.asked.count == 1 })
                let run = try doorway.ask(login)
                #expect(run.admitted && !run.terminal.contains("keys:"), "\(run)")
            default:
                #expect(doorway.eventually { doorway.asked.count == 1 && doorway.fetchers.count == 1 })
                let first = doorway.fetchers
                #expect(doorway.eventually { doorway.fetchers.count == 2 })
                doorway.serve(login.keys)
                for process in first { kill(pid_t(process) ?? 0, SIGKILL) }
            }
        }
    }

    @Test("An opk-fetch that is stopped, and so keeps its lock, holds others up for the time of a fetch and not for ever")
    func stopped() throws {
        let doorway = try Doorway()
        try doorway.writeRow()
        let login = try doorway.login()
        doorway.serve(login.keys)
        try doorway.cache.withLock(issuer: doorway.issuer, waitingAtMost: 0) { state throws(any Error) in
            #expect(state == .held(before: nil))
            let (run, seconds) = try doorway.timed(login)
            #expect(run.admitted && run.terminal.contains("does not end") && seconds < 10, "\(run)")
            #expect(try doorway.ask(login).admitted && doorway.asked.count == 2)
        }
    }

    @Test("Once somebody has kept the lock for longer than a fetch takes, nobody waits for it, and a provider takes the time that it needs")
    func stuck() throws {
        let doorway = try Doorway()
        try doorway.writeRow()
        let login = try doorway.login()
        doorway.serve(login.keys, pause: 0.3)
        try doorway.cache.withLock(issuer: doorway.issuer, waitingAtMost: 0) { state in
            #expect(state == .held(before: nil))
            Thread.sleep(forTimeInterval: 2.2)
            let (run, seconds) = try doorway.timed(login)
            #expect(run.admitted && run.terminal.contains("does not end") && seconds < 2.2, "\(seconds): \(run)")
        }
    }

    @Test("An opk-fetch that is never told what to do ends after a minute")
    func alarm() throws {
        let doorway = try Doorway()
        let trace = doorway.folder + "/trace"
        _ = try fetch(doorway, Strace.noting(in: trace))
        #expect(try String(contentsOfFile: trace, encoding: .utf8).contains("alarm(60)"))
    }
}

extension Doorway {
    /// The processes that fetch into this cache.
    var fetchers: [String] { processes(of: "opk-fetch") }

    /// Those that decide about this doorway: an opk-verify, and its broker.
    var verifiers: [String] { processes(of: "opk-verify") }

    private func processes(of program: String) -> [String] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.filter { process in
            guard Int(process) != nil, let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
            let text = String(decoding: words, as: UTF8.self)
            return text.contains("\(program)\0") && text.contains(cacheFolder)
        }
    }
}
