import Foundation
import LibCrypto
import SSHKeys
import TestSupport
import Testing
import Vocabulary

@Suite("OpenSSHPrivateKeyFile: private keys as ssh-keygen writes them")
struct OpenSSHPrivateKeyFileTests {
    static let kinds: [PrivateKey.Kind] = [.p256, .ed25519, .rsa(bits: 2048)]

    @Test("a key that is written is read again by us, and signs", arguments: kinds)
    func roundTrip(kind: PrivateKey.Kind) throws {
        // Often, since a number with a leading zero is rare.
        for _ in 0..<(kind == .rsa(bits: 2048) ? 1 : 100) {
            let key = try PrivateKey(generating: kind)
            let file = try OpenSSHPrivateKeyFile.encode(key, comment: "openpubkey cert")
            let read = try OpenSSHPrivateKeyFile.decode(file)
            #expect(read.key.publicKey == key.publicKey)
            #expect(read.comment == "openpubkey cert")
            let outline = try OpenSSHPrivateKeyFile.outline(file)
            #expect(outline.publicBlob == key.publicKey.sshBlob)
            #expect(outline.comment == "openpubkey cert")
        }
    }

    @Test(
        "ssh-keygen reads what we write and finds the same public key", arguments: kinds,
        ["", "c", "openpubkey", "a comment of 27 characters."])
    func sshKeygenReads(kind: PrivateKey.Kind, comment: String) throws {
        let key = try PrivateKey(generating: kind)
        try withFolder { folder in
            let path = folder + "/key"
            try write(try OpenSSHPrivateKeyFile.encode(key, comment: Text(comment)), to: path)
            let output = try run(["-y", "-f", path])
            let line = try #require(SSHKeyLine(parsing: output))
            #expect(line.blob == key.publicKey.sshBlob)
            #expect(line.comment == Text(comment))
        }
    }

    @Test(
        "we read what ssh-keygen writes; of an encrypted key only the public half", arguments: ["ecdsa", "ed25519", "rsa"], [false, true])
    func weRead(type: String, encrypted: Bool) throws {
        try withFolder { folder in
            let path = folder + "/key"
            _ = try run(["-q", "-t", type, "-N", encrypted ? "passphrase" : "", "-C", "somebody", "-f", path])
            let file = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
            let line = try #require(SSHKeyLine(parsing: try Array(Data(contentsOf: URL(fileURLWithPath: path + ".pub")))))
            let outline = try OpenSSHPrivateKeyFile.outline(file)
            #expect(outline.publicBlob == line.blob)
            #expect(outline.comment == (encrypted ? nil : "somebody"))
            if encrypted {
                #expect(throws: OpenSSHPrivateKeyFile.Malformation.encrypted) { _ = try OpenSSHPrivateKeyFile.decode(file) }
            } else {
                let read = try OpenSSHPrivateKeyFile.decode(file)
                #expect(read.key.publicKey.sshBlob == line.blob)
                // A key that was read has no CRT coefficient to write. The others are written to the same length to the byte.
                if type != "rsa" { #expect(try OpenSSHPrivateKeyFile.encode(read.key, comment: "somebody").count == file.count) }
            }
        }
    }

    @Test("every truncation and every changed byte within is refused or still that key, and never a crash")
    func damaged() throws {
        let key = try PrivateKey(generating: .ed25519)
        let file = try OpenSSHPrivateKeyFile.encode(key, comment: "x")
        for end in 0..<(file.count - 1) {
            #expect(throws: OpenSSHPrivateKeyFile.Malformation.self) { _ = try OpenSSHPrivateKeyFile.decode(Array(file[..<end])) }
        }
        for index in file.indices {
            var damaged = file
            damaged[index] ^= 1
            if let read = try? OpenSSHPrivateKeyFile.decode(damaged) { #expect(read.key.publicKey == key.publicKey) }
        }
    }

    private func run(_ arguments: [String]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/ssh-keygen")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return Array(bytes)
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        #expect(FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600]))
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "opk-key-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }
}
