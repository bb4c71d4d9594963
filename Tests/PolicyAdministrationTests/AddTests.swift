import Foundation
import JOSE
import Testing
import Vocabulary

@Suite("opk add", .serialized)
struct AddTests {
    private let row = "root alice@example.com https://accounts.google.com"

    @Test("The positional form of opkssh writes its row and shows the line; the file is made where there is none")
    func positional() throws {
        let desk = try Desk()
        let run = try desk.opk("add", "root", "alice@example.com", "https://accounts.google.com")
        #expect(run.status == 0 && run.errors.isEmpty, "\(run)")
        #expect(run.lines.first == "\(desk.authID):1: \(row)" && run.output.contains("the email address alice@example.com"))
        #expect(desk.text() == row + "\n")
        #expect(desk.names == ["auth_id", "providers"])
    }

    @Test(
        "Aliases are those of opk login",
        arguments: [
            ("google", "https://accounts.google.com"), ("gitlab", "https://gitlab.com"), ("hello", "https://issuer.hello.coop"),
            ("azure", "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"),
            ("microsoft", "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"),
        ])
    func aliases(alias: String, issuer: String) throws {
        let desk = try Desk()
        #expect(try desk.opk("add", "root", "a@b.c", alias).status == 0)
        #expect(desk.text() == "root a@b.c \(issuer)\n")
    }

    @Test("A word that is no issuer, or one that no reader would take, is refused and nothing is written")
    func issuers() throws {
        let desk = try Desk()
        let run = try desk.opk("add", "root", "a@b.c", "gogle")
        #expect(run.status == 64 && run.errors.contains("opk: hint: the aliases are google"), "\(run)")
        for issuer in ["http://idp.example.com", "https://idp.example.com/?x", "https://a b", "ftp://x.y"] {
            #expect(try desk.opk("add", "root", "a@b.c", issuer).status == 1)
        }
        #expect(desk.bytes() == nil)
    }

