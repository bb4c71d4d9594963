public import LibCrypto
public import Vocabulary

/// A private key file as ssh-keygen writes it, without a passphrase (OpenSSH's PROTOCOL.key).
public enum OpenSSHPrivateKeyFile {
    public enum Malformation: Error, Equatable, Sendable {
        /// No "BEGIN OPENSSH PRIVATE KEY" text, or no base64 between its lines.
        case notAKeyFile
        /// A field is cut off, too long or not what must stand there.
        case format
        case encrypted
        /// Another kind of key than P-256, Ed25519 or RSA.
        case keyType
        case key(KeyError)
    }

    /// What a key file says in clear, even if its private part is encrypted.
    public struct Outline: Sendable {
        /// The public key in SSH's form (RFC 4253 section 6.6), of any type; not checked.
        public let publicBlob: [UInt8]
        /// Nil where the private part is encrypted.
        public let comment: Text?
    }

    private static let first = "-----BEGIN OPENSSH PRIVATE KEY-----"
    private static let last = "-----END OPENSSH PRIVATE KEY-----"
    private static let magic = Array("openssh-key-v1\0".utf8)
    /// Bytes of a whole file; the largest key that opk knows (RSA 8192) takes 9 KiB.
    private static let limit = 64 << 10

    /// The file's text, which ends in a line feed.
    public static func encode(_ key: PrivateKey, comment: Text) throws(KeyError) -> [UInt8] {
        let blob = key.publicKey.sshBlob
        var secret = SSHWriter()
        // The two numbers tell a reader with a passphrase whether it was the right one.
        let check = randomBytes(4)
        secret.raw(check)
        secret.raw(check)
        switch (key.publicKey, try key.secret()) {
        case (.p256, .p256(let scalar)):
            secret.raw(blob)
            secret.positiveNumber(scalar)
        case (.ed25519(let publicKey), .ed25519(let seed)):
            secret.raw(blob)
            secret.string(seed + publicKey.bytes)
        case (.rsa(let publicKey), .rsa(let exponent, let inverse, let p, let q)):
            secret.string(key.publicKey.sshType)
            for number in [publicKey.modulus, publicKey.exponent, exponent, inverse, p, q] { secret.positiveNumber(number) }
        default: throw .scheme
        }
        secret.string(comment.utf8)
        // The cipher "none" has blocks of 8 bytes.
        for byte in 1...8 where secret.bytes.count % 8 != 0 { secret.raw([UInt8(byte)]) }

        var file = SSHWriter()
        file.raw(magic)
        file.string("none")
        file.string("none")
        file.string("")
        file.uint32(1)
        file.string(blob)
        file.string(secret.bytes)
        return armoured(file.bytes)
    }

    private static func armoured(_ bytes: [UInt8]) -> [UInt8] {
        let text = Array(Base64.encode(bytes).utf8)
        let lines = stride(from: 0, to: text.count, by: 70).map { String(decoding: text[$0..<min($0 + 70, text.count)], as: UTF8.self) }
        return Array((([first] + lines + [last]).joined(separator: "\n") + "\n").utf8)
    }
}

// Reading: for the question whose a file is, and for tests.
extension OpenSSHPrivateKeyFile {
    /// The parts that need no passphrase.
    public static func outline(_ file: [UInt8]) throws(Malformation) -> Outline {
        let envelope = try envelope(file)
        guard let secret = envelope.secret else { return Outline(publicBlob: envelope.publicBlob, comment: nil) }
        do throws(SSHFormatError) {
            return Outline(publicBlob: envelope.publicBlob, comment: Text(validating: try SecretPart(secret).comment))
        } catch {
            throw error == .type ? .keyType : .format
        }
    }

