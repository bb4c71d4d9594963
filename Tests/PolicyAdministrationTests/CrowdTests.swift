import Foundation
import Policy
import SafeFiles
import Synchronization
import TestSupport
import Testing
import Vocabulary

@testable import PolicyAdministration

@Suite("Many at once, and one killed at any moment", .serialized)
struct CrowdTests {
    @Test("Two hundred opk add and remove at once: no row is lost, no file torn, and a reader never sees half a file")
    func crowd() async throws {
        let old = (0..<100).map { "root old\($0)@example.com \(Desk.google) # \($0)" }
        let desk = try Desk("# first\n" + old.joined(separator: "\n") + "\n# last\n")
        let done = Atomic(false)
        let reads = Atomic(0)
        let kinds = Mutex<Set<Int>>([])
        let script = """
            for i in $(seq 0 99); do
                (\(Desk.opk) add root new$i@example.com google --config-dir \(desk.config) >/dev/null || echo "add $i") &
                (\(Desk.opk) remove root old$i@example.com google --config-dir \(desk.config) >/dev/null || echo "remove $i") &
            done
            wait
            """
        try await atOnce(["reader", "writers"]) { part in
            guard part == "reader" else {
                defer { done.store(true, ordering: .relaxed) }
                let run = try Desk.run(["/bin/sh", "-c", script])
                #expect(run.status == 0 && run.output.isEmpty, "\(run)")
                return
            }
            while !done.load(ordering: .relaxed) {
                let read = try AuthID(at: desk.authID, trust: .rootOrUser(geteuid()))
                let bytes = try #require(try SafeFile.read(desk.authID, trust: .rootOrUser(geteuid())))
                #expect(read.problems.isEmpty && bytes.starts(with: "# first\n".utf8) && bytes.last == 0x0A)
                let names = read.rows.map { "\($0.identity)" }
                #expect(Set(names).count == names.count)
                #expect(names.allSatisfy { $0.hasSuffix("@example.com") && ($0.hasPrefix("new") || $0.hasPrefix("old")) })
                reads.add(1, ordering: .relaxed)
                _ = kinds.withLock { $0.insert(names.count) }
            }
        }
        let lines = desk.text().split(separator: "\n").map(String.init)
        #expect(Array(lines.prefix(2)).first == "# first" && lines.contains("# last"))
        #expect(Set(lines.dropFirst().filter { $0 != "# last" }) == Set((0..<100).map { "root new\($0)@example.com \(Desk.google)" }))
        #expect(lines.count == 102 && desk.names == ["auth_id", "providers"])
        #expect(reads.load(ordering: .relaxed) > 20 && kinds.withLock { $0.count } > 5, "\(reads.load(ordering: .relaxed)) reads")
    }

    /// One system call of a run: its name, and the how manieth of that name it is.
    private struct Moment: Sendable, CustomStringConvertible {
        let call: String
        let count: Int
        var description: String { "\(call) \(count)" }
    }

    private static let hasStrace: Bool = (try? Desk.run(["/usr/bin/strace", "-qq", "-o", "/dev/null", "/bin/true"]))?.status == 0

    /// Calls that concern no file, and of which there are many.
    private static let idle: Set<String> = [
        "mmap", "munmap", "mprotect", "brk", "madvise", "futex", "rt_sigaction", "rt_sigprocmask", "getrandom",
    ]

