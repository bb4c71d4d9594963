import ChildProcess
import Foundation
import Identities
import LibCrypto
import SSHKeys
import Testing
import Vocabulary

@testable import Login
@testable import SSHAgent

@Suite("KeyKeeping: the key in files, in ssh-agent, and on record", .enabled(if: TestAgent.isThere, "no ssh-agent or ssh-add"))
struct KeyKeepingTests {
    static let provider = ProviderConfig(issuer: TestProvider.issuer, clientID: TestProvider.client)

    static func name(_ text: String) throws -> IdentityName { try #require(IdentityName(Text(text))) }

    static func result(_ kind: PrivateKey.Kind = .p256) throws -> LoginResult {
        let provider = try TestProvider()
        return try provider.mint(try provider.maker(kind))
    }

    /// As a login does it.
    @discardableResult
    static func keep(
        _ result: LoginResult, as text: String = "work", _ store: KeyStore, in home: TemporaryFolder, _ environment: ProcessEnvironment,
        staysForRefresh: Bool = false, listingIsClean: Bool = true
    ) throws -> KeyKeeping.Kept {
        let name = try name(text)
        let listing = IdentityFolder(below: home.path + "/.opk").list()
        #expect(listing.problems.isEmpty == listingIsClean)
        let place = try KeyPlace.of(
            name, kind: .ecdsa, store: store, hasHosts: false, home: home.path, identities: listing.identities, now: .now())
        let keeping = KeyKeeping(
            name, store: store, place: place, home: home.path, environment: environment, staysForRefresh: staysForRefresh)
        return try keeping.keep(result, of: provider)
    }

    /// Whether any file below holds these bytes, as they are or in base64.
    private func isAnywhere(_ secret: [UInt8], below folder: TemporaryFolder) throws -> Bool {
        for name in folder.names {
            guard let bytes = try? folder.read(name) else { continue }
            if bytes.count >= secret.count, Data(bytes).range(of: Data(secret)) != nil { return true }
            if String(decoding: bytes, as: UTF8.self).contains("PRIVATE KEY") { return true }
        }
        return false
    }

    @Test("With store agent the private key is in the agent, with and without its certificate, and nowhere on the disk")
    func agent() throws {
        let home = try TemporaryFolder()
        let agent = try TestAgent()
        defer { agent.end() }
        let result = try Self.result()
        let kept = try Self.keep(result, .agent, in: home, agent.environment)
        #expect(kept.store == .agent && kept.warnings.isEmpty)
        let blob = result.key.privateKey.publicKey.sshBlob
        // The certificate first: ssh offers them in this order.
        #expect(
            try agent.identities() == [result.key.certificate.blob, blob].map { AgentIdentity(blob: $0, comment: Array("opk work".utf8)) })
        #expect(home.names.filter { $0.hasPrefix(".ssh/") } == [".ssh/opk", ".ssh/opk/work-cert.pub", ".ssh/opk/work.pub"])
        #expect(try home.mode(".ssh/opk") == 0o700 && home.mode(".ssh/opk/work.pub") == 0o644)
        guard case .p256(let scalar) = try result.key.privateKey.secret() else { return }
        #expect(try !isAnywhere(scalar, below: home))

        let line = try #require(SSHKeyLine(parsing: try home.read(".ssh/opk/work.pub")))
        #expect(line.blob == blob)
        let record = try #require(try IdentityFolder(below: home.path + "/.opk").read(try Self.name("work")))
        #expect(record.store == .agent && record.keyFile == home.path + "/.ssh/opk/work" && record.publicKey == blob)
        #expect(record.who == "alice@example.com" && record.ends == result.ends && record.issuer == TestProvider.issuer)
        #expect(try home.mode(".opk/identities/work.json") == 0o600)
    }

    @Test("With store both it is in both, with store file the agent is not asked")
    func bothAndFile() throws {
        let home = try TemporaryFolder()
        let agent = try TestAgent()
        defer { agent.end() }
        let both = try Self.result()
        #expect(try Self.keep(both, .both, in: home, agent.environment).store == .both)
        #expect(try agent.identities().count == 2)
        #expect(try OpenSSHPrivateKeyFile.decode(try home.read(".ssh/id_ecdsa")).key.publicKey == both.key.privateKey.publicKey)
        let file = try Self.result()
        #expect(try Self.keep(file, as: "home", .file, in: home, agent.environment).warnings.isEmpty)
        #expect(try agent.identities().allSatisfy { $0.holds(publicKey: both.key.privateKey.publicKey.sshBlob) })
    }

