import CSystem
import ChildProcess
import Foundation
import Identities
import SafeFiles
import Testing
import Vocabulary

@testable import TokenStore

let example = StoredRefreshToken(
    issuer: "https://idp.example.com", clientID: "opk", clientSecret: Secret(Array("s3cret".utf8)), token: Secret(Array("r-1".utf8)),
    movesEnd: true)

/// A name that nobody's own login has: the keyring is the user's, not the test's.
func someName() throws -> IdentityName {
    try #require(IdentityName(Text("test-" + UUID().uuidString.lowercased())))
}

/// An `~/.opk` that is gone when the test is over.
final class Home: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("opk-tokens-" + UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.posixPermissions] as? Int
    }
}

@Suite("Refresh tokens as they are kept")
struct StoredRefreshTokenTests {
    @Test("what is written is read again, and tells nobody its secrets when it is printed")
    func roundTrip() throws {
        #expect(StoredRefreshToken(parsing: example.encoded()) == example)
        var plain = example
        plain.clientSecret = nil
        plain.movesEnd = false
        #expect(StoredRefreshToken(parsing: plain.encoded()) == plain)
        #expect(!"\(example)".contains("r-1") && !"\(example)".contains("s3cret"))
    }

    @Test("anything else is not taken for one")
    func malformed() {
        let whole = example.encoded()
        for length in 0..<whole.count { #expect(StoredRefreshToken(parsing: Array(whole.prefix(length))) == nil) }
        for (from, to) in [
            ("\"version\":1", "\"version\":2"), ("\"opk\"", "7"), ("\"r-1\"", "\"\""), ("true", "1"), ("\"s3cret\"", "null"),
        ] {
            let changed = String(decoding: whole, as: UTF8.self).replacingOccurrences(of: from, with: to)
            #expect(StoredRefreshToken(parsing: Array(changed.utf8)) == nil, "\(changed)")
        }
    }
}

@Suite("Refresh tokens in a file")
struct FileTokensTests {
    @Test("C31: mode 0600 in a folder of mode 0700 whatever the umask is, replaced and taken away without a trace")
    func modes() throws {
        let home = try Home()
        let store = TokenStore(below: home.path)
        let name = try someName()
        let before = umask(0)
        defer { umask(before) }
        try store.check(.file)
        #expect(try store.token(name, in: .file) == nil)
        try store.keep(example, name, in: .file)
        #expect(try home.mode("tokens") == 0o700 && home.mode("tokens/\(name)") == 0o600)
        var next = example
        next.token = Secret(Array("r-2".utf8))
        try store.keep(next, name, in: .file)
        #expect(try store.token(name, in: .file) == next)
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.path + "/tokens") == [name.text])
        try store.remove(name, from: .file)
        try store.remove(name, from: .file)
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.path + "/tokens").isEmpty)
    }

    @Test("C31: a link is never followed, neither in reading nor in writing")
    func links() throws {
        let home = try Home()
        let store = TokenStore(below: home.path)
        let (name, other) = (try someName(), try someName())
        try store.keep(example, other, in: .file)
        try FileManager.default.createSymbolicLink(atPath: home.path + "/tokens/\(name)", withDestinationPath: other.text)
        let error = #expect(throws: TokenStoreError.self) { try store.token(name, in: .file) }
        #expect(error == .file(UnsafeFile("\(home.path)/tokens/\(name)", .symbolicLink)))
        var next = example
        next.token = Secret(Array("r-2".utf8))
        try store.keep(next, name, in: .file)
        #expect(try store.token(other, in: .file) == example)
    }

    @Test("C31: a file or a folder that others may read or write is refused", arguments: [0o640, 0o604, 0o620, 0o666])
    func openToOthers(mode: Int) throws {
        let home = try Home()
        let store = TokenStore(below: home.path)
        let name = try someName()
        try store.keep(example, name, in: .file)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: home.path + "/tokens/\(name)")
        #expect(throws: TokenStoreError.self) { try store.token(name, in: .file) }
        try store.keep(example, name, in: .file)
        try FileManager.default.setAttributes([.posixPermissions: mode | 0o110], ofItemAtPath: home.path + "/tokens")
        #expect(throws: TokenStoreError.self) { try store.token(name, in: .file) }
        #expect(throws: TokenStoreError.self) { try store.check(.file) }
        #expect(throws: TokenStoreError.self) { try store.keep(example, name, in: .file) }
    }

    @Test("C31: what somebody else owns is refused", .enabled(if: getuid() == 0, "needs root to give a file away"))
    func foreignOwner() throws {
        let home = try Home()
        let store = TokenStore(below: home.path)
        let name = try someName()
        try store.keep(example, name, in: .file)
        #expect(chown(home.path + "/tokens/\(name)", 12345, 12345) == 0)
        let error = #expect(throws: TokenStoreError.self) { try store.token(name, in: .file) }
        #expect(error == .file(UnsafeFile("\(home.path)/tokens/\(name)", .owner(12345))))
    }

    @Test("what is not opk's is said to be so, and a token that is too long is not cut")
    func foreign() throws {
        let home = try Home()
        let store = TokenStore(below: home.path)
        let name = try someName()
        try store.keep(example, name, in: .file)
        try Data("hello\n".utf8).write(to: URL(fileURLWithPath: home.path + "/tokens/\(name)"))
        #expect(throws: TokenStoreError.malformed(.file)) { try store.token(name, in: .file) }
        var long = example
        long.token = Secret([UInt8](repeating: 0x41, count: 30_000))
        #expect(throws: TokenStoreError.tooLarge) { try store.keep(long, name, in: .file) }
    }
}

