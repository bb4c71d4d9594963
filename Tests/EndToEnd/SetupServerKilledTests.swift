import Foundation
import Testing

extension RealSSH {
    /// `opk setup server` ended at a system call of its own: what sshd reads is whole and taken at every moment, and the next run mends the rest.
    @Suite(
        "opk setup server, killed at any moment", .enabled(if: Machine.canCopy, Machine.noCopy),
        .enabled(if: Machine.path("strace") != nil, "strace is not installed"))
    struct SetupServerKilledTests {
        private static let words = [
            "opk", "setup", "server", "--yes", "--provider", "https://idp.example.com,opk,8h", "--allow", "alice@example.com=alice",
        ]
        private static let undo = ["opk", "setup", "server", "--yes", "--undo"]
        /// So many moments of a run are tried, spread over all of it; OPK_EVERY_MOMENT=1: each; OPK_EVERY_MOMENT=2/8: each eighth, from the second on.
        private static let every = ProcessInfo.processInfo.environment["OPK_EVERY_MOMENT"]
        private static let most = 40

        struct Moment: Sendable, CustomStringConvertible {
            let call: String
            let count: Int
            var description: String { "\(call) \(count)" }

            func killing(_ words: [String]) -> [String] {
                ["strace", "-qq", "-o", "/dev/null", "-e", "inject=\(call):signal=KILL:when=\(count)"] + words
            }
        }

        /// From the first call that names the journal on; those that change something are all kept as long as there is room.
        private func moments(of words: [String], on machine: SetupMachine) async throws -> [Moment] {
            let run = try await machine.run(["strace", "-qq", "-s", "300", "-o", "/run/trace"] + words)
            guard run.status == 0 else { throw HarnessError("\(run)") }
            var counts: [String: Int] = [:]
            var moments: [Moment] = []
            var hasBegun = false
            for line in try await machine.shell("cat /run/trace").split(separator: "\n") {
                guard let end = line.firstIndex(of: "("), line.first?.isLowercase == true else { continue }
                let call = String(line[..<end])
                counts[call, default: 0] += 1
                hasBegun = hasBegun || line.contains("setup.json")
                if hasBegun, call != "exit_group" { moments.append(Moment(call: call, count: counts[call] ?? 0)) }
            }
            if let every = Self.every {
                let part = every.split(separator: "/").compactMap { Int($0) }
                let (first, step) = part.count == 2 ? (part[0] - 1, part[1]) : (0, 1)
                let chosen = moments.indices.filter { $0 % step == first }.map { moments[$0] }
                print("\(words.last == "--undo" ? "an undo" : "a setup") has \(moments.count) moments, of which \(chosen.count) are tried")
                return chosen
            }
            let changing: Set = ["rename", "renameat", "fsync", "unlink", "unlinkat", "mkdir", "rmdir", "fchmod", "fchown"]
            let telling = moments.filter { changing.contains($0.call) }
            #expect(!telling.isEmpty)
            return spread(telling, Self.most / 2) + spread(moments.filter { !changing.contains($0.call) }, Self.most / 2)
        }

        private func spread(_ moments: [Moment], _ most: Int) -> [Moment] {
            let step = max(1, moments.count / max(1, most))
            return moments.enumerated().filter { $0.offset % step == 0 }.map(\.element)
        }

        /// What is in the folders that are changed; without files that never had their name, which are swept a minute later.
        private func state(of machine: SetupMachine) async throws -> Set<String> {
            try await machine.inventory(of: "etc/opk etc/ssh etc/pam.d var/lib/opk").filter { !$0.contains("etc/opk/.opk-") }
        }

        @Test("however far it came, sshd takes its configuration, and the next run or undo leaves nothing of it")
        func setup() async throws {
            try await killed(Self.words) { machine, moment, index, after in
                if index % 2 == 1 { return }
                let next = try await machine.run(Self.words)
                #expect(next.status == 0, "\(moment): \(next)")
                let now = try await state(of: machine)
                #expect(now == after, "\(moment): \(now.symmetricDifference(after))")
            }
        }

