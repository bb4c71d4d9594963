import LibCrypto
public import SSHKeys
public import Vocabulary

/// What sshd asks: may this key log in to this account? PROTOCOL section 4.
public struct LoginRequest: Sendable {
    /// `%u`, as it came.
    public let account: [UInt8]
    /// `%k`: base64 of the whole key or certificate.
    public let key: [UInt8]
    /// `%t`.
    public let type: [UInt8]

    /// Characters of an OpenPubkey certificate. sshd hands every key that it accepted to PAM in one variable, `SSH_AUTH_INFO_0`, of which the kernel takes
    /// 131,071 bytes (MAX_ARG_STRLEN): with two such certificates there is room, and opk-session is called.
    public static let longestKey = 60 << 10

    public init(account: [UInt8], key: [UInt8], type: [UInt8]) {
        self.account = account
        self.key = key
        self.type = type
    }

    /// The certificate, where the key is one and carries a PK token; nil where it is another key's business: a plain key of any type, or
    /// a certificate of somebody else's.
    ///
    /// - Throws: what cannot be read at all, or is not of the type that sshd named.
    public func certificate() throws(Refusal) -> SSHCertificate? {
        guard let blob = Base64.decode(key) else { throw Refusal(.keyUnreadable, "%k is not base64") }
        var reader = SSHReader(blob)
        guard let named = try? reader.string(), !named.isEmpty else { throw Refusal(.keyUnreadable, "%k does not begin with a key type") }
        guard named.elementsEqual(type) else {
            throw Refusal(.keyTypeMismatch, "%t is \(escaped(type, limit: 64)), the key is \(escaped(named, limit: 64))")
        }
        guard SSHCertificate.isCertificateType(named) else { return nil }
        LibCryptoStart.leaveOutWhatAVerifierNeedsNot()
        let certificate: SSHCertificate
        do {
            certificate = try SSHCertificate(parsing: blob)
        } catch .type {
            throw Refusal(.keyTypeUnsupported, escaped(named, limit: 64))
        } catch {
            throw Refusal(.certificateMalformed, "\(error)")
        }
        let own = certificate.isOpenPubkey ? certificate : nil
        if own != nil, key.count > LoginRequest.longestKey {
            throw Refusal(.certificateMalformed, "it has \(key.count) characters of base64, and \(LoginRequest.longestKey) are the most")
        }
        return own
    }

    /// The account, as a name that may be used.
    public func principal() throws(Refusal) -> Principal {
        guard let text = Text(validating: account), let principal = Principal(text) else {
            throw Refusal(.unsafeAccount, "\"" + escaped(account, limit: 64) + "\"")
        }
        return principal
    }
}
