import Foundation
import LibCrypto
import MintingKit
import SSHKeys
import TestSupport
import Testing
import Vocabulary

/// One line of oracle.tsv: what ssh-keygen 9.2 and pyca/cryptography say of a file.
struct OracleVerdict: Sendable, CustomTestStringConvertible {
    let file: String
    /// `ssh-keygen -L`
    let keygenReads: Bool
    /// `cert`, `plain`, or `fail:…`
    let pyca: String
    let pycaSignature: String
    let type: String
    let signer: String
    let criticalOptions: [String]

    var testDescription: String { file }

    static let all: [OracleVerdict] = {
        guard let bytes = try? SharedData.bytes("ssh-certs/oracle.tsv") else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst().map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            func column(_ index: Int) -> String { index < columns.count ? columns[index] : "" }
            return OracleVerdict(
                file: column(0), keygenReads: column(1) == "ok", pyca: column(3), pycaSignature: column(4), type: column(5),
                signer: column(6),
                criticalOptions: column(7).split(separator: ",").map(String.init))
        }
    }()

    static let certificates = all.filter { !$0.file.contains("plainkeys") }
    static let plainKeys = all.filter { $0.file.contains("plainkeys") }

    func line() throws -> SSHKeyLine? { SSHKeyLine(parsing: try SharedData.bytes(file)) }

    /// Where pyca is stricter than ssh-keygen it is followed: options twice, out of order, or with something after their value.
    var isRefusedByTheStricter: Bool {
        !keygenReads && !file.contains("badsig") && !file.contains("mldsa") || pyca.hasPrefix("fail:ValueError")
    }
}

@Suite("Certificates of five implementations", .enabled(if: SharedData.isThere, SharedData.absence))
struct PublishedCertificateTests {
    @Test("There are as many as the oracle says")
    func count() {
        #expect(OracleVerdict.certificates.count == 73 + 42)
        #expect(OracleVerdict.plainKeys.count == 28)
    }

    @Test(
        "The parser agrees with ssh-keygen and pyca, and with pyca where that is stricter (V43, V45, V48, V54)",
        arguments: OracleVerdict.certificates)
    func parsing(_ verdict: OracleVerdict) throws {
        // ML-DSA is newer than both tools of the oracle: such a certificate is read and, without a PK token, somebody else's.
        let line = try #require(try verdict.line())
        let certificate = try? SSHCertificate(parsing: line.blob)
        #expect((certificate != nil) == !verdict.isRefusedByTheStricter)
        guard let certificate else { return }
        #expect(certificate.isWrittenAlike, "accept implies that re-encoding gives the same bytes")
        guard verdict.pyca == "cert" else { return }
        #expect(certificate.kind == (verdict.type == "HOST" ? .host : .user))
        #expect(certificate.criticalOptions.map { String(decoding: $0.name, as: UTF8.self) } == verdict.criticalOptions)
        guard let key = certificate.key else { return }
        #expect((certificate.signatureKey == key.sshBlob) == (verdict.signer == "self"), "whose signature it is (V42)")
    }

    @Test(
        "The signature holds where pyca says so, if it is of our kind: no SHA-1, no DSA, no larger curve (V43, V44)",
        arguments: OracleVerdict.certificates)
    func signatures(_ verdict: OracleVerdict) throws {
        let line = try #require(try verdict.line())
        guard let certificate = try? SSHCertificate(parsing: line.blob), let key = certificate.key, verdict.signer == "self" else { return }
        var reader = SSHReader(certificate.signature)
        let algorithm = String(decoding: try reader.string(), as: UTF8.self)
        let holds = key.verifies(sshSignature: certificate.signature, over: certificate.signedBytes)
        #expect(holds == (verdict.pycaSignature == "sigok" && algorithm != "ssh-rsa"))
    }

    @Test("A certificate of another CA never becomes self-signed, whatever else it is (V42)", arguments: OracleVerdict.certificates)
    func otherAuthority(_ verdict: OracleVerdict) throws {
        let line = try #require(try verdict.line())
        guard verdict.signer == "otherCA", let certificate = try? SSHCertificate(parsing: line.blob) else { return }
        // At a time when it is valid, so that this is not the reason.
        let time = UnixTime(seconds: Int64(clamping: min(certificate.validAfter, 1 << 40)))
        #expect(throws: Refusal.self) { try certificate.selfSigned(at: time) }
    }

    @Test("Plain keys are no certificates (V55)", arguments: OracleVerdict.plainKeys)
    func plainKey(_ verdict: OracleVerdict) throws {
        guard let line = try verdict.line() else {
            #expect(!verdict.keygenReads)
            return
        }
        #expect(!SSHCertificate.isCertificateType(line.type.utf8))
        #expect(throws: SSHFormatError.type) { try SSHCertificate(parsing: line.blob) }
    }
}

