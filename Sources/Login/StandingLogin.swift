import SSHAgent
import SSHKeys
import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A login that ssh could use now: a certificate that is good, and the private key of it, in its file or in the agent. Read from the files
/// themselves; no network is asked.
public struct StandingLogin {
    let place: KeyPlace
    /// Whether the agent has the private half of this public key.
    let agentHolds: ([UInt8]) -> Bool

    /// Seconds that a certificate must be good for still: sshd looks at it once, at the beginning.
    public static let margin: Int64 = 60
    /// Milliseconds.
    private static let agentsPatience: Int64 = 1000

    public init(at place: KeyPlace) {
        self.init(at: place) { key in
            guard let agent = try? SSHAgent.connect(patience: StandingLogin.agentsPatience) else { return false }
            return (try? agent.identities())?.contains { $0.holds(publicKey: key) } ?? false
        }
    }

    init(at place: KeyPlace, agentHolds: @escaping ([UInt8]) -> Bool) {
        self.place = place
        self.agentHolds = agentHolds
    }

    /// Anything that is missing, malformed or somebody else's is no login.
    public func isGood(at now: UnixTime) -> Bool {
        guard let line = read(place.certificate).flatMap({ SSHKeyLine(parsing: $0) }),
            let certificate = try? SSHCertificate(parsing: line.blob), certificate.kind == .user, let key = certificate.key?.sshBlob,
            now.seconds >= 0, certificate.validAfter <= UInt64(now.seconds),
            UInt64(now.seconds + StandingLogin.margin) < certificate.validBefore
        else { return false }
        // Both keep to the key that the certificate is for: another one beside it is of no use to ssh.
        if let file = read(place.privateKey), let outline = try? OpenSSHPrivateKeyFile.outline(file) {
            return outline.publicBlob == key
        }
        guard let line = read(place.publicKey).flatMap({ SSHKeyLine(parsing: $0) }), line.blob == key else { return false }
        return agentHolds(key)
    }

    private func read(_ path: String) -> [UInt8]? {
        try? SafeFile.read(path, trust: .rootOrUser(UInt32(geteuid())), limit: 1 << 20)
    }
}
