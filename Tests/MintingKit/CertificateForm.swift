public import LibCrypto
import SSHKeys
import Vocabulary

/// Every field of an OpenSSH certificate (PROTOCOL.certkeys), free to be wrong: what our own writer would never write.
public struct CertificateForm: Sendable {
    public var type: [UInt8]
    public var nonce: [UInt8] = [UInt8](repeating: 7, count: 32)
    /// The fields of the certified key, in their final form.
    public var keyFields: [UInt8]
    public var serial: UInt64 = 0
    public var kind: UInt32 = 1
    public var keyID: [UInt8] = Array("alice@example.com".utf8)
    public var principals: [[UInt8]] = [Array("opkssh-wildcard".utf8)]
    public var validAfter: UInt64 = 0
    public var validBefore: UInt64 = .max
    public var criticalOptions: [Option] = []
    public var extensions: [Option] = []
    public var reserved: [UInt8] = []
    /// The blob of the key that is said to have signed.
    public var signatureKey: [UInt8]
    /// Nil: the algorithm that goes with the signing key (rsa-sha2-512 for RSA).
    public var signatureAlgorithm: String?
    /// After the signature.
    public var trailing: [UInt8] = []

    public struct Option: Sendable {
        public var name: [UInt8]
        /// The value's bytes as they stand in the certificate.
        public var packed: [UInt8]

        public init(_ name: String, packed: [UInt8]) {
            self.name = Array(name.utf8)
            self.packed = packed
        }

        /// `string(string(value))`, as the `openpubkey-` extensions have it.
        public init(_ name: String, value: [UInt8]) {
            self.init(name, packed: sshString(value))
        }

        public init(_ name: String) { self.init(name, packed: []) }
    }

    /// A good certificate for `key`, to be signed by it.
    public init(for key: PublicKey, token: [UInt8]? = nil) {
        type = Array(key.sshCertificateType.utf8)
        var blob = SSHReader(key.sshBlob)
        _ = try? blob.string()
        keyFields = Array(key.sshBlob.suffix(blob.remaining))
        signatureKey = key.sshBlob
        if let token { extensions.append(Option("openpubkey-pkt", value: token)) }
        extensions.append(Option("permit-pty"))
    }

    /// All before the signature.
    public var signedBytes: [UInt8] {
        var writer = SSHWriter()
        writer.string(type)
        writer.string(nonce)
        writer.raw(keyFields)
        writer.uint64(serial)
        writer.uint32(kind)
        writer.string(keyID)
        writer.string(principals.flatMap(sshString))
        writer.uint64(validAfter)
        writer.uint64(validBefore)
        writer.string(CertificateForm.write(criticalOptions))
        writer.string(CertificateForm.write(extensions))
        writer.string(reserved)
        writer.string(signatureKey)
        return writer.bytes
    }

    public func signed(by key: PrivateKey) throws -> [UInt8] {
        let signature = try CertificateForm.signature(by: key, over: signedBytes, algorithm: signatureAlgorithm)
        return signedBytes + sshString(signature) + trailing
    }

    /// An SSH signature blob (RFC 4253 section 6.6), by any name that is wanted.
    public static func signature(by key: PrivateKey, over bytes: [UInt8], algorithm: String? = nil) throws -> [UInt8] {
        switch key.publicKey {
        case .rsa:
            let scheme: SignatureScheme = algorithm == "rsa-sha2-256" ? .rsaPKCS1SHA256 : .rsaPKCS1SHA512
            return sshString(Array((algorithm ?? "rsa-sha2-512").utf8)) + sshString(try key.sign(bytes, scheme))
        case .p256:
            let raw = try key.sign(bytes, .ecdsaP256SHA256)
            var numbers = SSHWriter()
            numbers.positiveNumber(raw.prefix(32))
            numbers.positiveNumber(raw.suffix(32))
            return sshString(Array((algorithm ?? "ecdsa-sha2-nistp256").utf8)) + sshString(numbers.bytes)
        case .ed25519:
            return sshString(Array((algorithm ?? "ssh-ed25519").utf8)) + sshString(try key.sign(bytes, .ed25519))
        }
    }

    private static func write(_ options: [Option]) -> [UInt8] {
        options.flatMap { sshString($0.name) + sshString($0.packed) }
    }
}

/// RFC 4251 section 5: a uint32 of length, then the bytes.
public func sshString(_ bytes: [UInt8]) -> [UInt8] {
    var writer = SSHWriter()
    writer.string(bytes)
    return writer.bytes
}
