import Foundation
import SafeFiles
import Synchronization
import Testing

/// An account's home in a folder that root owns, all the way up; /tmp will not do, since everybody may write there.
private final class Home {
    static let user: UInt32 = getuid() == 0 ? 12_345 : getuid()
    let above: String
    var home: String { above + "/alice" }
    var folder: String { home + "/.opk" }
    var file: String { folder + "/auth_id" }

    init() {
        above = (getuid() == 0 ? "/var/lib" : NSHomeDirectory()) + "/opk-home-" + UUID().uuidString.prefix(8)
        mkdir(above, 0o755)
        make(home)
        make(folder)
        put("good\n")
    }

    deinit { try? FileManager.default.removeItem(atPath: above) }

    func make(_ path: String) {
        mkdir(path, 0o755)
        chown(path, Home.user, Home.user)
    }

    func put(_ text: String, at path: String? = nil, mode: mode_t = 0o600) {
        let path = path ?? file
        unlink(path)
        _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8))
        chmod(path, mode)
        chown(path, Home.user, Home.user)
    }

    func read() throws(UnsafeFile) -> String? {
        try HomeFile.read(of: Home.user, home: home).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What is wrong, and with which file or folder.
    var fault: UnsafeFile? {
        do {
            _ = try HomeFile.read(of: Home.user, home: home)
            return nil
        } catch { return error }
    }
}

@Suite("an account's home file") struct HomeFileTests {
    private let home = Home()

    @Test("the account's own file, for it alone, is read", arguments: [0o600, 0o400, 0o700] as [mode_t])
    func reads(mode: mode_t) throws {
        home.put("good\n", mode: mode)
        #expect(try home.read() == "good\n")
        chmod(home.folder, 0o700)
        chmod(home.home, 0o700)
        #expect(try home.read() == "good\n")
        home.put("")
        #expect(try home.read() == "")
    }

    @Test("no file, no .opk, no home: absent, which is no fault")
    func absent() throws {
        unlink(home.file)
        #expect(try home.read() == nil)
        rmdir(home.folder)
        #expect(try home.read() == nil)
        rmdir(home.home)
        #expect(try home.read() == nil)
        #expect(try HomeFile.read(of: Home.user, home: "/nonexistent") == nil)
    }

    @Test("V66 a link is followed nowhere on the way: not the file, not .opk, not the home, not a folder above", arguments: 0..<4)
    func links(depth: Int) {
        let path = [home.file, home.folder, home.home, home.above][depth]
        rename(path, path + "-real")
        symlink(path + "-real", path)
        #expect(home.fault == UnsafeFile(path, .symbolicLink))
        unlink(path)
        symlink("/nowhere", path)
        #expect(home.fault == UnsafeFile(path, .symbolicLink))
        unlink(path)
        rename(path + "-real", path)
    }

    @Test("V66 a file in the place of a folder, a folder or a FIFO in the place of the file, are refused at once")
    func otherKinds() {
        unlink(home.file)
        mkfifo(home.file, 0o600)
        chown(home.file, Home.user, Home.user)
        #expect(home.fault == UnsafeFile(home.file, .notARegularFile))
        unlink(home.file)
        home.make(home.file)
        #expect(home.fault == UnsafeFile(home.file, .notARegularFile))
        rmdir(home.file)
        rmdir(home.folder)
        home.put("x", at: home.folder)
        #expect(home.fault == UnsafeFile(home.folder, .notAFolder))
    }

    @Test("V66 a file with a second name is unsafe, wherever that is")
    func hardLink() {
        link(home.file, home.above + "/second")
        #expect(home.fault == UnsafeFile(home.file, .hardLinks(count: 2)))
    }

    @Test(
        "V66 what group or others may read, write or run is not for the account alone",
        arguments: [0o640, 0o604, 0o620, 0o602, 0o666, 0o610, 0o601] as [mode_t])
    func modes(mode: mode_t) {
        home.put("x", mode: mode)
        #expect(home.fault == UnsafeFile(home.file, .openToOthers(mode: UInt32(mode))))
    }