    @Test(
        "Each option writes its own, and what the reader does not take writes nothing",
        arguments: [
            (["--hours", "mon-fri 08:00-18:00 Europe/Berlin"], "hours=\"mon-fri 08:00-18:00 Europe/Berlin\"", ["--hours", "mon 8"]),
            (["--from", "10.0.0.0/8", "--from", "!10.0.0.1"], "from=\"10.0.0.0/8,!10.0.0.1\"", ["--from", "10.0.0.1/8"]),
            (["--claim", "groups:dev", "--claim", "org:x y"], "claim=\"groups:dev\",claim=\"org:x y\"", ["--claim", "groups"]),
            (["--amr", "hwk", "--amr", "fido"], "amr=\"hwk|fido\"", ["--amr", "hwk|"]),
            (["--amr", "hwk|mfa"], "amr=\"hwk|mfa\"", ["--amr", "a b"]),
            (["--acr", "urn:x:2"], "acr=\"urn:x:2\"", ["--acr", ""]), (["--max-age", "1h"], "max-age=\"1h\"", ["--max-age", "1"]),
            (["--max-auth-age", "4h"], "max-auth-age=\"4h\"", ["--max-auth-age", "4 h"]),
            (["--account-claim", "preferred_username"], "account-claim=\"preferred_username\"", ["--account-claim", ""]),
            (["--break-glass"], "break-glass", ["--break-glass", "--option", "break-glass"]),
            (["--command", "/bin/date \"+%s\""], "command=\"/bin/date \\\"+%s\\\"\"", ["--command", "x\ny"]),
            (["--restrict"], "restrict", ["--restrict", "--option", "restrict"]),
            (["--restrict", "--pty"], "restrict,pty", ["--pty", "--option", "no-pty"]),
            (["--option", "X11-forwarding"], "x11-forwarding", ["--option", "X12-forwarding"]),
            (
                ["--option", "permitopen=h:22", "--option", "permitopen=h:23"], "permitopen=\"h:22\",permitopen=\"h:23\"",
                ["--option", "permitopen"]
            ),
            (["--option", "permitlisten=8080"], "permitlisten=\"8080\"", ["--option", "permitlisten=x y"]),
            (["--option", "environment=A=b"], "environment=\"A=b\"", ["--option", "expires=2099-01-01T00:00Z"]),
            (["--option", "no-port-forwarding"], "no-port-forwarding", ["--option", "no-port-forwarding=x"]),
            (["--reason", "CHG-881 # \"now\""], "reason=\"CHG-881 # \\\"now\\\"\"", ["--reason", "a\nb"]),
            (["--until", "2099-12-24T18:00Z"], "expires=\"2099-12-24T18:00Z\"", ["--until", "2001-12-24T18:00Z"]),
            (["--until", "2099-12-24T19:30:15+01:00"], "expires=\"2099-12-24T18:30:15Z\"", ["--until", "soon"]),
            (
                ["--starts", "2099-01-01", "--until", "2099-01-02"], "starts=\"2099-01-01T00:00Z\",expires=\"2099-01-03T00:00Z\"",
                ["--starts", "2099-01-03", "--until", "2099-01-02"]
            ),
            (
                ["--starts", "2099-01-01T00:00Z", "--for", "2h"], "starts=\"2099-01-01T00:00Z\",expires=\"2099-01-01T02:00Z\"",
                ["--for", "2"]
            ),
            (["--for", "9999d", "--dry-run"], nil, ["--for", "2h", "--until", "2099-01-01"]),
        ] as [([String], String?, [String])])
    func options(good: [String], written: String?, bad: [String]) throws {
        let desk = try Desk("# ours\n")
        let refused = try desk.opk(["add", "root", "alice@example.com", "google"] + bad)
        #expect((refused.status == 1 || refused.status == 64) && refused.errors.contains("opk: error: "), "\(bad): \(refused)")
        #expect(desk.text() == "# ours\n", "\(bad)")
        let run = try desk.opk(["add", "root", "alice@example.com", "google"] + good)
        #expect(run.status == 0, "\(good): \(run)")
        #expect(desk.text() == (written.map { "# ours\n\(row) \($0)\n" } ?? "# ours\n"))
    }

    @Test("--for is from now, to the minute above")
    func span() throws {
        let desk = try Desk()
        let before = Date().timeIntervalSince1970
        #expect(try desk.opk("add", "root", "a@b.c", "google", "--for", "2h").status == 0)
        let row = try #require(try desk.opk("list", "--json").json()["rows"]?.array?.first)
        let end = Double(row["expires_seconds"]?.number?.integer ?? 0)
        #expect(end.truncatingRemainder(dividingBy: 60) == 0 && end >= before + 7200 && end < before + 7200 + 70)
        #expect(desk.text().contains("T") && desk.text().hasSuffix("Z\"\n") && !desk.text().contains(":00Z"))
    }

    @Test(
        "Times without a zone are local; a day is meant whole; an hour that comes twice ends the first time",
        arguments: [
            ("2099-12-24", "2099-12-24T23:00Z"), ("2099-07-01", "2099-07-01T22:00Z"), ("2099-12-24 18:00", "2099-12-24T17:00Z"),
            ("2099-07-01T18:00", "2099-07-01T16:00Z"), ("2027-03-28 02:30", nil), ("2027-10-31 02:30", "2027-10-31T00:30Z"),
            ("2099-02-29", nil),
            ("2096-02-29", "2096-02-29T23:00Z"), ("2099-13-01", nil), ("2099-12-24 24:00", nil), ("2099-12-24 18:60", nil),
            ("2099-1-1", nil),
            ("2099-12-24 18:00 ", nil), ("25:00", nil), ("18:0", nil), ("2099-12-31", "2099-12-31T23:00Z"), ("2099-04-31", nil),
        ] as [(String, String?)])
    func local(text: String, written: String?) throws {
        let desk = try Desk()
        let run = try desk.opk("add", "root", "a@b.c", "google", "--until", text, zone: "Europe/Berlin")
        #expect(run.status == (written == nil ? 64 : 0), "\(run)")
        #expect(desk.bytes() == nil || desk.text() == "root a@b.c \(Desk.google) expires=\"\(written ?? "")\"\n", "\(run)")
    }

