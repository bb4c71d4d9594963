import Foundation
import SafeFiles
import Testing

@Suite struct AtomicFileTests {
    let scratch = Scratch()

    func mode(_ name: String) -> mode_t {
        var facts = stat()
        return lstat(scratch.path(name), &facts) == 0 ? facts.st_mode & 0o7777 : 0
    }

    func failure(_ body: () throws -> Void) -> WriteFailure? {
        do {
            try body()
            return nil
        } catch {
            return error as? WriteFailure
        }
    }

    @Test("a new file has the mode that was asked for, whatever the umask")
    func creates() throws {
        let before = umask(0o077)
        defer { umask(before) }
        try AtomicFile.write(Array("hello".utf8), to: scratch.path("f"), mode: 0o644)
        #expect(scratch.contents("f") == "hello" && mode("f") == 0o644)
        #expect(scratch.names == ["f"])
    }

    @Test("an old file is replaced, and a link is replaced instead of followed")
    func replaces() throws {
        scratch.put("old", "old", mode: 0o600)
        symlink(scratch.path("old"), scratch.path("link"))
        try AtomicFile.write(Array("new".utf8), to: scratch.path("link"), mode: 0o600)
        #expect(scratch.contents("old") == "old" && scratch.contents("link") == "new")
        try AtomicFile.write([], to: scratch.path("old"), mode: 0o600)
        #expect(scratch.contents("old") == "")
        #expect(scratch.names == ["link", "old"])
    }

    @Test("told not to replace, it leaves what is there, a link included, and nothing beside it")
    func keeps() throws {
        scratch.put("old", "old")
        symlink("nowhere", scratch.path("link"))
        for name in ["old", "link"] {
            let failure = failure { try AtomicFile.write([1], to: scratch.path(name), mode: 0o600, replacing: false) }
            #expect(failure?.alreadyThere == true)
        }
        try AtomicFile.write(Array("n".utf8), to: scratch.path("new"), mode: 0o600, replacing: false)
        #expect(scratch.contents("old") == "old" && scratch.contents("new") == "n" && mode("new") == 0o600)
        #expect(scratch.names == ["link", "new", "old"])
    }

    @Test("a failure leaves the old state and no temporary file")
    func fails() {
        mkdir(scratch.path("folder"), 0o755)
        scratch.put("folder/inside", "x")
        #expect(failure { try AtomicFile.write([1], to: scratch.path("folder"), mode: 0o600) } != nil)
        #expect(scratch.names == ["folder"])
        #expect(failure { try AtomicFile.write([1], to: scratch.path("no/such/f"), mode: 0o600) }?.errno == ENOENT)
        #expect(failure { try AtomicFile.write([1], to: "", mode: 0o600) }?.errno == EINVAL)
    }

    @Test("a full disk leaves the old file and no temporary one", .enabled(if: isRoot, "needs root to mount a small disk"))
    func fullDisk() throws {
        let folder = scratch.path("small")
        mkdir(folder, 0o755)
        guard mount("tmpfs", folder, "tmpfs", 0, "size=64k") == 0 else {
            print("skipped: a tmpfs cannot be mounted here")
            return
        }
        defer { umount(folder) }
        try AtomicFile.write(Array("old".utf8), to: folder + "/f", mode: 0o600)
        let failure = failure { try AtomicFile.write([UInt8](repeating: 1, count: 200_000), to: folder + "/f", mode: 0o600) }
        #expect(failure?.errno == ENOSPC)
        #expect(scratch.contents("small/f") == "old")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["f"])
    }

    @Test("what is prepared and not committed changes nothing; what is committed needs no more room")
    func prepared() throws {
        scratch.put("f", "old")
        do {
            let file = try PreparedFile(Array("new".utf8), for: scratch.path("f"), mode: 0o600)
            #expect(scratch.contents("f") == "old" && scratch.names.count == 2)
            _ = consume file
        }
        #expect(scratch.contents("f") == "old" && scratch.names == ["f"])
        try PreparedFile(Array("new".utf8), for: scratch.path("f"), mode: 0o640).commit()
        #expect(scratch.contents("f") == "new" && mode("f") == 0o640 && scratch.names == ["f"])
    }

    @Test("an owner can be given", .enabled(if: isRoot, "needs root"))
    func owner() throws {
        try AtomicFile.write([1], to: scratch.path("f"), mode: 0o640, owner: AtomicFile.Owner(user: 1234, group: 5678))
        var facts = stat()
        #expect(lstat(scratch.path("f"), &facts) == 0)
        #expect(facts.st_uid == 1234 && facts.st_gid == 5678 && mode("f") == 0o640)
    }

    @Test("a folder that is made has its mode, whatever the umask")
    func folderMode() throws {
        let before = umask(0o777)
        defer { umask(before) }
        try Folder.create(scratch.path("a/b"), mode: 0o700)
        #expect(mode("a") == 0o700 && mode("a/b") == 0o700)
    }

    @Test("a folder is made with those above it; one that is there keeps its mode; a file in its place is an error")
    func folder() throws {
        try Folder.create(scratch.path("a/b/c"), mode: 0o700)
        #expect(mode("a/b/c") == 0o700 && mode("a") == 0o700)
        chmod(scratch.path("a"), 0o750)
        try Folder.create(scratch.path("a"), mode: 0o700)
        #expect(mode("a") == 0o750)
        scratch.put("file", "x")
        #expect(failure { try Folder.create(scratch.path("file"), mode: 0o700) } != nil)
        #expect(failure { try Folder.create(scratch.path("file/sub"), mode: 0o700) } != nil)
    }

    @Test("a lock is held by one at a time, and waited for only so long")
    func lock() throws {
        let path = scratch.path("lock")
        func state(_ path: String, waiting: Int = 0) -> FileLock.State { FileLock.attempt(path, waitingAtMost: waiting) { $0 } }
        FileLock.attempt(path, waitingAtMost: 0) { mine in
            let begin = Date()
            #expect(mine == .held(before: nil) && state(path, waiting: 50) == .busy)
            #expect((0.04..<5).contains(Date().timeIntervalSince(begin)))
        }
        guard case .held(.some) = state(path) else {
            Issue.record("it is not free again, or not known to have been held")
            return
        }
        FileLock.attempt(path, waitingAtMost: 0) { _ in
            var longAgo = [timespec(tv_sec: 1000, tv_nsec: 0), timespec(tv_sec: 1000, tv_nsec: 0)]
            utimensat(AT_FDCWD, path, &longAgo, 0)
            #expect(FileLock.attempt(path, waitingAtMost: 5000, stuckAfter: 1000) { $0 } == .stuck)
        }
        symlink("elsewhere", scratch.path("link"))
        guard case .unavailable = state(scratch.path("link")) else {
            Issue.record("a link was followed")
            return
        }
    }
}
