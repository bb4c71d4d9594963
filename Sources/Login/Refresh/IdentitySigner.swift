import ChildProcess
import Identities
import LibCrypto
import SSHAgent
import SSHKeys
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The private key of an identity where it lives: in a file, or in ssh-agent, which signs and keeps it.
enum IdentitySigner: Sendable {
    case file(PrivateKey)
    /// - Parameter blob: what the agent knows the key by.
    case agent(SSHAgent, blob: [UInt8])

    /// - Throws: where the key is not there any more: nothing was asked of the provider then.
    init(of identity: StoredIdentity, _ held: HeldCertificate, environment: ProcessEnvironment) throws(RefreshError) {
        self =
            identity.store.usesFile
            ? .file(try IdentitySigner.key(held.place, identity.publicKey)) : try IdentitySigner.agent(identity, environment)
    }

    private static func key(_ place: KeyPlace, _ publicKey: [UInt8]) throws(RefreshError) -> PrivateKey {
        let bytes: [UInt8]?
        do throws(UnsafeFile) {
            bytes = try SafeFile.read(place.privateKey, trust: .rootOrUser(UInt32(geteuid())), limit: 64 << 10)
        } catch {
            throw .key("\(error)")
        }
        guard let bytes else { throw .key("\(Text(place.privateKey).escaped) is not there") }
        guard let key = try? OpenSSHPrivateKeyFile.decode(bytes).key else { throw .key("\(Text(place.privateKey).escaped) cannot be read") }
        guard key.publicKey.sshBlob == publicKey else { throw .key("\(Text(place.privateKey).escaped) holds another key") }
        return key
    }

    private static func agent(_ identity: StoredIdentity, _ environment: ProcessEnvironment) throws(RefreshError) -> IdentitySigner {
        let agent: SSHAgent
        let ours: [AgentIdentity]
        do throws(AgentError) {
            agent = try SSHAgent.connect(environment: environment)
            ours = try agent.identities().filter { $0.holds(publicKey: identity.publicKey) }
        } catch {
            throw .agent(error)
        }
        guard let one = ours.first(where: { $0.certificate == nil }) ?? ours.first else {
            throw .key("ssh-agent does not hold it any more")
        }
        return .agent(agent, blob: one.blob)
    }

    /// The signature in SSH's form, over what a certificate is signed by.
    func certificate(_ request: CertificateRequest, for key: PublicKey) throws(RefreshError) -> SSHCertificate {
        let blob: [UInt8]
        switch self {
        case .file(let key):
            do throws(KeyError) {
                blob = try request.signed(by: key)
            } catch {
                throw .key("\(error)")
            }
        case .agent(let agent, let name):
            let unsigned = request.signedBytes(for: key)
            do throws(AgentError) {
                blob = CertificateRequest.blob(unsigned, signature: try agent.sign(unsigned, with: name))
            } catch {
                throw .agent(error)
            }
        }
        guard let certificate = try? SSHCertificate(parsing: blob) else { throw .key("the certificate cannot be read back") }
        return certificate
    }
}