    @Test("The next login of the same name takes the last one out of the agent, and no other's", arguments: [KeyStore.agent, .both])
    func replaced(store: KeyStore) throws {
        let home = try TemporaryFolder()
        let agent = try TestAgent()
        defer { agent.end() }
        let stranger = try PrivateKey(generating: .ed25519)
        try SSHAgent.connect(environment: agent.environment).add(stranger, certificate: nil, comment: "openpubkey")
        let other = try Self.result()
        try Self.keep(other, as: "home", store, in: home, agent.environment)
        try Self.keep(try Self.result(), store, in: home, agent.environment)
        // A record that is lost is no reason to leave two of them there.
        try Self.keep(try Self.result(), store, in: home, agent.environment)
        unlink(home.path + "/.opk/identities/work.json")
        let last = try Self.result()
        #expect(try Self.keep(last, store, in: home, agent.environment).warnings.isEmpty)
        let blobs = Set(try agent.identities().map(\.blob))
        #expect(
            blobs == [
                stranger.publicKey.sshBlob, other.key.certificate.blob, other.key.privateKey.publicKey.sshBlob,
                last.key.certificate.blob, last.key.privateKey.publicKey.sshBlob,
            ])
        // And a login into a file takes it out as well.
        try Self.keep(try Self.result(), .file, in: home, agent.environment)
        #expect(try !agent.identities().contains { $0.holds(publicKey: last.key.privateKey.publicKey.sshBlob) })
    }

    @Test("With store agent the private key of the last login, which was in a file, leaves the disk")
    func fromFileToAgent() throws {
        let home = try TemporaryFolder()
        let agent = try TestAgent()
        defer { agent.end() }
        try Self.keep(try Self.result(), .file, in: home, agent.environment)
        #expect(home.names.contains(".ssh/id_ecdsa"))
        try Self.keep(try Self.result(), .agent, in: home, agent.environment)
        #expect(home.names.filter { $0.hasPrefix(".ssh/") } == [".ssh/opk", ".ssh/opk/work-cert.pub", ".ssh/opk/work.pub"])
        // Also where it lay at the same place.
        try home.write([], to: ".ssh/opk/config")
        try Self.keep(try Self.result(), .file, in: home, agent.environment)
        #expect(home.names.contains(".ssh/opk/work"))
        try Self.keep(try Self.result(), .agent, in: home, agent.environment)
        #expect(!home.names.contains(".ssh/opk/work") && home.names.contains(".ssh/opk/work.pub"))
    }

    @Test("A key of somebody else's that lies where the record points is not removed")
    func fromFileToAgentForeign() throws {
        let home = try TemporaryFolder()
        let agent = try TestAgent()
        defer { agent.end() }
        try Self.keep(try Self.result(), .file, in: home, agent.environment)
        let theirs = try KeyPlaceTests.foreign().private
        try home.write(theirs, to: ".ssh/id_ecdsa")
        try Self.keep(try Self.result(), .agent, in: home, agent.environment)
        #expect(try home.read(".ssh/id_ecdsa") == theirs)
    }

    @Test("An agent that is absent or locked ends a login into the agent before anybody logs in, and is only said where a file serves")
    func refusing() throws {
        let agent = try TestAgent()
        defer { agent.end() }
        try agent.lock()
        let cases: [(ProcessEnvironment, String)] = [(.empty, "SSH_AUTH_SOCK is not set"), (agent.environment, "is locked")]
        for (environment, why) in cases {
            let home = try TemporaryFolder()
            let name = try Self.name("work")
            let keeping = { (store: KeyStore) in
                KeyKeeping(name, store: store, place: KeyPlace(home.path + "/.ssh/opk/work"), home: home.path, environment: environment)
            }
            #expect(throws: LoginError.self) { _ = try keeping(.agent).check(.ecdsa) }
            #expect(throws: LoginError.self) { _ = try keeping(.agent).keep(try Self.result(), of: Self.provider) }
            #expect(home.names.isEmpty)
            #expect(try keeping(.both).check(.ecdsa).first?.contains(why) == true)
            #expect(try keeping(.file).check(.ecdsa).isEmpty)
            let early = try keeping(.both).check(.ecdsa)
            let kept = try keeping(.both).keep(try Self.result(), of: Self.provider)
            // The same words, which are said once.
            #expect(kept.warnings == early)
            #expect(kept.store == .file && kept.warnings.count == 1 && kept.warnings[0].contains(why), "\(kept)")
            #expect(try IdentityFolder(below: home.path + "/.opk").read(name)?.store == .file)
            #expect(home.names.contains(".ssh/opk/work"))
        }
    }

    @Test("Where the files cannot be written the agent does not keep the key either, and the last login stays")
    func filesFail() throws {
        let home = try TemporaryFolder()
        let agent = try TestAgent()
        defer { agent.end() }
        let last = try Self.result()
        try Self.keep(last, .agent, in: home, agent.environment)
        chmod(home.path + "/.ssh/opk", 0o777)
        let name = try Self.name("work")
        let place = KeyPlace(home.path + "/.ssh/opk/work")
        let keeping = KeyKeeping(name, store: .agent, place: place, home: home.path, environment: agent.environment)
        #expect(throws: LoginError.self) { _ = try keeping.keep(try Self.result(), of: Self.provider) }
        #expect(try agent.identities().map(\.blob) == [last.key.certificate.blob, last.key.privateKey.publicKey.sshBlob])
    }

    @Test("C31: a registry that cannot be written is said, and the login stands", .enabled(if: TestAgent.isThere))
    func registryFails() throws {
        let home = try TemporaryFolder()
        try home.write([], to: ".opk")
        let kept = try Self.keep(try Self.result(), .file, in: home, .empty, listingIsClean: false)
        #expect(kept.warnings.count == 1 && kept.warnings[0].contains("is not remembered"))
        #expect(home.names.contains(".ssh/id_ecdsa"))
    }

    @Test("C31: records are for their owner alone whatever the umask, and one of another user's is not read")
    func registryModes() throws {
        let home = try TemporaryFolder()
        do {
            let before = umask(0o000)
            defer { umask(before) }
            try Self.keep(try Self.result(), .file, in: home, .empty)
        }
        #expect(try home.mode(".opk/identities") == 0o700 && home.mode(".opk/identities/work.json") == 0o600)
        #expect(try home.mode(".ssh/id_ecdsa") == 0o600)
        let folder = IdentityFolder(below: home.path + "/.opk")
        #expect(folder.list().identities.count == 1)
        if geteuid() == 0 {
            chown(home.path + "/.opk/identities/work.json", 65_534, 65_534)
            #expect(folder.list().identities.isEmpty && folder.list().problems.count == 1)
        }
        unlink(home.path + "/.opk/identities/work.json")
        try home.write([], to: "elsewhere")
        try FileManager.default.createSymbolicLink(
            atPath: home.path + "/.opk/identities/work.json", withDestinationPath: home.path + "/elsewhere")
        #expect(folder.list().identities.isEmpty && folder.list().problems.count == 1)
        // Replaced, and not followed.
        try Self.keep(try Self.result(), as: "work", .file, in: home, .empty, listingIsClean: false)
        #expect(try home.read("elsewhere").isEmpty && folder.list().identities.count == 1)
    }

    @Test("For a login that is to be refreshed the plain key has no lifetime, and the certificate has")
    func staysForRefresh() throws {
        for stays in [false, true] {
            let home = try TemporaryFolder()
            let agent = try TestAgent()
            defer { agent.end() }
            let provider = try TestProvider()
            // Ends in four seconds.
            let result = try provider.mint(try provider.maker(expiry: .maximumAge(seconds: 4)))
            try Self.keep(result, .agent, in: home, agent.environment, staysForRefresh: stays)
            #expect(try agent.identities().count == 2)
            sleep(5)
            #expect(try agent.identities().map(\.blob) == (stays ? [result.key.privateKey.publicKey.sshBlob] : []))
        }
    }
}
