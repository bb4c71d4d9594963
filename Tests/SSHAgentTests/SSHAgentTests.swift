import ChildProcess
import Foundation
import LibCrypto
import SSHKeys
import Testing
import Vocabulary

@testable import SSHAgent

@Suite("SSHAgent: OpenSSH's own agent", .enabled(if: RealAgent.isThere, RealAgent.absence))
struct SSHAgentTests {
    static let now = UnixTime.now()

    /// A key and a certificate for it that is good for an hour.
    static func certified(
        _ kind: PrivateKey.Kind, token: [UInt8] = [1, 2, 3], validBefore: UInt64 = UInt64(now.seconds) + 3600
    ) throws -> (key: PrivateKey, certificate: SSHCertificate) {
        let key = try PrivateKey(generating: kind)
        let request = CertificateRequest(keyID: Array("alice".utf8), validBefore: validBefore, token: token)
        return (key, try SSHCertificate(parsing: try request.signed(by: key)))
    }

    @Test("A key is added with its certificate, seen by ssh-add, signs, and is removed", arguments: [PrivateKey.Kind.p256, .ed25519])
    func whole(kind: PrivateKey.Kind) throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        #expect(try agent.identities().isEmpty)
        let (key, certificate) = try Self.certified(kind)
        try agent.add(
            key, certificate: certificate, comment: "opk work", constraints: try AgentConstraints(for: certificate, at: .now()))

        let shown = try real.sshAdd("-L").output.split(separator: "\n").map(String.init)
        #expect(shown == ["\(certificate.type) \(Base64.encode(certificate.blob)) opk work"])
        #expect(try real.sshAdd("-l").output.contains(key.publicKey.sshFingerprint))
        let identities = try agent.identities()
        #expect(identities == [AgentIdentity(blob: certificate.blob, comment: Array("opk work".utf8))])
        #expect(identities[0].holds(publicKey: key.publicKey.sshBlob))

        let data = Array("to be signed".utf8)
        let signature = try agent.sign(data, with: certificate.blob)
        #expect(key.publicKey.verifies(sshSignature: signature, over: data))
        // ssh-add signs with it as well, and finds that the signature is right.
        let file = real.folder + "/key-cert.pub"
        try Data(SSHKeyLine(blob: certificate.blob, type: certificate.type, comment: "x").bytes).write(to: URL(fileURLWithPath: file))
        #expect(try real.sshAdd("-T", file).status == 0)

