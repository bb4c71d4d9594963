import JOSE
import PKToken
import Policy
import SSHKeys
import Vocabulary

/// The fewest changes of policy, or of the person's login, after which policy admits.
struct NearestChange {
    private let finding: PolicyFinding
    private let account: Principal
    private let config: ServerConfig
    private let now: UnixTime
    private let address: NetworkAddress?
    private let alias: (Text) -> String?
    private var person: Supposition { finding.person }

    /// How long a grant that was renewed would hold: a working day.
    private static let renewal: Int64 = 8 * 3600

    init(
        _ finding: PolicyFinding, _ account: Principal, _ config: ServerConfig, _ now: UnixTime, _ address: NetworkAddress?,
        _ alias: @escaping (Text) -> String?
    ) {
        self.finding = finding
        self.account = account
        self.config = config
        self.now = now
        self.address = address
        self.alias = alias
    }

    var changes: [Change] {
        let rows = finding.deliberation.rows
        let nearest = rows.filter(\.namesIdentity).min { cost($0) < cost($1) }
        let isExempt = nearest?.row.options.isBreakGlass == true
        let unmet = finding.deliberation.requirements.filter { !$0.holds && !(isExempt && $0.rule.exceptBreakGlass) }
        return denials + (nearest.map(changes(of:)) ?? newRow) + unmet.flatMap(changes(of:))
    }

    /// What has to be done by hand counts for more than waiting, and that for more than what the person can do.
    private func cost(_ finding: RowFinding) -> Int {
        finding.obstacles.reduce(0) { sum, obstacle in
            switch obstacle {
            case .requirement: sum
            case .tooOld, .authenticatedTooLongAgo, .methods, .contextClass, .address: sum + 2
            case .expired, .notStarted, .closed: sum + 3
            default: sum + 5
            }
        }
    }

    // Deny lists and revocations.
    private var denials: [Change] {
        var changes: [Change] = []
        if let name = config.denyUsers.first(where: { $0.equalsIgnoringASCIICase(account.text) }) {
            changes.append(.edit("config.yml", "take \(name) out of deny_users"))
        }
        for denial in finding.deliberation.denials where denial.code == .denied && !denial.text.hasPrefix("deny_users") {
            changes.append(.edit("config.yml", "\(denial.text), which has to go"))
        }
        for row in finding.revocations {
            let command = "sudo opk restore \(Words.quoted(row.what.word))"
            changes.append(
                Change(
                    text: "remove line \(row.line) of revoked: \(command)",
                    action: .removeLine(file: "revoked", line: row.line, command: command)))
        }
        for denial in finding.deliberation.denials where denial.code == .groupsUnknown {
            changes.append(.atProvider("have the provider put the groups into the token, since \(denial.text)"))
        }
        return changes
    }

    // One requirement.
    private func changes(of finding: RequirementFinding) -> [Change] {
        let line = finding.rule.line
        return finding.obstacles.map { obstacle in
            let rule = "the requirement in line \(line) of config.yml"
            switch obstacle {
            case .groups(let wanted, _, _):
                let exception =
                    finding.rule.exceptGroups.isEmpty ? "" : ", or one of \(Words.list(finding.rule.exceptGroups)), which it excepts"
                let name = person.row.groupsClaim ?? "groups"
                return .atProvider(
                    "add the person to the group \(wanted.map(\.escaped).joined(separator: " or ")) at the provider (claim \(name))\(exception), for \(rule)"
                )
            case .emailNotVerified: return .atProvider("have the provider verify the person's email (email_verified), for \(rule)")
            default: return common(obstacle, ", for \(rule)") ?? .edit("config.yml", line: line, "\(obstacle)")
            }
        }
    }

