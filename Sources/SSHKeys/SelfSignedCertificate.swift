public import LibCrypto
public import Vocabulary

/// A user certificate of one of our key types, valid at a given time, without critical options, and signed by the very key that it
/// certifies: steps 1 and 2 of PROTOCOL section 5. Whoever holds one knows that its maker had the private key; nothing else.
public struct SelfSignedCertificate: Sendable {
    public let certificate: SSHCertificate
    public let key: PublicKey
    public let principals: [Principal]

    fileprivate init(_ certificate: SSHCertificate, key: PublicKey, principals: [Principal]) {
        self.certificate = certificate
        self.key = key
        self.principals = principals
    }
}

extension SSHCertificate {
    public static let tokenExtension = "openpubkey-pkt"
    public static let accessTokenExtension = "openpubkey-act"

    /// Whether this certificate claims to carry a PK token; where it does not, it is another key's business. A token among the critical
    /// options is a claim too, and refused.
    public var isOpenPubkey: Bool {
        (extensions + criticalOptions).contains { $0.name.elementsEqual(SSHCertificate.tokenExtension.utf8) }
    }

    /// Steps 1 and 2.
    public func selfSigned(at now: UnixTime) throws(Refusal) -> SelfSignedCertificate {
        guard kind == .user else { throw Refusal(.notAUserCertificate) }
        guard criticalOptions.isEmpty else {
            throw Refusal(.criticalOption, criticalOptions.map { escaped($0.name, limit: 64) }.joined(separator: ", "))
        }
        guard let key else {
            throw Refusal(P256PublicKey.isAvailable ? .keyTypeUnsupported : .cryptographyUnavailable, escaped(type.utf8, limit: 64))
        }
        let seconds = UInt64(max(now.seconds, 0))
        guard seconds >= validAfter else { throw Refusal(.certificateNotYetValid, "valid from \(SSHCertificate.show(validAfter))") }
        guard seconds < validBefore else { throw Refusal(.certificateExpired, "valid until \(SSHCertificate.show(validBefore))") }
        var names: [Principal] = []
        for bytes in principals {
            guard let text = Text(validating: bytes), let principal = Principal(text) else {
                throw Refusal(.unsafePrincipal, "\"" + escaped(bytes, limit: 64) + "\"")
            }
            names.append(principal)
        }
        guard signatureKey == key.sshBlob else {
            throw Refusal(.signedByAnotherKey, "signed by \(SSHFingerprint.sha256(signatureKey))")
        }
        guard key.verifies(sshSignature: signature, over: signedBytes) else { throw Refusal(.certificateSignature) }
        return SelfSignedCertificate(self, key: key, principals: names)
    }

    private static func show(_ seconds: UInt64) -> String {
        seconds > UInt64(UnixTime.endOfYear9999.seconds) ? "a time after the year 9999" : "\(UnixTime(seconds: Int64(seconds)))"
    }
}
