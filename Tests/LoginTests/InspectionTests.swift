import Display
import Foundation
import JOSE
import LibCrypto
import SSHKeys
import TestSupport
import Testing
import Vocabulary

@testable import Login

@Suite("Inspection: what a certificate says, told to a person or a script")
struct InspectionTests {
    static let hostile: Text = "eve\u{1B}[2J\n\u{202E}\"<"

    func answers(_ inspection: Inspection) -> [String: Inspection.Check.Answer] {
        Dictionary(uniqueKeysWithValues: inspection.checks.map { ($0.name, $0.answer) })
    }

    @Test("of a good certificate everything holds that can be told, and the provider's signature is said to be unknown")
    func good() throws {
        let provider = try TestProvider()
        let result = try provider.mint(try provider.maker(sendsAccessToken: true), accessToken: "an-access-token-of-some-length")
        let inspection = Inspection(result.key.certificate, at: provider.now)
        #expect(inspection.isSound)
        let answers = answers(inspection)
        for name in ["valid_now", "self_signature", "client_signature", "commitment"] { #expect(answers[name] == .holds) }
        guard case .unknown = answers["provider_signature"] else { Issue.record("\(answers)"); return }
        let lines = inspection.lines(now: provider.now).joined(separator: "\n")
        #expect(lines.contains("alice@example.com"))
        #expect(lines.contains("in 1 h"))
        #expect(lines.contains("openpubkey-act (30 bytes, not shown)"))
    }

    @Test("neither the token nor an access token is ever shown")
    func secrets() throws {
        let provider = try TestProvider()
        let result = try provider.mint(try provider.maker(sendsAccessToken: true), accessToken: "an-access-token-of-some-length")
        let inspection = Inspection(result.key.certificate, at: provider.now)
        let shown = inspection.lines(now: provider.now).joined(separator: "\n") + inspection.json.pretty()
        let token = try #require(result.key.certificate.extensionNamed("openpubkey-pkt")?.value)
        for part in String(decoding: token, as: UTF8.self).split(separator: ":") { #expect(!shown.contains(part)) }
        #expect(!shown.contains("an-access-token"))
        // Nor in what a person sees at the end of a login.
        #expect(!Summary(result, place: nil, isUsualPlace: true).lines(now: provider.now).joined().contains("an-access-token"))
    }

    @Test("hostile text in any claim comes out escaped, in both forms")
    func escaping() throws {
        let provider = try TestProvider()
        let hostile = JSON.string(InspectionTests.hostile)
        let result = try provider.mint(
            try provider.maker(),
            ["email": hostile, "name": hostile, "list": .array([hostile]), "object": ["a": hostile], InspectionTests.hostile: 1])
        let inspection = Inspection(result.key.certificate, at: provider.now)
        let shown =
            inspection.lines(now: provider.now) + inspection.json.pretty().split(separator: "\n").map(String.init)
            + Summary(result, place: nil, isUsualPlace: true).lines(now: provider.now)
        for line in shown {
            #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
        }
        // What a script reads is the same text again.
        let read = try JSON(parsing: Array(inspection.json.pretty().utf8))
        #expect(read["identity"]?["email"] == hostile)
    }

    @Test("a certificate that expired is told so, and is sound otherwise")
    func expired() throws {
        let provider = try TestProvider()
        let result = try provider.mint(try provider.maker())
        let later = provider.now + 90_000
        let inspection = Inspection(result.key.certificate, at: later)
        #expect(inspection.isSound)
        guard case .fails = answers(inspection)["valid_now"] else { Issue.record("valid"); return }
        #expect(inspection.lines(now: later).joined(separator: "\n").contains("1 h ago"))
        #expect(answers(inspection)["self_signature"] == .holds)
    }

    @Test("every changed byte of a certificate is found, or it is no certificate any more")
    func damaged() throws {
        let provider = try TestProvider()
        let blob = try provider.mint(try provider.maker(.ed25519)).key.certificate.blob
        for index in blob.indices {
            var damaged = blob
            damaged[index] ^= 1
            guard let certificate = try? SSHCertificate(parsing: damaged) else { continue }
            #expect(!Inspection(certificate, at: provider.now).isSound, "byte \(index)")
        }
    }

    @Test(
        "numbers of a certificate come out exactly, and a time that RFC 3339 cannot write as none",
        arguments: [0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFE] as [UInt64])
    func largeNumbers(number: UInt64) throws {
        let provider = try TestProvider()
        let good = try provider.mint(try provider.maker(.ed25519)).key.certificate
        // Type, nonce and key, each with its length; then the serial, the kind, key id and principals; then the times.
        let serial = 4 + good.type.utf8.count + 4 + 32 + 4 + 32
        let times = serial + 8 + 4 + 4 + good.keyID.count + 4 + good.principals.reduce(0) { $0 + 4 + $1.count }
        var blob = good.blob
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
        for start in [serial, times + 8] { blob.replaceSubrange(start..<(start + 8), with: bytes) }
        let json = Inspection(try SSHCertificate(parsing: blob), at: provider.now).json
        #expect(json["certificate"]?["serial"]?.number?.text == Text(String(number)))
        #expect(json["certificate"]?["valid_before"] == .null)
        #expect(json["certificate"]?["valid_before_seconds"]?.number?.text == Text(String(number)))
        #expect(json["certificate"]?["valid_after"] == .null)
        #expect(json["certificate"]?["valid_after_seconds"]?.number?.text == "0")
    }

    @Test("a certificate without an OpenPubkey token is not sound, however well it is signed")
    func ordinaryCertificate() throws {
        let folder = try TemporaryFolder()
        let key = folder.path + "/k"
        _ = try KeyPlaceTests.sshKeygen(["-q", "-t", "ed25519", "-N", "", "-f", key])
        _ = try KeyPlaceTests.sshKeygen(["-q", "-s", key, "-I", "id", "-n", "root", key + ".pub"])
        let inspection = Inspection(try CertificateSource.certificate(key), at: .now())
        #expect(answers(inspection)["self_signature"] == .holds)
        guard case .fails = answers(inspection)["openpubkey"] else { Issue.record("\(inspection.checks)"); return }
        #expect(!inspection.isSound)
        #expect(inspection.json["openpubkey"] == false)
        let provider = try TestProvider()
        let ours = Inspection(try provider.mint(try provider.maker()).key.certificate, at: provider.now)
        #expect(ours.json["openpubkey"] == true && answers(ours)["openpubkey"] == .holds)
    }

    @Test("what the client claimed is shown: algorithm, random part and whose key")
    func clientClaims() throws {
        let provider = try TestProvider()
        let maker = try provider.maker()
        let result = try provider.mint(maker)
        let inspection = Inspection(result.key.certificate, at: provider.now)
        let random = try #require(maker.claims.header["rz"]?.string)
        #expect(inspection.json["client_header"]?.serialized == JSON.object(maker.claims.header).serialized)
        #expect(inspection.json["refreshed_identity"] == .null)
        let lines = inspection.lines(now: provider.now)
        let client = lines.drop { $0 != "Client's signature" }.joined(separator: "\n")
        #expect(client.contains(random.string) && client.contains("ES256"))
        #expect(client.contains(result.key.privateKey.publicKey.sshFingerprint))
    }

    @Test("a certificate is found in a file, beside a private key, and as text; a plain key is said to be one")
    func sources() throws {
        let folder = try TemporaryFolder()
        let provider = try TestProvider()
        let result = try provider.mint(try provider.maker())
        let place = KeyPlace(folder.path + "/key")
        try result.key.write(to: place)
        let text = String(decoding: result.key.certificateFile, as: UTF8.self)
        for argument in [place.certificate, place.privateKey, text, "  \n" + text, Base64.encode(result.key.certificate.blob)] {
            #expect(try CertificateSource.certificate(argument).blob == result.key.certificate.blob)
        }
        let plain = result.key.privateKey.publicKey
        let line = SSHKeyLine(blob: plain.sshBlob, type: plain.sshType, comment: "x")
        for argument in [folder.path + "/absent", String(decoding: line.bytes, as: UTF8.self), folder.path, "", "ssh-ed25519 AAAA"] {
            #expect(throws: LoginError.self) { _ = try CertificateSource.certificate(argument) }
        }
    }

    @Test("what opkssh mints is read and found sound", .enabled(if: SharedData.isThere, SharedData.absence))
    func opksshVectors() throws {
        let path = SharedData.root.appendingPathComponent("opkssh-vectors/vectors.json")
        let vectors = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [[String: Any]])
        var sound = 0
        for vector in vectors {
            let text = try #require(vector["cert"] as? String)
            guard let certificate = try? CertificateSource.parse(Array(text.utf8)) else {
                #expect(vector["want"] as? String != "accept" || text.isEmpty || vector["line"] == nil)
                continue
            }
            let inspection = Inspection(certificate, at: .now())
            _ = inspection.lines(now: .now())
            _ = inspection.json.pretty()
            if vector["want"] as? String == "accept", certificate.isOpenPubkey {
                #expect(inspection.isSound, "\(vector["name"] ?? "")")
                sound += 1
            }
        }
        #expect(sound > 20)
    }
}
