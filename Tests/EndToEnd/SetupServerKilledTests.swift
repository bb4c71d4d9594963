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
        /// So many moments of a run are tried, spread over all of it; OPK_EVERY_MOMENT=1: each.
        private static let most = ProcessInfo.processInfo.environment["OPK_EVERY_MOMENT"] == nil ? 40 : Int.max

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
            try await withSetupMachine { machine in
                try await machine.stopSSHD()
                let before = try await state(of: machine)
                let moments = try await moments(of: Self.words, on: machine)
                let after = try await state(of: machine)
                #expect(try await machine.run(Self.undo).status == 0)
                #expect(try await state(of: machine) == before)
                var killed = 0
                for (index, moment) in moments.enumerated() {
                    let run = try await machine.run(moment.killing(Self.words))
                    if run.status == nil || run.status == 137 { killed += 1 }
                    #expect(try await machine.run(["/usr/sbin/sshd", "-t"]).status == 0, "\(moment): sshd does not start")
                    if index % 2 == 0 {
                        let next = try await machine.run(Self.words)
                        #expect(next.status == 0, "\(moment): \(next)")
                        let now = try await state(of: machine)
                        #expect(now == after, "\(moment): \(now.symmetricDifference(after))")
                    }
                    let undone = try await machine.run(Self.undo)
                    #expect(undone.status == 0 || undone.errors.contains("nothing to take back"), "\(moment): \(undone)")
                    let now = try await state(of: machine)
                    #expect(now == before, "\(moment): \(now.symmetricDifference(before))")
                }
                // Otherwise this shows nothing.
                #expect(killed > moments.count / 2, "of \(moments.count)")
            }
        }

        @Test("the same of an undo, which the next one ends")
        func undo() async throws {
            try await withSetupMachine { machine in
                try await machine.stopSSHD()
                let before = try await state(of: machine)
                #expect(try await machine.run(Self.words).status == 0)
                let moments = try await moments(of: Self.undo, on: machine)
                #expect(try await state(of: machine) == before)
                var killed = 0
                for moment in moments {
                    #expect(try await machine.run(Self.words).status == 0)
                    let run = try await machine.run(moment.killing(Self.undo))
                    if run.status == nil || run.status == 137 { killed += 1 }
                    #expect(try await machine.run(["/usr/sbin/sshd", "-t"]).status == 0, "\(moment): sshd does not start")
                    let undone = try await machine.run(Self.undo)
                    #expect(undone.status == 0 || undone.errors.contains("nothing to take back"), "\(moment): \(undone)")
                    let now = try await state(of: machine)
                    #expect(now == before, "\(moment): \(now.symmetricDifference(before))")
                }
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
