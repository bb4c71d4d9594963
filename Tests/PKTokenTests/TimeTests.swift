import JOSE
import LibCrypto
import MintingKit
import Testing
import Vocabulary

@testable import PKToken

private let now = MintedLogin.now.seconds

@Suite("Step 7: times")
struct TimeTests {
    private static let shapes = [
        "1e400", "1e18", "9223372036854775807", "-1", "\"1790000000\"", "null", "true", "{}", "[]", "253402300800", "1e400", "\"\"",
    ]

    /// A time claim that is there and cannot be read is a refusal, whatever the policy.
    static let unreadable: [LoginCase] = ["iat", "exp", "nbf"].flatMap { (name: Text) in
        shapes.map { shape in claim("V60 \(name) \(shape)", .timeClaim, name, raw(shape)) }
    }

    @Test("A time that is no number from 0 to the year 9999 is refused, under every policy (V59, V60)", arguments: unreadable.indices)
    func unreadableTime(_ index: Int) throws {
        for policy in [ExpiryPolicy.never, .oidc, .oidcRefreshed, .maximumAge(seconds: 86_400)] {
            let login = try MintedLogin().with {
                $0.rows = [ProviderRow(issuer: MintedLogin.issuer, clientID: MintedLogin.clientID, expiry: policy)]
            }
            try check(Self.unreadable, index, login)
        }
    }

    private static let day = ExpiryPolicy.maximumAge(seconds: 86_400)

    /// iat, nbf, exp, the policy, and how it ends.
    static let table: [(about: String, iat: JSON?, nbf: JSON?, exp: JSON?, policy: ExpiryPolicy, code: Refusal.Code?)] = [
        ("just issued", number(now), nil, nil, day, nil), ("V59 missing", nil, nil, number(now + 60), day, .timeClaim),
        ("V59 missing", nil, nil, number(now + 60), .oidc, .timeClaim),
        ("V59 missing", nil, nil, nil, .never, .timeClaim), ("V59 zero", 0, nil, nil, day, .expired),
        ("zero, never", 0, nil, nil, .never, nil),
        ("V59 within the skew", number(now + 60), nil, nil, day, nil),
        ("V59 beyond the skew", number(now + 61), nil, nil, day, .issuedInFuture),
        ("V59 a fraction beyond", raw("\(now + 60).000000001"), nil, nil, day, .issuedInFuture),
        ("V59 far ahead", raw("253402300799"), nil, nil, day, .issuedInFuture),
        ("V59 far ahead, never", raw("253402300799"), nil, nil, .never, .issuedInFuture),
        ("V60 a fraction", raw("\(now - 1).5"), nil, nil, day, nil),
        ("the last second", number(now - 86_399), nil, nil, day, nil),
        ("a nanosecond left", raw("\(now - 86_400).000000001"), nil, nil, day, nil),
        ("the age reached", number(now - 86_400), nil, nil, day, .expired), ("long ago", number(now - 1_000_000), nil, nil, day, .expired),
        ("nbf now", number(now), number(now), nil, day, nil), ("nbf within the skew", number(now), number(now + 60), nil, day, nil),
        ("nbf beyond", number(now), number(now + 61), nil, day, .notYetValid),
        ("nbf beyond, never", number(now), number(now + 61), nil, .never, .notYetValid),
        ("exp past does not matter under an age", number(now), nil, number(now - 5), day, nil),
        ("exp ahead does not help an old one", number(now - 90_000), nil, number(now + 5), day, .expired),
        ("oidc, ahead", number(now - 90_000), nil, number(now + 1), .oidc, nil),
        ("oidc, now (no skew)", number(now), nil, number(now), .oidc, .expired),
        ("oidc, a nanosecond ahead", number(now), nil, raw("\(now).000000001"), .oidc, nil),
        ("oidc, past", number(now), nil, number(now - 1), .oidc, .expired),
        ("V60 oidc, no exp", number(now), nil, nil, .oidc, .expired),
        ("oidc-refreshed, no exp", number(now), nil, nil, .oidcRefreshed, .expired),
        ("oidc-refreshed, ahead", number(now), nil, number(now + 1), .oidcRefreshed, nil),
        ("oidc-refreshed, past and no other", number(now), nil, number(now), .oidcRefreshed, .expired),
        ("never, past", number(now - 100_000_000), nil, number(now - 50_000_000), .never, nil),
    ]

    @Test("iat and nbf are not later than now plus 60 s; the age or exp lies ahead (V59, V60)", arguments: table.indices)
    func times(_ index: Int) throws {
        let (about, iat, nbf, exp, policy, code) = Self.table[index]
        let login = try MintedLogin().with {
            $0.claims["iat"] = iat
            $0.claims["nbf"] = nbf
            $0.claims["exp"] = exp
            $0.rows = [ProviderRow(issuer: MintedLogin.issuer, clientID: MintedLogin.clientID, expiry: policy)]
        }
        #expect(try login.refusal() == code, "\(about)")
    }

    static let policies: [(text: Text, policy: ExpiryPolicy?)] = [
        ("12h", .maximumAge(seconds: 43_200)), ("24h", day), ("48h", .maximumAge(seconds: 172_800)),
        ("1week", .maximumAge(seconds: 604_800)), ("oidc", .oidc),
        ("oidc-refreshed", .oidcRefreshed), ("oidc_refreshed", .oidcRefreshed), ("never", .never), ("1s", .maximumAge(seconds: 1)),
        ("90m", .maximumAge(seconds: 5400)),
        ("7d", .maximumAge(seconds: 604_800)), ("9999999d", .maximumAge(seconds: 9_999_999 * 86_400)),
        ("", nil), ("24H", nil), (" 24h", nil), ("24h ", nil), ("24", nil), ("h", nil), ("0h", nil), ("024h", nil), ("-1h", nil),
        ("+1h", nil), ("1.5h", nil), ("1e9h", nil),
        ("10000000d", nil), ("99999999999999999999h", nil), ("1 week", nil), ("2week", nil), ("1weeks", nil), ("1w", nil), ("1y", nil),
        ("24hours", nil), ("Never", nil), ("OIDC", nil),
        ("oidc refreshed", nil), ("12h24h", nil), ("１h", nil), ("never\u{0}", nil), ("0x10h", nil),
    ]

    @Test("An expiry policy that cannot be read is none, and never one without limit (V61)", arguments: policies.indices)
    func policy(_ index: Int) {
        let (text, policy) = Self.policies[index]
        #expect(ExpiryPolicy(text) == policy, "\(text)")
    }

    @Test("An identity knows when it ends")
    func expiry() throws {
        func ends(_ policy: ExpiryPolicy) throws -> UnixTime? {
            try MintedLogin().with { $0.rows = [ProviderRow(issuer: MintedLogin.issuer, clientID: MintedLogin.clientID, expiry: policy)] }
                .verified().expires
        }
        #expect(try ends(.never) == nil)
        #expect(try ends(.oidc) == UnixTime(seconds: now + 3600))
        #expect(try ends(.oidcRefreshed) == UnixTime(seconds: now + 3600))
        #expect(try ends(.maximumAge(seconds: 100)) == UnixTime(seconds: now + 40))
    }
}
