import Audit
import Foundation
import Testing
import Vocabulary

@testable import ServerSetup

@Suite("Another way in") struct SecondWayTests {
    private static let now = UnixTime(seconds: 1_800_000_000)
    private static let ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVzZXJLZXlVc2VyS2V5VXNlcktleVVzZXJLZXlVc2Vy"

    @Test(
        "a line with a key that gives a shell",
        arguments: [
            "", "restrict,pty ", "from=\"10.0.0.0/8,!10.1.1.1\" ", "environment=\"A=\\\"b c\\\"\",no-X11-forwarding\t", "  ",
            "expiry-time=\"20990101\" ", "expiry-time=\"209901011200Z\" ", "VERIFY-REQUIRED ",
        ])
    func usable(options: String) throws {
        let line = try #require(AuthorizedKeyLine((options + Self.ed25519 + " root@host").utf8))
        #expect(line.givesShell(at: Self.now) && line.type == "ssh-ed25519" && line.rsaBits == nil)
    }

    @Test(
        "a line with a key that gives none",
        arguments: [
            "cert-authority ", "restrict,command=\"/bin/true\" ", "Command=\"x\" ", "expiry-time=\"20200101\" ", "expiry-time=\"2099\" ",
            "expiry-time=\"20991301\" ",
        ])
    func useless(options: String) throws {
        #expect(try #require(AuthorizedKeyLine((options + Self.ed25519).utf8)).givesShell(at: Self.now) == false)
    }

    @Test(
        "what sshd takes for no key",
        arguments: [
            "", "# " + ed25519, "something else that is longer than forty characters", "ssh-ed25519", "ssh-ed25519 AAAA",
            "no-such-option " + ed25519, "restrict, " + ed25519, "from=10.0.0.1 " + ed25519, "from=\"10.0.0.1 " + ed25519,
            ed25519.replacingOccurrences(of: "ssh-ed25519", with: "ssh-rsa"), String(ed25519.dropLast(4)), ed25519 + "AAAA",
            "restrict=\"x\" " + ed25519, "from " + ed25519, "restrict " + "ssh-foo AAAAB3NzaC1mb28=",
        ])
    func none(line: String) { #expect(AuthorizedKeyLine(line.utf8) == nil) }

    @Test("an RSA key has a length")
    func rsa() throws {
        var modulus = [UInt8](repeating: 0xFF, count: 128)
        modulus[0] = 0x7F
        func string(_ bytes: [UInt8]) -> [UInt8] { [0, 0, 0, UInt8(bytes.count)] + bytes }
        let blob = string(Array("ssh-rsa".utf8)) + string([1, 0, 1]) + string(modulus)
        #expect(AuthorizedKeyLine("ssh-rsa \(Base64.encode(blob))".utf8)?.rsaBits == 1023)
    }

    @Test("a file that others may change, or a folder above it below the home, is not read by sshd", .enabled(if: geteuid() == 0))
    func modes() throws {
        let scratch = try Scratch()
        let home = scratch.folder + "/home"
        let account = Account(name: "nobody", user: 65534, group: 65534, home: home, shell: "/bin/sh")
        let file = home + "/.ssh/authorized_keys"
        try FileManager.default.createDirectory(atPath: home + "/.ssh", withIntermediateDirectories: true)
        try scratch.write("x\n", to: file)
        func reset() {
            for (path, mode) in [(home, mode_t(0o755)), (home + "/.ssh", 0o700), (file, 0o600)] {
                chmod(path, mode)
                chown(path, 65534, 65534)
            }
        }
        func admits(_ isStrict: Bool = true) -> Bool { StrictModes.admits(file, of: account, isStrict: isStrict) }
        reset()
        #expect(admits())
        for (path, mode) in [(home, mode_t(0o775)), (home + "/.ssh", 0o777), (file, 0o666), (file, 0o660)] {
            chmod(path, mode)
            #expect(!admits() && admits(false), "\(path)")
            reset()
        }
        for path in [home, home + "/.ssh", file] {
            chown(path, 2, 65534)
            #expect(!admits(), "\(path)")
            reset()
        }
        // Root's own, which the account may read, will do; and what it may not read will not.
        chown(file, 0, 0)
        chmod(file, 0o644)
        #expect(admits())
        chmod(file, 0o600)
        #expect(!admits() && !admits(false))
        reset()
        // Above the home it is no business of sshd's.
        chmod(scratch.folder, 0o777)
        #expect(admits())
        try FileManager.default.removeItem(atPath: file)
        #expect(!admits())
        mkdir(file, 0o700)
        #expect(!admits(false))
    }

    @Test("an account that is locked, or whose day is over")
    func shadow() throws {
        let scratch = try Scratch()
        let file = scratch.folder + "/shadow"
        try scratch.write("a:$6$x:1:0:99999:7:::\nb:!$6$x:1:0:99999:7::20832:\nc:*:1\nd::1:0:99999:7::30000:\nbb:x:1\n", to: file)
        func entry(_ name: String) throws -> ShadowEntry { try #require(ShadowEntry(of: name, in: file)) }
        #expect(try entry("a").hasPassword && !entry("a").isLocked && !entry("a").hasExpired(at: Self.now))
        #expect(try !entry("b").hasPassword && entry("b").isLocked && entry("b").hasExpired(at: Self.now))
        #expect(try !entry("c").hasPassword && !entry("c").isLocked && !entry("c").hasExpired(at: Self.now))
        #expect(try !entry("d").hasPassword && !entry("d").hasExpired(at: Self.now))
        #expect(ShadowEntry(of: "e", in: file) == nil)
    }
}
