import Foundation
import SafeFiles
import Testing

@Suite struct SafeFileTests {
    let scratch = Scratch()

    @Test("a file of mine in a folder of mine is read")
    func reads() throws {
        let path = scratch.put("providers", "hello\n")
        #expect(try SafeFile.read(path, trust: me) == Array("hello\n".utf8))
    }

    @Test("a big file arrives whole")
    func readsBig() throws {
        let text = String(repeating: "0123456789abcde\n", count: 40_000)
        #expect(try SafeFile.read(scratch.put("big", text), trust: me) == Array(text.utf8))
    }

    @Test("absent is not a fault: neither the file nor its folder")
    func absent() throws {
        #expect(try SafeFile.read(scratch.path("none"), trust: me) == nil)
        #expect(try SafeFile.read(scratch.path("no/such/folder"), trust: me) == nil)
    }

    @Test("V66 a symbolic link is not followed, even to a good file")
    func symbolicLink() {
        scratch.put("real", "x")
        symlink(scratch.path("real"), scratch.path("link"))
        #expect(fault { _ = try SafeFile.read(scratch.path("link"), trust: me) } == .symbolicLink)
        symlink(scratch.path("nowhere"), scratch.path("dangling"))
        #expect(fault { _ = try SafeFile.read(scratch.path("dangling"), trust: me) } == .symbolicLink)
    }

    @Test("V66 a file with a second name is unsafe")
    func hardLink() {
        let path = scratch.put("one", "x")
        link(path, scratch.path("two"))
        #expect(fault { _ = try SafeFile.read(path, trust: me) } == .hardLinks(count: 2))
    }

    @Test("V66 a FIFO is refused at once, without waiting for a writer")
    func fifo() {
        mkfifo(scratch.path("pipe"), 0o600)
        #expect(fault { _ = try SafeFile.read(scratch.path("pipe"), trust: me) } == .notARegularFile)
    }

    @Test("V66 a socket and a folder are no files")
    func otherKinds() {
        mkdir(scratch.path("folder"), 0o700)
        #expect(fault { _ = try SafeFile.read(scratch.path("folder"), trust: me) } == .notARegularFile)
        let path = scratch.path("s")
        let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        if bound == 0 { #expect(fault { _ = try SafeFile.read(path, trust: me) } == .notARegularFile) }
    }

    @Test("V66 a file that group or others may write is unsafe", arguments: [0o660, 0o602, 0o666, 0o620] as [mode_t])
    func writable(mode: mode_t) {
        let path = scratch.put("f", "x", mode: mode)
        #expect(fault { _ = try SafeFile.read(path, trust: me) } == .writableByOthers(mode: UInt32(mode)))
    }

    @Test("any other mode is fine", arguments: [0o600, 0o640, 0o644, 0o400, 0o444, 0o755] as [mode_t])
    func goodModes(mode: mode_t) throws {
        #expect(try SafeFile.read(scratch.put("f", "x", mode: mode), trust: me) == [0x78])
    }

    @Test("V66 a folder that others may write makes its files unsafe, sticky or not", arguments: [0o777, 0o1777, 0o775, 0o757] as [mode_t])
    func writableFolder(mode: mode_t) {
        let path = scratch.put("f", "x")
        chmod(scratch.folder, mode)
        #expect(fault { _ = try SafeFile.read(path, trust: me) } == .folderWritableByOthers(mode: UInt32(mode)))
    }

    @Test("V66 a foreign owner is not trusted, of the file or of its folder", .enabled(if: isRoot, "needs root"))
    func foreignOwner() throws {
        let path = scratch.put("f", "x")
        chown(path, 12_345, 0)
        #expect(fault { _ = try SafeFile.read(path, trust: .rootOnly) } == .owner(12_345))
        #expect(fault { _ = try SafeFile.read(path, trust: .rootOrUser(12_346)) } == .owner(12_345))
        #expect(try SafeFile.read(path, trust: .rootOrUser(12_345)) == [0x78])
        chown(path, 0, 0)
        chown(scratch.folder, 12_345, 0)
        #expect(fault { _ = try SafeFile.read(path, trust: .rootOnly) } == .folderOwner(12_345))
        #expect(try SafeFile.read(path, trust: .rootOrUser(12_345)) == [0x78])
    }

    @Test("V66 one GiB is refused by its size, without reading it")
    func oversize() {
        let path = scratch.put("huge", "x")
        truncate(path, 1 << 30)
        let begin = Date()
        #expect(fault { _ = try SafeFile.read(path, trust: me) } == .tooLarge(limit: 256 << 20))
        #expect(Date().timeIntervalSince(begin) < 1)
        #expect(fault { _ = try SafeFile.read(scratch.put("four", "1234"), trust: me, limit: 3) } == .tooLarge(limit: 3))
        #expect(throws: Never.self) { try SafeFile.read(scratch.put("four", "1234"), trust: me, limit: 4) }
    }

    @Test("V66 a NUL makes the whole file unsafe, wherever it is")
    func nul() {
        for text in ["\0", "a\0b", String(repeating: "a", count: 300_000) + "\0"] {
            let path = scratch.put("nul", text)
            #expect(fault { _ = try SafeFile.read(path, trust: me) } == .containsNUL)
            #expect(fault { try SafeFile(path, trust: me)?.eachLine { _ in } } == .containsNUL)
        }
    }

    @Test("V66 what is swapped after the check is not what is read")
    func swapped() throws {
        let path = scratch.put("f", "the good one\n")
        guard let file = try SafeFile(path, trust: me) else { throw CocoaError(.fileNoSuchFile) }
        // The attacker's move, between the check and the reading.
        rename(scratch.put("evil", "the bad one\n", mode: 0o666), path)
        var lines: [String] = []
        try file.eachLine { lines.append(String(decoding: $0.bytes, as: UTF8.self)) }
        #expect(lines == ["the good one"])
        #expect(fault { _ = try SafeFile.read(path, trust: me) } == .writableByOthers(mode: 0o666))
    }

    @Test("a path that names no file is refused", arguments: ["", "/", ".", "..", "x/", "a\0b"])
    func noName(path: String) {
        #expect(fault { _ = try SafeFile.read(path, trust: me) } == .noFileName)
    }

    @Test("a file that may not be read says so")
    func unreadable() {
        let path = scratch.put("f", "x", mode: 0)
        #expect(asNobody { fault { _ = try SafeFile.read(path, trust: me) } } == .unreadable(errno: EACCES))
    }

    /// Root reads everything, so for this thread's file accesses root is somebody else meanwhile: setfsuid(2), which Swift's C library
    /// module leaves out.
    private func asNobody<Result>(_ body: () -> Result) -> Result? {
        guard isRoot else { return body() }
        typealias SetUser = @convention(c) (uid_t) -> Int32
        guard let symbol = dlsym(nil, "setfsuid") else { return nil }
        let setUser = unsafeBitCast(symbol, to: SetUser.self)
        _ = setUser(65_534)
        defer { _ = setUser(0) }
        return body()
    }

    @Test("the sentence names the file, escaped, and what is wrong")
    func wording() {
        #expect(
            "\(UnsafeFile("/etc/opk/auth_id", .writableByOthers(mode: 0o664)))"
                == "/etc/opk/auth_id may be written by its group or by others (mode 0664; chmod go-w)")
        #expect("\(UnsafeFile("/etc/\u{1B}[31m", .symbolicLink))" == "/etc/\\u{1b}[31m is a symbolic link: put the file itself there")
        #expect("\(UnsafeFile("f", .unreadable(errno: EACCES)))" == "f cannot be read: Permission denied")
    }
}
