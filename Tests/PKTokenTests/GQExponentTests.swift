import LibCrypto
import MintingKit
import Testing
import Vocabulary

@testable import PKToken

/// Whole numbers of any size, little endian in 32 bits each: enough of them to make an RSA key's private exponent.
private struct Natural {
    var limbs: [UInt32]

    init(_ bytes: [UInt8]) {
        limbs = stride(from: bytes.count, to: 0, by: -4).map { end in
            bytes[max(0, end - 4)..<end].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    var bytes: [UInt8] { Array(limbs.reversed().flatMap { limb in (0..<4).map { UInt8(truncatingIfNeeded: limb >> (24 - 8 * $0)) } }) }

    func remainder(by divisor: UInt64) -> UInt64 { limbs.reversed().reduce(0) { ($0 << 32 | UInt64($1)) % divisor } }

    func divided(by divisor: UInt64) -> Natural {
        var (result, rest) = (self, UInt64(0))
        for index in limbs.indices.reversed() {
            rest = rest << 32 | UInt64(limbs[index])
            result.limbs[index] = UInt32(rest / divisor)
            rest %= divisor
        }
        return result
    }

    /// self · factor + addend.
    func times(_ factor: UInt64, plus addend: UInt64) -> Natural {
        var (result, carry) = (self, addend)
        for index in limbs.indices {
            carry += UInt64(limbs[index]) * factor
            result.limbs[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { result.limbs.append(UInt32(carry)) }
        return result
    }

    /// self - other, which is not more.
    func minus(_ other: Natural) -> Natural {
        var (result, borrow) = (self, Int64(0))
        for index in limbs.indices {
            let difference = Int64(limbs[index]) - (index < other.limbs.count ? Int64(other.limbs[index]) : 0) + borrow
            result.limbs[index] = UInt32(truncatingIfNeeded: difference)
            borrow = difference >> 32
        }
        return result
    }
}

@Suite("A GQ256 proof is with e = 65537")
struct GQExponentTests {
    private let identity = Array("header.payload".utf8)
    private let message = Array("gq-header.payload".utf8)

    /// What a provider would sign with if its key had another exponent: the test's own key's modulus, whose primes are known here.
    private func privateExponent(for exponent: UInt64) throws -> [UInt8]? {
        guard case .rsa(let key) = TestKeys.rsa.publicKey, case .rsa(_, _, let p, let q) = try TestKeys.rsa.secret() else { return nil }
        // φ = n - p - q + 1, and d = (kφ + 1) / e for the k that makes it whole.
        let totient = Natural(key.modulus).minus(Natural(p)).minus(Natural(q)).times(1, plus: 1)
        let rest = totient.remainder(by: exponent)
        guard let factor = (1..<exponent).first(where: { ($0 * rest + 1).isMultiple(of: exponent) }) else { return nil }
        return totient.times(factor, plus: 1).divided(by: exponent).bytes
    }

    /// A proof by whoever knows the signature, for any exponent: written here, since the prover under test makes none.
    private func proof(_ key: RSAPublicKey, privateExponent: [UInt8]) throws -> [UInt8] {
        let arithmetic = try ModularArithmetic(modulus: key)
        func power(_ a: [UInt8], _ x: [UInt8], times b: [UInt8] = [1], _ y: [UInt8] = [1]) throws -> [UInt8] {
            let product = arithmetic.product(a, to: x, b, to: y)
            return try #require(product)
        }
        let signature = try power(GQSignature.emsaPKCS1(identity, width: arithmetic.width), privateExponent)
        let inverse = arithmetic.inverse(signature)
        let secret = try #require(inverse)
        let blinds = (0..<16).map { _ in [1] + randomBytes(arithmetic.width - 1) }
        let commitments = try blinds.flatMap { try power($0, key.exponent) }
        let challenges = Digest.shake256(commitments + message, length: 32)
        return try challenges
            + blinds.enumerated().flatMap { index, blind in
                try power(blind, [1], times: secret, Array(challenges[(2 * index)..<(2 * index + 2)]))
            }
    }

    @Test("One that is right in all else, for a key with another exponent, is none")
    func otherExponents() throws {
        guard case .rsa(let key) = TestKeys.rsa.publicKey else { return }
        let right = try #require(try privateExponent(for: 65_537))
        let proof = try proof(key, privateExponent: right)
        #expect(GQSignature.verifies(proof, identity: identity, message: message, key: key), "the prover here can prove")
        var tried = 0
        // A prime that divides φ is no exponent: at least some of these are.
        for exponent: UInt8 in [3, 5, 7, 11, 13, 17] {
            guard let secret = try privateExponent(for: UInt64(exponent)) else { continue }
            let other = try RSAPublicKey(modulus: key.modulus, exponent: [exponent])
            let forged = try self.proof(other, privateExponent: secret)
            #expect(!GQSignature.verifies(forged, identity: identity, message: message, key: other), "e = \(exponent)")
            tried += 1
        }
        #expect(tried > 0)
    }
}
