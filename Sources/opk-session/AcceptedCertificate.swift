import PKToken
import Policy
import SSHKeys
import SafeFiles
import Sessions
import Vocabulary

/// A certificate that sshd let in, and what it says by itself. sshd has checked that whoever logs in has its key; opk-verify's decision says who that is.
struct AcceptedCertificate {
    let fingerprint: Text
    /// Not verified.
    let claimed: SessionIdentity

    /// The first with a PK token among the keys that were accepted; nil where there is none: a login by other means.
    static func first(of call: PAMCall, at now: UnixTime, _ places: SessionPlaces) -> AcceptedCertificate? {
        for key in call.keys where SSHCertificate.isCertificateType(Array(key.type.utf8)) {
            guard let certificate = try? SSHCertificate(parsing: key.blob), certificate.isOpenPubkey, certificate.key != nil else {
                continue
            }
            return AcceptedCertificate(certificate, at: now, places)
        }
        return nil
    }

    private init?(_ certificate: SSHCertificate, at now: UnixTime, _ places: SessionPlaces) {
        guard let key = certificate.key else { return nil }
        fingerprint = Text(key.sshFingerprint)
        var identity = SessionIdentity()
        identity.keyFingerprint = fingerprint
        identity.keyID = Text(validating: certificate.keyID.prefix(256))
        if certificate.validBefore <= UInt64(UnixTime.endOfYear9999.seconds) {
            identity.certificateEnds = UnixTime(seconds: Int64(certificate.validBefore))
        }
        // Whatever is wrong with it, the session is there: it is then somebody's of whom only the key is known.
        if let selfSigned = try? certificate.selfSigned(at: now), let token = try? selfSigned.token() {
            let hearsay = token.hearsay()
            identity.issuer = Text(hearsay.issuer)
            identity.subject = hearsay.subject.map { Text($0) }
            identity.email = hearsay.email.map { Text($0) }
            if let providers = try? Providers.read(places.configFolder + "/providers", trust: places.trust),
                let row = try? token.row(in: providers.rows), let timely = try? token.checked(against: row, at: now)
            {
                identity.identityEnds = timely.expires
                identity.issuedAt = timely.issuedAt
            }
        }
        claimed = identity
    }
}
