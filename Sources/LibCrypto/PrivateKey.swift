import COpenSSL

/// A private key, held by OpenSSL.
public struct PrivateKey: Sendable {
    public let publicKey: PublicKey
    private let handle: PKeyHandle

    public enum Kind: Hashable, Sendable {
        /// 2048 to 8192 bits, e = 65537.
        case rsa(bits: Int)
        case p256
        case ed25519
    }

    /// The secret numbers, big endian but for Ed25519's seed, for writing a key file. Handle with care.
    public enum Secret: Sendable {
        case rsa(privateExponent: [UInt8], inverseOfSecondPrime: [UInt8], firstPrime: [UInt8], secondPrime: [UInt8])
        /// 32 bytes.
        case p256(scalar: [UInt8])
        /// 32 bytes (RFC 8032 section 5.1.5).
        case ed25519(seed: [UInt8])
    }

    public init(generating kind: Kind) throws(KeyError) {
        let type =
            switch kind {
            case .rsa: "RSA"
            case .p256: "EC"
            case .ed25519: "ED25519"
            }
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, type, nil) else { throw .openSSL }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_keygen_init(context) == 1 else { throw .openSSL }
        switch kind {
        case .rsa(let bits):
            guard (2048...8192).contains(bits), unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) == 1 else {
                throw .modulusSize
            }
        case .p256: guard unsafe EVP_PKEY_CTX_set_group_name(context, "P-256") == 1 else { throw .openSSL }
        case .ed25519: break
        }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_generate(context, &key) == 1, let made = unsafe key else { throw .openSSL }
        try unsafe self.init(PKeyHandle(owning: made))
    }

    /// The key that these secret numbers belong to.
    public init(_ secret: Secret, publicKey: PublicKey) throws(KeyError) {
        let handle: PKeyHandle?
        switch (secret, publicKey) {
        case (.ed25519(let seed), .ed25519):
            let pointer = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
            handle = unsafe pointer.map { unsafe PKeyHandle(owning: $0) }
        case (.p256(let scalar), .p256(let key)):
            handle = PKeyHandle.make(
                type: "EC", selection: opk_selection_keypair(), group: KeyParameter.p256, point: key.uncompressed,
                numbers: [(KeyParameter.scalar, scalar)])
        case (.rsa(let d, _, let p, let q), .rsa(let key)):
            handle = PKeyHandle.make(
                type: "RSA", selection: opk_selection_keypair(),
                numbers: [
                    (KeyParameter.modulus, key.modulus), (KeyParameter.exponent, key.exponent), (KeyParameter.privateExponent, d),
                    (KeyParameter.firstPrime, p), (KeyParameter.secondPrime, q),
                ])
        default: throw .scheme
        }
        guard let handle else { throw .openSSL }
        try self.init(handle)
        // What the file says must be what the secret is: a key that signs for another public key is no key.
        guard self.publicKey == publicKey else { throw .point }
        let probe: [UInt8] = [1, 2, 3]
        guard let signature = try? sign(probe, scheme), publicKey.verifies(signature, over: probe, scheme) else { throw .point }
    }

    private init(_ handle: PKeyHandle) throws(KeyError) {
        self.handle = handle
        let kind = unsafe EVP_PKEY_get_base_id(handle.pointer)
        switch kind {
        case EVP_PKEY_RSA:
            publicKey = .rsa(
                try RSAPublicKey(modulus: try handle.number(KeyParameter.modulus), exponent: try handle.number(KeyParameter.exponent)))
        case EVP_PKEY_EC:
            guard let x = ECDSASignature.padded(try handle.number(KeyParameter.x)),
                let y = ECDSASignature.padded(try handle.number(KeyParameter.y))
            else { throw .wrongLength }
            publicKey = .p256(try P256PublicKey(x: x, y: y))
        case EVP_PKEY_ED25519:
            var bytes = [UInt8](repeating: 0, count: 32)
            var length = 32
            guard unsafe EVP_PKEY_get_raw_public_key(handle.pointer, &bytes, &length) == 1, length == 32 else { throw .openSSL }
            publicKey = .ed25519(try Ed25519PublicKey(bytes))
        default: throw .scheme
        }
    }

    /// What this key signs with where nothing else is said.
    private var scheme: SignatureScheme {
        switch publicKey {
        case .rsa: .rsaPKCS1SHA256
        case .p256: .ecdsaP256SHA256
        case .ed25519: .ed25519
        }
    }

    /// A signature over `message`; for ECDSA r and s, 32 bytes each.
    public func sign(_ message: [UInt8], _ scheme: SignatureScheme) throws(KeyError) -> [UInt8] {
        let signature: [UInt8]?
        switch (publicKey, scheme) {
        case (.rsa, .rsaPKCS1SHA256): signature = unsafe handle.sign(message, digest: EVP_sha256())
        case (.rsa, .rsaPKCS1SHA512): signature = unsafe handle.sign(message, digest: EVP_sha512())
        case (.rsa, .rsaPSSSHA256): signature = unsafe handle.sign(message, digest: EVP_sha256(), pss: true)
        case (.p256, .ecdsaP256SHA256):
            signature = unsafe handle.sign(message, digest: EVP_sha256()).flatMap(ECDSASignature.raw(fromDER:))
        case (.ed25519, .ed25519): signature = unsafe handle.sign(message, digest: nil)
        default: throw .scheme
        }
        guard let signature else { throw .openSSL }
        return signature
    }

    public func secret() throws(KeyError) -> Secret {
        switch publicKey {
        case .rsa:
            return .rsa(
                privateExponent: try handle.number(KeyParameter.privateExponent),
                inverseOfSecondPrime: try handle.number(KeyParameter.inverseOfSecondPrime),
                firstPrime: try handle.number(KeyParameter.firstPrime),
                secondPrime: try handle.number(KeyParameter.secondPrime))
        case .p256:
            guard let scalar = ECDSASignature.padded(try handle.number(KeyParameter.scalar)) else { throw .wrongLength }
            return .p256(scalar: scalar)
        case .ed25519:
            var seed = [UInt8](repeating: 0, count: 32)
            var length = 32
            guard unsafe EVP_PKEY_get_raw_private_key(handle.pointer, &seed, &length) == 1, length == 32 else { throw .openSSL }
            return .ed25519(seed: seed)
        }
    }
}

extension PKeyHandle {
    /// A number of this key: big endian, without leading zeros.
    fileprivate func number(_ name: StaticString) throws(KeyError) -> [UInt8] {
        var bignum: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(pointer, name.cString, &bignum) == 1, let bignum = unsafe bignum else { throw .openSSL }
        defer { unsafe BN_clear_free(bignum) }
        var bytes = [UInt8](repeating: 0, count: Int(unsafe BN_num_bits(bignum) + 7) / 8)
        unsafe BN_bn2bin(bignum, &bytes)
        return bytes
    }
}
