import ChildProcess
import Foundation
import Policy
import SSHKeys
import SafeFiles
import Testing
import Vocabulary

@testable import PolicyAdministration

@Suite("Files that are not believed are not changed, and those that are keep their owner, group, mode and lists", .serialized)
struct UnsafeTests {
    private let row = "root alice@example.com https://accounts.google.com\n"

    @Test("V66 A link, a second name, a FIFO, a folder, a file or folder that others may write: refused, with what mends it")
    func faults() throws {
        let cases: [(String, String, (Desk) throws -> Void)] = [
            (
                "symbolic link", "cp --remove-destination",
                { desk in
                    try desk.write("real", "x\n"); symlink(desk.config + "/real", desk.authID)
                }
            ),
            ("symbolic link", "cp --remove-destination", { desk in symlink("/nonexistent", desk.authID) }),
            (
                "hard links", "mv ",
                { desk in
                    try desk.write("auth_id", "x\n"); link(desk.authID, desk.config + "/second")
                }
            ),
            ("not a regular file", "", { desk in mkfifo(desk.authID, 0o600) }),
            ("not a regular file", "", { desk in mkdir(desk.authID, 0o755) }),
            (
                "may be written by its group", "chmod go-w",
                { desk in
                    try desk.write("auth_id", "x\n"); chmod(desk.authID, 0o664)
                }
            ),
            ("NUL", "", { desk in try desk.write("auth_id", [0x61, 0, 0x0A]) }),
            ("the folder of ", "chmod go-w", { desk in chmod(desk.config, 0o777) }),
            (
                "the folder of ", "chmod go-w",
                { desk in
                    try desk.write("auth_id", "x\n"); chmod(desk.config, 0o775)
                }
            ),
        ]
        for (fault, mend, arrange) in cases {
            let desk = try Desk()
            try arrange(desk)
            let before = desk.bytes()
            for words in [["add", "root", "a@b.c", "google"], ["remove", "--line", "1"], ["prune"]] {
                let run = try desk.opk(words)
                #expect(run.status == 1 && run.errors.contains(fault), "\(fault): \(run)")
                if !mend.isEmpty { #expect(run.errors.contains("opk: hint: ") && run.errors.contains(mend), "\(fault): \(run)") }
            }
            #expect(desk.bytes() == before && !desk.names.contains { $0.hasSuffix(".new") }, "\(fault)")
        }
    }

    @Test("A folder that is not there is said to be missing")
    func noFolder() throws {
        let run = try Desk.run([Desk.opk, "add", "root", "a@b.c", "google", "--config-dir", "/nonexistent/opk"])
        #expect(run.status == 1 && run.errors.contains("there is no folder /nonexistent/opk"), "\(run)")
    }

    @Test("A lock file that is a link is not followed")
    func lock() throws {
        let desk = try Desk()
        symlink(desk.folder + "/elsewhere", desk.config + "/.auth_id.lock")
        #expect(try desk.opk("add", "root", "a@b.c", "google").status == 1)
        #expect(access(desk.folder + "/elsewhere", F_OK) != 0 && desk.bytes() == nil)
    }

    @Test("Owner, group, mode and access list are kept", .enabled(if: Desk.isRoot, "needs root"))
    func kept() throws {
        let desk = try Desk(row)
        for (mode, group) in [(0o640, 65534), (0o600, 0), (0o644, 1), (0o440, 7)] as [(mode_t, gid_t)] {
            chown(desk.authID, 0, group)
            chmod(desk.authID, mode)
            #expect(try desk.opk("add", "root", "g\(group)@b.c", "google").status == 0)
            var facts = stat()
            #expect(stat(desk.authID, &facts) == 0 && facts.st_uid == 0 && facts.st_gid == group && facts.st_mode & 0o7777 == mode)
            #expect(facts.st_nlink == 1)
        }
    }

    @Test("An access list that lets somebody read is kept", .enabled(if: Desk.isRoot, "needs root"))
    func accessList() throws {
        let desk = try Desk(row)
        // As the kernel has it: version 2; owner rw, user 65534 r, group r, mask r, others nothing.
        let entries: [(UInt16, UInt16, UInt32)] = [(1, 6, .max), (2, 4, 65534), (4, 4, .max), (16, 4, .max), (32, 0, .max)]
        var value: [UInt8] = [2, 0, 0, 0]
        for (tag, bits, id) in entries {
            withUnsafeBytes(of: tag.littleEndian) { value += $0 }
            withUnsafeBytes(of: bits.littleEndian) { value += $0 }
            withUnsafeBytes(of: id.littleEndian) { value += $0 }
        }
        // Not every file system has them.
        guard Attributes.set(desk.authID, "system.posix_acl_access", value) else { return }
        #expect(try desk.opk("add", "root", "b@b.c", "google").status == 0)
        #expect(Attributes.get(desk.authID, "system.posix_acl_access") == value)
    }

    @Test(
        "A new file is root's and its readers' group's to read, or everybody's where there is no such group",
        .enabled(if: Desk.isRoot, "needs root"))
    func new() throws {
        let desk = try Desk()
        #expect(try desk.opk("add", "root", "a@b.c", "google").status == 0 && desk.opk("revoke", "a@b.c").status == 0)
        let group = getgrnam("opksshuser").map { $0.pointee.gr_gid }
        for path in [desk.authID, desk.revoked] {
            var facts = stat()
            #expect(
                stat(path, &facts) == 0 && facts.st_uid == 0 && facts.st_gid == group ?? 0
                    && facts.st_mode & 0o7777 == (group == nil ? 0o644 : 0o640))
        }
    }

