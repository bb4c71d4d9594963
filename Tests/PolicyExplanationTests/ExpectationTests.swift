import Foundation
import JOSE
import Policy
import TestSupport
import Testing
import Vocabulary

@testable import PolicyExplanation

@Suite("opk test") struct ExpectationTests {
    static let now = UnixTime(seconds: 1_790_000_000)  // 2026-09-21T14:13:20Z, a Monday

    private func read(_ text: String) -> ExpectationFile { ExpectationFile(parsing: Array(text.utf8), at: ExpectationTests.now) }

    @Test(
        "a line that is none is named, with what is wrong",
        arguments: [
            ("alice@example.com as root", "neither : yes nor : no"), ("alice@example.com as root yes", "neither : yes nor : no"),
            ("alice as root: yes", "is no email"), ("alice@x: yes", "as ACCOUNT is missing"), ("sub : yes", "there is not a subject"),
            ("alice@x as ../x: yes", "is not an account name"), ("alice@x as: no", "there is not an account"),
            ("alice@x as root at 25:00: no", "is not a time"), ("alice@x as root from here: no", "is not an address"),
            ("alice@x as root with: no", "NAME=VALUE is missing"), ("alice@x as root with age=x: no", "is not a length of time"),
            ("alice@x as root with a:=[: no", "NAME:=JSON"), ("alice@x as root sometimes: no", "is none of"),
            ("\"alice@x as root: no", "a quote is not closed"), ("alice@x as root with uid=x: no", "is not a number"),
            ("zone Nowhere/Land", "no time zone"), ("now tomorrow", "is not a time"), ("issuer a b", "takes one word"),
            ("frobnicate x", "directives"),
        ])
    func faults(_ line: String, _ wanted: String) {
        let file = read("# first\n\n\(line)\n")
        #expect(file.expectations.isEmpty)
        #expect(file.faults.count == 1 && file.faults[0].line == 3 && file.faults[0].text.contains(wanted), "\(file.faults)")
    }

    @Test("every part of a line is read as it is meant")
    func grammar() throws {
        let file = read(
            """
            \u{FEFF}issuer https://one.example # the usual one
            alice@example.com as root: yes\r
            "alice b@example.com" as root:no # a comment
            sub '1234 #5' of https://two.example as ci at 23:00 from 10.1.2.3 with groups=dev,ops amr=hwk age=3h uid=7 : no
            zone Europe/Berlin
            now 2026-12-24T00:30
            alice@example.com as root at 23:00 : yes
            alice@example.com as root at 2026-12-24T18:00Z : yes
            alice@example.com as root with issuer=https://x.example client=c: yes
            """)
        try #require(file.faults == [] && file.expectations.count == 6, "\(file.faults)")
        let all = file.expectations
        #expect(all.map(\.line) == [2, 3, 4, 7, 8, 9] && all.map(\.isExpected) == [true, false, false, true, true, true])
        #expect(all[0].person.issuer == "https://one.example" && all[0].time == ExpectationTests.now && all[0].userID == 0)
        #expect(all[1].person.email == "alice b@example.com" && all[1].text == "\"alice b@example.com\" as root:no")
        #expect(all[2].person.subject == "1234 #5" && all[2].person.issuer == "https://two.example" && all[2].userID == 7)
        #expect(all[2].time == UnixTime(rfc3339: "2026-09-21T23:00Z") && all[2].address == NetworkAddress("10.1.2.3"))
        #expect(all[2].person.issuedAt == UnixTime(rfc3339: "2026-09-21T20:00Z"))
        #expect(all[3].time == UnixTime(rfc3339: "2026-12-24T22:00Z"), "23:00 in Berlin, of the day that it is there")
        #expect(all[4].time == UnixTime(rfc3339: "2026-12-24T18:00Z"))
        #expect(all[5].person.client == "c" && all[5].person.issuer == "https://x.example")
    }

