import Foundation
import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

private let sshKeygen = ["/usr/bin/ssh-keygen", "/usr/local/bin/ssh-keygen"].first { FileManager.default.isExecutableFile(atPath: $0) }

@Suite("A certificate that we write")
struct CertificateRequestTests {
    static let keys = [TestKeys.rsa, TestKeys.p256, TestKeys.ed25519]

    private func request(accessToken: [UInt8]? = nil) -> CertificateRequest {
        CertificateRequest(
            keyID: Array("alice@example.com".utf8), validAfter: 1_789_999_000, validBefore: 1_790_086_400, token: Array("a:b:c:d:e".utf8),
            accessToken: accessToken)
    }

    @Test("It is read by our own reader and is what PROTOCOL section 3 says", arguments: keys.indices)
    func shape(_ index: Int) throws {
        let key = Self.keys[index]
        let certificate = try SSHCertificate(parsing: try request(accessToken: Array("secret".utf8)).signed(by: key))
        #expect(certificate.isWrittenAlike)
        #expect(certificate.key == key.publicKey && certificate.serial == 0 && certificate.kind == .user)
        #expect(certificate.nonce.count == 32)
        #expect(certificate.keyID == Array("alice@example.com".utf8))
        #expect(certificate.principals == [Array("opkssh-wildcard".utf8)])
        #expect(certificate.validAfter == 1_789_999_000 && certificate.validBefore == 1_790_086_400)
        #expect(certificate.criticalOptions.isEmpty)
        #expect(
            certificate.extensions.map { String(decoding: $0.name, as: UTF8.self) } == [
                "openpubkey-act", "openpubkey-pkt", "permit-X11-forwarding", "permit-agent-forwarding", "permit-port-forwarding",
                "permit-pty", "permit-user-rc",
            ])
        #expect(certificate.extensionNamed("openpubkey-act")?.value == Array("secret".utf8))
        #expect(certificate.extensionNamed("openpubkey-pkt")?.value == Array("a:b:c:d:e".utf8))
        #expect(try certificate.selfSigned(at: MintedLogin.now).key == key.publicKey)
        if case .rsa = key.publicKey {
            var reader = SSHReader(certificate.signature)
            #expect(try reader.string().elementsEqual("rsa-sha2-512".utf8))
        }
    }

    @Test("The access token is there only if it was asked for, and no two nonces are the same")
    func optional() throws {
        let first = try SSHCertificate(parsing: try request().signed(by: TestKeys.p256))
        let second = try SSHCertificate(parsing: try request().signed(by: TestKeys.p256))
        #expect(first.extensionNamed("openpubkey-act") == nil)
        #expect(first.nonce != second.nonce)
    }

    @Test("ssh-keygen -L reads it", .enabled(if: sshKeygen != nil, "ssh-keygen is not here"), arguments: keys.indices)
    func sshKeygenReads(_ index: Int) throws {
        let key = Self.keys[index]
        var restricted = request(accessToken: Array("secret".utf8))
        restricted.principals = ["alice", "bob"].compactMap { Principal($0) }
        let line = SSHKeyLine(blob: try restricted.signed(by: key), type: key.publicKey.sshCertificateType, comment: "openpubkey")
        let listing = try run(["-L", "-f", "/dev/stdin"], input: line.bytes)
        #expect(listing.contains("Type: \(key.publicKey.sshCertificateType) user certificate"))
        #expect(listing.contains("Public key: ") && listing.contains("-CERT \(key.publicKey.sshFingerprint)"))
        #expect(listing.contains("Signing CA: ") && listing.contains(" \(key.publicKey.sshFingerprint) (using"))
        #expect(listing.contains("Key ID: \"alice@example.com\"") && listing.contains("Serial: 0"))
        #expect(listing.contains("alice") && listing.contains("bob") && listing.contains("Critical Options: (none)"))
        #expect(listing.contains("openpubkey-pkt UNKNOWN OPTION") && listing.contains("permit-pty"))
    }

    @Test(
        "ssh-keygen -l gives the same fingerprint of a plain key", .enabled(if: sshKeygen != nil, "ssh-keygen is not here"),
        arguments: keys.indices)
    func fingerprint(_ index: Int) throws {
        let key = Self.keys[index].publicKey
        let line = SSHKeyLine(blob: key.sshBlob, type: key.sshType, comment: "a comment")
        let listing = try run(["-l", "-f", "/dev/stdin"], input: line.bytes)
        #expect(listing.contains(key.sshFingerprint) && listing.contains("a comment"))
    }

    private func run(_ arguments: [String], input: [UInt8]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(sshKeygen))
        process.arguments = arguments
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stdout
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input))
        try stdin.fileHandleForWriting.close()
        let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }
}

