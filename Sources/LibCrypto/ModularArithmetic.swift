import COpenSSL

/// Arithmetic modulo an RSA modulus, as GQ signatures need it. Numbers are big endian. On public values only: not in constant time.
///
/// Safe: it owns its three pointers, is never copied, and lets none of them out.
@safe public struct ModularArithmetic: ~Copyable {
    private let modulus: OpaquePointer
    private let context: OpaquePointer
    private let montgomery: OpaquePointer
    /// The modulus's length in bytes, which every result has.
    public let width: Int

    public init(modulus key: RSAPublicKey) throws(KeyError) {
        guard let modulus = unsafe BN_bin2bn(key.modulus, Int32(key.modulus.count), nil) else { throw .openSSL }
        guard let context = unsafe BN_CTX_new() else {
            unsafe BN_free(modulus)
            throw .openSSL
        }
        guard let montgomery = unsafe BN_MONT_CTX_new(), unsafe BN_MONT_CTX_set(montgomery, modulus, context) == 1 else {
            unsafe BN_CTX_free(context)
            unsafe BN_free(modulus)
            throw .openSSL
        }
        unsafe self.modulus = modulus
        unsafe self.context = context
        unsafe self.montgomery = montgomery
        width = key.modulus.count
    }

    deinit {
        unsafe BN_MONT_CTX_free(montgomery)
        unsafe BN_CTX_free(context)
        unsafe BN_free(modulus)
    }

    /// a^x · b^y mod n, padded to `width` bytes; nil unless a and b are from 1 to n - 1.
    public func product(_ a: [UInt8], to x: [UInt8], _ b: [UInt8], to y: [UInt8]) -> [UInt8]? {
        var numbers: [OpaquePointer] = unsafe []
        defer { unsafe numbers.forEach { unsafe BN_clear_free($0) } }
        for bytes in [a, x, b, y, []] {
            guard let number = unsafe BN_bin2bn(bytes, Int32(bytes.count), nil) else { return nil }
            unsafe numbers.append(number)
        }
        let (base1, power1, base2, power2, result) = unsafe (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
        guard unsafe inRange(base1), unsafe inRange(base2),
            unsafe BN_mod_exp2_mont(result, base1, power1, base2, power2, modulus, context, montgomery) == 1
        else { return nil }
        return unsafe padded(result)
    }

    /// The inverse of a modulo n; nil where there is none.
    public func inverse(_ a: [UInt8]) -> [UInt8]? {
        guard let number = unsafe BN_bin2bn(a, Int32(a.count), nil) else { return nil }
        defer { unsafe BN_clear_free(number) }
        guard unsafe inRange(number), let result = unsafe BN_mod_inverse(nil, number, modulus, context) else { return nil }
        defer { unsafe BN_clear_free(result) }
        return unsafe padded(result)
    }

    private func inRange(_ number: OpaquePointer) -> Bool {
        unsafe BN_is_zero(number) == 0 && BN_cmp(number, modulus) < 0
    }

    private func padded(_ number: OpaquePointer) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: width)
        return unsafe BN_bn2binpad(number, &bytes, Int32(width)) == Int32(width) ? bytes : nil
    }
}