    private func check(
        _ line: String, authID: String, config: String = "", revoked: String = "", providers: String = "https://one.example c 24h\n"
    ) throws
        -> ExpectationResult
    {
        let policy = try PolicyCheckout(
            providers: Array(providers.utf8), authID: Array(authID.utf8), config: Array(config.utf8), revoked: Array(revoked.utf8))
        let file = read(line)
        #expect(file.faults == [])
        return policy.check(try #require(file.expectations.first), at: ExpectationTests.now)
    }

    @Test(
        "policy answers, and why",
        arguments: [
            ("alice@example.com as root: yes", true, "line 1 of auth_id"),
            ("bob@example.com as root: no", false, "none names this identity"),
            ("alice@example.com as root with email_verified=false: no", false, "does not vouch"),
            ("alice@example.com as night at 23:00: yes", true, "line 2"),
            ("alice@example.com as night at 12:00: no", false, "holds only at"),
            ("x@y as deploy with groups=dev,release: yes", true, "line 3"),
            ("x@y as deploy with groups=release-not: no", false, "none names"),
            ("alice@example.com as old with age=2h: no", false, "younger than 1h"),
            ("alice@example.com as old with age=30m: yes", true, "line 4"),
            ("alice@example.com as near from 10.1.1.1: yes", true, "line 5"),
            ("alice@example.com as near from 192.0.2.1: no", false, "holds only from"),
            ("alice@example.com as alice with name=alice: yes", true, "line 6"),
            ("alice@example.com as alice with name=bob: no", false, "that is bob"),
            ("alice@example.com as alice with name=alice uid=999: no", false, "below 1000"),
            ("alice@example.com as fresh with auth_age=5h: no", false, "its conditions do not hold"),
            ("alice@example.com as fresh with auth_age=3h: yes", true, "line 7"),
            ("sub repo:a/b as ci: yes", true, "line 8"),
            ("alice@example.com as root of https://no.example: no", false, "no row of providers names"),
            ("mallory@example.com as root: no", false, "deny_emails"), ("gone@example.com as root: no", false, "revoked"),
        ])
    func answers(_ line: String, _ isAdmitted: Bool, _ why: String) throws {
        let rows = [
            "root alice@example.com", "night alice@example.com", "deploy oidc:groups:release", "old alice@example.com",
            "near alice@example.com",
            "* alice@example.com", "fresh alice@example.com", "ci repo:a/b",
        ]
        let options = [
            "", "hours=\"22:00-06:00\"", "", "max-age=\"1h\"", "from=\"10.0.0.0/8\"", "account-claim=\"name\"", "max-auth-age=\"4h\"", "",
        ]
        let authID = zip(rows, options).map { "\($0) https://one.example \($1)\n" }.joined()
        let result = try check(
            line, authID: authID, config: "deny_emails: [mallory@example.com]\n", revoked: "email:gone@example.com\n")
        #expect(result.isAdmitted == isAdmitted && result.why.contains(why), "\(result)")
        #expect(result.isMet, "as the line itself expects")
    }

    @Test("the example that is shipped holds for the samples that are shipped, and both ends of the status are told")
    func shipped() throws {
        let place = try Place()
        let samples = SharedData.packageRoot.appendingPathComponent("policy")
        for name in ["providers", "auth_id", "config.yml", "revoked"] {
            let text = try String(contentsOf: samples.appendingPathComponent(name), encoding: .utf8)
            try place.write(
                name,
                text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
                    line.hasPrefix("#") && line != "#" && !line.hasPrefix("# ") ? String(line.dropFirst()) : String(line)
                }.joined(separator: "\n"))
        }
        let file = samples.appendingPathComponent("expectations").path
        let run = try place.opk("test", file)
        #expect(run.status == 0 && run.output.contains(", 0 not met"), "\(run)")
        // A repository's files may be anybody's, and writable.
        chmod(place.config + "/auth_id", 0o666)
        let loose = try place.opk("test", file)
        #expect(loose.status == 0 && loose.errors.contains("opk: note: opk-verify would not use this file"), "\(loose)")
        let unmet = try place.opk("test", "-", input: "now 2026-11-24T10:00Z\nalice@example.com as root of google with groups=oncall: no\n")
        #expect(
            unmet.status == 1
                && unmet.output.contains("line 2: alice@example.com as root of google with groups=oncall: no\n    but it is yes: "),
            "\(unmet)")
        let json = try place.opk(
            "test", "-", "--json", input: "now 2026-11-24T10:00Z\nalice@example.com as root of google with groups=oncall: no\n")
        #expect(json.status == 1)
        let object = try JSON(parsing: Array(json.output.utf8))
        #expect(object["unmet"] == 1 && object["results"]?.array?.first?["met"] == false)
        #expect(try place.opk("test", "-", input: "nonsense\n").status == 2)
        #expect(try place.opk("test", "/nowhere").status == 2)
        try place.write("config.yml", "nonsense: 1\n")
        #expect(try place.opk("test", file).status == 2)
    }
}