    @Test(
        "V66 a folder on the way that group or others may write is unsafe, sticky or not", arguments: 0..<3,
        [0o775, 0o757, 0o777, 0o1777] as [mode_t])
    func writableFolders(depth: Int, mode: mode_t) {
        let path = [home.folder, home.home, home.above][depth]
        chmod(path, mode)
        #expect(home.fault == UnsafeFile(path, .writableByOthers(mode: UInt32(mode))))
    }

    @Test("V66 the home of an account in /tmp is unsafe, whatever is in it")
    func temporary() {
        let path = "/tmp/opk-home-" + UUID().uuidString.prefix(8)
        mkdir(path, 0o700)
        defer { rmdir(path) }
        #expect(throws: UnsafeFile("/tmp", .writableByOthers(mode: 0o1777))) { try HomeFile.read(of: getuid(), home: path) }
    }

    @Test(
        "V66 the file and .opk are the account's own, not even root's; what lies above is its or root's", .enabled(if: isRoot, "needs root")
    )
    func owners() throws {
        for owner: UInt32 in [0, 54_321] {
            for path in [home.file, home.folder] {
                chown(path, owner, Home.user)
                #expect(home.fault == UnsafeFile(path, .notTheAccounts(owner: owner)))
                chown(path, Home.user, Home.user)
            }
        }
        for path in [home.home, home.above] {
            chown(path, 54_321, 0)
            #expect(home.fault == UnsafeFile(path, .notTheAccounts(owner: 54_321)))
            for owner in [0, Home.user] {
                chown(path, owner, 0)
                #expect(try home.read() == "good\n")
            }
        }
        chown(home.above, 0, 0)
        #expect(throws: UnsafeFile(home.home, .notTheAccounts(owner: Home.user))) { try HomeFile.read(of: 54_321, home: home.home) }
    }

    @Test("V66 one MiB is read, a byte more is not, and a NUL makes the whole file unsafe")
    func content() throws {
        home.put(String(repeating: "x", count: HomeFile.limit))
        #expect(try home.read()?.utf8.count == HomeFile.limit)
        home.put(String(repeating: "x", count: HomeFile.limit + 1))
        #expect(home.fault == UnsafeFile(home.file, .tooLarge(limit: HomeFile.limit)))
        home.put("good\n" + String(repeating: "x", count: 100_000) + "\0")
        #expect(home.fault == UnsafeFile(home.file, .containsNUL))
    }

    @Test("a home that is no absolute path, or goes upwards, is not looked for")
    func names() {
        for name in ["", "relative", "~", "../x", "/var/../var/lib", home.home + "/..", "/a\0b"] {
            #expect(throws: UnsafeFile(name, .noFileName)) { try HomeFile.read(of: Home.user, home: name) }
        }
        #expect(throws: Never.self) { try HomeFile.read(of: Home.user, home: home.above + "//./alice/") }
    }

    @Test("V66 what is swapped while it is looked at is read whole and good, or not at all")
    func swapped() throws {
        // A file of the account's that others may write, and a link to one.
        let (evil, link, good) = (home.folder + "/evil", home.folder + "/link", home.folder + "/good")
        home.put("evil\n", at: evil, mode: 0o666)
        symlink(evil, link)
        home.put("good\n", at: good)
        let done = Atomic(false)
        let ended = DispatchSemaphore(value: 0)
        let file = home.file
        let swapper = Thread {
            var turn = 0
            while !done.load(ordering: .relaxed) {
                // Each keeps its own name: a third is renamed over the file, so that nothing is ever absent.
                let next = file + "-next"
                switch turn % 3 {
                case 0: rename(good, next)
                case 1: rename(evil, next)
                default: rename(link, next)
                }
                rename(file, file + "-old")
                rename(next, file)
                rename(file + "-old", [link, good, evil][turn % 3])
                turn += 1
            }
            ended.signal()
        }
        rename(home.file, home.folder + "/unused")
        rename(link, home.file)
        swapper.start()
        defer {
            done.store(true, ordering: .relaxed)
            ended.wait()
        }
        var goodOnes = 0
        for _ in 0..<20_000 {
            do {
                let text = try home.read()
                #expect(text == nil || text == "good\n")
                if text != nil { goodOnes += 1 }
            } catch {}
        }
        #expect(goodOnes > 0)
    }
}