        try agent.remove(blob: certificate.blob)
        #expect(try agent.identities().isEmpty)
        #expect(throws: AgentError.refused(.remove)) { try agent.remove(blob: certificate.blob) }
        #expect(throws: AgentError.refused(.sign)) { _ = try agent.sign(data, with: certificate.blob) }
    }

    @Test("A plain key is added, signs and is removed", arguments: [PrivateKey.Kind.p256, .ed25519])
    func plain(kind: PrivateKey.Kind) throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        let key = try PrivateKey(generating: kind)
        let blob = key.publicKey.sshBlob
        try agent.add(key, certificate: nil, comment: "plain")
        #expect(try real.sshAdd("-L").output == "\(key.publicKey.sshType) \(Base64.encode(blob)) plain\n")
        #expect(key.publicKey.verifies(sshSignature: try agent.sign([7], with: blob), over: [7]))
        #expect(try agent.removeAll { $0.holds(publicKey: blob) } == 1)
        #expect(try agent.identities().isEmpty)
    }

    @Test("A key with a scalar or seed of any size is taken whole: a hundred of each kind")
    func many() throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        for kind in [PrivateKey.Kind.p256, .ed25519] {
            for _ in 0..<100 {
                let (key, certificate) = try Self.certified(kind, token: [])
                try agent.add(key, certificate: certificate, comment: "")
                _ = try agent.sign([1], with: certificate.blob)
            }
        }
        #expect(try agent.identities().count == 200)
        #expect(try agent.removeAll { _ in true } == 200)
    }

    @Test("A certificate that nearly fills a frame is taken; one that does not fit is refused here")
    func largest() throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        let (key, certificate) = try Self.certified(.p256, token: [UInt8](repeating: 1, count: 200 << 10))
        try agent.add(key, certificate: certificate, comment: "")
        #expect(try agent.identities().map(\.blob) == [certificate.blob])
        let (other, large) = try Self.certified(.p256, token: [UInt8](repeating: 1, count: 256 << 10))
        #expect(throws: AgentError.tooLarge) { try agent.add(other, certificate: large, comment: "") }
    }

    @Test("A key leaves the agent when its lifetime ends, and the lifetime ends before the certificate")
    func lifetime() throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        let end = UInt64(UnixTime.now().seconds) + 4
        let (key, certificate) = try Self.certified(.ed25519, validBefore: end)
        try agent.add(key, certificate: certificate, comment: "", constraints: try AgentConstraints(for: certificate, at: .now()))
        #expect(try agent.identities().count == 1)
        while try !agent.identities().isEmpty { usleep(50_000) }
        #expect(UnixTime.now() < UnixTime(seconds: Int64(end)))
    }

    @Test("The lifetime is rounded down and leaves a second; none without an end; a certificate that ends now is not added")
    func lifetimes() throws {
        let (_, certificate) = try Self.certified(.ed25519, validBefore: 1000)
        let at = { (seconds: Int64, nanoseconds: Int32) in
            try AgentConstraints(for: certificate, at: UnixTime(seconds: seconds, nanoseconds: nanoseconds)).lifetime
        }
        #expect(try at(900, 0) == 99)
        #expect(try at(900, 1) == 98)
        #expect(try at(998, 0) == 1)
        #expect(throws: AgentError.expired) { _ = try at(998, 1) }
        #expect(throws: AgentError.expired) { _ = try at(2000, 0) }
        let (_, endless) = try Self.certified(.ed25519, validBefore: .max)
        #expect(try AgentConstraints(for: endless, at: .now()) == AgentConstraints())
        let (_, far) = try Self.certified(.ed25519, validBefore: .max - 1)
        #expect(try AgentConstraints(for: far, at: .now()).lifetime == UInt32(Int32.max))
    }

    @Test("With confirmation wanted and nobody to ask, the agent does not sign")
    func confirm() throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        let (key, certificate) = try Self.certified(.p256)
        try agent.add(key, certificate: certificate, comment: "", constraints: AgentConstraints(lifetime: 60, confirms: true))
        #expect(throws: AgentError.refused(.sign)) { _ = try agent.sign([1], with: certificate.blob) }
    }

    @Test("Added once more, it is there once, with the new lifetime")
    func twice() throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        let (key, certificate) = try Self.certified(.p256)
        try agent.add(key, certificate: certificate, comment: "one", constraints: AgentConstraints(lifetime: 1))
        try agent.add(key, certificate: certificate, comment: "two", constraints: AgentConstraints(lifetime: 600))
        usleep(2_100_000)
        #expect(try agent.identities().map(\.comment) == [Array("two".utf8)])
    }

    @Test("A certificate is not added with another's private key")
    func anothersKey() throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        let (_, certificate) = try Self.certified(.p256)
        #expect(throws: AgentError.key(.scheme)) {
            try agent.add(try PrivateKey(generating: .p256), certificate: certificate, comment: "")
        }
        #expect(try agent.identities().isEmpty)
    }

    @Test("An agent that is locked is told apart from one that is empty, and works again once it is unlocked")
    func locked() throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        let (key, certificate) = try Self.certified(.p256)
        try agent.check(taking: .p256)
        try agent.add(key, certificate: certificate, comment: "")
        #expect(try real.sshAdd("-x", passphrase: "open sesame").status == 0)
        #expect(try agent.identities().isEmpty)
        #expect(throws: AgentError.locked) { try agent.add(key, certificate: certificate, comment: "") }
        #expect(throws: AgentError.locked) { try agent.check(taking: .ed25519) }
        #expect(throws: AgentError.refused(.sign)) { _ = try agent.sign([1], with: certificate.blob) }
        #expect(try real.sshAdd("-X", passphrase: "open sesame").status == 0)
        #expect(try agent.identities().count == 1)
        try agent.check(taking: .ed25519)
    }

    @Test("To look whether an agent takes keys leaves nothing there", arguments: [PrivateKey.Kind.p256, .ed25519])
    func check(kind: PrivateKey.Kind) throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        try agent.check(taking: kind)
        #expect(try agent.identities().isEmpty)
    }

    @Test("No agent, none there any more, and none at all where SSH_AUTH_SOCK points are told apart")
    func absent() throws {
        #expect(throws: AgentError.noAgent) { _ = try SSHAgent.connect(environment: .empty) }
        let empty = ProcessEnvironment(entries: [Array("SSH_AUTH_SOCK=".utf8)])
        #expect(throws: AgentError.noAgent) { _ = try SSHAgent.connect(environment: empty) }
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        real.kill()
        #expect(throws: AgentError.ended(path: real.socket)) { _ = try agent.identities() }
        #expect(throws: AgentError.ended(path: real.socket)) { _ = try SSHAgent.connect(environment: real.environment) }
        for path in ["/nonexistent/agent", real.folder + "/nothing", real.socket + "/x"] {
            let environment = ProcessEnvironment(entries: [Array("SSH_AUTH_SOCK=\(path)".utf8)])
            #expect(throws: AgentError.nothingThere(path: path)) { _ = try SSHAgent.connect(environment: environment) }
        }
        let file = real.folder + "/file"
        try Data().write(to: URL(fileURLWithPath: file))
        let environment = ProcessEnvironment(entries: [Array("SSH_AUTH_SOCK=\(file)".utf8)])
        #expect(throws: AgentError.ended(path: file)) { _ = try SSHAgent.connect(environment: environment) }
        let long = ProcessEnvironment(entries: [Array(("SSH_AUTH_SOCK=/" + String(repeating: "x", count: 300)).utf8)])
        #expect(throws: AgentError.self) { _ = try SSHAgent.connect(environment: long) }
    }

    @Test(
        "C31: another user's agent is given nothing",
        .enabled(if: geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv"), "needs root and setpriv"))
    func anothersAgent() throws {
        let real = try RealAgent(as: 65_534)
        defer { real.end() }
        #expect(throws: AgentError.somebodyElses(path: real.socket, user: 65_534)) {
            _ = try SSHAgent.connect(environment: real.environment)
        }
        // It is there and would answer.
        #expect(try real.sshAdd("-l").output.contains("no identities"))
    }
}
