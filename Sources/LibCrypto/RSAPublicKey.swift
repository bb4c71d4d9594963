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
        self.modulus = modulus
        self.exponent = exponent
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
