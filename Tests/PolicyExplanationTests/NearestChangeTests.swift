import Foundation
import JOSE
import MintingKit
import PKToken
import Policy
import PolicyExplanation
import SSHKeys
import Testing
import Vocabulary

/// What is proposed is done, in a copy, and then the login is admitted.
@Suite("opk explain: the nearest change admits") struct NearestChangeTests {
    struct Case: Sendable, CustomStringConvertible {
        let about: String
        var authID = "root alice@example.com \(Place.issuer.string)\n"
        var config = ""
        var revoked = ""
        var claims: [String] = []
        var email: Text? = "alice@example.com"
        var subject: Text = "alice-1"
        var from: Text?
        /// What the person or the provider does about it, where policy cannot.
        var better: [String] = []
        var betterFrom: Text?
        let kinds: [String]
        var description: String { about }
    }

    static let issuer = Place.issuer.string

    static let cases: [Case] = [
        Case(about: "no row at all", authID: "", kinds: ["add-row"]),
        Case(
            about: "no row, and an email that is not verified: by the subject", authID: "", claims: ["email_verified=false"],
            kinds: ["add-row"]),
        Case(about: "a subject that looks like a claim", authID: "", email: nil, subject: "oidc:groups:x", kinds: ["add-row"]),
        Case(about: "a subject with blanks and quotes", authID: "", email: nil, subject: "a 'b\" c\\ #d", kinds: ["add-row"]),
        Case(about: "a row for the email that is not verified", claims: ["email_verified=false"], kinds: ["add-row"]),
        Case(
            about: "expired", authID: "root alice@example.com \(issuer) restrict,expires=\"2026-09-21T01:00Z\",reason=\"a \\\"b\\\"\"\n",
            kinds: ["replace-line"]),
        Case(about: "not begun", authID: "root alice@example.com \(issuer) starts=\"2026-09-22T01:00Z\"\n", kinds: ["wait"]),
        Case(about: "closed", authID: "root alice@example.com \(issuer) hours=\"sun 03:00-04:00 Europe/Berlin\"\n", kinds: ["wait"]),
        Case(
            about: "closed until after it ends",
            authID: "root alice@example.com \(issuer) expires=\"2026-09-22T01:00Z\",hours=\"sun 03:00-04:00 Europe/Berlin\"\n",
            kinds: ["replace-line", "wait"]),
        Case(
            about: "revoked twice", revoked: "email:alice@example.com\n# note\nissuer:\(issuer)\n", kinds: ["remove-line", "remove-line"]),
        Case(
            about: "account-claim of somebody else", authID: "* alice@example.com \(issuer) account-claim=\"name\"\n", claims: ["name=bob"],
            kinds: ["add-row"]),
        Case(
            about: "row and requirement have no address in common", authID: "root alice@example.com \(issuer) from=\"10.0.0.0/8\"\n",
            config: "require: [{accounts: [root], from: [192.0.2.0/24]}]\n", kinds: ["replace-line"]),
        Case(
            about: "a group that is required, and an expired row",
            authID: "root alice@example.com \(issuer) expires=\"2026-09-21T01:00Z\"\n",
            config: "require: [{accounts: [root], groups: [prod]}]\n", claims: ["groups=dev"], better: ["groups=prod"],
            kinds: ["replace-line", "at-provider"]),
        Case(about: "a method", authID: "root alice@example.com \(issuer) amr=\"hwk\"\n", better: ["amr=hwk"], kinds: ["log-in"]),
        Case(
            about: "a claim", authID: "root alice@example.com \(issuer) claim=\"dept:ops\"\n", better: ["dept=ops"], kinds: ["at-provider"]),
        Case(
            about: "an address", authID: "root alice@example.com \(issuer) from=\"10.0.0.0/8\"\n", from: "192.0.2.1",
            betterFrom: "10.1.1.1",
            kinds: ["come-from"]),
    ]

