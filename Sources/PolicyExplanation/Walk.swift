import JOSE
import KeyCache
import LibCrypto
import PKToken
import Policy
import SSHKeys
import Verifier
import Vocabulary

/// The steps of a certificate one after the other, by the functions that the verifier calls, and beyond the first that fails as far as it goes.
///
/// It decides nothing: the verdict is `Verification`'s. A step that fails by the clock alone is taken again at a time at which it holds, so that those
/// after it can be looked at.
struct Walk {
    private(set) var steps: [Refusal.Step: Explanation.Step] = [:]
    /// In the order in which they were met.
    private(set) var failures: [Refusal] = []
    private(set) var person: Supposition?
    private(set) var certificate: SSHCertificate?
    /// A file that nobody can be admitted by.
    private(set) var configurationFault: Refusal?
    private(set) var account: Principal?
    private let sources: ExplainingSources
    private var now: UnixTime { sources.now }

    init(_ request: LoginRequest, _ sources: ExplainingSources) {
        self.sources = sources
        do throws(Refusal) {
            try walk(request)
        } catch {
            fail(error)
        }
        if person == nil { hearsay() }
    }

    /// The steps in order; those that were not looked at as such.
    var all: [Explanation.Step] {
        Refusal.Step.allCases.filter { $0 != .policy }.map {
            steps[$0] ?? Explanation.Step(step: $0, state: .notReached, text: "not looked at")
        }
    }

    private mutating func hold(_ step: Refusal.Step, _ text: String) {
        guard steps[step] == nil else { return }
        steps[step] = Explanation.Step(step: step, state: failures.isEmpty ? .holds : .supposed, text: text)
    }

    private mutating func fail(_ refusal: Refusal, _ text: String? = nil) {
        failures.append(refusal)
        if refusal.code.isConfiguration {
            configurationFault = refusal
            return
        }
        if steps[refusal.step] == nil || steps[refusal.step]?.state == .supposed {
            steps[refusal.step] = Explanation.Step(step: refusal.step, state: .fails(refusal.code), text: text ?? "\(refusal)")
        }
    }

    private mutating func walk(_ request: LoginRequest) throws(Refusal) {
        guard let certificate = try request.certificate() else { return }
        self.certificate = certificate
        let account = try request.principal()
        self.account = account
        let signed = try signed(certificate)
        do throws(Refusal) {
            try AuthorizedKeysLine.check(signed, for: account)
            hold(.answer, accounts(signed))
        } catch { fail(error) }
        try bound(signed)
        hold(.pkToken, "well-formed, and bound to the certificate's key")
        hold(.clientSignature, "the user's key signed the identity")
        let config = try sources.serverConfig()
        let claims = claims(of: certificate)
        let row = try row(signed, claims)
        let key = Text(signed.key.sshFingerprint)
        if let claims { person = Walk.person(claims, row, key, now) }
        let timely = try timely(signed, row, config, claims)
        let identity = try timely.verify(with: try sources.keys(for: timely))
        hold(.providerSignature, [keyText(certificate), sources.keysText].filter { !$0.isEmpty }.joined(separator: "; "))
        person = Supposition(
            row: identity.row, subject: identity.subject, claims: identity.claims, issuedAt: identity.issuedAt, key: key)
    }

    // Steps 1 and 2.
    private mutating func signed(_ certificate: SSHCertificate) throws(Refusal) -> SelfSignedCertificate {
        let signed: SelfSignedCertificate
        do throws(Refusal) {
            signed = try certificate.selfSigned(at: now)
            hold(.certificate, "of type \(Text(certificate.type).escaped(limit: 64)), " + validity(certificate))
        } catch {
            if error.step == .selfSignature { hold(.certificate, validity(certificate)) }
            guard error.code == .certificateExpired || error.code == .certificateNotYetValid else { throw error }
            fail(error, validity(certificate))
            let first = Int64(clamping: certificate.validAfter)
            let last = max(first, Int64(clamping: certificate.validBefore) - 1)
            signed = try certificate.selfSigned(at: UnixTime(seconds: min(max(now.seconds, first), last)))
        }
        hold(.selfSignature, "signed by its own key, \(signed.key.sshFingerprint)")
        return signed
    }

    private func validity(_ certificate: SSHCertificate) -> String {
        func time(_ seconds: UInt64) -> String { Words.when(UnixTime(seconds: Int64(clamping: seconds)), now) }
        if UInt64(max(0, now.seconds)) < certificate.validAfter { return "not valid before \(time(certificate.validAfter))" }
        if certificate.validBefore == .max { return "valid without end" }
        let hasEnded = UInt64(max(0, now.seconds)) >= certificate.validBefore
        return (hasEnded ? "it expired: valid until " : "valid until ") + time(certificate.validBefore)
    }

