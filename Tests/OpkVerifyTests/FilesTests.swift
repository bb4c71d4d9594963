import Foundation
import JOSE
import MintingKit
import Synchronization
import Testing
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("opk-verify: the administrator's files", .serialized)
struct FilesTests {
    let doorway: Doorway

    init() throws {
        doorway = try Doorway()
        try doorway.keep(try doorway.login().keys)
        try doorway.write("config.yml", "deny_users: [postgres]\n")
    }

    static let names = ["providers", "auth_id", "config.yml"]

    @Test("V66 With --config-dir the files of the user who runs it are believed")
    func own() throws {
        let run = try doorway.ask(try doorway.login())
        #expect(run.admitted, "\(run)")
    }

    @Test(
        "V66 A file of another user, or one in another's folder, is unsafe", .enabled(if: Root.isHere, "only root can give a file away"),
        arguments: names)
    func foreign(_ name: String) throws {
        let path = doorway.config + "/" + name
        #expect(chown(path, Root.nobody, Root.nobody) == 0)
        let run = try doorway.ask(try doorway.login())
        #expect(run.refused(2, "reason=unsafe-file ", "\(path) belongs to user id \(Root.nobody)"), "\(run)")
        #expect(chown(path, 0, 0) == 0 && chown(doorway.config, Root.nobody, Root.nobody) == 0)
        let inFolder = try doorway.ask(try doorway.login())
        #expect(inFolder.refused(2, "reason=unsafe-file ", "the folder of "), "\(inFolder)")
    }

    @Test(
        "V66 A file that others may write, a link, a second name, a FIFO or a NUL makes it unsafe, and each ends with 2", arguments: names)
    func unsafeFile(_ name: String) throws {
        let path = doorway.config + "/" + name
        let good = try #require(FileManager.default.contents(atPath: path))
        let faults: [(about: String, make: () -> Int32)] = [
            ("group", { chmod(path, 0o660) }), ("others", { chmod(path, 0o642) }),
            ("link", { rename(path, path + "-") + symlink(path + "-", path) }),
            ("second name", { link(path, path + "-") }), ("FIFO", { unlink(path) + mkfifo(path, 0o640) }),
            ("folder", { unlink(path) + mkdir(path, 0o755) }), ("NUL", { truncate(path, off_t(good.count + 1)) }),
            ("folder writable", { chmod(doorway.config, 0o777) }),
        ]
        for fault in faults {
            try doorway.write(name, String(decoding: good, as: UTF8.self))
            try? FileManager.default.removeItem(atPath: path + "-")
            #expect(fault.make() == 0)
            let run = try doorway.ask(try doorway.login())
            #expect(run.refused(2, "reason=unsafe-file ", doorway.config), "\(fault.about): \(run)")
        }
    }

