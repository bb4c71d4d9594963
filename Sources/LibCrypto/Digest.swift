import COpenSSL

/// Hash functions. All of them are total: where OpenSSL cannot, nothing here may go on, and the process ends. Who wants to say so instead
/// looks at `isAvailable` first.
public enum Digest {
    /// Whether this machine's OpenSSL has SHA-2 and SHA-3: a configuration that leaves the algorithms out has neither. Asking costs next to
    /// nothing where they are used afterwards, since OpenSSL keeps what it has found.
    public static var isAvailable: Bool {
        var out = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let algorithms = unsafe [EVP_sha256(), EVP_sha3_256()]
        return unsafe algorithms.allSatisfy { algorithm in
            unsafe EVP_Digest([0], 1, &out, &length, algorithm, nil) == 1
        }
    }

    /// 32 bytes.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] { unsafe hash(bytes, EVP_sha256()) }

    /// As sha256sum(1) prints it: 64 digits in lower case.
    public static func sha256Text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in sha256(bytes) { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// 64 bytes.
    public static func sha512(_ bytes: [UInt8]) -> [UInt8] { unsafe hash(bytes, EVP_sha512()) }

    /// 32 bytes (FIPS 202; not the earlier Keccak).
    public static func sha3_256(_ bytes: [UInt8]) -> [UInt8] { unsafe hash(bytes, EVP_sha3_256()) }

    /// `length` bytes of SHAKE256 (FIPS 202).
    public static func shake256(_ bytes: [UInt8], length: Int) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: length)
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        let done =
            unsafe EVP_DigestInit_ex(context, EVP_shake256(), nil) == 1
            && EVP_DigestUpdate(context, bytes, bytes.count) == 1
            && EVP_DigestFinalXOF(context, &out, length) == 1
        precondition(done, "libcrypto cannot compute SHAKE256")
        return out
    }

    // Unsafe: hands OpenSSL the array's storage for the length of the call, and room for the largest digest.
    private static func hash(_ bytes: [UInt8], _ algorithm: OpaquePointer?) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        precondition(
            unsafe EVP_Digest(bytes, bytes.count, &out, &length, algorithm, nil) == 1, "libcrypto cannot compute a digest")
        out.removeLast(out.count - Int(length))
        return out
    }
}

/// `count` bytes of OpenSSL's random generator. Ends the process rather than return bytes that are not random.
public func randomBytes(_ count: Int) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: count)
    precondition(unsafe RAND_bytes(&out, Int32(count)) == 1, "libcrypto has no randomness")
    return out
}

/// Whether two secrets are equal, in a time that tells nothing but their lengths.
public func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return unsafe CRYPTO_memcmp(left, right, left.count) == 0
}
