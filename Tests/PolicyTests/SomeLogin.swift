import JOSE
import PKToken
import SSHKeys
import Vocabulary

@testable import Policy

/// The issuer of every login here.
let someIssuer: Text = "https://idp.example.com"

/// Monday, 2026-11-23 12:00:00 UTC.
let someMonday = UnixTime(seconds: 1_795_435_200)

/// A login with these claims. The subject is `sub-1`, and the token a minute old, unless the claims say otherwise.
func login(
    _ claims: JSON = [:], account: String = "root", at now: UnixTime = someMonday, accessToken: Bool = false,
    emailTrust: EmailTrust = .unlessUnverified, groupsClaim: Text? = nil, key: Text = ""
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
