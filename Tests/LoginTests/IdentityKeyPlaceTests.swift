import Foundation
import Identities
import SSHKeys
import Testing
import Vocabulary

@testable import Login

@Suite("KeyPlace.of: where an identity's key lies")
struct IdentityKeyPlaceTests {
    static func identity(_ name: String, at path: String, ends: UnixTime?) throws -> StoredIdentity {
        StoredIdentity(
            name: try #require(IdentityName(Text(name))), issuer: "https://idp.example.com", clientID: "opk", subject: "1", email: nil,
            loggedInAt: .now(), ends: ends, store: .file, keyFile: path, publicKey: [1])
    }

    private func place(
        _ name: String = "work", store: KeyStore = .file, hasHosts: Bool = false, isKeptAlive: Bool = false,
        beside identities: [StoredIdentity] = [],
        in home: TemporaryFolder
    ) throws -> String {
        let place = try KeyPlace.of(
            try #require(IdentityName(Text(name))), kind: .ecdsa, store: store, hasHosts: hasHosts, isKeptAlive: isKeptAlive,
            home: home.path, identities: identities,
            now: .now())
        #expect(place.privateKey.hasPrefix(home.path + "/.ssh/"))
        return String(place.privateKey.dropFirst(home.path.count + 6))
    }

    @Test("The usual file, unless the key is in the agent alone, is for certain hosts, or opk setup ssh has been run")
    func usual() throws {
        let home = try TemporaryFolder()
        #expect(try place(in: home) == "id_ecdsa")
        #expect(try place(store: .both, in: home) == "id_ecdsa")
        #expect(try place(store: .agent, in: home) == "opk/work")
        #expect(try place(hasHosts: true, in: home) == "opk/work")
        try home.write([], to: ".ssh/opk/config")
        #expect(try place(in: home) == "opk/work")
        #expect(try place(store: .agent, isKeptAlive: true, in: home) == "opk/work")
    }

    @Test("A login in the agent that is kept alive has a usual name, where ssh looks for a certificate, if one is free")
    func keptAliveInAgent() throws {
        let home = try TemporaryFolder()
        #expect(try place(store: .agent, isKeptAlive: true, in: home) == "id_ecdsa")
        #expect(try place(store: .agent, hasHosts: true, isKeptAlive: true, in: home) == "opk/work")
        try home.write(try KeyPlaceTests.foreign().private, to: ".ssh/id_ecdsa")
        #expect(try place(store: .agent, isKeptAlive: true, in: home) == "id_ecdsa_sk")
        try home.write(try KeyPlaceTests.foreign().private, to: ".ssh/id_ecdsa_sk")
        #expect(try place(store: .agent, isKeptAlive: true, in: home) == "opk/work")
        #expect(throws: LoginError.self) { _ = try place(isKeptAlive: true, in: home) }
    }

    @Test("Another name's login that is still good keeps its file; its own name's, or one that has ended, is replaced")
    func others() throws {
        let home = try TemporaryFolder()
        let usual = home.path + "/.ssh/id_ecdsa"
        let alive = try Self.identity("home", at: usual, ends: .now() + 3600)
        // Its files are gone.
        #expect(try place(beside: [alive], in: home) == "id_ecdsa")
        try KeyPlaceTests.key().write(to: KeyPlace(usual))
        #expect(try place(beside: [alive], in: home) == "opk/work")
        #expect(try place("home", beside: [alive], in: home) == "id_ecdsa")
        #expect(try place(beside: [try Self.identity("home", at: usual, ends: nil)], in: home) == "opk/work")
        #expect(try place(beside: [try Self.identity("home", at: usual, ends: .now() + -1)], in: home) == "id_ecdsa")
        #expect(try place(beside: [try Self.identity("home", at: home.path + "/other", ends: nil)], in: home) == "id_ecdsa")
    }

    @Test(
        "A name whose files would be another's or the configuration's is refused", arguments: ["config", "Config", "work.pub", "WORK.PUB"])
    func reserved(name: String) throws {
        let home = try TemporaryFolder()
        #expect(throws: LoginError.self) { _ = try place(name, store: .agent, in: home) }
        #expect(try place(name, in: home) == "id_ecdsa")
    }

    @Test("C31: what is somebody else's in ~/.ssh/opk, a link there, or a folder that others can write to is refused")
    func foreign() throws {
        let home = try TemporaryFolder()
        try home.write(try KeyPlaceTests.foreign().private, to: ".ssh/opk/work")
        #expect(throws: LoginError.self) { _ = try place(store: .agent, in: home) }
        try FileManager.default.createSymbolicLink(atPath: home.path + "/.ssh/opk/link.pub", withDestinationPath: home.path + "/x")
        try FileManager.default.createSymbolicLink(
            atPath: home.path + "/.ssh/opk/link", withDestinationPath: home.path + "/.ssh/opk/work")
        #expect(throws: LoginError.self) { _ = try place("link", store: .agent, in: home) }
        #expect(try place("other", store: .agent, in: home) == "opk/other")
        chmod(home.path + "/.ssh/opk", 0o775)
        #expect(throws: LoginError.self) { _ = try place("other", store: .agent, in: home) }
    }

    @Test("C31: a folder or a key of another user's is refused", .enabled(if: geteuid() == 0, "needs root"))
    func otherOwner() throws {
        let home = try TemporaryFolder()
        try KeyPlaceTests.key().write(to: KeyPlace(home.path + "/.ssh/opk/work"))
        #expect(try place(store: .agent, in: home) == "opk/work")
        chown(home.path + "/.ssh/opk/work", 65_534, 65_534)
        #expect(throws: LoginError.self) { _ = try place(store: .agent, in: home) }
        chown(home.path + "/.ssh/opk/work", 0, 0)
        chown(home.path + "/.ssh/opk", 65_534, 65_534)
        #expect(throws: LoginError.self) { _ = try place(store: .agent, in: home) }
    }

    @Test("C31: with the umask 022 that most have, a private key is for its owner alone")
    func usualUmask() throws {
        let home = try TemporaryFolder()
        let before = umask(0o022)
        defer { umask(before) }
        try KeyPlaceTests.key().write(to: KeyPlace(home.path + "/.ssh/opk/work"), CertifiedKey.Parts(publicKey: true))
        #expect(try home.mode(".ssh/opk/work") == 0o600 && home.mode(".ssh/opk/work.pub") == 0o644)
        #expect(try home.mode(".ssh") == 0o700 && home.mode(".ssh/opk") == 0o700)
    }

    @Test("A login is called by the alias that was given, else by its provider, else by the issuer's host")
    func names() throws {
        var provider = ProviderConfig(issuer: "https://idp.example.com:8443/realm", clientID: "opk")
        #expect(try IdentityName.ofLogin(alias: nil, provider).text == "idp.example.com")
        provider.aliases = ["azure", "microsoft"]
        #expect(try IdentityName.ofLogin(alias: "microsoft", provider).text == "microsoft")
        #expect(try IdentityName.ofLogin(alias: nil, provider).text == "azure")
        #expect(try IdentityName.ofLogin(alias: nil, ProviderConfig(issuer: "http://[::1]:1", clientID: "x")).text == "default")
    }
}
