import LibCrypto
import MintingKit
import Testing

@Suite("Signing and verifying")
struct SigningTests {
    static let pairs: [(key: PrivateKey, other: PrivateKey, schemes: [SignatureScheme])] = [
        (TestKeys.rsa, TestKeys.otherRSA, [.rsaPKCS1SHA256, .rsaPKCS1SHA512, .rsaPSSSHA256]),
        (TestKeys.p256, TestKeys.otherP256, [.ecdsaP256SHA256]),
        (TestKeys.ed25519, TestKeys.otherEd25519, [.ed25519]),
    ]

    @Test("A signature holds for its own key, scheme and message, and for nothing else", arguments: pairs.indices)
    func roundTrip(_ index: Int) throws {
        let (key, other, schemes) = Self.pairs[index]
        let message = Array("a message".utf8)
        for scheme in SignatureScheme.allCases {
            guard schemes.contains(scheme) else {
                #expect(throws: KeyError.scheme) { try key.sign(message, scheme) }
                continue
            }
            let signature = try key.sign(message, scheme)
            #expect(key.publicKey.verifies(signature, over: message, scheme))
            #expect(!other.publicKey.verifies(signature, over: message, scheme), "another key")
            #expect(!key.publicKey.verifies(signature, over: message + [0], scheme), "another message")
            #expect(!key.publicKey.verifies(signature, over: [], scheme), "no message")
            #expect(!key.publicKey.verifies([], over: message, scheme), "no signature (V06)")
            for another in SignatureScheme.allCases where another != scheme {
                #expect(!key.publicKey.verifies(signature, over: message, another), "\(another)")
            }
        }
    }

    @Test("A signature with any one bit turned, cut or longer does not hold", arguments: pairs.indices)
    func damage(_ index: Int) throws {
        let (key, _, schemes) = Self.pairs[index]
        let message = Array("a message".utf8)
        for scheme in schemes {
            let signature = try key.sign(message, scheme)
            for bit in stride(from: 0, to: signature.count * 8, by: signature.count > 64 ? 37 : 1) {
                var damaged = signature
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(!key.publicKey.verifies(damaged, over: message, scheme), "\(scheme), bit \(bit)")
            }
            #expect(!key.publicKey.verifies(Array(signature.dropLast()), over: message, scheme))
            #expect(!key.publicKey.verifies(Array(signature.dropFirst()), over: message, scheme))
            #expect(!key.publicKey.verifies(signature + [0], over: message, scheme))
            #expect(!key.publicKey.verifies([0] + signature, over: message, scheme))
        }
    }

    @Test("An ECDSA signature is 64 bytes, and never DER (V36)")
    func derIsRefused() throws {
        // Many times, since one signature in a few hundred has an r or s that is shorter than 32 bytes.
        for _ in 0..<300 {
            let signature = try TestKeys.p256.sign([1, 2, 3], .ecdsaP256SHA256)
            try #require(signature.count == 64)
            #expect(TestKeys.p256.publicKey.verifies(signature, over: [1, 2, 3], .ecdsaP256SHA256))
            #expect(!TestKeys.p256.publicKey.verifies(der(signature), over: [1, 2, 3], .ecdsaP256SHA256))
        }
        let signature = try TestKeys.p256.sign([1, 2, 3], .ecdsaP256SHA256)
        let longer = Array(signature.prefix(32)) + [0] + Array(signature.suffix(32))
        #expect(!TestKeys.p256.publicKey.verifies(longer, over: [1, 2, 3], .ecdsaP256SHA256), "a byte between r and s")
    }

