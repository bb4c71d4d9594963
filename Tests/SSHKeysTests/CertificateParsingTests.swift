import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

private let token = Array("a:b:c:d:e".utf8)
private let now = MintedLogin.now

/// A good certificate for `key`, with a change.
private func minted(_ key: PrivateKey = TestKeys.ed25519, _ change: (inout CertificateForm) -> Void = { _ in }) throws -> [UInt8] {
    var form = CertificateForm(for: key.publicKey, token: token)
    change(&form)
    return try form.signed(by: key)
}

private func formatError(_ blob: [UInt8]) -> SSHFormatError? {
    do {
        _ = try SSHCertificate(parsing: blob)
        return nil
    } catch {
        return error
    }
}

/// Steps 1 and 2: nil where the certificate is good.
private func refusal(_ blob: [UInt8], at time: UnixTime = now) throws -> Refusal.Code? {
    do {
        _ = try SSHCertificate(parsing: blob).selfSigned(at: time)
        return nil
    } catch let refusal as Refusal {
        return refusal.code
    }
}

@Suite("A certificate is read strictly")
struct CertificateParsingTests {
    static let keys = [TestKeys.rsa, TestKeys.p256, TestKeys.ed25519]

    @Test("A good one of each kind of key is read, written alike, and signed by itself", arguments: keys.indices)
    func good(_ index: Int) throws {
        let key = Self.keys[index]
        let blob = try minted(key)
        let certificate = try SSHCertificate(parsing: blob)
        #expect(certificate.isWrittenAlike)
        #expect(certificate.key == key.publicKey)
        #expect(certificate.type == key.publicKey.sshCertificateType)
        #expect(certificate.blob == blob)
        #expect(certificate.isOpenPubkey)
        #expect(certificate.extensionNamed("openpubkey-pkt")?.value == token)
        #expect(certificate.extensionNamed("permit-pty")?.hasValue == false)
        let selfSigned = try certificate.selfSigned(at: now)
        #expect(selfSigned.principals == [.wildcard])
        #expect(selfSigned.key == key.publicKey)
    }