    private func accounts(_ signed: SelfSignedCertificate) -> String {
        if signed.principals.isEmpty { return "the certificate names no accounts: OpenSSH 10.3 and later refuse such a one" }
        return signed.principals.contains(.wildcard) ? "the certificate is for any account" : "the certificate is for this account"
    }

    // Steps 3 and 4; what is made here is made again, since it can be used once.
    private mutating func bound(_ signed: SelfSignedCertificate) throws(Refusal) {
        do throws(Refusal) {
            _ = try signed.token()
        } catch {
            if error.step == .clientSignature { hold(.pkToken, "well-formed, and bound to the certificate's key") }
            throw error
        }
    }

    // Step 5.
    private mutating func row(_ signed: SelfSignedCertificate, _ claims: JSONObject?) throws(Refusal) -> ProviderRow {
        let providers = try sources.providers()
        do throws(Refusal) {
            return try signed.token().row(in: providers.rows)
        } catch {
            let problem = providers.problems.first.map { "; providers, \($0) (so it does not count)" } ?? ""
            fail(Refusal(error.code, error.detail + problem))
            let client = claims?["azp"]?.string ?? claims?["aud"]?.string ?? claims?["aud"]?.array?.first?.string ?? ""
            return ProviderRow(issuer: try signed.token().claimedIssuer, clientID: client, expiry: .never)
        }
    }

    // Steps 5 to 7.
    private mutating func timely(_ signed: SelfSignedCertificate, _ row: ProviderRow, _ config: ServerConfig, _ claims: JSONObject?)
        throws(Refusal) -> TimelyToken
    {
        let provider = "line \(row.line) of providers: \(row.issuer), client \(row.clientID.escaped(limit: 128))"
        let issuedAt = claims?["iat"]?.number?.time
        do throws(Refusal) {
            let timely = try signed.token().checked(against: row, at: now, skew: config.skew)
            hold(.providerRow, provider)
            hold(.commitment, "the provider's token names the user's key")
            hold(.times, times(row, claims))
            return timely
        } catch {
            if error.step.rawValue > Refusal.Step.providerRow.rawValue { hold(.providerRow, provider) }
            if error.step.rawValue > Refusal.Step.commitment.rawValue { hold(.commitment, "the provider's token names the user's key") }
            let isByClock = error.code == .expired || error.code == .issuedInFuture || error.code == .notYetValid
            guard isByClock, let issuedAt else { throw error }
            fail(error, error.code == .expired ? times(row, claims) : nil)
            let begin = max(issuedAt, claims?["nbf"]?.number?.time ?? issuedAt)
            return try signed.token().checked(against: row, at: begin, skew: config.skew)
        }
    }

    /// When it was issued and when it ends, by the row's policy.
    private func times(_ row: ProviderRow, _ claims: JSONObject?) -> String {
        guard let issuedAt = claims?["iat"]?.number?.time else { return "" }
        let expires = claims?["exp"]?.number?.time
        let end: UnixTime? =
            switch row.expiry {
            case .never: nil
            case .maximumAge(let seconds): issuedAt + seconds
            case .oidc, .oidcRefreshed: expires
            }
        let issued = "issued \(Words.when(issuedAt, now))"
        guard let end else { return issued + ", without end" }
        let until = Words.when(end, now)
        return issued + (end <= now ? "; expired \(until)" : ", counts until \(until)")
    }

    // Step 8.
    private func keyText(_ certificate: SSHCertificate) -> String {
        guard let header = Walk.token(in: certificate)?.provider.header.members else { return "" }
        let algorithm = header["alg"]?.string?.escaped(limit: 32) ?? ""
        // Under GQ256 the header of the provider's own token stands there.
        guard header["alg"]?.string != "GQ256" else { return "proof of the provider's signature (GQ256)" }
        return "signed with \(algorithm), key \(header["kid"]?.string.map { $0.escaped(limit: 64) } ?? "without a name")"
    }

    private static func token(in certificate: SSHCertificate) -> CompactToken? {
        certificate.extensionNamed(SSHCertificate.tokenExtension).flatMap { try? CompactToken(parsing: $0.value) }
    }

    private func claims(of certificate: SSHCertificate) -> JSONObject? { Walk.token(in: certificate)?.payload }

    private static func person(_ claims: JSONObject, _ row: ProviderRow, _ key: Text?, _ now: UnixTime) -> Supposition {
        Supposition(
            row: row, subject: claims["sub"]?.string ?? "", claims: claims, issuedAt: claims["iat"]?.number?.time ?? now, key: key)
    }

    /// Whom the token names, where no more of it could be taken for granted.
    private mutating func hearsay() {
        guard let certificate, let claims = claims(of: certificate), let issuer = claims["iss"]?.string else { return }
        let rows = (try? sources.providers())?.rows.filter { $0.issuer == issuer } ?? []
        person = Walk.person(
            claims, rows.first ?? ProviderRow(issuer: issuer, clientID: "", expiry: .never),
            certificate.key.map { Text($0.sshFingerprint) }, now)
    }
}
