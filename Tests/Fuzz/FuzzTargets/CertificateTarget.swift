import LibCrypto
import MintingKit
import PKToken
import SSHKeys
import Vocabulary

/// Reads the bytes as a certificate; and, since nobody can guess a signature, also as all of a certificate but its signature, which is
/// then added.
@Sendable func certificate(_ bytes: [UInt8]) {
    check(bytes)
    // The cheap question first: only a certificate that could be one is worth signing.
    let signature = sshString(Array("ssh-ed25519".utf8)) + sshString([UInt8](repeating: 0, count: 64))
    guard (try? SSHCertificate(parsing: bytes + sshString(signature))) != nil,
        let real = try? CertificateForm.signature(by: FixedKeys.user, over: bytes)
    else { return }
    check(bytes + sshString(real))
}

private func check(_ bytes: [UInt8]) {
    guard let certificate = try? SSHCertificate(parsing: bytes) else { return }
    must(certificate.isWrittenAlike, "a certificate that was accepted is written differently")
    must(certificate.blob == bytes, "the received bytes were not kept")
    must(certificate.principals.count <= SSHCertificate.maximumPrincipals, "too many principals")
    must(SSHCertificate.isCertificateType(certificate.type.utf8), "a type that is no certificate's")
    for options in [certificate.criticalOptions, certificate.extensions] {
        for (first, second) in zip(options, options.dropFirst()) {
            must(first.name.lexicographicallyPrecedes(second.name), "options out of order")
        }
    }
    let now = MintedLogin.now
    guard let selfSigned = try? certificate.selfSigned(at: now) else { return }
    must(certificate.kind == .user && certificate.criticalOptions.isEmpty, "not a user certificate without critical options")
    must(certificate.signatureKey == selfSigned.key.sshBlob, "signed by another key")
    must(selfSigned.key.verifies(sshSignature: certificate.signature, over: certificate.signedBytes), "not signed at all")
    must(certificate.validAfter <= UInt64(now.seconds) && UInt64(now.seconds) < certificate.validBefore, "not valid now")
    must(selfSigned.principals.count == certificate.principals.count, "a principal was dropped")
    for principal in selfSigned.principals {
        must(
            !principal.text.isEmpty && principal.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x2C && $0 != 0x5C },
            "an unsafe principal")
    }
    if let token = try? selfSigned.token() {
        must(certificate.isOpenPubkey, "a token in a certificate that is not ours")
        must(!token.claimedIssuer.isEmpty, "a token of nobody")
    }
}
