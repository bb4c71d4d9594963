import COpenSSL

/// Owns one EVP_PKEY. It is never changed after it was made, and OpenSSL's keys may be used from several threads so long as nobody
/// changes them, hence Sendable. Safe: it owns its pointer until it goes.
@safe final class PKeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// A key from its parts. EVP_PKEY_fromdata checks that a point is on its curve; it costs a third of decoding a
    /// SubjectPublicKeyInfo.
    ///
    /// - Parameters:
    ///   - type: "RSA" or "EC".
    ///   - numbers: a name of `KeyParameter` and a big-endian magnitude.
    static func make(
        type: String, selection: Int32, group: StaticString? = nil, point: [UInt8]? = nil,
        numbers: [(name: StaticString, magnitude: [UInt8])] = []
    ) -> PKeyHandle? {
        guard let builder = unsafe OSSL_PARAM_BLD_new() else { return nil }
        defer { unsafe OSSL_PARAM_BLD_free(builder) }
        var bignums: [OpaquePointer] = unsafe []
        defer { unsafe bignums.forEach { unsafe BN_clear_free($0) } }
        if let group, unsafe OSSL_PARAM_BLD_push_utf8_string(builder, KeyParameter.group.cString, group.cString, 0) != 1 { return nil }
        for (name, magnitude) in numbers {
            guard let bignum = unsafe BN_bin2bn(magnitude, Int32(magnitude.count), nil) else { return nil }
            unsafe bignums.append(bignum)
            guard unsafe OSSL_PARAM_BLD_push_BN(builder, name.cString, bignum) == 1 else { return nil }
        }
        // The builder keeps a pointer into `point` until the parameters are made, so all of that happens inside the closure.
        return unsafe (point ?? []).withUnsafeBytes { bytes in
            if point != nil,
                unsafe OSSL_PARAM_BLD_push_octet_string(builder, KeyParameter.point.cString, bytes.baseAddress, bytes.count) != 1
            {
                return nil
            }
            guard let parameters = unsafe OSSL_PARAM_BLD_to_param(builder) else { return nil }
            defer { unsafe OSSL_PARAM_free(parameters) }
            guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, type, nil) else { return nil }
            defer { unsafe EVP_PKEY_CTX_free(context) }
            var key: OpaquePointer?
            guard unsafe EVP_PKEY_fromdata_init(context) == 1, unsafe EVP_PKEY_fromdata(context, &key, selection, parameters) == 1,
                let made = unsafe key
            else {
                ERR_clear_error()
                return nil
            }
            return unsafe PKeyHandle(owning: made)
        }
    }

    /// Whether `signature`, in OpenSSL's own encoding (DER for ECDSA), is this key's over `message`.
    func verifies(_ signature: [UInt8], over message: [UInt8], digest: OpaquePointer?, pss: Bool = false) -> Bool {
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        var keyContext: OpaquePointer?
        guard unsafe EVP_DigestVerifyInit(context, &keyContext, digest, nil, pointer) == 1 else { return failed() }
        if pss, unsafe !PKeyHandle.usePSS(keyContext) { return failed() }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1 || failed()
    }

    /// A signature in OpenSSL's own encoding, or nil where OpenSSL refuses.
    func sign(_ message: [UInt8], digest: OpaquePointer?, pss: Bool = false) -> [UInt8]? {
        guard let context = unsafe EVP_MD_CTX_new() else { return nil }
        defer { unsafe EVP_MD_CTX_free(context) }
        var keyContext: OpaquePointer?
        guard unsafe EVP_DigestSignInit(context, &keyContext, digest, nil, pointer) == 1 else { return nil }
        if pss, unsafe !PKeyHandle.usePSS(keyContext) { return nil }
        var length = 0
        guard unsafe EVP_DigestSign(context, nil, &length, message, message.count) == 1 else { return nil }
        var signature = [UInt8](repeating: 0, count: length)
        guard unsafe EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else { return nil }
        return Array(signature.prefix(length))
    }

    /// RFC 7518 section 3.5: MGF1 with the same hash (OpenSSL's default), a salt as long as the hash and no other.
    private static func usePSS(_ context: OpaquePointer?) -> Bool {
        unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
            && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1
    }

    private func failed() -> Bool {
        ERR_clear_error()
        return false
    }
}