    /// What strace sees of a run, without the process's id that comes first.
    private static func calls(_ desk: Desk, _ words: [String]) throws -> [Substring] {
        let trace = desk.folder + "/trace"
        let run = try Desk.run(
            ["/usr/bin/strace", "-qq", "-f", "-s", "300", "-o", trace, Desk.opk] + words + ["--config-dir", desk.config])
        #expect(run.status == 0, "\(run)")
        return try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").map { line in
            line.drop { $0.isNumber || $0 == " " }
        }
    }

    /// All moments of a run from the first call that names the folder: before that the dynamic linker and the runtime are at work.
    private static func moments(_ desk: Desk, _ words: [String]) throws -> [Moment] {
        var counts: [String: Int] = [:]
        var moments: [Moment] = []
        var hasBegun = false
        for words in try calls(desk, words) {
            guard let end = words.firstIndex(of: "("), words.first?.isLowercase == true else { continue }
            let call = String(words[..<end])
            counts[call, default: 0] += 1
            hasBegun = hasBegun || (words.contains(desk.config) && call != "execve")
            if hasBegun && !idle.contains(call) { moments.append(Moment(call: call, count: counts[call] ?? 0)) }
        }
        return moments
    }

    @Test(
        "The new file is for its writer alone until it has its owner, and is on the disk before it has its name",
        .enabled(if: hasStrace, "no strace"))
    func synced() throws {
        let desk = try Desk("root a@b.c https://accounts.google.com\n")
        let calls = try Self.calls(desk, ["add", "www", "a@b.c", "google"]).filter { $0.contains(".opk-") || $0.hasPrefix("fsync(") }
        let made = try #require(calls.firstIndex { $0.hasPrefix("openat(") && $0.contains("O_CREAT") })
        let synced = try #require(calls.firstIndex { $0.hasPrefix("fsync(") })
        let named = try #require(calls.firstIndex { $0.hasPrefix("renameat") })
        #expect(made < synced && synced < named && calls[made].contains(", 0600)"), "\(calls)")
        // And the folder after it.
        #expect(calls[named...].contains { $0.hasPrefix("fsync(") }, "\(calls)")
    }

    @Test(
        "However far a command came that was killed: the file is the old one or the new one, whole; the next command works and what is left is swept",
        .enabled(if: hasStrace, "no strace"),
        arguments: [
            (["add", "root", "new@example.com", "google", "--for", "9d"], "auth_id"),
            (["remove", "root", "a@example.com", "google"], "auth_id"),
            (["revoke", "bob@example.com"], "revoked"),
        ])
    func killed(words: [String], name: String) async throws {
        let old = "\u{FEFF}# c\r\nroot a@example.com \(Desk.google)\r\nroot b@example.com \(Desk.google)"
        let file = name == "auth_id" ? old : nil
        let sample = try Desk(file)
        let moments = try Self.moments(sample, words)
        let calls = Set(moments.map(\.call))
        #expect(calls.isSuperset(of: ["openat", "flock", "write", "fsync", "fchmod"]), "\(calls)")
        #expect(!calls.isDisjoint(with: ["renameat", "linkat"]))
        let new = sample.text(name)
        let killed = Atomic(0)
        let abandoned = Atomic(0)
        let wrote = Atomic(0)
        try await atOnce(moments) { moment in
            let desk = try Desk(file)
            let before = desk.bytes(name)
            let run = try Desk.run(
                [
                    "/usr/bin/strace", "-qq", "-f", "-o", "/dev/null", "-e", "inject=\(moment.call):signal=KILL:when=\(moment.count)",
                    Desk.opk,
                ] + words
                    + ["--config-dir", desk.config])
            if run.status == 128 + SIGKILL { killed.add(1, ordering: .relaxed) } else { #expect(run.status == 0, "\(moment): \(run)") }
            let after = desk.bytes(name)
            // The time of --for is the minute's.
            let isNew =
                after != nil && desk.text(name).count == new.count && desk.text(name).prefix(new.count - 20) == new.prefix(new.count - 20)
            #expect(after == before || isNew, "\(moment): \(desk.text(name).debugDescription)")
            if after != before { wrote.add(1, ordering: .relaxed) }
            for left in desk.names where left.hasSuffix(".new") {
                abandoned.add(1, ordering: .relaxed)
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSinceNow: -120)], ofItemAtPath: desk.config + "/" + left)
            }
            let next = try desk.opk(words)
            #expect(next.status == 0 || words[0] == "remove" && isNew && next.status == 1, "\(moment): \(next)")
            #expect(
                try desk.opk("add", "www", "next@example.com", "google").status == 0 && desk.text().contains("www next@example.com"),
                "\(moment)")
            #expect(!desk.names.contains { $0.hasSuffix(".new") }, "\(moment): \(desk.names)")
        }
        // Otherwise this shows nothing.
        #expect(killed.load(ordering: .relaxed) > moments.count / 2, "\(killed.load(ordering: .relaxed)) of \(moments.count)")
        #expect(abandoned.load(ordering: .relaxed) > 0)
        #expect((1..<moments.count).contains(wrote.load(ordering: .relaxed)))
    }
}