    @Test(
        "Who is not root and may not write is told to use sudo; the machine's files are nobody else's",
        .enabled(if: Desk.isRoot, "needs root"))
    func user() throws {
        let desk = try Desk(row)
        guard try desk.opk("--version", as: 65534).status == 0 else { return }
        let run = try desk.opk("add", "root", "b@b.c", "google", as: 65534)
        #expect(run.status == 1 && run.errors.contains("use sudo") && desk.text() == row, "\(run)")
        #expect(try desk.opk("list", as: 65534).status == 0)
        chmod(desk.authID, 0o600)
        #expect(try desk.opk("list", as: 65534).errors.contains("use sudo"))
    }

    @Test(
        "A home file is made 0600 in a folder 0700, has its own account's rows only, and no break-glass; links and what others may read are refused"
    )
    func home() throws {
        // /tmp will not do, since everybody may write there.
        let home = (Desk.isRoot ? "/var/lib" : NSHomeDirectory()) + "/opk-policy-home-" + UUID().uuidString.prefix(8)
        #expect(mkdir(home, 0o755) == 0)
        defer { try? FileManager.default.removeItem(atPath: home) }
        let account = try #require(Principal("alice"))
        let place = PolicyPlace(home: home, of: account)
        func add(_ account: Text, _ option: Text? = nil, isTrial: Bool = false) throws -> Bool {
            let options = option.map { [RowText.Option(name: $0, value: nil)] } ?? []
            let request = RowRequest(account: account, who: "a@b.c", issuer: Text(Desk.google), options: options)
            return try AddRow(request, in: place).run(isTrial: isTrial).isNew
        }
        #expect(throws: PolicyError.self) { try add("root") }
        #expect(throws: PolicyError.self) { try add("alice", "break-glass") }
        #expect(throws: PolicyError.self) { try place.revoked() }
        #expect(try add("alice", isTrial: true) && access(home + "/.opk", F_OK) != 0)
        #expect(try add("alice"))
        var facts = stat()
        #expect(stat(home + "/.opk", &facts) == 0 && facts.st_mode & 0o7777 == 0o700)
        #expect(stat(home + "/.opk/auth_id", &facts) == 0 && facts.st_mode & 0o7777 == 0o600)
        #expect(try PolicyListing(place, at: .now()).entries.count == 1)
        chmod(home + "/.opk/auth_id", 0o644)
        #expect(throws: PolicyError.self) { try add("alice", "pty") }
        chmod(home + "/.opk/auth_id", 0o600)
        #expect(try RemoveRows(.words(account: "alice", who: nil, issuer: nil), in: place).run(isTrial: false).removed.count == 1)
        #expect(rename(home + "/.opk", home + "/elsewhere") == 0 && symlink(home + "/elsewhere", home + "/.opk") == 0)
        #expect(throws: PolicyError.self) { try add("alice") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: home + "/elsewhere").sorted() == [".auth_id.lock", "auth_id"])
    }

    @Test("Whoever writes the file without the lock loses nothing: the change is made anew on what they wrote")
    func rival() throws {
        let desk = try Desk("one\n")
        let file = desk.place.authID
        var rounds = 0
        try file.change(as: "test") { text throws(PolicyError) in
            rounds += 1
            if rounds < 3 { try? desk.write("auth_id", "rival \(rounds)\n") }
            return (text + Array("ours\n".utf8), ())
        }
        #expect(rounds == 3 && desk.text() == "rival 2\nours\n")
        #expect(throws: PolicyError.self) {
            try file.change(as: "test") { text throws(PolicyError) in
                rounds += 1
                try? desk.write("auth_id", "rival \(rounds)\n")
                return (text, ())
            }
        }
    }

    @Test("A lock that is held is waited for, ten seconds and no longer")
    func busy() throws {
        let desk = try Desk("one\n")
        let start = Date()
        FileLock.attempt(desk.config + "/.auth_id.lock", waitingAtMost: 0) { state in
            #expect(state == .held(before: nil))
            _ = #expect(throws: PolicyError.self) { try desk.place.authID.change(as: "test") { text throws(PolicyError) in (text, ()) } }
        }
        #expect((9.5...20).contains(Date().timeIntervalSince(start)) && desk.text() == "one\n")
        try desk.place.authID.change(as: "test") { text throws(PolicyError) in (text + [0x0A], ()) }
        #expect(desk.text() == "one\n\n")
    }
}

/// setxattr(2) and getxattr(2), which Swift's Glibc lacks.
private enum Attributes {
    private typealias Set = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeRawPointer, Int, Int32) -> Int32
    private typealias Get = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutableRawPointer, Int) -> Int

    static func set(_ path: String, _ name: String, _ value: [UInt8]) -> Bool {
        guard let call = dlsym(nil, "setxattr") else { return false }
        return unsafeBitCast(call, to: Set.self)(path, name, value, value.count, 0) == 0
    }

    static func get(_ path: String, _ name: String) -> [UInt8]? {
        guard let call = dlsym(nil, "getxattr") else { return nil }
        var value = [UInt8](repeating: 0, count: 4096)
        let size = unsafeBitCast(call, to: Get.self)(path, name, &value, value.count)
        return size < 0 ? nil : Array(value[..<size])
    }
}