    @Test("Every truncation throws (V51)", arguments: keys.indices)
    func truncations(_ index: Int) throws {
        let blob = try minted(Self.keys[index])
        for length in 0..<blob.count { #expect(formatError(Array(blob.prefix(length))) != nil, "\(length) bytes") }
    }

    @Test("Every flipped bit is refused (V51)", arguments: keys.indices)
    func flippedBits(_ index: Int) throws {
        let blob = try minted(Self.keys[index])
        #expect(try refusal(blob) == nil)
        var accepted: [Int] = []
        for bit in 0..<(blob.count * 8) {
            var damaged = blob
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let certificate = try? SSHCertificate(parsing: damaged) else { continue }
            if !certificate.isWrittenAlike || (try? certificate.selfSigned(at: now)) != nil { accepted.append(bit) }
        }
        #expect(accepted == [])
    }

    @Test("Every byte put to nothing, to its most or to the next one is refused (V51)")
    func changedBytes() throws {
        let blob = try minted()
        var accepted: [Int] = []
        for index in blob.indices {
            for value in [0, 0xFF, blob[index] &+ 1] where value != blob[index] {
                var damaged = blob
                damaged[index] = value
                guard let certificate = try? SSHCertificate(parsing: damaged) else { continue }
                if (try? certificate.selfSigned(at: now)) != nil { accepted.append(index) }
            }
        }
        #expect(accepted == [])
    }

    @Test("Bytes left over are refused, wherever they are (V51)")
    func trailing() throws {
        #expect(formatError(try minted { $0.trailing = [0] }) == .trailing)
        #expect(formatError(try minted { $0.principals.append([]) }) == nil, "an empty principal is well-formed")
        let key = TestKeys.ed25519
        let form = CertificateForm(for: key.publicKey, token: token)
        let signature = try CertificateForm.signature(by: key, over: form.signedBytes)
        #expect(formatError(form.signedBytes + sshString(signature)) == nil)
        #expect(try refusal(form.signedBytes + sshString(signature + [0])) == .certificateSignature, "after the signature's data")
    }

    @Test("A length field of 4 GiB ends in an error, whichever it is (V51)")
    func hugeLengths() throws {
        let blob = try minted()
        for offset in 0..<(blob.count - 4) {
            var damaged = blob
            damaged.replaceSubrange(offset..<(offset + 4), with: [0xFF, 0xFF, 0xFF, 0xFF])
            // Within "valid before", which is all ones, nothing changes.
            guard damaged != blob, let certificate = try? SSHCertificate(parsing: damaged) else { continue }
            let accepted = (try? certificate.selfSigned(at: now)) != nil
            #expect(!accepted, "at \(offset)")
        }
    }

    @Test("256 principals are read, one more is refused, and a hundred thousand are refused at once (V51)")
    func principalCount() throws {
        func principals(_ count: Int) throws -> [UInt8] { try minted { $0.principals = (0..<count).map { Array("p\($0)".utf8) } } }
        #expect(formatError(try principals(256)) == nil)
        #expect(formatError(try principals(257)) == .tooManyPrincipals)
        #expect(formatError(try principals(100_000)) == .tooManyPrincipals)
        #expect(try refusal(try minted { $0.principals = [] }) == nil, "none at all is well-formed; what it means is policy's")
    }

    @Test("A certificate type other than user and host is refused (V45)", arguments: [UInt32(0), 3, 256, 0xFFFF_FFFF])
    func kinds(_ kind: UInt32) throws {
        #expect(formatError(try minted { $0.kind = kind }) == .certificateType)
    }

    @Test("A host certificate is not a user's (V45)")
    func host() throws {
        #expect(try refusal(try minted { $0.kind = 2 }) == .notAUserCertificate)
    }

    static let optionForms: [(about: String, options: [CertificateForm.Option], error: SSHFormatError?)] = [
        ("sorted", [.init("a"), .init("b", value: []), .init("c", value: [1])], nil), ("by bytes", [.init("B"), .init("a"), .init("aa")], nil),
        ("unsorted", [.init("b"), .init("a")], .optionOrder), ("twice", [.init("a"), .init("a")], .optionOrder),
        ("twice with values", [.init("a", value: [1]), .init("a", value: [2])], .optionOrder), ("prefix last", [.init("aa"), .init("a")], .optionOrder),
        ("extra data", [.init("a", packed: sshString([1]) + [0])], .optionValue), ("two strings", [.init("a", packed: sshString([1]) + sshString([2]))], .optionValue),
        ("bare", [.init("a", packed: Array("value".utf8))], .optionValue), ("inner length too long", [.init("a", packed: [0, 0, 0, 9, 1])], .optionValue),
        ("inner length of 4 GiB", [.init("a", packed: [0xFF, 0xFF, 0xFF, 0xFF, 1])], .optionValue), ("three bytes", [.init("a", packed: [0, 0, 0])], .optionValue),
    ]

    @Test("Options and extensions are sorted, each once, with nothing or exactly one string as their value (V48, V49)", arguments: optionForms.indices)
    func options(_ index: Int) throws {
        let (about, options, error) = Self.optionForms[index]
        #expect(formatError(try minted { $0.criticalOptions = options }) == error, "critical, \(about)")
        #expect(formatError(try minted { $0.extensions = options }) == error, "extension, \(about)")
    }

    @Test("Two tokens are refused, and one among the critical options is (V48, V49)")
    func tokenPlaces() throws {
        let pkt = CertificateForm.Option("openpubkey-pkt", value: token)
        #expect(formatError(try minted { $0.extensions = [pkt, pkt] }) == .optionOrder)
        let critical = try minted {
            $0.extensions = []
            $0.criticalOptions = [pkt]
        }
        #expect(try SSHCertificate(parsing: critical).isOpenPubkey, "it claims to be ours")
        #expect(try refusal(critical) == .criticalOption)
        #expect(try SSHCertificate(parsing: try minted { $0.extensions = [.init("openpubkey-pkt2", value: token)] }).isOpenPubkey == false)
    }

    @Test(
        "Any critical option is refused (V47)",
        arguments: ["force-command", "source-address", "verify-required", "blah@example.com", "", "openpubkey-act"])
    func criticalOptions(_ name: String) throws {
        #expect(try refusal(try minted { $0.criticalOptions = [.init(name, value: Array("x".utf8))] }) == .criticalOption)
        #expect(try refusal(try minted { $0.criticalOptions = [.init(name)] }) == .criticalOption)
    }

    @Test("Unknown extensions and a reserved field are ignored")
    func unknownExtensions() throws {
        #expect(try refusal(try minted { $0.extensions.append(.init("zzz@example.com", value: [1, 2, 3])) }) == nil)
        #expect(try refusal(try minted { $0.reserved = [1, 2, 3] }) == nil)
    }

    static let windows: [(after: UInt64, before: UInt64, code: Refusal.Code?)] = [
        (0, .max, nil), (1_790_000_000, 1_790_000_001, nil), (1_790_000_001, .max, .certificateNotYetValid), (0, 1_790_000_000, .certificateExpired),
        (0, 0, .certificateExpired), (.max, .max, .certificateNotYetValid), (1_790_000_001, 1_790_000_000, .certificateNotYetValid),
        (1_780_000_000, 1_770_000_000, .certificateExpired), (0, 1 << 63, nil), (1 << 63, .max, .certificateNotYetValid), (0, (1 << 63) - 1, nil),
    ]

    @Test("What is not valid now is refused without skew, in unsigned numbers (V50)", arguments: windows.indices)
    func validity(_ index: Int) throws {
        let (after, before, code) = Self.windows[index]
        let blob = try minted {
            $0.validAfter = after
            $0.validBefore = before
        }
        #expect(try refusal(blob) == code)
    }

    @Test("A clock before 1970 is no way in (V50)")
    func brokenClock() throws {
        #expect(try refusal(try minted { $0.validAfter = 1 }, at: UnixTime(seconds: -5)) == .certificateNotYetValid)
    }
}

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
            (TestKeys.rsa, "rsa-sha2-512", true), (TestKeys.rsa, "rsa-sha2-256", true), (TestKeys.rsa, "ssh-rsa", false), (TestKeys.rsa, "ssh-dss", false),
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
        for type in ["", "ssh-ed25519", "-cert-v01@openssh.com", "ssh-ed25519-cert-v00@openssh.com", "ssh-foo-cert-v01@openssh.com", "SSH-ED25519-cert-v01@openssh.com"] {
            #expect(formatError(try minted { $0.type = Array(type.utf8) }) == .type, "\(type)")
        }
    }

    @Test("Certificates for keys that opk does not use are read, and refused only then (V54)")
    func foreignKeys() throws {
        let fields: [(type: String, fields: [UInt8])] = [
            ("ssh-dss", (0..<4).flatMap { _ in sshString([1]) }), ("ecdsa-sha2-nistp384", sshString(Array("nistp384".utf8)) + sshString([4])),
            ("ecdsa-sha2-nistp521", sshString(Array("nistp521".utf8)) + sshString([4])), ("sk-ssh-ed25519", sshString([1]) + sshString(Array("ssh:".utf8))),
            ("sk-ecdsa-sha2-nistp256", sshString([1]) + sshString([2]) + sshString([3])), ("ssh-mldsa44-ed25519", sshString([UInt8](repeating: 1, count: 1344))),
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

    @Test("A key that must not be used is refused: small RSA, a point off the curve, a compressed one, another curve's name (V34, V35, V40)")
    func badKeys() throws {
        func positive(_ bytes: [UInt8]) -> [UInt8] { sshString(bytes[0] >= 0x80 ? [0] + bytes : bytes) }
        let small = [UInt8](repeating: 0xFF, count: 128)
        #expect(try refusal(try minted(TestKeys.rsa) { $0.keyFields = positive([1, 0, 1]) + positive(small) }) == .keyTypeUnsupported)
        guard case .rsa(let rsa) = TestKeys.rsa.publicKey, case .p256(let p256) = TestKeys.p256.publicKey else { return }
        #expect(try refusal(try minted(TestKeys.rsa) { $0.keyFields = positive([1]) + positive(rsa.modulus) }) == .keyTypeUnsupported)
        #expect(formatError(try minted(TestKeys.rsa) { $0.keyFields = sshString([0, 1, 0, 1]) + positive(rsa.modulus) }) == .number)
        #expect(formatError(try minted(TestKeys.rsa) { $0.keyFields = positive([1, 0, 1]) + sshString(rsa.modulus) }) == .number, "a negative modulus")
        func point(_ curve: String, _ bytes: [UInt8]) throws -> Refusal.Code? {
            try refusal(try minted(TestKeys.p256) { $0.keyFields = sshString(Array(curve.utf8)) + sshString(bytes) })
        }
        #expect(try point("nistp256", p256.uncompressed) == nil)
        #expect(try point("nistp384", p256.uncompressed) == .keyTypeUnsupported)
        #expect(try point("nistp256", [2] + p256.x) == .keyTypeUnsupported, "compressed")
        #expect(try point("nistp256", [6] + p256.x + p256.y) == .keyTypeUnsupported, "hybrid")
        #expect(try point("nistp256", [4] + p256.y + p256.x) == .keyTypeUnsupported)
        #expect(try point("nistp256", [0]) == .keyTypeUnsupported, "infinity")
        #expect(try refusal(try minted { $0.keyFields = sshString([UInt8](repeating: 0, count: 32)) }) == .keyTypeUnsupported, "small order")
        #expect(try refusal(try minted { $0.keyFields = sshString([UInt8](repeating: 1, count: 31)) }) == .keyTypeUnsupported)
    }
}
