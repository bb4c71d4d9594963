public import LibCrypto
import Vocabulary

/// A certificate to be written: PROTOCOL section 3. It is signed by the key that it certifies.
public struct CertificateRequest: Sendable {
    /// The certificate's key id: bytes of any kind.
    public var keyID: [UInt8]
    public var principals: [Principal]
    /// Seconds since 1970; valid from `validAfter` to just before `validBefore`.
    public var validAfter: UInt64
    public var validBefore: UInt64
    /// The compact PK token.
    public var token: [UInt8]
    /// Travels in clear within the certificate: only where the user asks for it.
    public var accessToken: [UInt8]?

    public init(
        keyID: [UInt8], principals: [Principal] = [.wildcard], validAfter: UInt64 = 0, validBefore: UInt64, token: [UInt8],
        accessToken: [UInt8]? = nil
    ) {
        self.keyID = keyID
        self.principals = principals
        self.validAfter = validAfter
        self.validBefore = validBefore
        self.token = token
        self.accessToken = accessToken
    }

    private static let permissions = [
        "permit-X11-forwarding", "permit-agent-forwarding", "permit-port-forwarding", "permit-pty", "permit-user-rc",
    ]

    /// The certificate's blob. RSA keys sign with rsa-sha2-512.
    public func signed(by key: PrivateKey) throws(KeyError) -> [UInt8] {
        let unsigned = signedBytes(for: key.publicKey)
        return CertificateRequest.blob(unsigned, signature: try signature(by: key, over: unsigned))
    }

    /// What is to be signed by the key itself, which may be an agent's: each time with another nonce.
    public func signedBytes(for key: PublicKey) -> [UInt8] {
        var writer = SSHWriter()
        writer.string(key.sshCertificateType)
        writer.string(randomBytes(32))
        writer.raw(key.sshFields)
        writer.uint64(0)
        writer.uint32(SSHCertificate.Kind.user.rawValue)
        writer.string(keyID)
        var names = SSHWriter()
        for principal in principals { names.string(principal.text.utf8) }
        writer.string(names.bytes)
        writer.uint64(validAfter)
        writer.uint64(validBefore)
        writer.string([])  // critical options
        writer.string(extensions)
        writer.string([])  // reserved
        writer.string(key.sshBlob)
        return writer.bytes
    }

    /// - Parameter signature: in SSH's form (RFC 4253 section 6.6). Not checked: `SSHCertificate.selfSigned` does.
    public static func blob(_ signedBytes: [UInt8], signature: [UInt8]) -> [UInt8] {
        var writer = SSHWriter()
        writer.raw(signedBytes)
        writer.string(signature)
        return writer.bytes
    }

    private var extensions: [UInt8] {
        var writer = SSHWriter()
        func add(_ name: String, _ value: [UInt8]) {
            var packed = SSHWriter()
            packed.string(value)
            writer.string(name)
            writer.string(packed.bytes)
        }
        if let accessToken { add(SSHCertificate.accessTokenExtension, accessToken) }
        add(SSHCertificate.tokenExtension, token)
        for name in CertificateRequest.permissions {
            writer.string(name)
            writer.string([])
        }
        return writer.bytes
    }

    private func signature(by key: PrivateKey, over bytes: [UInt8]) throws(KeyError) -> [UInt8] {
        switch key.publicKey {
        case .rsa: SSHSignature.write(algorithm: "rsa-sha2-512", raw: try key.sign(bytes, .rsaPKCS1SHA512))
        case .p256: SSHSignature.write(algorithm: "ecdsa-sha2-nistp256", raw: try key.sign(bytes, .ecdsaP256SHA256))
        case .ed25519: SSHSignature.write(algorithm: "ssh-ed25519", raw: try key.sign(bytes, .ed25519))
        }
    }
}
