import LibCrypto
import MintingKit
import Testing
import Vocabulary

@testable import PKToken

@Suite("A GQ256 proof")
struct GQSignatureTests {
    private let identity = Array("header.payload".utf8)
    private let message = Array("gq-header.payload".utf8)

    private func key() throws -> RSAPublicKey {
        guard case .rsa(let key) = TestKeys.rsa.publicKey else { throw KeyError.scheme }
        return key
    }

    private func proof() throws -> [UInt8] {
        let signature = try TestKeys.rsa.sign(identity, .rsaPKCS1SHA256)
        return try #require(GQSignature.prove(signature, identity: identity, message: message, key: try key()))
    }

    @Test("It holds for its identity, message and key, and for nothing else")
    func roundTrip() throws {
        let (key, proof) = (try key(), try proof())
        #expect(proof.count == 32 + 16 * 256)
        #expect(GQSignature.verifies(proof, identity: identity, message: message, key: key))
        #expect(!GQSignature.verifies(proof, identity: identity + [0], message: message, key: key))
        #expect(!GQSignature.verifies(proof, identity: identity, message: message + [0], key: key))
        guard case .rsa(let other) = TestKeys.otherRSA.publicKey else { return }
        #expect(!GQSignature.verifies(proof, identity: identity, message: message, key: other))
        #expect(
            !GQSignature.verifies(proof, identity: identity, message: message, key: try RSAPublicKey(modulus: key.modulus, exponent: [3])))
    }

    @Test("Two proofs of the same are different, and neither shows the signature")
    func randomness() throws {
        let signature = try TestKeys.rsa.sign(identity, .rsaPKCS1SHA256)
        let proofs = [try proof(), try proof()]
        #expect(proofs[0] != proofs[1])
        for proof in proofs {
            for round in 0..<16 { #expect(Array(proof[(32 + round * 256)..<(32 + (round + 1) * 256)]) != signature) }
        }
    }

    @Test("A bit turned anywhere, a byte less or more breaks it")
    func damage() throws {
        let (key, proof) = (try key(), try proof())
        for bit in stride(from: 0, to: proof.count * 8, by: 131) {
            var damaged = proof
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!GQSignature.verifies(damaged, identity: identity, message: message, key: key), "bit \(bit)")
        }
        for bad in [[], Array(proof.dropLast()), Array(proof.dropFirst()), proof + [0], Array(proof.prefix(32))] {
            #expect(!GQSignature.verifies(bad, identity: identity, message: message, key: key))
        }
    }

    @Test("Numbers of zero, of one, or of the modulus and beyond prove nothing")
    func degenerate() throws {
        let key = try key()
        let zero = [UInt8](repeating: 0, count: 256)
        let one = Array(zero.dropLast()) + [1]
        for number in [zero, one, key.modulus, [UInt8](repeating: 0xFF, count: 256)] {
            for challenge in [UInt8(0), 1, 0xFF] {
                let forged = [UInt8](repeating: challenge, count: 32) + (0..<16).flatMap { _ in number }
                #expect(!GQSignature.verifies(forged, identity: identity, message: message, key: key))
            }
        }
    }

    @Test("Nobody proves with a signature that does not hold")
    func wrongSignature() throws {
        let other = try TestKeys.otherRSA.sign(identity, .rsaPKCS1SHA256)
        #expect(GQSignature.prove(other, identity: identity, message: message, key: try key()) == nil)
        let pss = try TestKeys.rsa.sign(identity, .rsaPSSSHA256)
        #expect(GQSignature.prove(pss, identity: identity, message: message, key: try key()) == nil)
        #expect(GQSignature.prove([], identity: identity, message: message, key: try key()) == nil)
    }
}