    /// The key in a file without a passphrase.
    public static func decode(_ file: [UInt8]) throws(Malformation) -> (key: PrivateKey, comment: Text) {
        let envelope = try envelope(file)
        guard let secret = envelope.secret else { throw .encrypted }
        let part: SecretPart
        do throws(SSHFormatError) {
            part = try SecretPart(secret)
        } catch {
            throw error == .type ? .keyType : .format
        }
        guard part.publicKey.sshBlob == envelope.publicBlob, let comment = Text(validating: part.comment) else { throw .format }
        do throws(KeyError) {
            return (try PrivateKey(part.secret, publicKey: part.publicKey), comment)
        } catch {
            throw .key(error)
        }
    }

    private struct Envelope {
        let publicBlob: [UInt8]
        /// Nil where it is encrypted.
        let secret: [UInt8]?
    }

    private static func envelope(_ file: [UInt8]) throws(Malformation) -> Envelope {
        guard file.count <= limit, let bytes = dearmoured(file), bytes.starts(with: magic) else { throw .notAKeyFile }
        do throws(SSHFormatError) {
            var reader = SSHReader(bytes.dropFirst(magic.count))
            let cipher = try reader.string()
            _ = try reader.string()  // the key derivation and its options
            _ = try reader.string()
            guard try reader.uint32() == 1 else { throw .trailing }
            let publicBlob = Array(try reader.string())
            let secret = Array(try reader.string())
            guard cipher.elementsEqual("none".utf8) else { return Envelope(publicBlob: publicBlob, secret: nil) }
            try reader.end()
            return Envelope(publicBlob: publicBlob, secret: secret)
        } catch {
            throw .format
        }
    }

    private static func dearmoured(_ file: [UInt8]) -> [UInt8]? {
        let lines = file.split { $0 == 0x0A || $0 == 0x0D }
        guard let begin = lines.first, begin.elementsEqual(first.utf8), let end = lines.firstIndex(where: { $0.elementsEqual(last.utf8) })
        else { return nil }
        return Base64.decode(Array(lines[1..<end].joined()))
    }
}

/// The private part of a key file, decrypted.
private struct SecretPart {
    let secret: PrivateKey.Secret
    let publicKey: PublicKey
    let comment: [UInt8]

    init(_ bytes: [UInt8]) throws(SSHFormatError) {
        var reader = SSHReader(bytes)
        guard try reader.uint32() == reader.uint32() else { throw .number }
        (secret, publicKey) = try SecretPart.key(&reader)
        comment = Array(try reader.string())
        // Padding: 1, 2, 3, … to a whole block.
        let padding = bytes.suffix(reader.remaining)
        guard bytes.count % 8 == 0, padding.count < 8, padding.elementsEqual((1...8).map { UInt8($0) }.prefix(padding.count)) else {
            throw .trailing
        }
    }

    private static func key(_ reader: inout SSHReader) throws(SSHFormatError) -> (PrivateKey.Secret, PublicKey) {
        let type = String(decoding: try reader.string(), as: UTF8.self)
        switch type {
        case "ecdsa-sha2-nistp256", "ssh-ed25519":
            guard let publicKey = try PublicKey.read(type, from: &reader) else { throw .number }
            if case .ed25519(let key) = publicKey {
                let both = Array(try reader.string())
                guard both.count == 64, both.suffix(32).elementsEqual(key.bytes) else { throw .number }
                return (.ed25519(seed: Array(both.prefix(32))), publicKey)
            }
            let scalar = try reader.positiveNumber()
            guard scalar.count <= 32 else { throw .number }
            return (.p256(scalar: [UInt8](repeating: 0, count: 32 - scalar.count) + scalar), publicKey)
        case "ssh-rsa":
            // Modulus before exponent, unlike in a public key.
            let modulus = try reader.positiveNumber()
            let exponent = try reader.positiveNumber()
            guard let key = try? RSAPublicKey(modulus: modulus, exponent: exponent) else { throw .number }
            let privateExponent = try reader.positiveNumber()
            let inverse = try reader.positiveNumber()
            let p = try reader.positiveNumber()
            let q = try reader.positiveNumber()
            return (
                .rsa(privateExponent: privateExponent, inverseOfSecondPrime: inverse, firstPrime: p, secondPrime: q), .rsa(key)
            )
        default: throw .type
        }
    }
}