    @Test("each obstacle", arguments: cases)
    func nearest(_ one: Case) throws {
        let place = try Place()
        try place.write("auth_id", one.authID)
        try place.write("config.yml", one.config)
        try place.write("revoked", one.revoked)
        func person(_ words: [String]) throws -> Supposition {
            var person = SupposedPerson()
            (person.email, person.subject, person.issuer) = (one.email, one.subject, Place.issuer)
            for word in words { try person.add(claim: Text(word)) }
            return try person.supposition(in: try place.policy.providers(), at: Place.now)
        }
        let before = try place.explain(try person(one.claims), from: one.from)
        #expect(!before.isAdmitted)
        #expect(before.changes.map { $0.json["kind"]?.string?.string ?? "" } == one.kinds, "\(before.changes)")
        var now = Place.now
        // From the end on, so that lines keep their numbers.
        for change in before.changes.reversed() { now = try apply(change, in: place, now) }
        var after = try person(one.claims + one.better)
        if !one.better.isEmpty {
            after = try person(one.claims.filter { claim in !one.better.contains { $0.prefix(4) == claim.prefix(4) } } + one.better)
        }
        if now != Place.now { after.issuedAt = now }
        let answer = try place.explain(after, at: now, from: one.betterFrom ?? one.from)
        #expect(answer.isAdmitted, "\(before.changes): \(answer.textLines)")
    }

    private func apply(_ change: Change, in place: Place, _ now: UnixTime) throws -> UnixTime {
        switch change.action {
        case .addRow(let file, let row, let command):
            try place.write(file, try place.read(file) + row + "\n")
            #expect(command?.hasPrefix("sudo opk add root ") == true)
        case .replaceLine(let file, let line, let row):
            var lines = try place.read(file).components(separatedBy: "\n")
            lines[line - 1] = row
            try place.write(file, lines.joined(separator: "\n"))
        case .removeLine(let file, let line, _):
            var lines = try place.read(file).components(separatedBy: "\n")
            lines.remove(at: line - 1)
            try place.write(file, lines.joined(separator: "\n"))
        case .wait(let time): return time
        case .logIn, .atProvider, .comeFrom, .edit, .command: break
        }
        return now
    }

    @Test("A row that is written anew keeps every option but the one in the way")
    func keepsOptions() throws {
        let place = try Place()
        let options =
            "starts=\"2026-01-01T00:00Z\",hours=\"mon-sun 00:00-24:00\",claim=\"dept:ops\",amr=\"hwk|fido\",acr=\"high\",max-age=\"1h\",max-auth-age=\"4h\","
            + "break-glass,from=\"10.0.0.0/8\",restrict,pty,command=\"echo \\\"x\\\"\",environment=\"A=b\",reason=\"why, not\""
        try place.write("auth_id", "root alice@example.com \(Place.issuer.string) expires=\"2026-09-21T01:00Z\",\(options)\n")
        let person = try place.person(["dept=ops", "amr=hwk", "acr=high", "auth_time:=\(Place.now.seconds)"])
        let before = try place.explain(person)
        guard case .replaceLine(_, _, let row)? = before.changes.first?.action else {
            Issue.record("\(before.changes)")
            return
        }
        let parsed = AuthID(parsing: Array(row.utf8))
        let old = AuthID(parsing: Array(try place.read("auth_id").utf8))
        let (new, was) = (try #require(parsed.rows.first).options, try #require(old.rows.first).options)
        #expect(new.expires == Place.now + (8 * 3600 - Place.now.seconds % 60))
        #expect(new.session == was.session && new.from == was.from && new.claims == was.claims && new.amr == was.amr && new.acr == was.acr)
        #expect(new.hours == was.hours && new.starts == was.starts && new.reason == was.reason && new.isBreakGlass)
        #expect(new.maximumAge == was.maximumAge && new.maximumAuthAge == was.maximumAuthAge)
    }

    @Test("A provider's row that is proposed lets the certificate get as far as policy")
    func providerRow() throws {
        let place = try Place()
        try place.write("providers", "")
        try place.write("auth_id", "root alice@example.com \(Place.issuer.string)\n")
        let login = try MintedLogin()
        try place.keep(login.keys)
        let before = try place.explain(login)
        guard case .addRow("providers", let row, _)? = before.changes.first?.action else {
            Issue.record("\(before.changes)")
            return
        }
        try place.write("providers", row + "\n")
        #expect(try place.explain(login).isAdmitted)
    }
}
