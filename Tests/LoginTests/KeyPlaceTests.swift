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
        do {
            let before = umask(0o777)
            defer { umask(before) }
            try key.write(to: place)
        }
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
        do throws(LoginError) {
            _ = try KeyPlace.usual(for: .ed25519, home: folder.path)
            Issue.record("chosen")
        } catch {
            #expect("\(error)".contains("id_ed25519 (its private key was not made by opk or opkssh), "))
        }
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

    @Test("a certificate with an access token in it can be read by nobody else; the next one without can")
    func accessTokenMode() throws {
        let folder = try TemporaryFolder()
        let place = KeyPlace(folder.path + "/key")
        let provider = try TestProvider()
        try provider.mint(try provider.maker(sendsAccessToken: true), accessToken: "an-access-token").key.write(to: place)
        #expect(try folder.mode("key-cert.pub") == 0o600)
        #expect(place.occupancy() == .ours)
        try KeyPlaceTests.key().write(to: place)
        #expect(try folder.mode("key-cert.pub") == 0o644)
    }

    @Test("C31: a full disk leaves the key and the certificate of the last login", .enabled(if: getuid() == 0, "needs root to mount"))
    func fullDisk() throws {
        let folder = try TemporaryFolder()
        let small = folder.path + "/small"
        mkdir(small, 0o700)
        guard mount("tmpfs", small, "tmpfs", 0, "size=16k,mode=700") == 0 else {
            print("skipped: a tmpfs cannot be mounted here")
            return
        }
        defer { umount(small) }
        let place = KeyPlace(small + "/key")
        try KeyPlaceTests.key().write(to: place)
        let (oldKey, oldCertificate) = (try folder.read("small/key"), try folder.read("small/key-cert.pub"))
        // Room for a new key and none for its certificate, then for neither.
        for filler in ["one", "two"] {
            try folder.write([UInt8](repeating: 1, count: 4096), to: "small/" + filler)
            #expect(throws: LoginError.self) { try KeyPlaceTests.key().write(to: place) }
            #expect(try folder.read("small/key") == oldKey)
            #expect(try folder.read("small/key-cert.pub") == oldCertificate)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: small).sorted() == ["key", "key-cert.pub", "one", "two"])
    }

    @Test("somebody who holds a lock on the folder does not stop a login")
    func lock() throws {
        let folder = try TemporaryFolder()
        let descriptor = open(folder.path, O_RDONLY)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        let begin = ContinuousClock.now
        try KeyPlaceTests.key().write(to: KeyPlace(folder.path + "/key"))
        #expect(ContinuousClock.now - begin < .seconds(30))
    }

    @Test("a folder that keys cannot lie in is refused before anybody logs in, and chmod is proposed for ~/.ssh alone")
    func folders() throws {
        let folder = try TemporaryFolder()
        func error(_ body: () throws(LoginError) -> Void) -> LoginError? {
            do throws(LoginError) {
                try body()
                return nil
            } catch {
                return error
            }
        }
        mkdir(folder.path + "/open", 0o700)
        chmod(folder.path + "/open", 0o777)
        try folder.write([], to: "file")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: folder.path + "/nowhere")
        let bad = [
            ("open", "others may write there"), ("file", "it is not a folder"), ("link", "a link to nothing"), ("file/x", "directory"),
        ]
        for (name, why) in bad {
            let refusal = error { () throws(LoginError) in _ = try KeyPlace.named(folder.path + "/" + name + "/key") }
            #expect(refusal.map { "\($0)".contains(why) } == true, "\(name): \(String(describing: refusal))")
            #expect(refusal?.hint?.contains("chmod") == false)
        }
        // Missing folders will be made.
        #expect(try KeyPlace.named(folder.path + "/a/b/key").occupancy() == .free)
        let home = folder.path + "/home"
        try folder.write([], to: "home/.ssh")
        let usual = error { () throws(LoginError) in _ = try KeyPlace.usual(for: .ecdsa, home: home) }
        #expect(usual.map { "\($0)".contains("home/.ssh: it is not a folder") } == true)
        #expect(LoginError.folder(path: "/h/.ssh", why: "x", mayChangeMode: true).hint?.contains("chmod 700 /h/.ssh") == true)
    }

    @Test("what -i says must name a file", arguments: ["", "/", "x/", ".", "..", "/tmp/.", "a/.."])
    func noFileName(path: String) {
        do throws(LoginError) {
            _ = try KeyPlace.named(path)
            Issue.record("taken")
        } catch {
            #expect(error.isUsage && "\(error)".contains("-i wants the name of a file"))
        }
    }

    @Test("every state that a power cut can leave between the two files is ours, and the next login mends it")
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
