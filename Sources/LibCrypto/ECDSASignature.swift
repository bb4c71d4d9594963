/// The two encodings of a P-256 signature: r and s of 32 bytes each (RFC 7518 section 3.4), and the DER that OpenSSL speaks
/// (RFC 3279 section 2.2.3).
public enum ECDSASignature {
    /// Nil unless `raw` is 64 bytes. The range of r and s is OpenSSL's to check.
    static func der(fromRaw raw: [UInt8]) -> [UInt8]? {
        guard raw.count == 64 else { return nil }
        let integers = derInteger(raw.prefix(32)) + derInteger(raw.suffix(32))
        return [0x30, UInt8(integers.count)] + integers
    }

    /// Nil unless `der` is the strict encoding of two integers of at most 32 bytes.
    static func raw(fromDER der: [UInt8]) -> [UInt8]? {
        guard der.count >= 8, der.count <= 72, der[0] == 0x30, Int(der[1]) == der.count - 2, der[2] == 2 else { return nil }
        let lengthOfR = Int(der[3])
        guard der.count >= 6 + lengthOfR, der[4 + lengthOfR] == 2, Int(der[5 + lengthOfR]) == der.count - 6 - lengthOfR,
            let r = padded(Array(der[4..<(4 + lengthOfR)])), let s = padded(Array(der[(6 + lengthOfR)...]))
        else { return nil }
        return r + s
    }

    /// Big-endian magnitude to 32 bytes; nil where it does not fit.
    public static func padded(_ magnitude: [UInt8]) -> [UInt8]? {
        let digits = Array(magnitude.drop { $0 == 0 })
        return digits.count > 32 ? nil : [UInt8](repeating: 0, count: 32 - digits.count) + digits
    }

    private static func derInteger(_ magnitude: ArraySlice<UInt8>) -> [UInt8] {
        var digits = Array(magnitude.drop { $0 == 0 })
        if digits.isEmpty || digits[0] >= 0x80 { digits.insert(0, at: 0) }
        return [0x02, UInt8(digits.count)] + digits
    }
}