    /// RFC 3279 section 2.2.3.
    private func der(_ raw: [UInt8]) -> [UInt8] {
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            let digits = Array(bytes.drop { $0 == 0 })
            let magnitude = digits[0] >= 0x80 ? [0] + digits : digits
            return [2, UInt8(magnitude.count)] + magnitude
        }
        let content = integer(raw.prefix(32)) + integer(raw.suffix(32))
        return [0x30, UInt8(content.count)] + content
    }

    @Test("A private key made of its secret numbers is the same key", arguments: pairs.indices)
    func secretRoundTrip(_ index: Int) throws {
        let (key, other, schemes) = Self.pairs[index]
        let again = try PrivateKey(try key.secret(), publicKey: key.publicKey)
        #expect(again.publicKey == key.publicKey)
        let signature = try again.sign([1, 2, 3], schemes[0])
        #expect(key.publicKey.verifies(signature, over: [1, 2, 3], schemes[0]))
        #expect(throws: KeyError.self, "secret numbers of another key") { try PrivateKey(try other.secret(), publicKey: key.publicKey) }
    }

    @Test("Secret numbers of one kind do not go with a public key of another")
    func secretOfAnotherKind() throws {
        #expect(throws: KeyError.scheme) { try PrivateKey(try TestKeys.p256.secret(), publicKey: TestKeys.ed25519.publicKey) }
        #expect(throws: KeyError.self) { try PrivateKey(.ed25519(seed: [1, 2, 3]), publicKey: TestKeys.ed25519.publicKey) }
        #expect(throws: KeyError.self) {
            try PrivateKey(.p256(scalar: [UInt8](repeating: 0, count: 32)), publicKey: TestKeys.p256.publicKey)
        }
        #expect(throws: KeyError.self) {
            try PrivateKey(.p256(scalar: [UInt8](repeating: 0xFF, count: 32)), publicKey: TestKeys.p256.publicKey)
        }
    }

    @Test("Secret numbers have the lengths that a key file needs")
    func secretLengths() throws {
        guard case .p256(let scalar) = try TestKeys.p256.secret(), case .ed25519(let seed) = try TestKeys.ed25519.secret(),
            case .rsa(_, _, let p, let q) = try TestKeys.rsa.secret()
        else {
            Issue.record("secrets of other kinds")
            return
        }
        #expect(scalar.count == 32)
        #expect(seed.count == 32)
        #expect(p.count == 128)
        #expect(q.count == 128)
    }

    @Test("An RSA key is made with 2048 to 8192 bits and no other number")
    func generating() {
        #expect(throws: KeyError.modulusSize) { try PrivateKey(generating: .rsa(bits: 1024)) }
        #expect(throws: KeyError.modulusSize) { try PrivateKey(generating: .rsa(bits: 8200)) }
        #expect(throws: KeyError.modulusSize) { try PrivateKey(generating: .rsa(bits: -1)) }
        #expect(throws: KeyError.modulusSize) { try PrivateKey(generating: .rsa(bits: .max)) }
    }

    @Test("Keys are equal exactly if they are the same key (V41)")
    func equality() throws {
        guard case .p256(let key) = TestKeys.p256.publicKey, case .rsa(let rsa) = TestKeys.rsa.publicKey else { return }
        #expect(PublicKey.p256(try P256PublicKey(x: key.x, y: key.y)) == TestKeys.p256.publicKey)
        #expect(TestKeys.p256.publicKey != TestKeys.otherP256.publicKey)
        #expect(PublicKey.rsa(try RSAPublicKey(modulus: rsa.modulus, exponent: [3])) != TestKeys.rsa.publicKey, "another exponent")
        // The same x, the other y: p - y.
        let p = [UInt32]([0xFFFF_FFFF, 1, 0, 0, 0, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF])
        var borrow: Int64 = 0
        var other: [UInt8] = []
        for word in stride(from: 7, through: 0, by: -1) {
            let y = key.y[(word * 4)..<(word * 4 + 4)].reduce(Int64(0)) { $0 << 8 | Int64($1) }
            let difference = Int64(p[word]) - y - borrow
            borrow = difference < 0 ? 1 : 0
            let value = UInt32(truncatingIfNeeded: difference)
            other = [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)] + other
        }
        let mirrored = PublicKey.p256(try P256PublicKey(x: key.x, y: other))
        #expect(mirrored != TestKeys.p256.publicKey, "the same x, the other y")
    }
}
