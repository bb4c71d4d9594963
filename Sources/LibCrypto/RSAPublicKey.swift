import COpenSSL

/// An RSA public key of 2048 to 8192 bits with an odd exponent from 3 to 2^32.
public struct RSAPublicKey: Hashable, Sendable {
    /// Big endian, without leading zeros.
    public let modulus: [UInt8]
    /// Big endian, without leading zeros.
    public let exponent: [UInt8]

    /// - Parameters: both big endian; a leading zero byte is an error, since a JWK (RFC 7518 section 6.3.1) has none and an SSH
    ///   mpint's sign byte is taken off by its reader.
    public init(modulus: [UInt8], exponent: [UInt8]) throws(KeyError) {
        guard let first = modulus.first, first != 0, let last = modulus.last, last & 1 == 1 else { throw .modulus }
        let bits = modulus.count * 8 - first.leadingZeroBitCount
        guard (2048...8192).contains(bits) else { throw .modulusSize }
        guard let firstOfExponent = exponent.first, firstOfExponent != 0, exponent.count <= 5 else { throw .exponent }
        let value = exponent.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard value & 1 == 1, value >= 3, value <= 1 << 32 else { throw .exponent }
        guard !RSAPublicKey.hasROCAFingerprint(modulus) else { throw .modulus }
        self.modulus = modulus
        self.exponent = exponent
    }

    /// Whether the modulus was made by the broken generator of CVE-2017-15361 (ROCA), from which the primes can be had: modulo each of
    /// these small primes it is a power of 65537. Of all other moduli one in 2^27 is; most are cleared by the first few primes.
    private static func hasROCAFingerprint(_ modulus: [UInt8]) -> Bool {
        let primes: [UInt32] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]
        return primes.allSatisfy { prime in
            let rest = modulus.reduce(UInt32(0)) { ($0 << 8 | UInt32($1)) % prime }
            var power: UInt32 = 1
            for _ in 0..<prime {
                if power == rest { return true }
                power = power * 65_537 % prime
            }
            return false
        }
    }

    /// The modulus's length in bits.
    public var bits: Int { modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0) }

    func verifies(_ signature: [UInt8], over message: [UInt8], digest: OpaquePointer?, pss: Bool) -> Bool {
        guard signature.count == modulus.count else { return false }
        let numbers = [(KeyParameter.modulus, modulus), (KeyParameter.exponent, exponent)]
        let key = PKeyHandle.make(type: "RSA", selection: opk_selection_public(), numbers: numbers)
        return unsafe key?.verifies(signature, over: message, digest: digest, pss: pss) ?? false
    }
}
