import Foundation
import Testing

@testable import ServerSetup

@Suite("What was there before")
struct JournalTests {
    private func state(_ text: String) -> FileState {
        FileState(bytes: Array(text.utf8), mode: 0o644, user: geteuid(), group: getegid())
    }

    private func change(_ path: String, _ before: String?, _ after: String, _ kind: ServerChange.Kind = .policy) -> ServerChange {
        .file(.init(path: path, kind: kind, before: before.map(state), after: state(after)))
    }

    @Test("a journal is read as it was written, whatever bytes a file holds", .enabled(if: geteuid() == 0, "its file must be root's"))
    func roundTrip() throws {
        let scratch = try Scratch()
        var journal = ServerJournal()
        let odd = FileState(bytes: [0xFF, 0x00, 0x0A, 0x22], mode: 0o4711, user: 7, group: 9)
        journal.done = [
            .file(.init(path: "/a", kind: .marked, before: odd, after: odd, hadLock: false)), .folder(path: "/b", mode: 0o700),
            .counted(path: "/e", size: 4096, user: 7, group: 9),
        ]
        journal.pending = [.rename(path: "/c.conf", to: "/c.conf.opk-setup", digest: "00"), change("/d", nil, "x", .dropIn)]
        journal.isUndoing = true
        try journal.write(scratch.places.journal)
        #expect(try ServerJournal.read(scratch.places.journal) == journal)
        #expect(try FileState.read(scratch.places.journal)?.mode == 0o600)
        for damage in ["", "{}", "{\"version\":2}", "{\"version\":1,\"undoing\":false,\"done\":[{}],\"pending\":[]}", "nonsense"] {
            try scratch.write(damage, to: scratch.places.journal)
            chmod(scratch.places.journal, 0o600)
            #expect(throws: ServerSetupError.self, "\(damage)") { try ServerJournal.read(scratch.places.journal) }
        }
        #expect(try ServerJournal.read(scratch.folder + "/none") == nil)
    }

    @Test("a later run is undone to what was there before the first")
    func settling() {
        var journal = ServerJournal()
        journal.pending = [change("/a", "old", "first"), .folder(path: "/b", mode: 0o755)]
        journal.settle()
        journal.pending = [change("/a", "first", "second"), change("/c", nil, "new")]
        journal.settle()
        #expect(journal.pending.isEmpty)
        #expect(journal.done == [change("/a", "old", "second"), .folder(path: "/b", mode: 0o755), change("/c", nil, "new")])
    }

    @Test("a change is made once all is as it was planned, and taken back as often as it is asked")
    func changing() throws {
        let scratch = try Scratch()
        let path = scratch.folder + "/file"
        try scratch.write("old\n", to: path)
        chmod(path, 0o644)
        let edit = change(path, "old\n", "new\n")
        try edit.apply()
        #expect(scratch.text(path) == "new\n")
        #expect(throws: ServerSetupError.self) { try edit.apply() }
        for _ in 0..<2 { #expect(try edit.takeBack() == nil) }
        #expect(scratch.text(path) == "old\n")
        let made = change(path + "2", nil, "made\n")
        try made.apply()
        for _ in 0..<2 { #expect(try made.takeBack() == nil) }
        #expect(scratch.text(path + "2") == nil)
        try edit.apply()
        try scratch.write("edited\n", to: path)
        #expect(try edit.takeBack()?.contains("changed since") == true)
        #expect(scratch.text(path) == "edited\n", "what somebody wrote since stays")
        try FileManager.default.removeItem(atPath: path)
        #expect(try edit.takeBack()?.contains("taken away since") == true)
        #expect(scratch.text(path) == nil)
    }

    @Test(
        "a file of policy is changed with the lock that opk add takes, and what that wrote meanwhile stays; a lock that was made for it goes"
    )
    func lock() async throws {
        let scratch = try Scratch()
        let path = scratch.places.authID
        let lock = scratch.places.configFolder + "/.auth_id.lock"
        try scratch.write("old\n", to: path)
        chmod(path, 0o644)
        let holder = open(lock, O_RDWR | O_CREAT, 0o600)
        flock(holder, LOCK_EX)
        let edit = change(path, "old\n", "new\n")
        // On a thread of its own, since it waits.
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var failure: ServerSetupError?
        Thread.detachNewThread {
            do throws(ServerSetupError) { try edit.apply() } catch { failure = error }
            done.signal()
        }
        // It has the lock open as well, or it did not ask for it.
        for _ in 0..<500 where openings(of: lock) < 2 && scratch.text(path) == "old\n" { try await Task.sleep(for: .milliseconds(10)) }
        #expect(scratch.text(path) == "old\n")
        try scratch.write("old\none more row\n", to: path)
        close(holder)
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                done.wait()
                continuation.resume()
            }
        }
        if case .changedMeanwhile? = failure {} else { Issue.record("\(String(describing: failure))") }
        #expect(scratch.text(path) == "old\none more row\n")
        #expect(FileManager.default.fileExists(atPath: lock), "it is not ours")

        let own = ServerChange.file(
            .init(path: path, kind: .policy, before: state("old\none more row\n"), after: state("new\n"), hadLock: false))
        chmod(path, 0o644)
        try own.apply()
        #expect(scratch.text(path) == "new\n" && !FileManager.default.fileExists(atPath: lock))
    }

