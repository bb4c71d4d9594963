import Foundation
import LibCrypto
import MintingKit
import TestSupport
import Testing

/// What must not be a key cannot be made into one.
@Suite("Keys that must not be used cannot be made")
struct KeyLimitTests {
    private var modulus: [UInt8] {
        guard case .rsa(let key) = TestKeys.rsa.publicKey else { return [] }
        return key.modulus
    }

    private func odd(bits: Int) -> [UInt8] {
        let count = (bits + 7) / 8
        var bytes = [UInt8](repeating: 0xA7, count: count)
        bytes[0] = UInt8(1 << ((bits - 1) % 8))
        return bytes
    }

    @Test("An RSA modulus has 2048 to 8192 bits (V35)", arguments: [512, 1024, 2047, 2048, 3072, 4096, 8191, 8192, 8193, 16384])
    func modulusSize(_ bits: Int) {
        let key = try? RSAPublicKey(modulus: odd(bits: bits), exponent: [1, 0, 1])
        #expect((key != nil) == (2048...8192).contains(bits))
        if let key { #expect(key.bits == bits) }
    }

    @Test("An RSA modulus is odd and written without leading zeros (V35)")
    func modulusShape() {
        #expect(throws: Never.self) { try RSAPublicKey(modulus: modulus, exponent: [1, 0, 1]) }
        #expect(throws: KeyError.modulus) {
            try RSAPublicKey(modulus: Array(modulus.dropLast()) + [modulus[255] & 0xFE], exponent: [1, 0, 1])
        }
        #expect(throws: KeyError.modulus) { try RSAPublicKey(modulus: [0] + modulus, exponent: [1, 0, 1]) }
        #expect(throws: KeyError.modulus) { try RSAPublicKey(modulus: [], exponent: [1, 0, 1]) }
        #expect(throws: (any Error).self) { try RSAPublicKey(modulus: [UInt8](repeating: 0, count: 256), exponent: [1, 0, 1]) }
    }

    static let exponents: [(bytes: [UInt8], isGood: Bool)] = [
        ([3], true), ([17], true), ([1, 0, 1], true), ([0xFF, 0xFF, 0xFF, 0xFF], true),
        ([], false), ([0], false), ([1], false), ([2], false), ([4], false), ([1, 0, 0], false), ([0, 3], false), ([0, 1, 0, 1], false),
        ([1, 0, 0, 0, 0], false), ([1, 0, 0, 0, 1], false), ([1, 0, 0, 0, 0, 0, 0, 0, 1], false),
        // 2^64 + 3, which is 3 to who counts in 64 bits.
        ([1, 0, 0, 0, 0, 0, 0, 0, 3], false), ([UInt8](repeating: 0xFF, count: 256), false),
    ]

    @Test("An RSA exponent is odd, from 3 to 2^32, without leading zeros (V35)", arguments: exponents.indices)
    func exponent(_ index: Int) {
        let (bytes, isGood) = Self.exponents[index]
        #expect(((try? RSAPublicKey(modulus: modulus, exponent: bytes)) != nil) == isGood, "\(bytes)")
    }

    @Test("An RSA modulus with the fingerprint of ROCA is refused (V35)", .enabled(if: SharedData.isThere, SharedData.absence))
    func roca() throws {
        let group = try #require(try Wycheproof("json_web_key_test").groups.first { $0.comment == "jws_rsa_roca_key" })
        let key = try #require((group.object("public")["keys"] as? [[String: String]])?.first)
        let modulus = try #require(base64URL(key["n"] ?? ""))
        #expect(modulus.count * 8 >= 2048)
        #expect(throws: KeyError.modulus) { try RSAPublicKey(modulus: modulus, exponent: [1, 0, 1]) }
    }

    // FIPS 186-5: G of P-256, and p.
    private let x = bytes(hex: "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
    private let y = bytes(hex: "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
    private let p = bytes(hex: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")

    @Test("A P-256 point is on its curve, with two coordinates of 32 bytes (V34)")
    func p256() {
        #expect(throws: Never.self) { try P256PublicKey(x: x, y: y) }
        #expect(throws: KeyError.point) { try P256PublicKey(x: x, y: Array(y.dropLast()) + [y[31] ^ 1]) }
        #expect(throws: KeyError.point) { try P256PublicKey(x: y, y: x) }
        let zero = [UInt8](repeating: 0, count: 32)
        #expect(throws: KeyError.point, "infinity") { try P256PublicKey(x: zero, y: zero) }
        #expect(throws: KeyError.point, "x beyond the field") { try P256PublicKey(x: p, y: y) }
        #expect(throws: KeyError.point) { try P256PublicKey(x: [UInt8](repeating: 0xFF, count: 32), y: y) }
        #expect(throws: KeyError.wrongLength) { try P256PublicKey(x: [0] + x, y: y) }
        #expect(throws: KeyError.wrongLength) { try P256PublicKey(x: Array(x.dropFirst()), y: y) }
        #expect(throws: KeyError.wrongLength, "compressed") { try P256PublicKey(x: x, y: []) }
    }

    @Test("A coordinate that is the field's size too large is not another spelling of the same point (V34)")
    func p256Unreduced() throws {
        // The point with x = 5 has a root; 5 + p still fits into 32 bytes.
        let five = [UInt8](repeating: 0, count: 31) + [5]
        let root = bytes(hex: "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc")
        #expect(throws: Never.self) { try P256PublicKey(x: five, y: root) }
        let unreduced = bytes(hex: "ffffffff00000001000000000000000000000001000000000000000000000004")
        #expect(throws: KeyError.point) { try P256PublicKey(x: unreduced, y: root) }
    }

    /// The eight points of small order, in all encodings that a lenient reader takes (ed25519-speccheck; RFC 8032 section 5.1.3).
    static let smallOrder = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ]

    @Test("An Ed25519 key of small order is no key, however it is written (V40)", arguments: smallOrder)
    func smallOrderIsRefused(_ hex: String) {
        #expect(throws: KeyError.point) { try Ed25519PublicKey(bytes(hex: hex)) }
    }

    @Test("An Ed25519 key has 32 bytes and its y is below p (V40)")
    func ed25519() {
        let good = bytes(hex: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        #expect(throws: Never.self) { try Ed25519PublicKey(good) }
        #expect(throws: KeyError.wrongLength) { try Ed25519PublicKey(Array(good.dropLast())) }
        #expect(throws: KeyError.wrongLength) { try Ed25519PublicKey(good + [0]) }
        for last: UInt8 in [0x7F, 0xFF] {
            for first in UInt8(0xED)...0xFF {
                #expect(throws: KeyError.point) { try Ed25519PublicKey([first] + [UInt8](repeating: 0xFF, count: 30) + [last]) }
            }
        }
    }

    private func base64URL(_ text: String) -> [UInt8]? {
        let standard = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: standard + String(repeating: "=", count: (4 - standard.count % 4) % 4)).map(Array.init)
    }
}
