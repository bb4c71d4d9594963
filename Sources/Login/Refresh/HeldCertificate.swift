import Identities
import JOSE
import PKToken
import SSHKeys
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The certificate of an identity as it lies on the disk, taken apart and not believed: it is one that opk wrote for that identity's key, as far as it
/// says so itself.
struct HeldCertificate: Sendable {
    let place: KeyPlace
    let comment: Text
    let certificate: SSHCertificate
    let token: CompactToken
    /// The PK token's bytes.
    let compact: [UInt8]
    /// The claims of the refreshed ID token, where there is one.
    let refreshed: JSONObject?

    /// The claims that say how long the identity is good for: the refreshed token's, else the login's.
    var latest: JSONObject { refreshed ?? token.payload }
    var issuedAt: UnixTime? { latest["iat"]?.number?.time }
    var tokenExpires: UnixTime? { latest["exp"]?.number?.time }
    /// Nil for never.
    var ends: UnixTime? {
        certificate.validBefore == .max ? nil : UnixTime(seconds: Int64(clamping: certificate.validBefore))
    }
    var carriesAccessToken: Bool { certificate.extensionNamed(SSHCertificate.accessTokenExtension) != nil }

    /// Why a certificate is not an identity's.
    enum Fault: Error, Sendable {
        case missing
        /// A sentence.
        case unusable(String)
        /// Another login has put its key there.
        case replaced

        var sentence: String {
            switch self {
            case .missing: "it is not there"
            case .unusable(let why): why
            case .replaced: "another login has taken its place"
            }
        }
    }

    /// - Parameter publicKey: the key that it must certify.
    init(at place: KeyPlace, for publicKey: [UInt8]?) throws(Fault) {
        let bytes: [UInt8]?
        do throws(UnsafeFile) {
            bytes = try SafeFile.read(place.certificate, trust: .rootOrUser(UInt32(geteuid())), limit: 1 << 20)
        } catch {
            throw .unusable("\(error)")
        }
        guard let bytes else { throw .missing }
        guard let line = SSHKeyLine(parsing: bytes), let certificate = try? SSHCertificate(parsing: line.blob) else {
            throw .unusable("it is no certificate")
        }
        guard let option = certificate.extensionNamed(SSHCertificate.tokenExtension) else { throw .unusable("it carries no identity") }
        if let publicKey, certificate.key?.sshBlob != publicKey { throw .replaced }
        do throws(Refusal) {
            token = try CompactToken(parsing: option.value)
        } catch {
            throw .unusable("its identity is malformed: \(error)")
        }
        refreshed = token.refreshed.flatMap { text in try? JWS(parsing: text).payload() }
        compact = option.value
        comment = line.comment
        self.place = place
        self.certificate = certificate
    }
}

extension StoredIdentity {
    var place: KeyPlace { KeyPlace(keyFile) }

    func heldCertificate() throws(HeldCertificate.Fault) -> HeldCertificate {
        try HeldCertificate(at: place, for: publicKey)
    }
}
