import SSHKeys
import Testing
import Vocabulary

@testable import Policy

/// The options of the one row with this fourth column; and why it is bad.
private func read(_ column: String, isHome: Bool = false) -> (options: RowOptions?, problem: String?) {
    let text = Array(Question.row(column).utf8)
    let authID = isHome ? AuthID(home: text, of: principal("root")) : AuthID(parsing: text)
    return (authID.rows.first?.options, authID.problems.first?.text)
}

@Suite("Options of a row of auth_id")
struct RowOptionTests {
    @Test("each condition is read")
    func conditions() throws {
        let column = """
            expires="2026-12-24T18:00Z",starts="2026-11-01T00:00:30+01:00",hours="mon-fri 08:00-18:00 UTC",claim="a:b",claim="groups:x:y",\
            amr="hwk|fido",acr="phr",max-age="1h",max-auth-age="4h",account-claim="preferred_username",reason="CHG-881, \\"urgent\\"",\
            break-glass,from="10.0.0.0/8,!10.9.9.9"
            """
        let options = try #require(read(column).options, "\(read(column))")
        #expect(options.expires == UnixTime(rfc3339: "2026-12-24T18:00:00Z") && options.starts == UnixTime(rfc3339: "2026-10-31T23:00:30Z"))
        #expect(options.hours?.description == "mon-fri 08:00-18:00 UTC")
        #expect(options.claims == [.claim(name: "a", value: "b"), .claim(name: "groups", value: "x:y")])
        #expect(options.amr == ["hwk", "fido"] && options.acr == "phr")
        #expect(options.maximumAge?.seconds == 3600 && options.maximumAuthAge?.seconds == 14_400)
        #expect(options.accountClaim == "preferred_username" && options.reason == "CHG-881, \"urgent\"" && options.isBreakGlass)
        #expect(options.from?.description == "10.0.0.0/8,!10.9.9.9" && options.session == [])
        #expect(read("").options == RowOptions() && read("# a comment").options == RowOptions())
        #expect(read("pty # a comment").options?.session.count == 1)
    }

    @Test("names are read in any case, as sshd reads them, and values as they are")
    func letterCase() throws {
        let options = try #require(read("EXPIRES=\"2026-12-24T18:00Z\",Break-Glass,No-Pty,ACR=\"PhR\"").options)
        #expect(options.expires != nil && options.isBreakGlass && options.acr == "PhR" && "\(options.session)" == "[no-pty]")
    }

