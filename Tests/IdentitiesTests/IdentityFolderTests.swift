import SafeFiles
import TestSupport
import Testing
import Vocabulary

@testable import Identities

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the laptop remembers of its logins is whole or not there, and never makes a reader believe something else.
struct IdentityFolderTests {
    private let home = "/tmp/opk-identities-\(getpid())-\(UInt64.random(in: .min ... .max))"

    private func identity(_ name: Text = "work") throws -> StoredIdentity {
        StoredIdentity(
            name: try #require(IdentityName(name)), issuer: "https://idp.example.com", clientID: "opk", subject: "248289761001",
            email: "alice@example.com", loggedInAt: UnixTime(seconds: 1_700_000_000), ends: UnixTime(seconds: 1_700_086_400), store: .both,
            keyFile: "/home/alice/.ssh/opk/work", publicKey: [1, 2, 3], hosts: ["*.example.com"], refreshToken: .keyring)
    }

    @Test("what is written is what is read, in a file and a folder that are the person's alone")
    func roundTrip() throws {
        defer { unlink("\(home)/identities/work.json"); rmdir("\(home)/identities"); rmdir(home) }
        let folder = IdentityFolder(below: home)
        let identity = try identity()
        try folder.write(identity)
        #expect(try folder.read(identity.name) == identity)
        #expect(folder.list().identities == [identity])
        var facts = stat()
        #expect(lstat("\(home)/identities/work.json", &facts) == 0 && facts.st_mode & 0o777 == 0o600)
        #expect(lstat("\(home)/identities", &facts) == 0 && facts.st_mode & 0o777 == 0o700)
        try folder.remove(identity.name)
        try folder.remove(identity.name)
        #expect(try folder.read(identity.name) == nil)
    }

    @Test("a file that ends anywhere before its end is no identity, and never another one")
    func truncated() throws {
        let identity = try identity()
        let bytes = identity.encoded()
        for length in 0..<(bytes.count - 2) {
            #expect(StoredIdentity(parsing: Array(bytes[..<length]), name: identity.name) == nil, "\(length) bytes")
        }
    }

    @Test(
        "a member that is missing or of another type makes the file unusable",
        arguments: [
            #""issuer":"https://idp.example.com""#, #""subject":"248289761001""#, #""store":"both""#, #""public_key":"AQID""#,
            #""logged_in_at":1700000000"#, #""key_file":"/home/alice/.ssh/opk/work""#, #""ends":1700086400"#, #""refresh_token":"keyring""#,
        ])
    func malformed(member: String) throws {
        let identity = try identity()
        let text = String(decoding: identity.encoded(), as: UTF8.self)
        let name = String(member.split(separator: ":", maxSplits: 1)[0])
        let changed = text.replacing(member, with: "\(name):[]")
        #expect(changed != text)
        #expect(StoredIdentity(parsing: Array(changed.utf8), name: identity.name) == nil)
    }

    @Test("a name is a file name and a word of ssh_config", arguments: ["", ".", "..", "-x", "a/b", "a b", "a\n", "ä", "*", "%h", "~x"])
    func names(text: String) {
        #expect(IdentityName(Text(text)) == nil)
    }

    @Test("a file that somebody else could write is not read, and said")
    func foreign() throws {
        defer { unlink("\(home)/identities/work.json"); rmdir("\(home)/identities"); rmdir(home) }
        let folder = IdentityFolder(below: home)
        try folder.write(try identity())
        chmod("\(home)/identities/work.json", 0o666)
        let listing = folder.list()
        #expect(listing.identities.isEmpty && listing.problems.count == 1)
    }
}