    /// How often this process has a file open.
    private func openings(of path: String) -> Int {
        let own = "/proc/self/fd/"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: own)) ?? []
        return names.count { (try? FileManager.default.destinationOfSymbolicLink(atPath: own + $0)) == path }
    }

    @Test("what opk-verify counts in is made as large as it wants it, and goes whatever has been counted")
    func counted() throws {
        let scratch = try Scratch()
        let path = scratch.places.stateFolder + "/refusals"
        let made = ServerChange.counted(path: path, size: 4096, user: geteuid(), group: getegid())
        try made.apply()
        #expect(
            try FileState.read(path) == FileState(bytes: [UInt8](repeating: 0, count: 4096), mode: 0o600, user: geteuid(), group: getegid())
        )
        #expect(throws: ServerSetupError.self) { try made.apply() }
        try scratch.write("7", to: path)
        for _ in 0..<2 { #expect(try made.takeBack() == nil) }
        #expect(scratch.text(path) == nil)
    }

    @Test("a link in a file's place is nobody's to replace")
    func link() throws {
        let scratch = try Scratch()
        try scratch.write("old", to: scratch.folder + "/real")
        symlink("real", scratch.folder + "/file")
        #expect(throws: ServerSetupError.self) { try change(scratch.folder + "/file", "old", "new").apply() }
        #expect(scratch.text(scratch.folder + "/real") == "old")
    }

    @Test("a file that goes out of sight comes back, and never over another")
    func renaming() throws {
        let scratch = try Scratch()
        let (path, away) = (scratch.folder + "/60.conf", scratch.folder + "/60.conf.opk-setup")
        try scratch.write("theirs", to: path)
        let rename = ServerChange.rename(path: path, to: away, digest: FileState.digest(of: Array("theirs".utf8)))
        try rename.apply()
        #expect(scratch.text(path) == nil && scratch.text(away) == "theirs")
        for _ in 0..<2 { #expect(try rename.takeBack() == nil) }
        #expect(scratch.text(path) == "theirs" && scratch.text(away) == nil)
        try rename.apply()
        try scratch.write("another", to: path)
        #expect(try rename.takeBack()?.contains("is there again") == true)
        #expect(scratch.text(path) == "another" && scratch.text(away) == "theirs")
        try scratch.write("edited", to: path)
        #expect(throws: ServerSetupError.self) { try rename.apply() }
    }

    @Test("an edited file of sshd's that is ours goes out of its sight; our lines leave another's file as it was around them")
    func edited() throws {
        let scratch = try Scratch()
        let path = scratch.folder + "/05-opk.conf"
        let dropIn = change(path, nil, "ours\n", .dropIn)
        try dropIn.apply()
        try scratch.write("ours, edited\n", to: path)
        #expect(try dropIn.takeBack()?.contains(".removed") == true)
        #expect(scratch.text(path) == nil && scratch.text(path + ".removed") == "ours, edited\n")
        let file = scratch.folder + "/pam"
        let before = "one\ntwo\n"
        try scratch.write(before, to: file)
        chmod(file, 0o644)
        let after = String(decoding: MarkedBlock.adding(["session x"], to: Array(before.utf8)), as: UTF8.self)
        let marked = change(file, before, after, .marked)
        try marked.apply()
        try scratch.write("zero\n" + after + "three\n", to: file)
        #expect(try marked.takeBack() == nil)
        #expect(scratch.text(file) == "zero\none\ntwo\nthree\n")
        let block = MarkedBlock.adding(["x"], to: [])
        #expect(MarkedBlock.removing(from: block) == [])
        #expect(MarkedBlock.removing(from: Array(block.dropLast(15))) == nil)
        #expect(MarkedBlock.removing(from: block + block) == [])
    }
}
