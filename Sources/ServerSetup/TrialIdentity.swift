import JOSE
import KeyCache
import LibCrypto
import PKToken
import SSHKeys
import SafeFiles
import Vocabulary

/// Somebody who does not exist, whose provider does not exist either: the key of both is made here, and thrown away. Only the policy in the trial's own
/// folder knows them, so the certificate opens nothing but the trial.
struct TrialIdentity {
    static let issuer = TrialIssuer.text
    private static let clientID: Text = "opk-setup-server"
    private static let email: Text = "trial@opk.invalid"

    /// Seconds.
    private static let lifetime: Int64 = 600

    let key: PrivateKey
    /// The provider's keys, as they lie in a cache.
    private let keys: CachedKeys
    private let certificate: [UInt8]

    init(at now: UnixTime) throws(Fault) {
        do {
            key = try PrivateKey(generating: .p256)
            let provider = try PrivateKey(generating: .p256)
            let claims = try ClientInstanceClaims(for: key.publicKey)
            let payload: JSON = [
                "iss": .string(TrialIdentity.issuer), "aud": .string(TrialIdentity.clientID), "sub": "trial",
                "email": .string(TrialIdentity.email), "email_verified": true, "nonce": .string(claims.commitment),
                "iat": .number(JSONNumber(now.seconds)), "exp": .number(JSONNumber(now.seconds + TrialIdentity.lifetime)),
            ]
            let header: JSON = ["typ": "JWT", "kid": "trial"]
            let idToken = try JWS(
                parsing: try JWS.sign(payload.serialized, header: header.object ?? JSONObject(), with: provider, .es256))
            let request = CertificateRequest(
                keyID: TrialIdentity.email.utf8, validBefore: UInt64(clamping: now.seconds + TrialIdentity.lifetime),
                token: try claims.compactToken(idToken: idToken, signedBy: key))
            certificate = try request.signed(by: key)
            var jwk = provider.publicKey.jwk
            (jwk["kid"], jwk["alg"], jwk["use"]) = ("trial", "ES256", "sig")
            guard
                let keys = CachedKeys(
                    issuer: TrialIdentity.issuer, keysURI: Text(TrialIdentity.issuer.string + "/keys"), userinfoEndpoint: nil,
                    fetchedAt: now,
                    body: (["keys": .array([.object(jwk)])] as JSON).serialized)
            else { throw KeyError.openSSL }
            self.keys = keys
        } catch {
            throw Fault()
        }
    }

    /// OpenSSL does not make keys.
    struct Fault: Error {}

    /// The policy that admits this somebody as that account, the provider's keys, and what ssh needs.
    func write(for account: String, in folder: TrialFolder) throws(WriteFailure) {
        try folder.write("\(TrialIdentity.issuer.string) \(TrialIdentity.clientID.string) 1h\n", to: "etc/providers")
        try folder.write("\(account) \(TrialIdentity.email.string) \(TrialIdentity.issuer.string)\n", to: "etc/auth_id")
        try KeyCache(directory: folder.path + "/cache", trust: .rootOnly).write(keys)
        let line = { (blob: [UInt8], type: String) in SSHKeyLine(blob: blob, type: type, comment: "trial").bytes + [0x0A] }
        guard let file = try? OpenSSHPrivateKeyFile.encode(key, comment: "trial") else {
            throw WriteFailure(path: folder.path, errno: 0)
        }
        try AtomicFile.write(file, to: folder.path + "/key", mode: 0o600)
        try AtomicFile.write(line(key.publicKey.sshBlob, key.publicKey.sshType), to: folder.path + "/key.pub", mode: 0o644)
        try AtomicFile.write(line(certificate, key.publicKey.sshCertificateType), to: folder.path + "/key-cert.pub", mode: 0o644)
    }

    /// The words for a plain key: sshd's %k and %t.
    var plainKey: (blob: String, type: String) { (Base64.encode(key.publicKey.sshBlob), key.publicKey.sshType) }

    /// The words for its certificate.
    var words: (blob: String, type: String) { (Base64.encode(certificate), key.publicKey.sshCertificateType) }

    /// sshd's %f of the plain key.
    var fingerprint: String { "SHA256:" + Base64.encodeUnpadded(Digest.sha256(key.publicKey.sshBlob)) }
}
