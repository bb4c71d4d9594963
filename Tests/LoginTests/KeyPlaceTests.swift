import Foundation
import LibCrypto
import SSHKeys
import Testing
import Vocabulary

@testable import Login

@Suite("KeyPlace and CertifiedKey: where keys lie, and whose they are")
struct KeyPlaceTests {
    static func key(_ kind: PrivateKey.Kind = .p256) throws -> CertifiedKey {
        let provider = try TestProvider()
        return try provider.mint(try provider.maker(kind)).key
    }

    /// A key of somebody's, with a comment of their own.
    static func foreign(_ comment: Text = "alice@laptop") throws -> (private: [UInt8], public: [UInt8]) {
        let key = try PrivateKey(generating: .p256)
        return (
            try OpenSSHPrivateKeyFile.encode(key, comment: comment),
            SSHKeyLine(blob: key.publicKey.sshBlob, type: key.publicKey.sshType, comment: comment).bytes
        )
    }

    @Test("C31: the files are written with the right modes, in a folder that is made with 0700, whatever the umask")
    func modes() throws {
        let folder = try TemporaryFolder()
        let place = try KeyPlace.usual(for: .ecdsa, home: folder.path)
        #expect(place.privateKey == folder.path + "/.ssh/id_ecdsa")
        let key = try KeyPlaceTests.key()
        try key.write(to: place)
        #expect(try folder.mode(".ssh") == 0o700)
        #expect(try folder.mode(".ssh/id_ecdsa") == 0o600)
        #expect(try folder.mode(".ssh/id_ecdsa-cert.pub") == 0o644)
        #expect(folder.names == [".ssh", ".ssh/id_ecdsa", ".ssh/id_ecdsa-cert.pub"])
        #expect(try OpenSSHPrivateKeyFile.decode(try folder.read(".ssh/id_ecdsa")).key.publicKey == key.privateKey.publicKey)
        let line = try #require(SSHKeyLine(parsing: try folder.read(".ssh/id_ecdsa-cert.pub")))
        #expect(line.comment == "openpubkey")
        #expect(line.blob == key.certificate.blob)
    }

    @Test("ssh-keygen reads both files and finds that they belong together", arguments: [PrivateKey.Kind.p256, .ed25519])
    func sshKeygen(kind: PrivateKey.Kind) throws {
        let folder = try TemporaryFolder()
        let place = KeyPlace(folder.path + "/key")
        let key = try KeyPlaceTests.key(kind)
        try key.write(to: place)
        let certificate = try KeyPlaceTests.sshKeygen(["-L", "-f", place.certificate])
        #expect(certificate.contains("alice@example.com"))
        #expect(certificate.contains(key.privateKey.publicKey.sshFingerprint))
        #expect(try KeyPlaceTests.sshKeygen(["-l", "-f", place.privateKey]).contains(key.privateKey.publicKey.sshFingerprint))
    }

    @Test("our own key is replaced, and opkssh's, by whatever of its files is left")
    func ours() throws {
        let old = try KeyPlaceTests.key()
        let file = try old.privateKeyFile()
        let line = { (comment: Text) in SSHKeyLine(blob: old.certificate.blob, type: old.certificate.type, comment: comment).bytes }
        let unmarked = try OpenSSHPrivateKeyFile.encode(old.privateKey, comment: "no mark")
        let states: [[String: [UInt8]]] = [
            ["id_ecdsa": file, "id_ecdsa-cert.pub": line("openpubkey")],
            ["id_ecdsa": unmarked, "id_ecdsa-cert.pub": line("openpubkey")],
            ["id_ecdsa": file, "id_ecdsa-cert.pub": line("openpubkey: https://idp.example.com opk")],
            // A crash between the two files.
            ["id_ecdsa": file],
            ["id_ecdsa-cert.pub": line("openpubkey")],
        ]
        for state in states {
            let folder = try TemporaryFolder()
            for (name, bytes) in state { try folder.write(bytes, to: ".ssh/" + name) }
            let place = try KeyPlace.usual(for: .ecdsa, home: folder.path)
            #expect(place.privateKey.hasSuffix("/id_ecdsa"))
            #expect(place.occupancy() == .ours)
            let new = try KeyPlaceTests.key()
            try new.write(to: place)
            #expect(try OpenSSHPrivateKeyFile.decode(try folder.read(".ssh/id_ecdsa")).key.publicKey == new.privateKey.publicKey)
            #expect(folder.names == [".ssh", ".ssh/id_ecdsa", ".ssh/id_ecdsa-cert.pub"])
        }
    }