    @Test(
        "a claim's name may be in quotes of its own",
        arguments: [
            (#"claim="\"https://acme.com/roles\":dev""#, "https://acme.com/roles", "dev"), (#"claim="\"a\":b:c""#, "a", "b:c"),
            (#"claim="a:\"b\"""#, "a", "\"b\""), ("claim=\"department:R & D, 2\"", "department", "R & D, 2"),
        ] as [(String, Text, Text)])
    func claims(column: String, name: Text, value: Text) {
        #expect(read(column).options?.claims == [.claim(name: name, value: value)])
    }

    @Test("sshd's own options are kept in the row's order and written as sshd reads them")
    func session() throws {
        for column in [
            "restrict", "pty", "no-pty", "port-forwarding", "no-port-forwarding", "agent-forwarding", "no-agent-forwarding",
            "x11-forwarding", "no-x11-forwarding", "user-rc", "no-user-rc", "restrict,pty,command=\"/usr/local/bin/www-shell\"",
            "command=\"echo \\\"a\\\" 'b' $c \\d, e=f\",no-pty,permitopen=\"localhost:80\",permitopen=\"[::1]:*\",permitlisten=\"8080\"",
            "permitlisten=\"localhost:8080\",permitlisten=\"*\",environment=\"A_1=x y\",environment=\"B=\",restrict",
            "permitopen=\"*:22\",permitopen=\"192.0.2.1:65535\",permitopen=\"db.example.com:1\"", "command=\"日本\"", "command=\" \"",
        ] {
            let session = try #require(read(column).options?.session, "\(column): \(read(column))")
            #expect(session.map(\.description).joined(separator: ",") == column)
        }
        #expect(try #require(read("X11-Forwarding").options).session.map(\.description) == ["x11-forwarding"])
    }

    @Test(
        "an option that is not known, cannot be read, or says too little or too much, makes the row grant nothing",
        arguments: [
            "unheard-of", "unheard-of=\"x\"", "principals=\"root\"", "cert-authority", "tunnel=\"0\"", "expiry-time=\"20261224\"",
            "no-touch-required", "verify-required", "no-restrict", "no-break-glass", "require-verified-email", "pty,", ",pty", "pty,,pty",
            "pty no-pty", "pty, restrict", "pty#", "\"pty\"", "'pty'", "=\"x\"", "expires", "expires=", "expires=\"\"", "expires=x",
            "expires='2026-12-24T18:00Z'", "expires=\"2026-12-24T18:00Z", "expires=\"2026-12-24T18:00Z\"x", "expires=\"2026-12-24\"",
            "expires=\"2026-12-24T18:00\"", "expires=\"2026-12-24 18:00Z\"", "expires=\"2026-02-29T18:00Z\"", "expires=\"never\"",
            "expires = \"2026-12-24T18:00Z\"", "starts=\"tomorrow\"", "hours=\"\"", "hours=\"always\"", "hours=\"09:00\"",
            "hours=\"09:00-09:00\"", "hours=\"09:00-25:00\"", "hours=\"09:00-17:00 Mars/Olympus\"", "hours=\"09:00-17:00 ../UTC\"",
            "hours=\"mon-foo 09:00-17:00\"", "claim", "claim=\"\"", "claim=\"a\"", "claim=\"a:\"", "claim=\":b\"",
            "claim=\"https://x/y:z\"",
            "claim=\"\\\"a:b\"", "claim=\"a\\\"b:c\"", "amr=\"\"", "amr=\"hwk|\"", "amr=\"|\"", "amr=\"hwk||fido\"", "amr=\"hwk | fido\"",
            "acr", "acr=\"\"", "max-age=\"1\"", "max-age=\"0h\"", "max-age=\"1w\"", "max-age=\"-1h\"", "max-age=\"1.5h\"",
            "max-age=\" 1h\"",
            "max-age=\"99999999d\"", "max-auth-age=\"oidc\"", "account-claim", "account-claim=\"\"", "reason", "reason=\"\"",
            "break-glass=\"yes\"", "from", "from=\"\"", "from=\"10.0.0.0/33\"", "from=\"10.0.0.1/8\"", "from=\"!10.0.0.1\"", "from=\"a b\"",
            "from=\"10.0.0.1,\"", "restrict=\"yes\"", "pty=\"yes\"", "command", "command=\"\"", "command=\"a\\\"", "command=\"a\\\\\"",
            "permitopen=\"\"", "permitopen=\"80\"", "permitopen=\"localhost:\"", "permitopen=\"localhost:0\"",
            "permitopen=\"localhost:65536\"",
            "permitopen=\"localhost:http\"", "permitopen=\":80\"", "permitopen=\"local host:80\"", "permitopen=\"::1:80\"",
            "permitopen=\"[::1:80\"", "permitopen=\"[]:80\"", "permitopen=\"a/b:80\"", "permitopen=\"a:1,b:2\"", "permitopen=\"a:+1\"",
            "permitopen=\"[::1]x:80\"", "permitlisten=\"\"", "permitlisten=\"localhost\"", "permitlisten=\"99999\"", "permitlisten=\":80\"",
            "permitlisten=\"-1\"", "environment=\"A\"", "environment=\"=x\"", "environment=\"A-B=x\"", "environment=\"A B=x\"",
            "environment=\"A=x\\\"", "environment=\"Ä=x\"",
        ])
    func bad(column: String) {
        let (options, problem) = read(column)
        #expect(options == nil && problem?.isEmpty == false)
    }

    @Test(
        "an option that is there twice, or with its opposite, makes the row grant nothing",
        arguments: [
            "expires=\"2026-12-24T18:00Z\"", "starts=\"2026-12-24T18:00Z\"", "hours=\"09:00-17:00\"", "amr=\"hwk\"", "acr=\"a\"",
            "max-age=\"1h\"", "max-auth-age=\"1h\"", "account-claim=\"a\"", "reason=\"a\"", "break-glass", "from=\"10.0.0.1\"",
            "command=\"a\"", "restrict", "pty", "no-pty", "port-forwarding", "agent-forwarding", "x11-forwarding", "user-rc", "no-user-rc",
        ])
    func twice(option: String) {
        #expect(read(option).problem == nil)
        #expect(read("\(option),\(option)").problem?.contains("twice") == true)
        #expect(
            read("\(option),\(option.uppercased().prefix { $0 != "=" })\(option.drop { $0 != "=" })").problem?.contains("twice") == true)
        guard RowOptionTests.pairs.contains(option) else { return }
        #expect(read("\(option),no-\(option)").problem?.contains("opposite") == true)
        #expect(read("no-\(option),restrict,\(option)").problem?.contains("opposite") == true)
    }

    static let pairs = ["pty", "port-forwarding", "agent-forwarding", "x11-forwarding", "user-rc"]

    @Test("options that contradict each other otherwise: a row that would never admit, and break-glass where its owner could write it")
    func contradictions() {
        #expect(read("starts=\"2026-12-24T18:00Z\",expires=\"2026-12-24T18:00Z\"").options == nil)
        #expect(read("expires=\"2026-12-24T18:00Z\",starts=\"2026-12-25T18:00Z\"").options == nil)
        #expect(read("starts=\"2026-12-24T18:00Z\",expires=\"2026-12-24T18:00:01Z\"").options != nil)
        #expect(read("break-glass", isHome: true).problem?.contains("break-glass") == true)
        #expect(read("pty,from=\"10.0.0.1\"", isHome: true).options != nil)
    }

    @Test("* as the account stands only where account-claim names it")
    func star() {
        func rows(_ options: String) -> Int { AuthID(parsing: Array(Question.row(options, account: "*").utf8)).rows.count }
        #expect(rows("account-claim=\"preferred_username\"") == 1)
        for other in ["", "claim=\"preferred_username:root\"", "restrict", "# account-claim=\"x\"", "account-claim=\"\""] {
            #expect(rows(other) == 0, "\(other)")
        }
        for account in ["a*", "?", "**", "'*'x"] {
            #expect(AuthID(parsing: Array(Question.row("account-claim=\"a\"", account: account).utf8)).rows.isEmpty, "\(account)")
        }
    }
}
