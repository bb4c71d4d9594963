import JOSE
import LibCrypto
public import SSHKeys
public import Vocabulary

/// A PK token that is bound to the key of the certificate it came in, by a signature of that key: steps 3 and 4 of PROTOCOL section 5.
/// Of what the provider says it shows only which provider that claims to be, since nothing of it has been verified.
public struct BoundToken: ~Copyable, Sendable {
    let certificate: SelfSignedCertificate
    let compact: CompactToken
    let client: ClientInstanceClaims
    let accessToken: Secret?

    /// `iss`, unverified: for choosing a row.
    public let claimedIssuer: Text

    fileprivate init(_ certificate: SelfSignedCertificate) throws(Refusal) {
        guard let token = certificate.certificate.extensionNamed(SSHCertificate.tokenExtension), token.hasValue else {
            throw Refusal(.tokenMalformed, "the extension is empty")
        }
        let compact = try CompactToken(parsing: token.value)
        let client = try ClientInstanceClaims(compact.client.header.members)
        do {
            _ = try compact.provider.header.algorithm()
        } catch {
            throw Refusal(error, in: "the provider's header")
        }
        guard client.key == certificate.key else { throw Refusal(.keyMismatch) }
        guard compact.client.verifies(with: client.key, client.algorithm) else { throw Refusal(.clientSignature) }
        guard let issuer = compact.payload["iss"]?.string, !issuer.isEmpty else { throw Refusal(.issuerUnknown, "iss is missing") }
        self.certificate = certificate
        self.compact = compact
        self.client = client
        claimedIssuer = issuer
        accessToken = certificate.certificate.extensionNamed(SSHCertificate.accessTokenExtension).flatMap { option in
            option.value.isEmpty ? nil : Secret(option.value)
        }
    }

    /// The first row that this token fits (step 5): its issuer byte for byte, and its client id among the audiences.
    ///
    /// - Throws: `.issuerUnknown` or `.audience`, and says which client ids the token is for.
    public func row(in rows: [ProviderRow]) throws(Refusal) -> ProviderRow {
        var audience: Audience?
        for row in rows where row.issuer == claimedIssuer {
            if audience == nil { audience = try Audience(compact.payload) }
            if audience?.fits(row) == true { return row }
        }
        guard let audience else { throw Refusal(.issuerUnknown, "iss \(claimedIssuer.escaped(limit: 256))") }
        throw Refusal(.audience, "aud \(audience.description)")
    }

    /// Steps 5 to 7: all that can be checked without the provider's keys.
    public consuming func checked(against row: ProviderRow, at now: UnixTime, skew: Int64 = 60) throws(Refusal) -> TimelyToken {
        try TimelyToken(self, row: row, now: now, skew: skew)
    }
}

extension SelfSignedCertificate {
    /// Steps 3 and 4.
    public func token() throws(Refusal) -> BoundToken {
        try BoundToken(self)
    }
}

/// `aud`: a string, or an array of strings compared element by element (OpenID Connect Core section 2, V57).
struct Audience: CustomStringConvertible {
    let names: [Text]

    init(_ claims: JSONObject) throws(Refusal) {
        switch claims["aud"] {
        case .string(let name): names = [name]
        case .array(let elements):
            let strings = elements.compactMap(\.string)
            guard strings.count == elements.count, !strings.isEmpty else { throw Refusal(.audience, "aud is not a list of strings") }
            names = strings
        default: throw Refusal(.audience, "aud is missing or not a string")
        }
    }

    func fits(_ row: ProviderRow) -> Bool {
        row.commitmentPlace == .audience || names.contains(row.clientID)
    }

    var description: String { names.prefix(4).map { $0.escaped(limit: 128) }.joined(separator: ", ") }
}