    @Test("somebody else's key is left alone, by whichever of its files it shows: the next name is taken, and -i is refused")
    func foreign() throws {
        let theirs = try KeyPlaceTests.foreign()
        let ours = try KeyPlaceTests.key()
        let theirCertificate = SSHKeyLine(blob: ours.certificate.blob, type: ours.certificate.type, comment: "alice@laptop").bytes
        let states: [[String: [UInt8]]] = [
            ["id_ecdsa": theirs.private], ["id_ecdsa.pub": theirs.public], ["id_ecdsa": theirs.private, "id_ecdsa.pub": theirs.public],
            ["id_ecdsa-cert.pub": theirCertificate], ["id_ecdsa": Array("-----BEGIN EC PRIVATE KEY-----\n".utf8)], ["id_ecdsa": []],
            ["id_ecdsa": try ours.privateKeyFile(), "id_ecdsa-cert.pub": theirCertificate],
            // They put their key where a certificate of ours had been left.
            ["id_ecdsa": theirs.private, "id_ecdsa-cert.pub": ours.certificateFile],
            ["id_ecdsa-cert.pub": Array("openpubkey\n".utf8)],
        ]
        for state in states {
            let folder = try TemporaryFolder()
            for (name, bytes) in state { try folder.write(bytes, to: ".ssh/" + name) }
            #expect(try KeyPlace.usual(for: .ecdsa, home: folder.path).privateKey.hasSuffix("/id_ecdsa_sk"))
            let path = folder.path + "/.ssh/id_ecdsa"
            #expect(throws: LoginError.self) { _ = try KeyPlace.named(path) }
            #expect(throws: LoginError.self) { try ours.write(to: KeyPlace(path)) }
            for (name, bytes) in state { #expect(try folder.read(".ssh/" + name) == bytes) }
            #expect(folder.names.count == state.count + 1)
        }
    }

    @Test("where both names are somebody else's nothing is chosen")
    func noneFree() throws {
        let folder = try TemporaryFolder()
        for name in ["id_ed25519", "id_ed25519_sk"] { try folder.write(try KeyPlaceTests.foreign().private, to: ".ssh/" + name) }
        #expect(throws: LoginError.self) { _ = try KeyPlace.usual(for: .ed25519, home: folder.path) }
        #expect(try KeyPlace.usual(for: .ecdsa, home: folder.path).privateKey.hasSuffix("/id_ecdsa"))
    }

    @Test("C31: a link is not followed, and a file that others can write is not ours")
    func links() throws {
        let folder = try TemporaryFolder()
        let key = try KeyPlaceTests.key()
        let file = try key.privateKeyFile()
        try folder.write(file, to: "elsewhere")
        try folder.write(file, to: ".ssh/open", mode: 0o666)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/.ssh/id_ecdsa", withDestinationPath: folder.path + "/elsewhere")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/.ssh/x-cert.pub", withDestinationPath: folder.path + "/nowhere")
        for name in ["id_ecdsa", "x", "open"] {
            #expect(throws: LoginError.self, "\(name)") { try key.write(to: KeyPlace(folder.path + "/.ssh/" + name)) }
        }
        #expect(try folder.read("elsewhere") == file)
        #expect(!folder.names.contains("nowhere"))
    }

    @Test("C31: a folder that others can write to is refused")
    func openFolder() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
        #expect(throws: LoginError.self) { try KeyPlaceTests.key().write(to: KeyPlace(folder.path + "/key")) }
        #expect(folder.names.isEmpty)
    }

    @Test("if the certificate cannot be written there is no old certificate beside the new key")
    func neverMismatched() throws {
        let folder = try TemporaryFolder()
        let place = KeyPlace(folder.path + "/key")
        try KeyPlaceTests.key().write(to: place)
        // Every state on the way: after the old certificate is gone, and after the new key is there.
        try FileManager.default.removeItem(atPath: place.certificate)
        #expect(place.occupancy() == .ours)
        try FileManager.default.removeItem(atPath: place.privateKey)
        try folder.write(try KeyPlaceTests.key().privateKeyFile(), to: "key")
        #expect(place.occupancy() == .ours)
        try KeyPlaceTests.key().write(to: place)
        let line = try #require(SSHKeyLine(parsing: try folder.read("key-cert.pub")))
        let certified = try #require(try SSHCertificate(parsing: line.blob).key)
        #expect(try OpenSSHPrivateKeyFile.decode(try folder.read("key")).key.publicKey == certified)
    }

    @Test("home is $HOME if that is a whole path, else what the system knows")
    func home() throws {
        #expect(try KeyPlace.home("/home/alice") == "/home/alice")
        #expect(throws: LoginError.self) { _ = try KeyPlace.home("alice") }
        #expect(try KeyPlace.home("").utf8.first == UInt8(ascii: "/"))
        #expect(try KeyPlace.home(nil).utf8.first == UInt8(ascii: "/"))
    }

    static func sshKeygen(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/ssh-keygen")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: bytes, as: UTF8.self)
    }
}
