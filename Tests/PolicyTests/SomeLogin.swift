import JOSE
import PKToken
import SSHKeys
import Testing
import Vocabulary

@testable import Policy

/// The issuer of every login here.
let someIssuer: Text = "https://idp.example.com"

/// Monday, 2026-11-23 12:00:00 UTC.
let someMonday = UnixTime(seconds: 1_795_435_200)

/// A login with these claims. The subject is `sub-1`, and the token a minute old, unless the claims say otherwise.
func login(
    _ claims: JSON = [:], account: String = "root", at now: UnixTime = someMonday, accessToken: Bool = false,
    emailTrust: EmailTrust = .unlessUnverified, groupsClaim: Text? = nil, key: Text = "SHA256:key"
) -> Login {
    Login(
        account: principal(account), now: now,
        row: ProviderRow(issuer: someIssuer, clientID: "client", expiry: .oidc, groupsClaim: groupsClaim),
        issuedAt: claims["iat"]?.number?.time ?? now + -60, key: key, hasAccessToken: accessToken,
        token: Person(subject: claims["sub"]?.string ?? "sub-1", claims: claims.object ?? JSONObject(), emailTrust: emailTrust))
}

extension Evidence {
    static var withoutHomeAndPlugins: Evidence {
        var evidence = Evidence()
        evidence.home = .absent
        evidence.plugins = .none
        return evidence
    }
}

/// A question to policy in short: one row for root, or several, and everything that may bear upon it. There is no home file, and no plugin,
/// unless the question says otherwise.
struct Question {
    var claims: JSON = [:]
    var rows = "root sub-1 \(someIssuer.string)"
    var account = "root"
    var now = someMonday
    var config = ""
    var revoked = ""
    var address: String?
    var accessToken = false
    var userinfo: JSON?
    var groupsClaim: Text?
    var emailTrust = EmailTrust.unlessUnverified
    var evidence = Evidence.withoutHomeAndPlugins

    /// The one row with these options.
    static func row(_ options: String, _ identity: String = "sub-1", account: String = "root") -> String {
        "\(account) \(identity) \(someIssuer.string) \(options)\n"
    }

    /// - Parameter change: what is different from the plain login of `sub-1` as root.
    init(_ change: (inout Question) -> Void = { _ in }) { change(&self) }

    func asked() throws -> Deliberation {
        var login = login(
            claims, account: account, at: now, accessToken: accessToken, emailTrust: emailTrust, groupsClaim: groupsClaim)
        if let userinfo { login.hear(userinfo.object ?? JSONObject()) }
        var evidence = evidence
        evidence.revocations = try Revocations(parsing: Array(revoked.utf8))
        if let address {
            let known: NetworkAddress = try #require(NetworkAddress(Text(address)))
            evidence.clientAddress = known
        }
        let authID = AuthID(parsing: Array(rows.utf8), for: principal(account), of: someIssuer)
        return login.deliberate(authID, try ServerConfig(parsing: Array(config.utf8)), evidence)
    }

    func verdict() throws -> Deliberation.Verdict { try asked().verdict }
}

extension Deliberation.Verdict {
    var isAdmitted: Bool { grants != nil }
    var grants: [Grant]? { if case .admitted(let grants) = self { grants } else { nil } }
    /// Of `auth_id`.
    var lines: [Int]? { grants?.compactMap { if case .row(let line) = $0.source { line } else { nil } } }
    /// What is printed for sshd to check, for each grant.
    var from: [String?]? { grants?.map { $0.from?.description } }
    var code: Refusal.Code? { if case .refused(let refusal) = self { refusal.code } else { nil } }
    var detail: String? { if case .refused(let refusal) = self { refusal.detail } else { nil } }
}
