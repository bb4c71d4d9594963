import LibCrypto
import SSHKeys
import Vocabulary

extension AgentMessage {
    /// A private key, with its certificate where it has one (RFC 9987 section 5.2; OpenSSH's form for certificates, sshkey_private_serialize):
    /// the type, the certificate in the place of the public key where the type is a certificate's, the private parts, the comment, and the
    /// constraints. Secret.
    static func add(
        _ key: PrivateKey, _ certificate: SSHCertificate?, comment: Text, _ constraints: AgentConstraints
    ) throws(AgentError) -> [UInt8] {
        var writer = SSHWriter()
        let isConstrained = constraints.lifetime != nil || constraints.confirms
        writer.raw([isConstrained ? RequestNumber.addIdentityConstrained : RequestNumber.addIdentity])
        let secret: PrivateKey.Secret
        do throws(KeyError) {
            secret = try key.secret()
        } catch {
            throw .key(error)
        }
        if let certificate {
            guard certificate.key == key.publicKey else { throw .key(.scheme) }
            writer.string(certificate.type)
            writer.string(certificate.blob)
        } else {
            writer.string(key.publicKey.sshType)
        }
        switch (key.publicKey, secret) {
        case (.p256(let point), .p256(let scalar)):
            if certificate == nil {
                writer.string("nistp256")
                writer.string(point.uncompressed)
            }
            writer.positiveNumber(scalar)
        case (.ed25519(let point), .ed25519(let seed)):
            // Also with a certificate, as OpenSSH has it.
            writer.string(point.bytes)
            writer.string(seed + point.bytes)
        default: throw .key(.scheme)
        }
        writer.string(comment.utf8)
        if let lifetime = constraints.lifetime {
            writer.raw([Constraint.lifetime])
            writer.uint32(lifetime)
        }
        if constraints.confirms { writer.raw([Constraint.confirm]) }
        return writer.bytes
    }
}
