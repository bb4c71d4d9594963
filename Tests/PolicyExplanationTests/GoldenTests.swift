import Display
import Foundation
import JOSE
import MintingKit
import PolicyExplanation
import TestSupport
import Testing
import Vocabulary

/// What a person reads, whole. `OPK_GOLDEN=write` writes the files anew.
@Suite("opk explain: what is shown") struct GoldenTests {
    static let folder = SharedData.packageRoot.appendingPathComponent("Tests/PolicyExplanationTests/golden")

    struct Case: Sendable, CustomStringConvertible {
        let name: String
        var authID = "root alice@example.com \(Place.issuer.string)\n"
        var config = ""
        var revoked = ""
        var claims: [String] = []
        var account = "root"
        var from: Text?
        var description: String { name }
    }

    static let cases: [Case] = [
        Case(name: "admitted"),
        Case(
            name: "no-row",
            authID: "root bob@example.com \(Place.issuer.string)\nroot alice@example.com https://other.example\nroot x y z\n"),
        Case(
            name: "expired",
            authID: "root alice@example.com \(Place.issuer.string) expires=\"2026-09-21T11:00Z\",restrict,command=\"/bin/true\"\n"),
        Case(name: "not-started", authID: "root alice@example.com \(Place.issuer.string) starts=\"2026-09-22T11:00Z\"\n"),
        Case(name: "hours", authID: "root alice@example.com \(Place.issuer.string) hours=\"sat,sun 08:00-18:00 Europe/Berlin\"\n"),
        Case(
            name: "conditions",
            authID:
                "root alice@example.com \(Place.issuer.string) claim=\"dept:ops\",amr=\"hwk|fido\",acr=\"high\",max-age=\"1h\",max-auth-age=\"4h\",from=\"10.0.0.0/8\"\n",
            claims: ["dept=hr", "amr=pwd"], from: "192.0.2.7"),
        Case(
            name: "requirement",
            config:
                "require:\n  - {accounts: [root], groups: [production-access], except_groups: [oncall]}\n  - {accounts: [\"*\"], verified_email: true}\n",
            claims: ["groups=dev,ops", "email_verified=false"]),
        Case(name: "excepted", config: "require: [{accounts: [root], amr: [hwk], except_groups: [oncall]}]\n", claims: ["groups=oncall"]),
        Case(
            name: "denied", config: "deny_users: [root]\ndeny_emails: [ALICE@example.com]\ndeny_groups: [ended]\n", claims: ["groups=ended"]
        ),
        Case(name: "revoked", revoked: "email:alice@example.com\nsub:alice-1@\(Place.issuer.string)\n"),
        Case(name: "account-claim", authID: "* alice@example.com \(Place.issuer.string) account-claim=\"name\"\n", claims: ["name=alice"]),
        Case(name: "broken-config", config: "nonsense: 1\n"),
    ]

    @Test("for somebody who is supposed", arguments: cases)
    func supposition(_ one: Case) throws {
        let place = try Place()
        try place.write("auth_id", one.authID)
        try place.write("config.yml", one.config)
        try place.write("revoked", one.revoked)
        let explanation = try place.explain(try place.person(one.claims), as: one.account, from: one.from)
        try compare(explanation, one.name, place)
    }

    @Test("for a certificate that is admitted, one that has ended, and one that is forged")
    func certificates() throws {
        let place = try Place()
        try place.write("auth_id", "root alice@example.com \(Place.issuer.string)\n")
        let login = try MintedLogin()
        try place.keep(login.keys)
        try compare(try place.explain(login), "certificate-admitted", place)
        try compare(try place.explain(login, at: Place.now + 3 * 86_400), "certificate-ended", place)
        try compare(try place.explain(login.with { $0.providerKey = TestKeys.otherP256 }), "certificate-forged", place)
        try compare(try place.explain(login.with { $0.claims["iss"] = "https://stranger.example" }), "certificate-stranger", place)
        try compare(
            try place.explain(login.with { $0.rewriteCertificate = { $0.principals = [Array("guest".utf8)] } }), "certificate-for-others",
            place)
    }

    private func compare(_ explanation: Explanation, _ name: String, _ place: Place) throws {
        let text = explanation.textLines.joined(separator: "\n") + "\n"
        let plain = text.replacing(place.folder, with: "FOLDER").replacing(/SHA256:[A-Za-z0-9+\/]{43}/, with: "SHA256:KEY")
            .replacing(/AAAA[A-Za-z0-9+\/=]{8,}…/, with: "AAAA…")
        let file = GoldenTests.folder.appendingPathComponent(name + ".txt")
        if ProcessInfo.processInfo.environment["OPK_GOLDEN"] == "write" { try plain.write(to: file, atomically: true, encoding: .utf8) }
        let wanted = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        #expect(plain == wanted, "\(name)")
        // For scripts, too, and with names that stay.
        let json = try JSON(parsing: Array(explanation.json.pretty().utf8))
        #expect(json["verdict"]?["result"]?.string == (explanation.isAdmitted ? "admitted" : "refused"), "\(name)")
        #expect(
            json.object?.members.map(\.name) == ["account", "at", "from", "subject", "verdict", "steps", "policy", "lines", "changes"],
            "\(name)")
        if let policy = json["policy"]?.object {
            #expect(
                policy.members.map(\.name) == [
                    "supposed", "issuer", "sub", "email", "issued_at", "denials", "requirements", "rows", "rows_left_out", "problems",
                    "home",
                    "plugins", "userinfo",
                ], "\(name)")
        }
        for change in json["changes"]?.array ?? [] {
            let kinds = ["add-row", "replace-line", "remove-line", "edit", "wait", "log-in", "at-provider", "come-from", "command"]
            #expect(kinds.contains(change["kind"]?.string?.string ?? ""))
        }
    }
}