@Suite("The line of a .pub file")
struct SSHKeyLineTests {
    private let line = SSHKeyLine(blob: TestKeys.ed25519.publicKey.sshBlob, type: "ssh-ed25519", comment: "openpubkey: a b")

    @Test("It is read as it is written, with or without comment and line break")
    func roundTrip() {
        #expect(SSHKeyLine(parsing: line.bytes) == line)
        #expect(SSHKeyLine(parsing: Array(line.bytes.dropLast())) == line)
        let plain = SSHKeyLine(blob: line.blob, type: line.type, comment: "")
        #expect(SSHKeyLine(parsing: plain.bytes) == plain)
        #expect(plain.bytes.filter { $0 == 0x20 }.count == 1)
    }

    @Test("A type that is not the blob's, base64 that is none, or nothing is no line")
    func refused() {
        let encoded = Base64.encode(line.blob)
        for bad in [
            "", "\n", "ssh-ed25519", "ssh-rsa \(encoded)", "ssh-ed25519 \(encoded.dropLast(1))", "ssh-ed25519 !\(encoded)", "\(encoded)",
            "ssh-ed25519 AAAA",
        ] {
            #expect(SSHKeyLine(parsing: Array(bad.utf8)) == nil, "\(bad)")
        }
    }
}

@Suite("The reader of RFC 4251")
struct SSHReaderTests {
    @Test("A positive number has one encoding: no sign, no superfluous zero")
    func positiveNumbers() {
        func read(_ bytes: [UInt8]) -> [UInt8]? {
            var reader = SSHReader(sshString(bytes))
            return try? reader.positiveNumber()
        }
        #expect(read([1]) == [1])
        #expect(read([0x7F]) == [0x7F])
        #expect(read([0, 0x80]) == [0x80])
        #expect(read([0x80]) == nil)
        #expect(read([0, 0x7F]) == nil)
        #expect(read([0, 0, 0x80]) == nil)
        #expect(read([]) == nil)
        #expect(read([0]) == nil)
    }

    @Test("Integers are big endian, and what is not there is not read")
    func integers() throws {
        var reader = SSHReader([0, 0, 1, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 9])
        #expect(try reader.uint32() == 258)
        #expect(try reader.uint64() == .max - 1)
        #expect(reader.remaining == 1)
        #expect(throws: SSHFormatError.truncated) { try reader.uint32() }
        #expect(throws: SSHFormatError.trailing) { try reader.end() }
    }

    @Test("A string's length is looked at before anything is copied")
    func strings() {
        for bytes in [[0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 1], [0x7F, 0xFF, 0xFF, 0xFF, 1], [0, 0, 0], []] as [[UInt8]] {
            var reader = SSHReader(bytes)
            #expect(throws: SSHFormatError.truncated) { try reader.string() }
        }
    }

    @Test("What is written is read again")
    func roundTrip() throws {
        var writer = SSHWriter()
        writer.uint32(7)
        writer.uint64(.max)
        writer.string("abc")
        writer.positiveNumber([0, 0, 0x80])
        var reader = SSHReader(writer.bytes)
        #expect(try reader.uint32() == 7)
        #expect(try reader.uint64() == .max)
        #expect(try reader.string().elementsEqual("abc".utf8))
        #expect(try reader.positiveNumber() == [0x80])
        try reader.end()
    }
}
