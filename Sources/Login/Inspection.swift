import Display
import JOSE
import LibCrypto
import PKToken
public import SSHKeys
public import Vocabulary

/// What a certificate says, and how much of it holds as far as can be told without asking the provider.
public struct Inspection: Sendable {
    /// One question that a server asks too.
    public struct Check: Sendable, Equatable {
        public enum Answer: Sendable, Equatable {
            case holds
            case fails(String)
            /// Not to be told here, and why.
            case unknown(String)
        }

        /// For scripts: `self_signature`.
        public let name: String
        /// For a person.
        public let question: String
        public let answer: Answer
    }

    public let certificate: SSHCertificate
    public let checks: [Check]
    /// The ID token's header and claims; nil where there is no token or it cannot be read. Hostile.
    let header: JSONObject?
    let claims: JSONObject?
    /// The client's header, which says whose key it is (PROTOCOL section 1). Hostile as well.
    let clientHeader: JSONObject?
    /// The claims of the refreshed ID token; nil where there is none or it cannot be read. Hostile.
    let refreshedClaims: JSONObject?
    /// Bytes of the access token that it carries.
    let accessTokenLength: Int?
    let hasRefreshedToken: Bool

    public init(_ certificate: SSHCertificate, at now: UnixTime) {
        self.certificate = certificate
        let token = certificate.extensionNamed(SSHCertificate.tokenExtension).flatMap { try? CompactToken(parsing: $0.value) }
        header = token?.provider.header.members
        claims = token?.payload
        clientHeader = token?.client.header.members
        hasRefreshedToken = token?.refreshed != nil
        refreshedClaims = token?.refreshed.flatMap { try? JWS(parsing: $0).payload() }
        accessTokenLength = certificate.extensionNamed(SSHCertificate.accessTokenExtension)?.value.count
        checks = Inspection.checks(certificate, claims: token?.payload, at: now)
    }

    /// Whether nothing that can be told here is wrong; time apart.
    public var isSound: Bool {
        checks.allSatisfy { check in
            if case .fails = check.answer { check.name == "valid_now" } else { true }
        }
    }
}

// The checks, by the server's own code.
extension Inspection {
    private static func checks(_ certificate: SSHCertificate, claims: JSONObject?, at now: UnixTime) -> [Check] {
        let signed = result { () throws(Refusal) in try certificate.selfSigned(at: within(certificate, now)) }
        var checks = [
            Check(name: "valid_now", question: "the certificate is valid now", answer: validity(certificate, now)),
            Check(name: "self_signature", question: "its own key signed it", answer: answer(signed)),
        ]
        let carries: Check.Answer = certificate.isOpenPubkey ? .holds : .fails("it is an ordinary certificate")
        checks.append(Check(name: "openpubkey", question: "it carries an OpenPubkey token", answer: carries))
        guard certificate.isOpenPubkey else { return checks }
        guard case .success(let signed) = signed else {
            return checks + [Check(name: "client_signature", question: "the key signed the identity", answer: .unknown("see above"))]
        }
        let bound = Inspection.bind(signed)
        checks.append(Check(name: "client_signature", question: "the key signed the identity", answer: bound))
        let commitment: Check.Answer = bound == .holds ? Inspection.commitment(signed, claims, now) : .unknown("see above")
        checks.append(Check(name: "commitment", question: "the provider's token names this key", answer: commitment))
        checks.append(
            Check(
                name: "provider_signature", question: "the provider signed the identity",
                answer: .unknown("needs the provider's keys; a server checks it at every login")))
        return checks
    }

    private static func bind(_ signed: SelfSignedCertificate) -> Check.Answer {
        do throws(Refusal) {
            _ = try signed.token()
            return .holds
        } catch {
            return .fails("\(error)")
        }
    }

    /// Steps 5 to 7 against a row that this token's own claims describe: what can still fail is the commitment, or a claim that no row
    /// could accept.
    private static func commitment(_ signed: SelfSignedCertificate, _ claims: JSONObject?, _ now: UnixTime) -> Check.Answer {
        guard let claims, let issuer = claims["iss"]?.string else { return .unknown("the token names no issuer") }
        let audience = claims["aud"]?.string ?? claims["aud"]?.array?.first?.string ?? ""
        let client = claims["azp"]?.string ?? audience
        var last: Check.Answer = .unknown("")
        for options in [[], ProviderOptions.keyBinding, .accessTokenType] {
            let row = ProviderRow(issuer: issuer, clientID: client, expiry: .never, options: options)
            do throws(Refusal) {
                // A clock that is behind is no reason to doubt the commitment.
                let issuedAt = claims["iat"]?.number?.time ?? now
                let notBefore = claims["nbf"]?.number?.time ?? now
                _ = try signed.token().checked(against: row, at: max(now, issuedAt, notBefore))
                return .holds
            } catch {
                last = .fails("\(error)")
                if error.code != .tokenTypeNotAllowed { return last }
            }
        }
        return last
    }

    private static func validity(_ certificate: SSHCertificate, _ now: UnixTime) -> Check.Answer {
        let seconds = UInt64(max(0, now.seconds))
        if seconds < certificate.validAfter { return .fails("it begins " + CertificateTime(certificate.validAfter).text(from: now)) }
        if seconds >= certificate.validBefore { return .fails("it expired " + CertificateTime(certificate.validBefore).text(from: now)) }
        return .holds
    }

    /// A time at which the certificate is valid, as near to now as can be: whether a signature holds does not depend on the clock.
    private static func within(_ certificate: SSHCertificate, _ now: UnixTime) -> UnixTime {
        let first = Int64(clamping: certificate.validAfter)
        let last = max(first, Int64(clamping: certificate.validBefore) - 1)
        return UnixTime(seconds: min(max(now.seconds, first), last))
    }

    private static func result<Value>(_ body: () throws(Refusal) -> Value) -> Result<Value, Refusal> {
        do throws(Refusal) {
            return .success(try body())
        } catch {
            return .failure(error)
        }
    }

    private static func answer(_ result: Result<SelfSignedCertificate, Refusal>) -> Check.Answer {
        switch result {
        case .success: .holds
        case .failure(let refusal): .fails("\(refusal)")
        }
    }
}

/// A time as a certificate has it: seconds since 1970 as an unsigned number, 0 and 2^64-1 for no limit.
struct CertificateTime {
    let seconds: UInt64

    init(_ seconds: UInt64) {
        self.seconds = seconds
    }

    /// Nil for no limit.
    var time: UnixTime? {
        seconds == 0 || seconds == .max ? nil : UnixTime(seconds: Int64(clamping: seconds))
    }

    func text(from now: UnixTime) -> String {
        guard let time else { return seconds == 0 ? "any time" : "never" }
        guard time <= .endOfYear9999 else { return "after the year 9999" }
        return "\(time.local) (\(RelativeTime.text(time, from: now)))"
    }
}