    /// What rows and requirements share.
    private func common(_ obstacle: Obstacle, _ tail: String = "") -> Change? {
        switch obstacle {
        case .closed(let hours, let time): return hours.nextOpening(after: time).map { .wait(until: $0) }
        case .notStarted(let time, _): return .wait(until: time)
        case .methods(let wanted, _):
            return .logIn("with \(wanted.map(\.escaped).joined(separator: " or ")) (the claim amr has to say so)\(tail)")
        case .contextClass(let wanted, _): return .logIn("so that the claim acr says \(wanted)\(tail)")
        case .tooOld(_, let maximum): return .logIn("the ID token must be younger than \(maximum)\(tail)")
        case .authenticatedTooLongAgo(_, let maximum):
            return .logIn("and sign in anew at the provider: the sign-in (auth_time) must be less than \(maximum) ago\(tail)")
        case .address(_, let wanted): return Change(text: "come from \(wanted)\(tail)", action: .comeFrom)
        default: return nil
        }
    }

    // The row that comes nearest.
    private func changes(of finding: RowFinding) -> [Change] {
        let file = finding.isHome ? "~\(account.description)/.opk/auth_id" : "auth_id"
        let line = finding.row.line
        var changes: [Change] = []
        var dropped: [String] = []
        var expires: UnixTime?
        for obstacle in finding.obstacles {
            switch obstacle {
            case .requirement: break
            case .identity, .unverifiedEmail, .accountClaim, .systemAccount: return newRow
            case .expired: expires = now + NearestChange.renewal
            case .closed(let hours, let time) where hours.nextOpening(after: time) == nil: dropped.append("hours")
            case .noCommonAddress, .addressesNotCombinable: dropped.append("from")
            case .claim(let name, let wanted, _):
                changes.append(
                    .atProvider("have the provider say \(name) \(wanted) of the person, or take claim=\"…\" out of line \(line) of \(file)")
                )
            default: changes.append(common(obstacle) ?? .edit(file, line: line, "\(obstacle)"))
            }
        }
        // A row that ends before it opens again is of no use by then.
        for change in changes {
            if case .wait(let time) = change.action, let end = finding.row.options.expires, time >= end {
                expires = time + NearestChange.renewal
            }
        }
        guard expires != nil || !dropped.isEmpty else { return changes }
        let row = RowText(finding.row, expires: expires, leavingOut: dropped).text
        return [
            Change(
                text: "write in line \(line) of \(file): \(row)", action: .replaceLine(file: file, line: line, row: row))
        ] + changes
    }

    // A new one.
    private var newRow: [Change] {
        for who in candidates {
            let row = RowText(account: account.description, identity: who, issuer: person.row.issuer).text
            guard admits(row) else { continue }
            let issuer = alias(person.row.issuer) ?? Words.quoted(person.row.issuer)
            let isLikeOption = who.hasPrefix("-")
            let command = "sudo opk add \(isLikeOption ? "-- " : "")\(Words.quoted(account.text)) \(Words.quoted(who)) \(issuer)"
            return [.addRow("auth_id", row, command: command)]
        }
        return [.edit("auth_id", "no row can name this identity: it has neither an email that counts nor a subject")]
    }

    /// By what the person could be named: the address, the subject, one of the groups.
    private var candidates: [Text] {
        var words: [Text] = []
        if let email = person.claims["email"]?.string, !email.isEmpty { words.append(email) }
        if !person.subject.isEmpty { words += [person.subject, Text("oidc:sub:" + person.subject.string)] }
        let name = person.row.groupsClaim ?? "groups"
        if let group = person.claims[name]?.array?.first?.string {
            words.append(
                Text(name.contains(UInt8(ascii: ":")) ? "oidc:\"\(name.string)\":\(group.string)" : "oidc:\(name.string):\(group.string)"))
        }
        return words
    }

    /// Whether this row, read back, would be in nobody's way but a requirement's.
    private func admits(_ row: String) -> Bool {
        // A line break would make two rows of it.
        guard !row.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return false }
        let authID = person.authID(for: account, parsing: Array(row.utf8))
        guard authID.rows.count == 1, authID.problems.isEmpty else { return false }
        let evidence = Evidence(clientAddress: address)
        let answer = authorize(supposing: person, as: account, at: now, authID: authID, config: config, evidence: evidence)
        return answer.rows.first?.obstacles.allSatisfy { if case .requirement = $0 { true } else { false } } == true
    }
}
