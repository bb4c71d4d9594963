import Policy
import Testing
import Vocabulary

@testable import PolicyAdministration

@Suite("A row says what was asked for, and nothing else")
struct RowRequestTests {
    private let place = PolicyPlace(system: "/nonexistent")

    private func row(_ who: String, _ options: [RowText.Option] = [], account: String = "root") throws -> Text {
        try AddRow(
            RowRequest(account: Text(account), who: Text(who), issuer: Text(Desk.google), options: options), in: place
        ).applied(to: []).result.row.text
    }

    @Test(
        "Words are quoted where a reader would else take them apart",
        arguments: [
            ("alice@example.com", "alice@example.com"), ("a b", "'a b'"), ("it's", "\"it's\""), ("a#b", "'a#b'"), ("#x", "'#x'"),
            ("a\\b", "'a\\b'"), ("a\"b", "'a\"b'"), ("it's \"$`\\", "\"it's \\\"\\$\\`\\\\\""),
            ("oidc:\"https://a.b/c\":d e", "'oidc:\"https://a.b/c\":d e'"),
            ("oidc:groups:a:b", "oidc:groups:a:b"), ("ü", "ü"), ("$HOME", "$HOME"), ("a;b|c&d", "a;b|c&d"),
        ])
    func words(who: String, written: String) throws {
        #expect(try row(who) == Text("root \(written) \(Desk.google)"))
    }

    @Test(
        "V65 Nothing that is put into a word becomes a second row, a comment, a column or another form",
        arguments: [
            "a\nroot eve@example.com https://accounts.google.com", "a\rb", "a\tb", "", "a\u{0}b", "a\u{7F}b", "OIDC:groups:x", "Repo:x",
            "oidc:groups",
            "oidc::x", "oidc:groups:", "repo:", "oidc-match-end:email:", "oidc-match-end:email:example.com", "oidc-match-end:sub:@x",
            "oidc:https://a.b/c:d", "*",
        ])
    func refused(who: String) throws {
        #expect(throws: PolicyError.self, "\(who)") { try row(who) }
    }

    @Test("What looks like an option, a comment or another column in a word is only that word")
    func hostile() throws {
        for who in [
            "eve expires=\"2099-01-01T00:00Z\"", "x https://idp.example.com", "x' y '", "a # b", "' https://accounts.google.com #", "\\",
            "'", "\"", "''",
            "\"\"", " ", " a", "a ", "a'\\'' b",
        ] {
            let row = try row(who)
            let read = AuthID(parsing: row.utf8)
            #expect(read.rows.count == 1 && read.problems.isEmpty, "\(who): \(row)")
            #expect(RowText(row)?.words == ["root", Text(who), Text(Desk.google)], "\(who): \(row)")
        }
    }

    @Test("Accounts that are none, and * without account-claim, are refused")
    func accounts() throws {
        for account in ["a b", "*", "-x", "a,b", "a\"", "", "a\n", "a/b", "ü", String(repeating: "a", count: 130)] {
            #expect(throws: PolicyError.self, "\(account)") { try row("alice@example.com", account: account) }
        }
        let claim = [RowText.Option(name: "account-claim", value: "preferred_username")]
        #expect(try row("oidc:groups:staff", claim, account: "*").hasSuffix("account-claim=\"preferred_username\""))
    }

    @Test(
        "The value of an option is quoted as sshd quotes it",
        arguments: [
            ("/bin/sh -c \"id\"", "/bin/sh -c \\\"id\\\""), ("a\\b", "a\\b"), ("a\\\"b", "a\\\\\"b"), ("x,restrict", "x,restrict"),
            ("a # b", "a # b"),
            ("a' b", "a' b"), ("\"", "\\\""), ("ü", "ü"),
        ])
    func values(value: String, written: String) throws {
        let row = try row("alice@example.com", [RowText.Option(name: "command", value: Text(value))])
        #expect(row == Text("root alice@example.com \(Desk.google) command=\"\(written)\""))
        #expect(AuthID(parsing: row.utf8).rows.first?.options.session.first?.value == Text(value))
    }

    @Test(
        "V65 A value that would end its quotes or its line is refused", arguments: ["a\\", "\\", "a\nroot x", "a\rb", "a\tb", "", "a\u{0}"])
    func hostileValues(value: String) throws {
        for name in ["command", "reason"] as [Text] {
            #expect(throws: PolicyError.self) { try row("alice@example.com", [RowText.Option(name: name, value: Text(value))]) }
        }
    }

    @Test("A reason cannot smuggle in another option")
    func reason() throws {
        for text in ["x\",expires=\"2099-01-01T00:00Z", "\",restrict", "a\" b", "x\\\",restrict"] {
            let row = try row("alice@example.com", [RowText.Option(name: "reason", value: Text(text))])
            let read = try #require(AuthID(parsing: row.utf8).rows.first)
            #expect(read.options.reason == Text(text) && read.options.expires == nil && read.options.session.isEmpty, "\(row)")
        }
    }

    @Test("Options that the reader does not take are refused, whatever they are")
    func faults() throws {
        for (name, value) in [
            ("expires", "tomorrow"), ("hours", "mon 8-9"), ("claim", "x"), ("max-age", "1"), ("from", "10.0.0.1/8"), ("permitopen", "x"),
            ("environment", "x"),
            ("no-such-option", "x"), ("amr", "a||b"),
        ] {
            #expect(throws: PolicyError.self, "\(name)") { try row("a@b", [RowText.Option(name: Text(name), value: Text(value))]) }
        }
    }

    @Test("A row that is too long to be read is refused")
    func long() throws {
        #expect(throws: PolicyError.self) { try row(String(repeating: "a", count: 70_000)) }
    }
}
