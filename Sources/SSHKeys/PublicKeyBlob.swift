public import LibCrypto
import Vocabulary

// Public keys as SSH writes them: RFC 4253 section 6.6 (ssh-rsa), RFC 5656 section 3.1 (ecdsa-sha2-nistp256), RFC 8709 section 4
// (ssh-ed25519).

extension PublicKey {
    public var sshType: String {
        switch self {
        case .rsa: "ssh-rsa"
        case .p256: "ecdsa-sha2-nistp256"
        case .ed25519: "ssh-ed25519"
        }
    }

    /// The certificate type of PROTOCOL section 3 for this kind of key.
    public var sshCertificateType: String { sshType + "-cert-v01@openssh.com" }

    /// The whole key: its type, then its fields. There is exactly one for a key.
    public var sshBlob: [UInt8] {
        var writer = SSHWriter()
        writer.string(sshType)
        writer.raw(sshFields)
        return writer.bytes
    }

    /// The key in a whole blob, nothing left over; nil for another kind of key, or one that must not be used.
    public init?(sshBlob blob: [UInt8]) {
        var reader = SSHReader(blob)
        guard let type = try? reader.string(),
            let key = try? PublicKey.read(String(decoding: type, as: UTF8.self), from: &reader), reader.isAtEnd
        else { return nil }
        self = key
    }

    /// The fields without the type, as they also stand in a certificate.
    var sshFields: [UInt8] {
        var writer = SSHWriter()
        switch self {
        case .rsa(let key):
            writer.positiveNumber(key.exponent)
            writer.positiveNumber(key.modulus)
        case .p256(let key):
            writer.string("nistp256")
            writer.string(key.uncompressed)
        case .ed25519(let key): writer.string(key.bytes)
        }
        return writer.bytes
    }

    /// `SHA256:` and the unpadded base64 of the blob's digest, as ssh-keygen -l prints it.
    public var sshFingerprint: String { SSHFingerprint.sha256(sshBlob) }

    /// Reads the fields of a key of type `type`; nil where the type is not one of ours or the key is one that must not be used
    /// (a point off the curve, an RSA modulus of 1024 bits, …).
    ///
    /// - Throws: where the fields are not well-formed.
    static func read(_ type: String, from reader: inout SSHReader) throws(SSHFormatError) -> PublicKey? {
        switch type {
        case "ssh-rsa":
            let exponent = try reader.positiveNumber()
            let modulus = try reader.positiveNumber()
            return (try? RSAPublicKey(modulus: modulus, exponent: exponent)).map(PublicKey.rsa)
        case "ecdsa-sha2-nistp256":
            let curve = try reader.string()
            let point = try reader.string()
            guard curve.elementsEqual("nistp256".utf8), point.count == 65, point.first == 4 else { return nil }
            return (try? P256PublicKey(x: Array(point.dropFirst().prefix(32)), y: Array(point.suffix(32)))).map(PublicKey.p256)
        case "ssh-ed25519":
            let bytes = try reader.string()
            return (try? Ed25519PublicKey(Array(bytes))).map(PublicKey.ed25519)
        default: return nil
        }
    }

    /// Whether `signature` (RFC 4253 section 6.6: a string naming the algorithm, a string of data) is this key's over `message`.
    /// SHA-1 is not among the algorithms (RFC 8332).
    public func verifies(sshSignature signature: [UInt8], over message: [UInt8]) -> Bool {
        guard let (algorithm, data) = try? SSHSignature.split(signature) else { return false }
        switch (self, algorithm) {
        case (.rsa, "rsa-sha2-256"): return verifies(data, over: message, .rsaPKCS1SHA256)
        case (.rsa, "rsa-sha2-512"): return verifies(data, over: message, .rsaPKCS1SHA512)
        case (.ed25519, "ssh-ed25519"): return verifies(data, over: message, .ed25519)
        case (.p256, "ecdsa-sha2-nistp256"):
            guard let raw = try? SSHSignature.rawECDSA(data) else { return false }
            return verifies(raw, over: message, .ecdsaP256SHA256)
        default: return false
        }
    }
}

public enum SSHFingerprint {
    public static func sha256(_ blob: [UInt8]) -> String {
        "SHA256:" + Base64.encodeUnpadded(Digest.sha256(blob))
    }
}

enum SSHSignature {
    /// The algorithm's name and the data, nothing left over.
    static func split(_ blob: [UInt8]) throws(SSHFormatError) -> (algorithm: String, data: [UInt8]) {
        var reader = SSHReader(blob)
        let algorithm = try reader.string()
        let data = try reader.string()
        try reader.end()
        return (String(decoding: algorithm, as: UTF8.self), Array(data))
    }

    /// RFC 5656 section 3.1.2: mpint r, mpint s; to 32 bytes each.
    static func rawECDSA(_ data: [UInt8]) throws(SSHFormatError) -> [UInt8] {
        var reader = SSHReader(data)
        let r = try reader.positiveNumber()
        let s = try reader.positiveNumber()
        try reader.end()
        guard let r = ECDSASignature.padded(r), let s = ECDSASignature.padded(s) else { throw .number }
        return r + s
    }

    static func write(algorithm: String, raw: [UInt8]) -> [UInt8] {
        var writer = SSHWriter()
        writer.string(algorithm)
        if algorithm == "ecdsa-sha2-nistp256" {
            var numbers = SSHWriter()
            numbers.positiveNumber(raw.prefix(32))
            numbers.positiveNumber(raw.suffix(32))
            writer.string(numbers.bytes)
        } else {
            writer.string(raw)
        }
        return writer.bytes
    }
}
