public import LibCrypto

/// An OpenSSH certificate as received (PROTOCOL.certkeys, draft-ietf-sshm-ssh-cert): its fields are well-formed, and nothing about it is
/// trusted.
public struct SSHCertificate: Sendable {
    /// All bytes, as received.
    public let blob: [UInt8]
    /// For instance `ssh-ed25519-cert-v01@openssh.com`.
    public let type: String
    public let nonce: [UInt8]
    /// Nil for a key of a type or size that opk does not use.
    public let key: PublicKey?
    public let serial: UInt64
    public let kind: Kind
    /// Bytes of any kind: escape before showing.
    public let keyID: [UInt8]
    /// Bytes of any kind: only `selfSigned(at:)` makes `Principal`s of them.
    public let principals: [[UInt8]]
    /// Seconds since 1970, as unsigned numbers; valid from `validAfter` to just before `validBefore`.
    public let validAfter: UInt64
    public let validBefore: UInt64
    /// Sorted by name, each name once.
    public let criticalOptions: [Option]
    public let extensions: [Option]
    /// The whole blob of the key that signed it.
    public let signatureKey: [UInt8]
    public let signature: [UInt8]
    /// The bytes that are signed: all before the signature.
    public var signedBytes: [UInt8] { Array(blob.prefix(signedCount)) }
    private let signedCount: Int

    public enum Kind: UInt32, Sendable {
        case user = 1
        case host = 2
    }

    public struct Option: Hashable, Sendable {
        public let name: [UInt8]
        /// What is inside the value's own string; empty where the value is empty.
        public let value: [UInt8]
        /// Whether the value was a string at all: an empty string inside is not the same as nothing.
        public let hasValue: Bool
    }

    public static let maximumPrincipals = 256

    /// Whether a key type is that of a certificate.
    public static func isCertificateType(_ type: some Collection<UInt8>) -> Bool {
        let text = String(decoding: type, as: UTF8.self).utf8
        return text.count > suffix.utf8.count && text.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }

    private static let suffix = "-cert-v01@openssh.com"

    /// How many strings or mpints make a key of a type that OpenSSH certifies; nil for any other.
    private static func fieldCount(_ type: String) -> Int? {
        switch type {
        case "ssh-ed25519", "ssh-mldsa44-ed25519": 1
        case "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "sk-ssh-ed25519": 2
        case "sk-ecdsa-sha2-nistp256": 3
        case "ssh-dss": 4
        default: nil
        }
    }

    /// Reads a certificate of any type that OpenSSH knows. Lengths are bounded by the blob's own, which is bounded by the caller's.
    public init(parsing blob: [UInt8]) throws(SSHFormatError) {
        var reader = SSHReader(blob)
        let type = try reader.string()
        guard SSHCertificate.isCertificateType(type) else { throw .type }
        let keyType = String(decoding: type.dropLast(SSHCertificate.suffix.utf8.count), as: UTF8.self)
        nonce = Array(try reader.string())
        key = try SSHCertificate.certifiedKey(keyType, &reader)
        serial = try reader.uint64()
        guard let kind = Kind(rawValue: try reader.uint32()) else { throw .certificateType }
        keyID = Array(try reader.string())
        principals = try SSHCertificate.principals(try reader.string())
        validAfter = try reader.uint64()
        validBefore = try reader.uint64()
        criticalOptions = try SSHCertificate.options(try reader.string())
        extensions = try SSHCertificate.options(try reader.string())
        _ = try reader.string()  // reserved
        signatureKey = Array(try reader.string())
        signedCount = blob.count - reader.remaining
        signature = Array(try reader.string())
        try reader.end()
        try SSHCertificate.checkSignatureType(signature, signedBy: signatureKey)
        self.blob = blob
        self.type = String(decoding: type, as: UTF8.self)
        self.kind = kind
    }

    /// The extension of that name.
    public func extensionNamed(_ name: String) -> Option? { extensions.first { $0.name.elementsEqual(name.utf8) } }

    private static func certifiedKey(_ type: String, _ reader: inout SSHReader) throws(SSHFormatError) -> PublicKey? {
        guard let count = fieldCount(type) else { throw .type }
        switch type {
        case "ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519": return try PublicKey.read(type, from: &reader)
        default:
            for _ in 0..<count { _ = try reader.string() }
            return nil
        }
    }

    private static func principals(_ bytes: ArraySlice<UInt8>) throws(SSHFormatError) -> [[UInt8]] {
        var reader = SSHReader(bytes)
        var principals: [[UInt8]] = []
        while !reader.isAtEnd {
            guard principals.count < maximumPrincipals else { throw .tooManyPrincipals }
            principals.append(Array(try reader.string()))
        }
        return principals
    }

    /// "Each name only once, lexically ordered"; a value is empty, or one string and nothing after it (V48, V49).
    private static func options(_ bytes: ArraySlice<UInt8>) throws(SSHFormatError) -> [Option] {
        var reader = SSHReader(bytes)
        var options: [Option] = []
        while !reader.isAtEnd {
            let name = Array(try reader.string())
            if let previous = options.last?.name, !previous.lexicographicallyPrecedes(name) { throw .optionOrder }
            let packed = try reader.string()
            guard !packed.isEmpty else {
                options.append(Option(name: name, value: [], hasValue: false))
                continue
            }
            var inner = SSHReader(packed)
            guard let value = try? inner.string(), inner.isAtEnd else { throw .optionValue }
            options.append(Option(name: name, value: Array(value), hasValue: true))
        }
        return options
    }

    /// The signature names an algorithm of the signing key's own type (V43).
    private static func checkSignatureType(_ signature: [UInt8], signedBy key: [UInt8]) throws(SSHFormatError) {
        var reader = SSHReader(key)
        let type = String(decoding: try reader.string(), as: UTF8.self)
        var signatureReader = SSHReader(signature)
        let algorithm = String(decoding: try signatureReader.string(), as: UTF8.self)
        let fits = type == "ssh-rsa" ? ["ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"].contains(algorithm) : algorithm == type
        guard fits else { throw .signatureType }
    }
}