        @Test("the same of an undo, which the next one ends")
        func undo() async throws {
            try await killed(Self.undo, after: Self.words)
        }

        /// Ends a run of these words at each moment, and undoes what it has done: all is then as it was at first.
        ///
        /// - Parameters:
        ///   - first: what is run each time before.
        ///   - next: what is looked at before it is undone, with the moment's number and what there is after a run that came to its end.
        private func killed(
            _ words: [String], after first: [String]? = nil,
            next: (SetupMachine, Moment, Int, Set<String>) async throws -> Void = { _, _, _, _ in }
        ) async throws {
            try await withSetupMachine { machine in
                try await machine.stopSSHD()
                let before = try await state(of: machine)
                func prepare() async throws {
                    if let first { #expect(try await machine.run(first).status == 0) }
                }
                func undo(_ moment: Moment? = nil) async throws {
                    let undone = try await machine.run(Self.undo)
                    #expect(undone.status == 0 || undone.errors.contains("nothing to take back"), "\(moment?.description ?? ""): \(undone)")
                    let now = try await state(of: machine)
                    #expect(now == before, "\(moment?.description ?? ""): \(now.symmetricDifference(before))")
                }
                try await prepare()
                let moments = try await moments(of: words, on: machine)
                let after = try await state(of: machine)
                try await undo()
                var killed = 0
                for (index, moment) in moments.enumerated() {
                    try await prepare()
                    let run = try await machine.run(moment.killing(words))
                    if run.status == nil || run.status == 137 { killed += 1 }
                    #expect(try await machine.run(["/usr/sbin/sshd", "-t"]).status == 0, "\(moment): sshd does not start")
                    try await next(machine, moment, index, after)
                    try await undo(moment)
                }
                // Otherwise this shows nothing.
                #expect(killed > moments.count / 2, "of \(moments.count)")
            }
        }

        @Test("every file is on the disk before it gets its name, and its folder after that; and the journal before everything")
        func synced() async throws {
            try await withSetupMachine { machine in
                try await machine.stopSSHD()
                for words in [Self.words, Self.undo] {
                    let run = try await machine.run(["strace", "-qq", "-y", "-s", "300", "-o", "/run/trace"] + words)
                    #expect(run.status == 0, "\(run)")
                    let lines = try await machine.shell("grep -E '^(rename|fsync|write|openat)' /run/trace").split(separator: "\n").map(
                        String.init)
                    let renames = lines.indices.filter { lines[$0].hasPrefix("rename") }
                    #expect(renames.count >= (words == Self.undo ? 2 : 4), "\(lines)")
                    for (order, index) in renames.enumerated() {
                        let quoted = lines[index].split(separator: "\"", omittingEmptySubsequences: false)
                        let folder = lines[index].split { $0 == "<" || $0 == ">" }.dropFirst().first.map(String.init) ?? ""
                        let temporary = folder + "/" + quoted[1]
                        let written = lines[..<index].lastIndex { $0.hasPrefix("write") && $0.contains("<\(temporary)>") }
                        let synced = lines[..<index].lastIndex { $0.hasPrefix("fsync") && $0.contains("<\(temporary)>") }
                        #expect(try #require(synced) > written ?? 0, "\(lines[index])")
                        let next = lines[(index + 1)...].first { $0.hasPrefix("fsync") || $0.hasPrefix("rename") } ?? ""
                        #expect(next.hasPrefix("fsync") && next.contains("<\(folder)>"), "\(lines[index]): \(next)")
                        // The trial's own files come first, and count for nothing.
                        let isTrial = folder.contains("/.trial")
                        let journal = renames[...order].first { !lines[$0].contains("/.trial") }
                        if !isTrial { #expect(lines[try #require(journal)].contains("setup.json"), "\(lines[index])") }
                    }
                }
            }
        }
    }
}