    @Test("An hour alone is the next such one")
    func clock() throws {
        let desk = try Desk()
        #expect(try desk.opk("add", "root", "a@b.c", "google", "--until", "18:00", zone: "Europe/Berlin").status == 0)
        let row = try #require(try desk.opk("list", "--json").json()["rows"]?.array?.first)
        let left = (row["expires_seconds"]?.number?.integer ?? 0) - Int64(Date().timeIntervalSince1970)
        #expect((-1...90_000).contains(left))
        #expect(try desk.opk("list", zone: "Europe/Berlin").output.contains(" 18:00)"))
    }

    @Test("A zone that changes its clocks at midnight has days, too")
    func midnight() throws {
        let desk = try Desk()
        // In Beirut 2027-03-28 begins at 01:00.
        #expect(try desk.opk("add", "root", "a@b.c", "google", "--until", "2027-03-27", zone: "Asia/Beirut").status == 0)
        #expect(desk.text().contains("expires=\"2027-03-27T22:00Z\""), "\(desk.text())")
    }

    @Test("An equal row is enough, however it is written: nothing is written then")
    func already() throws {
        let old =
            "# x\nroot   'alice@example.com' https://accounts.google.com  # since 2024\nroot b@c.d \(Desk.idp) restrict,reason=\"x\"\n"
        let desk = try Desk(old)
        let facts = try FileManager.default.attributesOfItem(atPath: desk.authID)[.systemFileNumber] as? Int
        let run = try desk.opk("add", "root", "ALICE@example.com", "google")
        #expect(
            run.status == 0 && run.output.contains(":2: root   'alice@example.com'") && run.output.contains("nothing was written"), "\(run)"
        )
        let json = try desk.opk("add", "root", "b@c.d", Desk.idp, "--reason", "x", "--restrict", "--json").json()
        #expect(json["written"]?.bool == false, "\(json)")
        #expect(try desk.opk("add", "root", "alice@example.com", "google", "--json").json()["already"]?.bool == true)
        #expect(try FileManager.default.attributesOfItem(atPath: desk.authID)[.systemFileNumber] as? Int == facts)
        #expect(desk.text().hasPrefix(old))
    }

    @Test(
        "The same identity with other limits is one more row, and it is said that the old one counts as well; --replace puts it in its place"
    )
    func replacing() throws {
        let old = "# one\n\(row)\n# two\nroot Alice@Example.com \(Desk.google) restrict # old\nroot bob@example.com \(Desk.google)\n"
        let desk = try Desk(old)
        let run = try desk.opk("add", "root", "alice@example.com", "google", "--max-age", "1h")
        #expect(run.status == 0 && run.errors.contains("2 other rows") && run.errors.contains("--replace"), "\(run)")
        #expect(desk.text() == old + row + " max-age=\"1h\"\n")
        let json = try desk.opk("add", "root", "alice@example.com", "google", "--max-age", "2h", "--replace", "--json").json()
        #expect(json["line"]?.number?.integer == 2 && json["replaced"]?.array?.count == 3, "\(json)")
        #expect(desk.text() == "# one\n\(row) max-age=\"2h\"\n# two\nroot bob@example.com \(Desk.google)\n")
        #expect(
            try desk.opk("add", "root", "alice@example.com", "google", "--max-age", "2h", "--replace").output.contains(
                "nothing was written"))
        #expect(try desk.opk("add", "root", "new@example.com", "google", "--replace").status == 0)
        #expect(desk.text().hasSuffix("root new@example.com \(Desk.google)\n"))
    }

    @Test("--dry-run shows the row and writes nothing, not even a lock")
    func trial() throws {
        let desk = try Desk("a")
        let run = try desk.opk("add", "root", "a@b.c", "google", "--dry-run")
        #expect(
            run.status == 0 && run.lines.first == "\(desk.authID):2: root a@b.c \(Desk.google)"
                && run.output.contains("nothing was written"))
        let json = try desk.opk("add", "root", "a@b.c", "google", "--dry-run", "--json").json()
        #expect(json["dry_run"]?.bool == true && json["written"]?.bool == false && json["line"] == 2)
        #expect(desk.text() == "a")
        #expect(try FileManager.default.contentsOfDirectory(atPath: desk.config).sorted() == ["auth_id", "providers"])
        #expect(try desk.opk("add", "root", "a\nb", "google", "--dry-run").status != 0)
    }

    @Test("An issuer that providers does not name, and words that mean something elsewhere, are warned of")
    func warnings() throws {
        let desk = try Desk()
        var run = try desk.opk("add", "root", "a@b.c", "gitlab")
        #expect(
            run.status == 0 && run.errors.contains("no row of providers names https://gitlab.com")
                && run.errors.contains("https://gitlab.com 8d8b"))
        run = try desk.opk("add", "root", "a@b.c", Desk.idp + "/")
        #expect(run.errors.contains("a slash at the end counts"), "\(run)")
        run = try desk.opk("add", "root", "email:a@b.c", "google")
        #expect(run.errors.contains("email: included"), "\(run)")
        try desk.write("config.yml", "deny_users: [root]\ndeny_emails: [Mallory@b.c]\n")
        try desk.write("revoked", "# out\nemail:OUT@b.c\n")
        run = try desk.opk("add", "root", "mallory@b.c", "google")
        #expect(run.errors.contains("deny_users of config.yml has root") && run.errors.contains("deny_emails of config.yml has"), "\(run)")
        run = try desk.opk("add", "www", "out@b.c", "google")
        #expect(run.errors.contains("line 2 of revoked has email:OUT@b.c") && !run.errors.contains("deny_"), "\(run)")
        try desk.write("config.yml", "")
        run = try desk.opk("add", "root", "oidc:groups:x", "google", "--json")
        #expect(try run.errors.isEmpty && run.json()["warnings"]?.array?.isEmpty == true)
    }

    @Test("Comments, order, CRLF, a mark, rows that cannot be read and a missing last line end stay as they were")
    func surroundings() throws {
        for old in [
            "\u{FEFF}# c\r\n\r\n  root\tx@y.z https://a.b  # why\r\nbad row\r\n", "bad\n* x https://a.b\n", "\u{FEFF}", "\n\n", "# no end",
            "root a@b.c https://x.y",
        ] {
            let desk = try Desk(old)
            #expect(try desk.opk("add", "root", "new@b.c", "google").status == 0)
            let end = old.contains("\r\n") ? "\r\n" : "\n"
            let glue = old.utf8.last == 0x0A || old == "\u{FEFF}" ? "" : end
            #expect(desk.bytes() == Array((old + glue + "root new@b.c \(Desk.google)\(end)").utf8), "\(old.debugDescription)")
            #expect(try desk.opk("remove", "root", "new@b.c", "google").status == 0)
            #expect(desk.bytes() == Array((old + glue).utf8), "\(old.debugDescription)")
        }
    }

    @Test("An argument that is not UTF-8 is not turned into another: nothing is written")
    func notUTF8() throws {
        let desk = try Desk()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", "exec \"$0\" add root $'a\\xff@b.c' google --config-dir \"$1\" 2> /dev/null", Desk.opk, desk.config]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 64 && desk.bytes() == nil)
    }

    @Test("Calls that lack a word end with 64")
    func usage() throws {
        let desk = try Desk()
        #expect(try desk.opk("add", "root").status == 64)
        #expect(try Desk.run([Desk.opk, "add", "root", "a@b", "google", "--config-dir", "relative"]).status == 64)
    }
}
