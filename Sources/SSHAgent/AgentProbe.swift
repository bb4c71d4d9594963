public import LibCrypto
import SSHKeys
public import Vocabulary

extension SSHAgent {
    /// Whether it takes a key of this kind with a certificate and a lifetime, so that nobody logs in in vain: tried with one that is made for
    /// this, certifies nothing, and is taken away at once (and after seconds by itself).
    ///
    /// - Throws: `locked`, `refused(.add)`, or what else is wrong with it.
    public func check(taking kind: PrivateKey.Kind, at now: UnixTime = .now()) throws(AgentError) {
        let key: PrivateKey
        let blob: [UInt8]
        do throws(KeyError) {
            key = try PrivateKey(generating: kind)
            blob = try CertificateRequest(keyID: [], validBefore: UInt64(max(0, now.seconds)) + 60, token: []).signed(by: key)
        } catch {
            throw .key(error)
        }
        guard let certificate = try? SSHCertificate(parsing: blob) else { throw .key(.scheme) }
        try add(key, certificate: certificate, comment: "opk: tries this agent", constraints: AgentConstraints(lifetime: 5))
        try removeAll { $0.blob == blob }
    }
}
