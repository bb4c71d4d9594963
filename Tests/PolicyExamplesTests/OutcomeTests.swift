import Foundation
import JOSE
import PKToken
import Policy
import SSHKeys
import Testing
import Vocabulary

/// A row that a document shows, a login, and what comes of it.
struct ShownOutcome: CustomStringConvertible, Sendable {
    /// Columns with one blank between.
    let row: String
    var account: String
    let claims: JSON
    var subject: Text = "sub-1"
    /// Monday noon, unless it says otherwise.
    var at: Text = "2026-11-23T12:00Z"
    var from: Text?
    var userID: UInt32 = 1000
    /// Nil: admitted.
    let refused: Refusal.Code?
    /// What the line for sshd says besides.
    var session: String = ""

    var description: String { "\(row) \(claims.pretty()) \(refused?.rawValue ?? "admitted")" }
}

@Suite struct OutcomeTests {
    static let outcomes: [ShownOutcome] = [
        ShownOutcome(row: alice, account: "root", claims: ["email": "Alice@Example.com"], refused: nil),
        ShownOutcome(row: alice, account: "deploy", claims: ["email": "alice@example.com"], refused: .noRowAdmits),
        ShownOutcome(
            row: alice, account: "root", claims: ["email": "alice@example.com", "email_verified": false], refused: .emailNotVerified),
        ShownOutcome(row: alice, account: "root", claims: ["email": "alice@example.org"], refused: .noRowAdmits),
        ShownOutcome(row: bySubject, account: "root", claims: [:], subject: "103030642802723203118", refused: nil),
        ShownOutcome(row: bySubject, account: "root", claims: [:], subject: "103030642802723203119", refused: .noRowAdmits),
        ShownOutcome(row: release, account: "deploy", claims: ["groups": ["dev", "release"]], refused: nil),
        ShownOutcome(row: release, account: "deploy", claims: ["groups": ["dev", "ops"]], refused: .noRowAdmits),
        ShownOutcome(row: release, account: "deploy", claims: ["groups": ["release"]], at: "2026-12-24T17:59:59Z", refused: nil),
        ShownOutcome(row: release, account: "deploy", claims: ["groups": ["release"]], at: "2026-12-24T18:00Z", refused: .conditionNotMet),
        ShownOutcome(row: roles, account: "dev", claims: ["https://acme.com/roles": ["dev"]], refused: nil),
        ShownOutcome(row: roles, account: "dev", claims: ["https": ["//acme.com/roles:dev"]], refused: .noRowAdmits),
        ShownOutcome(
            row: shell, account: "www", claims: ["email": "bob@example.com"], refused: nil,
            session: "restrict,pty,command=\"/usr/local/bin/www-shell\""),
        ShownOutcome(row: shell, account: "www", claims: ["email": "bob@sub.example.com"], refused: .noRowAdmits),
        ShownOutcome(row: shell, account: "www", claims: ["email": "bob@evil.org@example.com"], refused: .noRowAdmits),
        ShownOutcome(row: staff, account: "alice", claims: ["groups": ["staff"], "preferred_username": "alice"], refused: nil),
        ShownOutcome(row: staff, account: "bob", claims: ["groups": ["staff"], "preferred_username": "alice"], refused: .conditionNotMet),
        ShownOutcome(
            row: staff, account: "alice", claims: ["groups": "staff", "preferred_username": ["alice"]], refused: .conditionNotMet),
        ShownOutcome(
            row: staff, account: "root", claims: ["groups": ["staff"], "preferred_username": "root"], userID: 0, refused: .conditionNotMet),
        ShownOutcome(
            row: ownAccounts, account: "alice", claims: ["groups": ["staff"], "preferred_username": "alice", "amr": ["pwd"]],
            refused: .conditionNotMet),
        ShownOutcome(
            row: ownAccounts, account: "alice", claims: ["groups": ["staff"], "preferred_username": "alice", "amr": ["pwd", "fido"]],
            refused: nil),
        ShownOutcome(row: working, account: "ops", claims: ["groups": ["ops"]], from: "10.1.2.3", refused: nil, session: from),
        ShownOutcome(row: working, account: "ops", claims: ["groups": ["ops"]], from: "2001:db8::7", refused: nil, session: from),
        ShownOutcome(row: working, account: "ops", claims: ["groups": ["ops"]], from: "192.0.2.1", refused: .conditionNotMet),
        ShownOutcome(row: working, account: "ops", claims: ["groups": ["ops"]], refused: nil, session: from),
        // 17:00 and 07:00 UTC are 18:00 and 08:00 in Berlin's winter.
        ShownOutcome(
            row: working, account: "ops", claims: ["groups": ["ops"]], at: "2026-11-23T17:00Z", from: "10.1.2.3", refused: .conditionNotMet),
        ShownOutcome(
            row: working, account: "ops", claims: ["groups": ["ops"]], at: "2026-11-23T07:00Z", from: "10.1.2.3", refused: nil,
            session: from),
        ShownOutcome(
            row: working, account: "ops", claims: ["groups": ["ops"]], at: "2026-11-22T12:00Z", from: "10.1.2.3", refused: .conditionNotMet),
        ShownOutcome(row: branch, account: "ci", claims: [:], subject: "repo:acme/app:ref:refs/heads/main", refused: nil),
        ShownOutcome(row: branch, account: "ci", claims: [:], subject: "repo:acme/app:ref:refs/heads/a/b", refused: .noRowAdmits),
        ShownOutcome(row: branch, account: "ci", claims: [:], subject: "repo:acme/app2:ref:refs/heads/main", refused: .noRowAdmits),
        ShownOutcome(row: glass, account: "root", claims: ["email": "carol@example.com", "department": "operations"], refused: nil),
        ShownOutcome(row: glass, account: "root", claims: ["email": "carol@example.com"], refused: .conditionNotMet),
    ]

