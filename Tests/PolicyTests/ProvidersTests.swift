import PKToken
import Testing

@testable import Policy

@Suite struct ProvidersTests {
    func read(_ text: String) -> Providers { Providers(parsing: Array(text.utf8)) }

    @Test("three columns are a row, in the file's order, with the line's number")
    func rows() {
        let providers = read(
            """
            # issuer client-id expiry

            https://accounts.google.com 206584157355-7cbe.apps.googleusercontent.com 24h # the company's
              https://idp.example.com/realms/a/\t\topk-prod   8h
            https://idp.example.com/realms/a/ opk-test oidc-refreshed
            """)
        #expect(
            providers.rows == [
                ProviderRow(
                    issuer: "https://accounts.google.com", clientID: "206584157355-7cbe.apps.googleusercontent.com",
                    expiry: .maximumAge(seconds: 86_400), line: 3),
                ProviderRow(
                    issuer: "https://idp.example.com/realms/a/", clientID: "opk-prod", expiry: .maximumAge(seconds: 8 * 3600), line: 4),
                ProviderRow(issuer: "https://idp.example.com/realms/a/", clientID: "opk-test", expiry: .oidcRefreshed, line: 5),
            ], "V66 several rows of one issuer are fine")
        #expect(providers.problems == [])
    }

    @Test("V66 a byte order mark and CRLF are tolerated")
    func windows() {
        let providers = read("\u{FEFF}https://a.example c 24h\r\nhttps://b.example c never\r\n")
        #expect(providers.rows.map(\.issuer) == ["https://a.example", "https://b.example"] && providers.problems.isEmpty)
    }

    @Test(
        "every expiry policy is understood",
        arguments: [
            ("12h", .maximumAge(seconds: 43_200)), ("24h", .maximumAge(seconds: 86_400)), ("48h", .maximumAge(seconds: 172_800)),
            ("1week", .maximumAge(seconds: 604_800)), ("oidc", .oidc), ("oidc-refreshed", .oidcRefreshed),
            ("oidc_refreshed", .oidcRefreshed), ("never", .never), ("1s", .maximumAge(seconds: 1)), ("90m", .maximumAge(seconds: 5400)),
            ("9999999d", .maximumAge(seconds: 9_999_999 * 86_400)),
        ] as [(String, ExpiryPolicy)])
    func expiries(text: String, policy: ExpiryPolicy) {
        #expect(read("https://a.example c \(text)").rows.map(\.expiry) == [policy])
    }

    @Test(
        "V61 a policy that cannot be read disables the row, never \"no limit\", and leaves the other rows alone",
        arguments: [
            "24H", "' 24h'", "'1 week'", "''", "0h", "1e9h", "forever", "24", "h", "01h", "-1h", "10000000s", "24hh", "Never", "OIDC", "1w",
            "1weeks", "٢٤h", "24h\u{301}",
        ])
    func badExpiry(text: String) {
        let providers = read("https://a.example c \(text)\nhttps://b.example c 24h")
        #expect(providers.rows.map(\.issuer) == ["https://b.example"])
        #expect(providers.problems.map(\.line) == [1])
    }

    @Test(
        "a bad row is disabled and named",
        arguments: [
            "https://a.example", "https://a.example c", "https://a.example '' 24h", "https://a.example c 24h keybinding",
            "https://a.example c 24h#comment", "https://a.example 'c 24h",
            "https://a.example c 24h \\", "https://a.example\u{7F} c 24h", "https://a.example c\0d 24h",
        ])
    func badRows(row: String) {
        let providers = read("https://b.example c 24h\n" + row)
        #expect(providers.rows.count == 1)
        // A lone backslash begins a fourth column, which it is no option of.
        #expect(providers.problems.map(\.line) == [2])
    }

    @Test("invalid UTF-8 and a line of more than 64 KiB are bad rows, not crashes")
    func odd() {
        let providers = Providers(
            parsing: Array("https://a.example \u{FF} 24h\n".utf8.map { $0 == 0xC3 ? 0xFF : $0 }) + [UInt8](repeating: 0x61, count: 70_000)
                + Array("\nhttps://b.example c 24h".utf8))
        #expect(providers.rows.map(\.line) == [3] && providers.problems.map(\.line) == [1, 2])
    }

    @Test(
        "an issuer is an absolute https URL; http only for whole loopback hosts",
        arguments: [
            "https://a.example", "https://a.example/", "https://a.example:8443/x/y", "https://A.example/X", "https://login.example/t/v2.0",
            "https://192.0.2.1", "https://[2001:db8::1]:444/a", "https://xn--bcher-kva.example", "https://a_b.example/%41",
            "http://localhost", "http://localhost:18391/p12h", "http://127.0.0.1:3000", "http://[::1]:3000/x", "https://a.example/...",
        ])
    func goodIssuers(issuer: String) {
        #expect(read("\(issuer) c 24h").rows.map(\.issuer.string) == [issuer])
    }

    @Test(
        "C41 any other issuer disables its row",
        arguments: [
            "", "a.example", "//a.example", "ftp://a.example", "HTTPS://a.example", "https:/a.example", "https://", "https:///x",
            "https://:443",
            "https://user@a.example", "https://user:pw@a.example/", "https://a.example?x=1", "https://a.example/?", "https://a.example/#f",
            "https://a.example:", "https://a.example:0", "https://a.example:65536", "https://a.example:99999999999",
            "https://a.example:44a",
            "https://bücher.example", "https://a.example/ü", "https://a.example\\@b.example", "https://[::1", "https://::1",
            "https://[fe80::1%25eth0]",
            "https://[]", "https://[x]", "https://.a.example", "https://a..\u{200B}example", "https://a.example/../b",
            "https://a.example/./b",
            "https://a.example/%2e%2E/b", "https://a.example/.%2e", "https://a b.example", "https://a.example/<", "https://a.example/{x}",
            "http://a.example", "http://localhost.evil.example", "http://localhost@evil.example", "http://127.0.0.1.evil.example",
            "http://127.0.0.2", "http://LOCALHOST", "http://[::2]", "http://", "http://[::1]evil",
        ])
    func badIssuers(issuer: String) {
        let providers = read("\"\(issuer.replacing("\\", with: "\\\\"))\" c 24h")
        #expect(providers.rows.isEmpty && providers.problems.count == 1)
    }

    @Test("a problem's text shows what was written, escaped")
    func wording() {
        #expect(read("https://a.example c 24\u{202E}h").problems.map(\.description) == ["line 1: 24\\u{202e}h is not an expiry policy"])
        #expect(
            read("http://a.example c 24h").problems.map(\.description)
                == ["line 1: the issuer http://a.example is http, which only loopback hosts may be"])
        #expect(
            read("https://a.example c 24h keybinding").problems.map(\.text) == ["the option keybinding is not known in this version"])
    }
}