@Suite("Certificates minted by ssh-keygen in opkssh's shape", .enabled(if: SharedData.isThere, SharedData.absence))
struct MintedBySSHKeygenTests {
    struct Entry: Sendable, CustomTestStringConvertible {
        let file: String
        let expectation: String
        var testDescription: String { file }
    }

    static let manifest: [Entry] = {
        guard let bytes = try? SharedData.bytes("ssh-certs/minted-by-ssh-keygen/manifest.tsv") else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst().map { line in
            let columns = line.split(separator: "\t").map(String.init)
            return Entry(file: columns[0], expectation: columns[1])
        }
    }()

    /// What steps 1 and 2 say; nil where they let it through.
    static let refusals: [String: Refusal.Code] = [
        "ok-384-cert.pub": .keyTypeUnsupported, "ok-521-cert.pub": .keyTypeUnsupported, "rsa1024-subject-cert.pub": .keyTypeUnsupported,
        "rsa-sha1-sig-cert.pub": .certificateSignature, "other-ca-same-type-cert.pub": .signedByAnotherKey,
        "other-ca-ed-rsa-cert.pub": .signedByAnotherKey, "host-cert-cert.pub": .notAUserCertificate,
        "pkt-critical-cert.pub": .criticalOption,
        "force-command-cert.pub": .criticalOption, "source-address-cert.pub": .criticalOption, "verify-required-cert.pub": .criticalOption,
        "unknown-critical-cert.pub": .criticalOption, "unknown-critical-empty-cert.pub": .criticalOption,
        "future-cert.pub": .certificateNotYetValid,
        "expired-cert.pub": .certificateExpired, "prin-quote-cert.pub": .unsafePrincipal, "prin-newline-cert.pub": .unsafePrincipal,
        "prin-cr-cert.pub": .unsafePrincipal, "prin-backslash-cert.pub": .unsafePrincipal, "prin-star-cert.pub": .unsafePrincipal,
        "prin-space-cert.pub": .unsafePrincipal, "prin-dash-cert.pub": .unsafePrincipal, "prin-utf8-cert.pub": .unsafePrincipal,
    ]

    @Test("The manifest lists 42, and each file is there")
    func count() throws {
        #expect(Self.manifest.count == 42)
        for entry in Self.manifest { #expect(throws: Never.self) { try SharedData.bytes("ssh-certs/minted-by-ssh-keygen/" + entry.file) } }
    }

    @Test("Each ends as the manifest says (V42 to V54)", arguments: manifest)
    func entry(_ entry: Entry) throws {
        let line = try #require(SSHKeyLine(parsing: try SharedData.bytes("ssh-certs/minted-by-ssh-keygen/" + entry.file)))
        let certificate = try SSHCertificate(parsing: line.blob)
        #expect(certificate.isWrittenAlike)
        let now = UnixTime(seconds: max(1_790_000_000, Int64(clamping: entry.file == "future-cert.pub" ? 0 : certificate.validAfter)))
        var refusal: Refusal.Code?
        do {
            let selfSigned = try certificate.selfSigned(at: now)
            #expect(selfSigned.principals.count == certificate.principals.count)
        } catch {
            refusal = error.code
        }
        #expect(refusal == Self.refusals[entry.file])
        if entry.expectation.hasPrefix("ssh-layer-accept") { #expect(refusal == nil) }
        #expect(certificate.isOpenPubkey == (entry.file != "no-pkt-cert.pub"))
        if refusal == nil, entry.expectation == "reject", entry.file != "no-pkt-cert.pub" {
            // Refused by the next step: an empty token, one with control characters, one of 100 KiB that is no token.
            #expect(["pkt-empty-cert.pub", "pkt-nul-cert.pub", "pkt-100k-cert.pub"].contains(entry.file))
        }
    }

    @Test("Fields come out: the largest serial, 256 principals, a hostile key id, an access token (V51, V67)")
    func fields() throws {
        func certificate(_ name: String) throws -> SSHCertificate {
            try SSHCertificate(
                parsing: try #require(SSHKeyLine(parsing: try SharedData.bytes("ssh-certs/minted-by-ssh-keygen/\(name)-cert.pub"))).blob)
        }
        #expect(try certificate("serial-max").serial == .max)
        #expect(try certificate("prin-256").principals.count == 256)
        #expect(try certificate("no-principals").principals.isEmpty)
        #expect(try certificate("wildcard-principal").principals == [Array("opkssh-wildcard".utf8)])
        let keyID = try certificate("keyid-newline").keyID
        #expect(keyID.contains(0x0A) && !escaped(keyID).utf8.contains { $0 < 0x20 })
        #expect(try certificate("act-ext").extensionNamed("openpubkey-act")?.value.isEmpty == false)
        #expect(try certificate("pkt-100k").extensionNamed("openpubkey-pkt")?.value.count ?? 0 >= 100_000)
    }
}