@Suite("Refresh tokens in the kernel's keyring", .enabled(if: opk_keyring_probe() == 0, "this kernel lets us use no keyring"))
struct KeyringTokensTests {
    let store = TokenStore(below: "/nonexistent")

    @Test("kept, replaced, read and taken away; for this user's processes alone")
    func roundTrip() throws {
        let name = try someName()
        defer { try? store.remove(name, from: .keyring) }
        try store.check(.keyring)
        #expect(try store.token(name, in: .keyring) == nil)
        try store.keep(example, name, in: .keyring)
        #expect(try store.token(name, in: .keyring) == example)
        #expect(opk_keyring_permissions(KeyringTokens.description(of: name)) == 0x3f3f_0000)
        var next = example
        next.token = Secret([UInt8](repeating: 0x41, count: 9000))
        try store.keep(next, name, in: .keyring)
        #expect(try store.token(name, in: .keyring) == next)
        try store.remove(name, from: .keyring)
        try store.remove(name, from: .keyring)
        #expect(try store.token(name, in: .keyring) == nil)
    }

    @Test("another process of this user finds it, in a session of its own", .enabled(if: Tools.keyctl != nil, "no keyctl (keyutils)"))
    func otherSession() throws {
        let name = try someName()
        defer { try? store.remove(name, from: .keyring) }
        try store.keep(example, name, in: .keyring)
        let description = KeyringTokens.description(of: name)
        let found = try ChildProcess.run(
            try #require(Tools.keyctl), ["session", "-", Tools.keyctl!, "search", "@u", "user", description], environment: .empty,
            deadline: 10_000)
        #expect(found.succeeded)
        let key = String(decoding: found.output.filter { $0 != 0x0A }, as: UTF8.self)
        let read = try ChildProcess.run(
            Tools.keyctl!, ["session", "-", Tools.keyctl!, "pipe", key], environment: .empty, deadline: 10_000)
        #expect(read.output == example.encoded())
    }
}

enum Tools {
    static func path(_ name: String) -> String? {
        ["/usr/bin/", "/bin/", "/usr/local/bin/"].map { $0 + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
    static let keyctl = path("keyctl")
    static let hasSecretService = ["secret-tool", "gnome-keyring-daemon", "dbus-daemon"].allSatisfy { path($0) != nil }
}
