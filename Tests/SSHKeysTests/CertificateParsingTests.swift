import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

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
        ("sorted", [.init("a"), .init("b", value: []), .init("c", value: [1])], nil),
        ("by bytes", [.init("B"), .init("a"), .init("aa")], nil),
        ("unsorted", [.init("b"), .init("a")], .optionOrder), ("twice", [.init("a"), .init("a")], .optionOrder),
        ("twice with values", [.init("a", value: [1]), .init("a", value: [2])], .optionOrder),
        ("prefix last", [.init("aa"), .init("a")], .optionOrder),
        ("extra data", [.init("a", packed: sshString([1]) + [0])], .optionValue),
        ("two strings", [.init("a", packed: sshString([1]) + sshString([2]))], .optionValue),
        ("bare", [.init("a", packed: Array("value".utf8))], .optionValue),
        ("inner length too long", [.init("a", packed: [0, 0, 0, 9, 1])], .optionValue),
        ("inner length of 4 GiB", [.init("a", packed: [0xFF, 0xFF, 0xFF, 0xFF, 1])], .optionValue),
        ("three bytes", [.init("a", packed: [0, 0, 0])], .optionValue),
    ]

    @Test(
        "Options and extensions are sorted, each once, with nothing or exactly one string as their value (V48, V49)",
        arguments: optionForms.indices)
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
        (0, .max, nil), (1_790_000_000, 1_790_000_001, nil), (1_790_000_001, .max, .certificateNotYetValid),
        (0, 1_790_000_000, .certificateExpired),
        (0, 0, .certificateExpired), (.max, .max, .certificateNotYetValid), (1_790_000_001, 1_790_000_000, .certificateNotYetValid),
        (1_780_000_000, 1_770_000_000, .certificateExpired), (0, 1 << 63, nil), (1 << 63, .max, .certificateNotYetValid),
        (0, (1 << 63) - 1, nil),
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