    static let alice = "root alice@example.com https://accounts.google.com"
    static let bySubject = "root 103030642802723203118 https://accounts.google.com"
    static let release = "deploy oidc:groups:release https://idp.example.com expires=\"2026-12-24T18:00Z\",reason=\"CHG-881\""
    static let roles = "dev 'oidc:\"https://acme.com/roles\":dev' https://idp.example.com"
    static let shell = "www oidc-match-end:email:@example.com https://idp.example.com restrict,pty,command=\"/usr/local/bin/www-shell\""
    static let staff = "* oidc:groups:staff https://idp.example.com account-claim=\"preferred_username\""
    static let ownAccounts = "* oidc:groups:staff https://idp.example.com account-claim=\"preferred_username\",amr=\"hwk|fido\""
    static let working =
        "ops oidc:groups:ops https://idp.example.com hours=\"mon-fri 08:00-18:00 Europe/Berlin\",from=\"10.0.0.0/8,2001:db8::/32\""
    static let branch = "ci repo:acme/app:ref:refs/heads/* https://token.actions.githubusercontent.com"
    static let glass =
        "root carol@example.com https://idp.example.com break-glass,claim=\"department:operations\",reason=\"emergency access\""
    private static let from = "from=\"10.0.0.0/8,2001:db8::/32\""

    @Test("what a shown row means is what it does", arguments: outcomes)
    func outcome(shown: ShownOutcome) throws {
        let deliberation = try deliberate([shown.row], shown)
        switch deliberation.verdict {
        case .admitted(let grants):
            #expect(shown.refused == nil && grants.count == 1)
            let options = grants.first.map { grant in
                (grant.from.map { ["from=\"\($0)\""] } ?? []) + grant.session.map(\.description)
            }
            #expect(options?.joined(separator: ",") == shown.session)
        case .refused(let refusal): #expect(refusal.code == shown.refused, "\(refusal)")
        case .needs(let kind): Issue.record("it asks for \(kind)")
        }
        #expect(deliberation.authorization == nil, "nobody was verified")
    }

