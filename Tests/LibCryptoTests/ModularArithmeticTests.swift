import LibCrypto
import MintingKit
import Testing

@Suite("Arithmetic modulo an RSA modulus")
struct ModularArithmeticTests {
    private func key() throws -> RSAPublicKey {
        guard case .rsa(let key) = TestKeys.rsa.publicKey else { throw KeyError.scheme }
        return key
    }

    private func padded(_ value: UInt8) -> [UInt8] { [UInt8](repeating: 0, count: 255) + [value] }

    @Test("Products of powers come out, also with powers of nothing and of one")
    func products() throws {
        let arithmetic = try ModularArithmetic(modulus: try key())
        let cases: [(x: [UInt8], y: [UInt8], result: UInt8)] = [([4], [1], 162), ([0], [1], 2), ([1], [0, 0], 3), ([], [], 1)]
        for (x, y, result) in cases {
            let product = arithmetic.product([3], to: x, [2], to: y)
            #expect(product == padded(result))
        }
    }

    @Test("Zero, the modulus and what is beyond it are no numbers")
    func range() throws {
        let key = try key()
        let arithmetic = try ModularArithmetic(modulus: key)
        for bad in [[], [0], key.modulus, [1] + key.modulus] {
            let results = [
                arithmetic.product(bad, to: [1], [1], to: [1]), arithmetic.product([1], to: [1], bad, to: [1]), arithmetic.inverse(bad),
            ]
            #expect(results.allSatisfy { $0 == nil })
        }
    }

    @Test("A number times its inverse is one")
    func inverse() throws {
        let arithmetic = try ModularArithmetic(modulus: try key())
        let inverse = arithmetic.inverse([3]) ?? []
        let product = arithmetic.product(inverse, to: [1], [3], to: [1])
        #expect(product == padded(1))
    }
}
