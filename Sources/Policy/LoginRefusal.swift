import PKToken
import SSHKeys
import Vocabulary

// Why nobody is admitted: deny lists first, then what comes nearest to admitting, for the administrator who wonders.

extension Login {
    /// Every list that names this login. Whether an email is verified does not matter here.
    func denials(_ config: ServerConfig, _ evidence: Evidence) -> [Denial] {
        var denials: [Denial] = []
        if config.denyUsers.contains(where: { $0.equalsIgnoringASCIICase(account.text) }) {
            let line = ServerConfig.DenyLines.line(of: account.text, in: config.denyUsers, config.denyLines.users)
            denials.append(Denial(code: .denied, text: "deny_users has account \(account.text)", line: line))
        }
        if !config.denyEmails.isEmpty, let address = CommonName.firstIgnoringCase(of: addresses, in: config.denyEmails) {
            let line = ServerConfig.DenyLines.line(of: address, in: config.denyEmails, config.denyLines.emails)
            denials.append(Denial(code: .denied, text: "deny_emails has \(address.escaped(limit: 256))", line: line))
        }
        if !config.denyGroups.isEmpty, let denial = denial(config.denyGroups, config.denyLines.groups) { denials.append(denial) }
        if !evidence.revocations.rows.isEmpty {
            let subject = RevocationSubject(
                emails: addresses, subject: token.subject, issuer: row.issuer, key: key, issuedAt: issuedAt)
            if let revocation = evidence.revocations.revoking(subject) {
                let before = revocation.before.map { ", for identities issued before \($0)" } ?? ""
                denials.append(
                    Denial(
                        code: .revoked, text: "line \(revocation.line) of revoked: \(revocation.what)\(before)", line: revocation.line))
            }
        }
        return denials
    }

    /// A list that is not known whole may have one of them.
    private func denial(_ names: [Text], _ lines: [Int]) -> Denial? {
        let groups = groups
        if let name = CommonName.firstIgnoringCase(of: names, in: groups.names) {
            let line = ServerConfig.DenyLines.line(of: name, in: names, lines)
            return Denial(code: .denied, text: "deny_groups has \(name.escaped(limit: 256))", line: line)
        }
        return groups.unknown.map {
            Denial(code: .groupsUnknown, text: "deny_groups cannot be held against it: \($0)", line: lines.first)
        }
    }

    /// Userinfo may say what the token leaves open; nothing undoes a list that names this login.
    func denied(_ denials: [Denial], _ evidence: Evidence) -> Deliberation.Verdict {
        if hasAccessToken, case .notAsked = userinfo, denials.allSatisfy({ $0.code == .groupsUnknown }) { return .needs(.userinfo) }
        let first = denials.first { $0.code != .groupsUnknown } ?? denials[0]
        return .refused(Refusal(first.code, first.text))
    }

    func refusal(_ rows: [RowFinding], _ unmet: [RequirementFinding], _ authID: AuthID, _ evidence: Evidence) -> Refusal {
        let named = rows.filter(\.namesIdentity)
        guard let nearest = named.min(by: { $0.obstacles.count < $1.obstacles.count }) else {
            let rule = unmet.first.map { "; besides, " + Login.words($0) } ?? ""
            return Refusal(.noRowAdmits, missing(authID, evidence) + rule)
        }
        let isBound = nearest.obstacles.allSatisfy { if case .requirement = $0 { true } else { false } }
        if isBound, let rule = unmet.first { return Refusal(.requirementNotMet, Login.words(rule) + Login.words(evidence)) }
        if nearest.obstacles == [.unverifiedEmail] {
            return Refusal(.emailNotVerified, "email \(shown(token.email?.address))" + Login.words(evidence))
        }
        let place = nearest.isHome ? "the home file, line \(nearest.row.line)" : "auth_id, line \(nearest.row.line)"
        let obstacles = nearest.obstacles.prefix(8).map(\.description).joined(separator: "; ")
        return Refusal(.conditionNotMet, "\(place): \(obstacles)" + Login.words(evidence))
    }

    private static func words(_ finding: RequirementFinding) -> String {
        "the requirement in line \(finding.rule.line) of config.yml \(finding.obstacles.map(\.description).joined(separator: "; it "))"
    }

    /// What happened to the other ways in.
    private static func words(_ evidence: Evidence) -> String {
        switch evidence.home {
        case .unusable(let why): "; the home file does not count: \(why)"
        default: ""
        }
    }

    private func missing(_ authID: AuthID, _ evidence: Evidence) -> String {
        let problem = (authID.problems.first.map { "; \($0) (so it grants nothing)" } ?? "") + Login.words(evidence)
        if authID.accountRows == 0 { return "auth_id has no row for account \(account.text)" + problem }
        let rows = "\(authID.accountRows) row\(authID.accountRows == 1 ? "" : "s") for account \(account.text), "
        if authID.issuerRows == 0 { return rows + "none of issuer \(row.issuer.escaped(limit: 256))" + problem }
        let who = "(email \(shown(token.email?.address)), sub \(shown(token.subject)))"
        let asked = if case .unavailable = userinfo { "; userinfo gave nothing" } else { "" }
        return rows + "\(authID.issuerRows) of this issuer, none names this identity \(who)" + asked + problem
    }

    private func shown(_ text: Text?) -> String {
        guard let text, !text.isEmpty else { return "absent" }
        return text.escaped(limit: 256)
    }
}
