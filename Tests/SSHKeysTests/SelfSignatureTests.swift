import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

@Suite("A certificate is signed by the key that it certifies")
struct SelfSignatureTests {
    @Test("Signed by another key of the same type, or of another, it is refused (V42)")
    func otherKey() throws {
        for other in [TestKeys.otherEd25519, TestKeys.p256, TestKeys.rsa] {
            var form = CertificateForm(for: TestKeys.ed25519.publicKey, token: token)
            form.signatureKey = other.publicKey.sshBlob
            #expect(try refusal(try form.signed(by: other)) == .signedByAnotherKey)
        }
    }

    @Test("With its own key named but another's signature, it is refused (V43)")
    func forged() throws {
        let form = CertificateForm(for: TestKeys.ed25519.publicKey, token: token)
        #expect(try refusal(try form.signed(by: TestKeys.otherEd25519)) == .certificateSignature)
    }

    @Test("A signature by an algorithm that is not the key's is refused, SHA-1 too (V43, V44)")
    func algorithms() throws {
        let expectations: [(PrivateKey, String, accepted: Bool)] = [
            (TestKeys.rsa, "rsa-sha2-512", true), (TestKeys.rsa, "rsa-sha2-256", true), (TestKeys.rsa, "ssh-rsa", false),
            (TestKeys.rsa, "ssh-dss", false),
            (TestKeys.rsa, "rsa-sha2-384", false), (TestKeys.ed25519, "ssh-ed25519", true), (TestKeys.ed25519, "rsa-sha2-512", false),
            (TestKeys.ed25519, "ssh-ed25519-cert-v01@openssh.com", false), (TestKeys.p256, "ecdsa-sha2-nistp256", true),
            (TestKeys.p256, "ecdsa-sha2-nistp384", false), (TestKeys.p256, "", false),
        ]
        for (key, algorithm, accepted) in expectations {
            let blob = try minted(key) { $0.signatureAlgorithm = algorithm }
            #expect(((try? SSHCertificate(parsing: blob).selfSigned(at: now)) != nil) == accepted, "\(algorithm)")
        }
    }

    @Test("An RSA signature with the other hash's name is refused (V43)")
    func swappedHash() throws {
        let form = CertificateForm(for: TestKeys.rsa.publicKey, token: token)
        let raw = try TestKeys.rsa.sign(form.signedBytes, .rsaPKCS1SHA256)
        let signature = sshString(Array("rsa-sha2-512".utf8)) + sshString(raw)
        #expect(try refusal(form.signedBytes + sshString(signature)) == .certificateSignature)
    }

    @Test("An RSA signature by the old name is refused, whichever hash it is of (V44)")
    func oldName() throws {
        let form = CertificateForm(for: TestKeys.rsa.publicKey, token: token)
        for scheme in [SignatureScheme.rsaPKCS1SHA256, .rsaPKCS1SHA512] {
            let raw = try TestKeys.rsa.sign(form.signedBytes, scheme)
            let signature = sshString(Array("ssh-rsa".utf8)) + sshString(raw)
            #expect(try refusal(form.signedBytes + sshString(signature)) == .certificateSignature)
        }
    }

    @Test("An ECDSA signature of raw r and s, of DER, of negative or padded numbers is refused (V36, V37)")
    func ecdsaEncodings() throws {
        let form = CertificateForm(for: TestKeys.p256.publicKey, token: token)
        let raw = try TestKeys.p256.sign(form.signedBytes, .ecdsaP256SHA256)
        func check(_ data: [UInt8]) throws -> Refusal.Code? {
            try refusal(form.signedBytes + sshString(sshString(Array("ecdsa-sha2-nistp256".utf8)) + sshString(data)))
        }
        func mpint(_ bytes: [UInt8]) -> [UInt8] { sshString(bytes[0] >= 0x80 ? [0] + bytes : bytes) }
        let (r, s) = (Array(raw.prefix(32).drop { $0 == 0 }), Array(raw.suffix(32).drop { $0 == 0 }))
        #expect(try check(mpint(r) + mpint(s)) == nil)
        #expect(try check(raw) == .certificateSignature)
        #expect(try check(mpint(r) + mpint(s) + [0]) == .certificateSignature)
        #expect(try check(sshString([0, 0] + r) + mpint(s)) == .certificateSignature)
        #expect(try check(sshString([]) + mpint(s)) == .certificateSignature)
        #expect(try check(sshString([0]) + mpint(s)) == .certificateSignature)
        #expect(try check(sshString([0x80] + r) + mpint(s)) == .certificateSignature)
        #expect(try check(mpint([1] + [UInt8](repeating: 0, count: 32) + r) + mpint(s)) == .certificateSignature)
    }