    @Test(
        "V66 In /etc/opk only root's files are believed, not those of the user who runs it",
        .enabled(if: Root.canMount, "only root, where mounting is allowed, can put another /etc in place"))
    func systemFolder() throws {
        // A copy of opk-verify that nobody may reach, and an /etc that only this process sees.
        let program = try doorway.program(withFetcher: "exit 1")
        let etc = doorway.folder + "/system"
        try FileManager.default.createDirectory(atPath: etc, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        try FileManager.default.copyItem(atPath: doorway.config, toPath: etc + "/opk")
        let surroundings = Root.seeing(etc, at: "/etc", then: Root.asNobody)
        func ask(_ options: [String]) throws -> Run {
            try doorway.ask(
                try doorway.login(), options: options + ["--cache-dir", doorway.cacheFolder, "--"], program: program,
                surroundings: surroundings)
        }
        for name in Self.names { #expect(chmod("\(etc)/opk/\(name)", 0o644) == 0) }
        // Nobody does not own the cache, but root does.
        let trusted = try ask([])
        #expect(trusted.admitted, "\(trusted)")
        for name in Self.names {
            #expect(chown("\(etc)/opk/\(name)", Root.nobody, Root.nobody) == 0)
            let run = try ask([])
            #expect(run.refused(2, "reason=unsafe-file ", "/etc/opk/\(name) belongs to user id \(Root.nobody)"), "\(run)")
            // Named by hand it is the same folder with the same rule.
            let named = try ask(["--config-dir", "/etc/opk"])
            #expect(named.refused(2, "reason=unsafe-file "), "\(named)")
            #expect(chown("\(etc)/opk/\(name)", 0, 0) == 0)
        }
        for name in Self.names { #expect(chown("\(etc)/opk/\(name)", Root.nobody, Root.nobody) == 0) }
        #expect(chown("\(etc)/opk", Root.nobody, Root.nobody) == 0)
        let elsewhere = try ask(["--config-dir", etc + "/opk"])
        #expect(elsewhere.admitted, "the same files are good enough for a test of their owner's: \(elsewhere)")
    }

    @Test("A row of providers that does not count is named where a token of that issuer is refused")
    func badRow() throws {
        let rows = "# comment\n\n\(doorway.issuer.string) \(MintedLogin.clientID.string) 24H\n"
        try doorway.write("providers", rows)
        let run = try doorway.ask(try doorway.login())
        #expect(run.refused(1, "reason=issuer-unknown ", "line 3: "), "V61 \(run)")
        try doorway.write("providers", rows + "\(doorway.issuer.string) \(MintedLogin.clientID.string) 24h\n")
        #expect(try doorway.ask(try doorway.login()).admitted, "the file's other rows are not touched by it")
    }

    @Test(
        "A config.yml that is malformed, or has a key that is not known, admits nobody, and the line says where",
        arguments: [
            ("deny_users: [a\n", 2), ("deny_users: []\nnonsense: 1\n", 2), ("# x\ndeny_users: root\n", 2), ("- a\n", 1),
            ("deny_users: []\ndeny_users: []\n", 2), ("\n\nenv_vars: {LD_PRELOAD: x}\n", 3), ("home_policy: maybe\n", 1),
            ("deny_users: [root]\n\tx: 1\n", 2),
        ])
    func malformed(_ text: String, line: Int) throws {
        try doorway.write("config.yml", text)
        let run = try doorway.ask(try doorway.login())
        #expect(run.refused(2, "reason=configuration ", "/config.yml: line \(line): "), "\(run)")
    }

    @Test(
        "A deny list with an entry that could deny nobody is an error, not a comfort",
        arguments: [
            "deny_users: [\"*\"]", "deny_users: [\"root \"]", "deny_users: [\"\"]", "deny_users: [\"-v\"]", "deny_emails: [example.com]",
            "deny_emails: [\"@example.com\"]", "deny_emails: [\"*@example.com\"]", "deny_emails: [\"bob@example.com \"]",
            "deny_emails: [bob@]",
        ])
    func deniesNobody(_ text: String) throws {
        try doorway.write("config.yml", text + "\n")
        let run = try doorway.ask(try doorway.login())
        #expect(run.refused(2, "reason=configuration ", "line 1: "), "\(run)")
    }

    @Test("Deny lists deny, whatever the case, and an absent or empty config.yml denies nobody")
    func denied() throws {
        for text in ["deny_users: [Guest]\n", "deny_emails: [ALICE@example.com]\n"] {
            try doorway.write("config.yml", text)
            let run = try doorway.ask(try doorway.login())
            #expect(run.refused(1, "step=9 reason=denied "), "\(run)")
        }
        try doorway.write("config.yml", "")
        #expect(try doorway.ask(try doorway.login()).admitted)
        try FileManager.default.removeItem(atPath: doorway.config + "/config.yml")
        #expect(try doorway.ask(try doorway.login()).admitted)
    }

    @Test("Files that are replaced while logins go on, as a careful editor does it, never make one of them fail")
    func replaced() throws {
        let stop = Atomic(false)
        let config = doorway.config
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            // Each turn puts a new file where the old one was: whoever has just opened that one holds a file without a name.
            while !stop.load(ordering: .relaxed) {
                for name in Self.names {
                    let path = "\(config)/\(name)"
                    guard let text = FileManager.default.contents(atPath: path) else { continue }
                    unlink(path + ".new")
                    let mode: [FileAttributeKey: Any] = [.posixPermissions: 0o640]
                    guard FileManager.default.createFile(atPath: path + ".new", contents: text, attributes: mode) else { continue }
                    rename(path + ".new", path)
                }
            }
            done.signal()
        }
        let login = try doorway.login()
        for _ in 0..<200 {
            let run = try doorway.ask(login)
            #expect(run.admitted, "\(run)")
            if !run.admitted { break }
        }
        stop.store(true, ordering: .relaxed)
        done.wait()
    }
}