    @Test(
        "no row of this table is one that no document shows",
        .enabled(if: Document.isSpecificationThere, "POLICY.md is not beside the checkout"))
    func shown() {
        let lines = Set(Document.all.flatMap { $0.blocks.flatMap(\.lines) }.map(OutcomeTests.normal))
        for row in Set(OutcomeTests.outcomes.map(\.row)) { #expect(lines.contains(row), "\(row)") }
    }

    @Test(
        "the specification's config.yml: who is bound, who is excepted, who is out",
        .enabled(if: Document.isSpecificationThere, "POLICY.md is not beside the checkout"),
        arguments: [
            Bound(
                account: "root", ["groups": ["production-access"], "amr": ["hwk"], "email": "a@example.com", "email_verified": true], nil),
            Bound(
                account: "root", ["groups": ["dev"], "amr": ["hwk"], "email": "a@example.com", "email_verified": true], .requirementNotMet),
            Bound(
                account: "root", ["groups": ["production-access"], "amr": ["pwd"], "email": "a@example.com", "email_verified": true],
                .requirementNotMet),
            Bound(account: "root", ["groups": ["oncall"], "email": "a@example.com", "email_verified": true], nil),
            Bound(account: "root", ["groups": ["oncall"]], .requirementNotMet),
            Bound(
                account: "root", ["groups": ["oncall", "Contractors-Ended"], "email": "a@example.com", "email_verified": true], .denied),
            Bound(account: "root", ["email": "a@example.com", "email_verified": true, "_claim_names": ["groups": "src1"]], .groupsUnknown),
            Bound(account: "dev", ["groups": ["dev"], "email": "a@example.com", "email_verified": true], nil),
            Bound(
                account: "dev", ["groups": ["dev"], "email": "a@example.com", "email_verified": true], .requirementNotMet, from: "192.0.2.1"
            ),
            Bound(account: "postgres", ["groups": ["dev"], "email": "a@example.com", "email_verified": true], .denied),
            Bound(account: "dev", ["email": "Mallory@example.com", "email_verified": true], .denied),
        ])
    func config(bound: Bound) throws {
        let document = try #require(Document.specification.first)
        let text = try #require(document.blocks.first { $0.kind == .config }).lines.joined(separator: "\n")
        let shown = ShownOutcome(row: "", account: bound.account, claims: bound.claims, from: bound.from, refused: bound.refused)
        let row = "\(bound.account) sub-1 https://idp.example.com"
        let verdict = try deliberate([row], shown, config: try ServerConfig(parsing: Array(text.utf8))).verdict
        if case .refused(let refusal) = verdict {
            #expect(refusal.code == bound.refused, "\(refusal)")
        } else {
            #expect(bound.refused == nil, "\(verdict)")
        }
    }

    struct Bound: CustomStringConvertible, Sendable {
        let account: String
        let claims: JSON
        let refused: Refusal.Code?
        let from: Text

        init(account: String, _ claims: JSON, _ refused: Refusal.Code?, from: Text = "10.1.2.3") {
            (self.account, self.claims, self.refused, self.from) = (account, claims, refused, from)
        }

        var description: String { "\(account) \(claims.pretty()) \(refused?.rawValue ?? "admitted")" }
    }

    @Test(
        "the specification's revoked: each row has whom it names out, and the last only until a new login",
        .enabled(if: Document.isSpecificationThere, "POLICY.md is not beside the checkout"))
    func revoked() throws {
        let document = try #require(Document.specification.first)
        let lines = try #require(document.blocks.first { $0.kind == .revoked }).lines.filter { !$0.contains("…") }
        let rows = try Revocations(parsing: Array(lines.joined(separator: "\n").utf8))
        func isOut(_ email: Text?, _ subject: Text, _ issuer: Text, _ issued: Text) throws -> Bool {
            let time = try #require(UnixTime(rfc3339: issued))
            return rows.revoking(
                RevocationSubject(emails: email.map { [$0] } ?? [], subject: subject, issuer: issuer, key: "", issuedAt: time)) != nil
        }
        #expect(try isOut("BOB@example.com", "1", "https://gitlab.com", "2026-11-23T12:00Z"))
        #expect(try isOut(nil, "103030642802723203118", "https://accounts.google.com", "2026-11-23T12:00Z"))
        #expect(try !isOut(nil, "103030642802723203118", "https://gitlab.com", "2026-11-23T12:00Z"))
        #expect(try isOut(nil, "1", "https://idp.example.com", "2026-11-21T11:59Z"))
        #expect(try !isOut(nil, "1", "https://idp.example.com", "2026-11-21T12:00Z"))
    }

    private func deliberate(_ rows: [String], _ shown: ShownOutcome, config: ServerConfig = ServerConfig()) throws -> Deliberation {
        let now = try #require(UnixTime(rfc3339: shown.at))
        let bytes = Array(rows.joined(separator: "\n").utf8)
        let issuer = try #require(AuthID(parsing: bytes).rows.first).issuer
        let person = Supposition(
            row: ProviderRow(issuer: issuer, clientID: "opk", expiry: .oidc), subject: shown.subject,
            claims: shown.claims.object ?? JSONObject(), issuedAt: now + -60)
        let account = try #require(Principal(Text(shown.account)))
        var evidence = Evidence()
        if let address = shown.from {
            let known: NetworkAddress = try #require(NetworkAddress(address))
            evidence.clientAddress = known
        }
        (evidence.home, evidence.plugins, evidence.userID) = (.absent, .none, .known(shown.userID))
        return authorize(
            supposing: person, as: account, at: now, authID: person.authID(for: account, parsing: bytes), config: config, evidence: evidence
        )
    }

    /// Columns with one blank between, without a comment behind.
    private static func normal(_ line: String) -> String {
        line.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }
}