    @Test("A signature key that is itself a certificate is refused (V46)")
    func nested() throws {
        let inner = try minted()
        let blob = try minted { $0.signatureKey = inner }
        #expect(formatError(blob) == .signatureType)
        let claimed = try minted {
            $0.signatureKey = inner
            $0.signatureAlgorithm = "ssh-ed25519-cert-v01@openssh.com"
        }
        #expect(try refusal(claimed) == .signedByAnotherKey)
    }

    @Test("The outer type says another kind of key than the one inside: refused (V46, V55)")
    func outerType() throws {
        for type in ["ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com", "ssh-dss"] {
            let blob = try minted { $0.type = Array((type + "-cert-v01@openssh.com").utf8) }
            #expect((try? SSHCertificate(parsing: blob).selfSigned(at: now)) == nil, "\(type)")
        }
        for type in [
            "", "ssh-ed25519", "-cert-v01@openssh.com", "ssh-ed25519-cert-v00@openssh.com", "ssh-foo-cert-v01@openssh.com",
            "SSH-ED25519-cert-v01@openssh.com",
        ] {
            #expect(formatError(try minted { $0.type = Array(type.utf8) }) == .type, "\(type)")
        }
    }

    @Test("Certificates for keys that opk does not use are read, and refused only then (V54)")
    func foreignKeys() throws {
        let fields: [(type: String, fields: [UInt8])] = [
            ("ssh-dss", (0..<4).flatMap { _ in sshString([1]) }),
            ("ecdsa-sha2-nistp384", sshString(Array("nistp384".utf8)) + sshString([4])),
            ("ecdsa-sha2-nistp521", sshString(Array("nistp521".utf8)) + sshString([4])),
            ("sk-ssh-ed25519", sshString([1]) + sshString(Array("ssh:".utf8))),
            ("sk-ecdsa-sha2-nistp256", sshString([1]) + sshString([2]) + sshString([3])),
            ("ssh-mldsa44-ed25519", sshString([UInt8](repeating: 1, count: 1344))),
        ]
        for (type, keyFields) in fields {
            let blob = try minted {
                $0.type = Array((type + "-cert-v01@openssh.com").utf8)
                $0.keyFields = keyFields
            }
            #expect(formatError(blob) == nil, "\(type)")
            #expect(try refusal(blob) == .keyTypeUnsupported, "\(type)")
            #expect(try SSHCertificate(parsing: blob).isWrittenAlike)
        }
    }

    @Test(
        "A key that must not be used is refused: small RSA, a point off the curve, a compressed one, another curve's name (V34, V35, V40)")
    func badKeys() throws {
        func positive(_ bytes: [UInt8]) -> [UInt8] { sshString(bytes[0] >= 0x80 ? [0] + bytes : bytes) }
        let small = [UInt8](repeating: 0xFF, count: 128)
        #expect(try refusal(try minted(TestKeys.rsa) { $0.keyFields = positive([1, 0, 1]) + positive(small) }) == .keyTypeUnsupported)
        guard case .rsa(let rsa) = TestKeys.rsa.publicKey, case .p256(let p256) = TestKeys.p256.publicKey else { return }
        #expect(try refusal(try minted(TestKeys.rsa) { $0.keyFields = positive([1]) + positive(rsa.modulus) }) == .keyTypeUnsupported)
        #expect(formatError(try minted(TestKeys.rsa) { $0.keyFields = sshString([0, 1, 0, 1]) + positive(rsa.modulus) }) == .number)
        #expect(
            formatError(try minted(TestKeys.rsa) { $0.keyFields = positive([1, 0, 1]) + sshString(rsa.modulus) }) == .number,
            "a negative modulus")
        func point(_ curve: String, _ bytes: [UInt8]) throws -> Refusal.Code? {
            try refusal(try minted(TestKeys.p256) { $0.keyFields = sshString(Array(curve.utf8)) + sshString(bytes) })
        }
        #expect(try point("nistp256", p256.uncompressed) == nil)
        #expect(try point("nistp384", p256.uncompressed) == .keyTypeUnsupported)
        #expect(try point("nistp256", [2] + p256.x) == .keyTypeUnsupported, "compressed")
        #expect(try point("nistp256", [6] + p256.x + p256.y) == .keyTypeUnsupported, "hybrid")
        #expect(try point("nistp256", [4] + p256.y + p256.x) == .keyTypeUnsupported)
        #expect(try point("nistp256", [0]) == .keyTypeUnsupported, "infinity")
        #expect(
            try refusal(try minted { $0.keyFields = sshString([UInt8](repeating: 0, count: 32)) }) == .keyTypeUnsupported, "small order")
        #expect(try refusal(try minted { $0.keyFields = sshString([UInt8](repeating: 1, count: 31)) }) == .keyTypeUnsupported)
    }
}
