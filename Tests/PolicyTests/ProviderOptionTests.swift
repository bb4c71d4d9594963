import PKToken
import Testing
import Vocabulary

@testable import Policy

private func options(_ column: String) -> (row: ProviderRow?, problem: String?) {
    let providers = Providers(parsing: Array("https://a.example c 24h \(column)\n".utf8))
    return (providers.rows.first, providers.problems.first?.text)
}

@Suite("Options of a row of providers")
struct ProviderOptionTests {
    @Test("each option is understood, in any order and case, with a comment behind")
    func good() throws {
        for (column, expected) in [
            ("", []), ("# comment", []), ("key-binding", .keyBinding), ("access-token-type", .accessTokenType),
            ("trust-unverified-email", .trustUnverifiedEmail), ("require-verified-email", .requireVerifiedEmail),
            ("Key-Binding,REQUIRE-VERIFIED-EMAIL # both", [.keyBinding, .requireVerifiedEmail]),
        ] as [(String, ProviderOptions)] {
            let row = try #require(options(column).row, "\(column)")
            #expect(row.options == expected && row.keys == KeyOptions(), "\(column)")
        }
        let keys = try #require(options("refresh-after=\"30m\",max-age=\"7d\",timeout=\"3s\",ca=\"/etc/opk/a b,\\\"c.pem\"").row).keys
        #expect(keys.refreshAfter?.seconds == 1800 && keys.maximumAge?.seconds == 604_800 && keys.timeout?.seconds == 3)
        #expect(keys.authorities == "/etc/opk/a b,\"c.pem")
        #expect(options("groups-claim=\"https://acme.com/roles\"").row?.groupsClaim == "https://acme.com/roles")
        #expect(options("key-binding").row?.groupsClaim == nil)
    }

    @Test(
        "anything else disables the row: it might have been meant to restrict",
        arguments: [
            "unknown", "key-binding,", ",key-binding", "key-binding key-binding", "key-binding,key-binding", "key-binding=\"yes\"",
            "timeout",
            "timeout=3s", "timeout=\"3s", "timeout=\"\"", "timeout=\"0s\"", "timeout=\"31s\"", "timeout=\"3s\"x",
            "timeout=\"3s\",timeout=\"4s\"",
            "timeout = \"3s\"", "max-age=\"10s\"", "max-age=\"never\"", "refresh-after=\"2h\",max-age=\"1h\"", "ca=\"ca.pem\"", "ca",
            "=\"x\"",
            "key-binding#", "key-binding;", "'key-binding'", "\"key-binding\"", "groups-claim=\"\"", "groups-claim", "key_binding",
        ])
    func bad(column: String) {
        let (row, problem) = options(column)
        #expect(row == nil && problem?.isEmpty == false)
    }

    @Test("V61 settings of keys: the row's, else config.yml's, else the defaults; of several rows of an issuer the first that says so")
    func settings() throws {
        let providers = Providers(
            parsing: Array(
                """
                https://a.example one 24h timeout="2s"
                https://a.example two 24h timeout="3s",max-age="2h"
                https://b.example one 24h
                """.utf8))
        let config = try ServerConfig(parsing: Array("keys: {max_age: 12h, refresh_after: 2h}\n".utf8))
        let a = try #require(KeySettings(of: "https://a.example", in: providers, config))
        #expect(a.timeout.seconds == 2 && a.maximumAge.seconds == 7200 && a.refreshAfter.seconds == 7200)
        let b = try #require(KeySettings(of: "https://b.example", in: providers, ServerConfig()))
        #expect(b.timeout.seconds == 5 && b.maximumAge.seconds == 86_400 && b.refreshAfter.seconds == 3600 && b.authorities == nil)
        #expect(KeySettings(of: "https://A.example", in: providers, config) == nil)
        let second = KeySettings(for: providers.rows[1], config)
        #expect(second.timeout.seconds == 3 && second.maximumAge.seconds == 7200)
        let short = try ServerConfig(parsing: Array("keys: {max_age: 10m}\n".utf8))
        #expect(KeySettings(for: providers.rows[0], short).refreshAfter.seconds == 600)
    }

    @Test("V63 an email decides only as far as the row trusts it; where a row says both, the stricter holds")
    func emails() {
        for (column, absent, unverified) in [
            ("", true, false), ("trust-unverified-email", true, true), ("require-verified-email", false, false),
            ("require-verified-email,trust-unverified-email", false, false),
        ] {
            let trust = EmailTrust(options(column).row?.options ?? [])
            #expect(trust.accepts(.verified) && trust.accepts(.absent) == absent && trust.accepts(.unverified) == unverified, "\(column)")
        }
    }
}
