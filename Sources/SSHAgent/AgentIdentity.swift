import LibCrypto
public import SSHKeys
public import Vocabulary

/// One key that an agent has: a plain one or a certificate.
public struct AgentIdentity: Hashable, Sendable {
    /// As the agent knows it.
    public let blob: [UInt8]
    /// Bytes of any kind: escape before showing.
    public let comment: [UInt8]

    public init(blob: [UInt8], comment: [UInt8]) {
        self.blob = blob
        self.comment = comment
    }

    /// Nil for a plain key.
    public var certificate: SSHCertificate? { try? SSHCertificate(parsing: blob) }

    /// Whether this is that public key, plain or within a certificate.
    public func holds(publicKey: [UInt8]) -> Bool {
        blob == publicKey || certificate?.key?.sshBlob == publicKey
    }
}

/// How an agent may use a key that it is given.
public struct AgentConstraints: Hashable, Sendable {
    /// Seconds after which the agent forgets the key; nil for never.
    public var lifetime: UInt32?
    /// Whether a person is asked each time.
    public var confirms: Bool

    public init(lifetime: UInt32? = nil, confirms: Bool = false) {
        self.lifetime = lifetime
        self.confirms = confirms
    }

    /// So that the key leaves the agent no later than the certificate ends: rounded down, and a second for the way to the agent. Without
    /// lifetime where the certificate has no end.
    ///
    /// - Throws: `expired` where nothing is left.
    public init(for certificate: SSHCertificate, at now: UnixTime, confirms: Bool = false) throws(AgentError) {
        self.confirms = confirms
        guard certificate.validBefore != .max else { return }
        let left = UnixTime(seconds: Int64(clamping: certificate.validBefore)) - now - 1
        guard left > 0 else { throw .expired }
        // Agents that keep it in a signed number are not tempted.
        lifetime = UInt32(min(left, Int64(Int32.max)))
    }
}
