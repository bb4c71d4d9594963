import Foundation
import LibCrypto
import SSHKeys
import Testing
import Vocabulary

@testable import SSHAgent

/// An sshd for one connection at a time, which ssh starts itself; it admits root by certificates of some keys.
private final class Daemon: @unchecked Sendable {
    static let isPossible =
        geteuid() == 0 && RealAgent.isThere
        && ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen"].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

    let folder: String

    init(admitting keys: [PublicKey]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-sshd-" + UUID().uuidString.prefix(8)).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try? FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        _ = try Daemon.run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder + "/host"])
        let lines = keys.map { "cert-authority,principals=\"opkssh-wildcard\" \($0.sshType) \(Base64.encode($0.sshBlob))\n" }.joined()
        try Data(lines.utf8).write(to: URL(fileURLWithPath: folder + "/keys"))
        let settings = """
            HostKey \(folder)/host
            PidFile none
            AuthorizedKeysFile \(folder)/keys
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            MaxAuthTries 6

            """
        try Data(settings.utf8).write(to: URL(fileURLWithPath: folder + "/config"))
    }

    func end() { try? FileManager.default.removeItem(atPath: folder) }

    /// Whether ssh gets in with these options, and how often it offered a key.
    func ssh(_ options: [String], agent: RealAgent) throws -> (isIn: Bool, offers: Int, log: String) {
        let usual = [
            "BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null",
            "PreferredAuthentications=publickey", "ConnectTimeout=10", "ProxyCommand=/usr/sbin/sshd -i -e -f \(folder)/config",
        ]
        let words =
            ["-v", "-F", "none"] + (usual + options).flatMap { ["-o", $0] } + ["root@laptop.test", "echo I am in"]
        let run = try Daemon.run("/usr/bin/ssh", words, environment: ["SSH_AUTH_SOCK": agent.socket, "PATH": "/usr/bin:/bin"])
        let offers = run.output.split(separator: "\n").filter { $0.contains("Offering public key") }.count
        return (run.output.contains("I am in"), offers, run.output)
    }

    private static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = ["PATH": "/usr/bin:/bin"]
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
}

@Suite("SSHAgent: what ssh makes of a key in the agent", .enabled(if: Daemon.isPossible, "needs root, sshd and ssh-agent"))
struct RealSSHTests {
    /// The certificate first, then the plain key, and the files that lie beside a private key that is nowhere.
    private static func keep(
        _ key: PrivateKey, _ certificate: SSHCertificate, in agent: SSHAgent, as name: String, _ folder: String
    ) throws {
        try agent.add(key, certificate: certificate, comment: "opk")
        try agent.add(key, certificate: nil, comment: "opk")
        try write(certificate.blob, certificate.type, folder + "/\(name)-cert.pub")
        try write(key.publicKey.sshBlob, key.publicKey.sshType, folder + "/\(name).pub")
    }

    private static func write(_ blob: [UInt8], _ type: String, _ path: String) throws {
        try Data(SSHKeyLine(blob: blob, type: type, comment: "openpubkey").bytes).write(to: URL(fileURLWithPath: path))
    }

    @Test(
        "With six other keys in the agent, IdentityFile, CertificateFile and IdentitiesOnly offer the certificate first, and it signs",
        arguments: [PrivateKey.Kind.p256, .ed25519])
    func configured(kind: PrivateKey.Kind) throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        for _ in 0..<6 { try agent.add(try PrivateKey(generating: .ed25519), certificate: nil, comment: "other") }
        let (key, certificate) = try SSHAgentTests.certified(kind)
        let daemon = try Daemon(admitting: [key.publicKey])
        defer { daemon.end() }
        try Self.keep(key, certificate, in: agent, as: "work", daemon.folder)
        // With and without .pub: both are asked of ssh_config.
        for file in ["work", "work.pub"] {
            let options = [
                "IdentitiesOnly=yes", "IdentityFile=\(daemon.folder)/\(file)", "CertificateFile=\(daemon.folder)/work-cert.pub",
            ]
            let run = try daemon.ssh(options, agent: real)
            #expect(run.isIn && run.offers == 1, "\(file): \(run.log)")
        }
        // The six others are as many as sshd lets anybody try.
        #expect(try !daemon.ssh([], agent: real).isIn)
        // A certificate that came later and is in the file alone, as after a refresh.
        let request = CertificateRequest(keyID: [1], validBefore: UInt64(SSHAgentTests.now.seconds) + 7200, token: [2])
        try Self.write(try request.signed(by: key), certificate.type, daemon.folder + "/work-cert.pub")
        let options = [
            "IdentitiesOnly=yes", "IdentityFile=\(daemon.folder)/work", "CertificateFile=\(daemon.folder)/work-cert.pub",
        ]
        #expect(try daemon.ssh(options, agent: real).isIn)
    }

    @Test(
        "Without any configuration ssh finds the certificate in the agent, at the first attempt",
        arguments: [PrivateKey.Kind.p256, .ed25519])
    func unconfigured(kind: PrivateKey.Kind) throws {
        let real = try RealAgent()
        defer { real.end() }
        let agent = try SSHAgent.connect(environment: real.environment)
        let (key, certificate) = try SSHAgentTests.certified(kind)
        let daemon = try Daemon(admitting: [key.publicKey])
        defer { daemon.end() }
        try Self.keep(key, certificate, in: agent, as: "work", daemon.folder)
        let run = try daemon.ssh(["IdentityFile=none"], agent: real)
        #expect(run.isIn && run.offers == 1, "\(run.log)")
    }
}
