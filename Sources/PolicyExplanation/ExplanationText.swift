import Display
import JOSE
import PKToken
import Policy
import Vocabulary

// For a person. What comes from a certificate, a token or a file is escaped where it is put in.

extension Explanation {
    /// Rows that are shown one by one.
    static let shownRows = 200

    /// Lines without line breaks.
    public var textLines: [String] {
        var lines = ["Account \(escaped(account, limit: 128)), at \(time)" + (address.map { ", from \($0)" } ?? "")]
        if !steps.isEmpty { lines += ["", "Certificate"] + steps.filter { $0.step != .answer }.map(line) }
        if let configurationFault { lines += ["", "A file cannot be used, so nobody is admitted: \(configurationFault)"] }
        if let policy { lines += [""] + policy.textLines(now: time) }
        if let answer = steps.first(where: { $0.step == .answer }) { lines += ["", "Answer", line(answer)] }
        if !self.lines.isEmpty {
            lines += [
                "", subject == .certificate ? "What sshd is told" : "What sshd would be told (for a certificate without --principals)",
            ]
            lines += self.lines.map { "  " + Text($0).escapedOnce(limit: .max) }
        }
        lines += ["", "Verdict: " + verdictText]
        if !changes.isEmpty {
            let caution = isHearsay ? " (nobody has vouched for this person here: what is above is the token's own word)" : ""
            lines.append((changes.count == 1 ? "To admit" : "To admit, all of these") + caution + ":")
            lines += changes.map { "  " + Text($0.text).escapedOnce(limit: 2000) }
        }
        return lines
    }

    /// One line, escaped.
    public var verdictText: String {
        switch verdict {
        case .notOurs: "this is no OpenPubkey certificate, so it is another key's business: opk-verify answers nothing"
        case .admitted: (subject == .certificate ? "" : "would be ") + "admitted"
        case .refused(let refusal):
            "\(subject == .certificate ? "" : "would be ")refused, step \(refusal.step.rawValue), \(refusal.code.rawValue): \(refusal)"
                + (isOpen ? "; but not everything was asked that opk-verify would ask, see above" : "")
        }
    }

    private func line(_ step: Step) -> String {
        Explanation.row(step.state.mark, "\(step.step.rawValue) \(step.step.title)", step.text)
    }

    /// A mark, what it is about, and what there is to say.
    static func row(_ mark: String, _ name: String, _ text: String) -> String {
        let head = "  " + mark + String(repeating: " ", count: max(1, 10 - mark.count)) + name
        return head + String(repeating: " ", count: max(1, 34 - head.count)) + text
    }
}

extension Explanation.State {
    var mark: String {
        switch self {
        case .holds: "ok"
        case .fails: "NOT"
        case .supposed: "supposed"
        case .notReached: "-"
        }
    }
}

extension PolicyFinding {
    func textLines(now: UnixTime) -> [String] {
        let supposed = isSupposed ? " (supposing that this person comes with a certificate that holds)" : ""
        var lines = ["Policy" + supposed, "  " + personText(now)]
        lines += deliberation.denials.map { Explanation.row("NOT", "denied", $0.text) }
        if deliberation.denials.isEmpty { lines.append(Explanation.row("ok", "deny lists, revoked", "none names this login")) }
        for finding in deliberation.requirements {
            let mark = finding.holds ? "ok" : "NOT"
            lines.append(Explanation.row(mark, "requirement, line \(finding.rule.line)", PolicyFinding.text(finding)))
        }
        let shown = deliberation.rows.filter(\.namesIdentity) + deliberation.rows.filter { !$0.namesIdentity }
        for finding in shown.prefix(Explanation.shownRows) { lines.append(PolicyFinding.line(finding)) }
        for row in otherRows.prefix(max(0, Explanation.shownRows - shown.count)) {
            lines.append(Explanation.row("no", "auth_id, line \(row.line)", "\(row.identity): is of another issuer, \(row.issuer)"))
        }
        let leftOut = shown.count + otherRows.count - Explanation.shownRows
        if leftOut > 0 { lines.append(Explanation.row("no", "auth_id", "and \(leftOut) rows more")) }
        if shown.isEmpty && otherRows.isEmpty { lines.append(Explanation.row("no", "auth_id", "there is no row for this account")) }
        lines += problems.prefix(20).map { Explanation.row("bad", "auth_id, line \($0.line)", "\($0.text) (so it grants nothing)") }
        lines.append(homeLine)
        lines += homeProblems.prefix(20).map { Explanation.row("bad", "home file, line \($0.line)", "\($0.text) (so it grants nothing)") }
        if lacksUserinfo {
            lines.append(Explanation.row("?", "userinfo", "not asked (--fetch asks it); opk-verify asks, since nothing else admits"))
        }
        if let line = pluginLine { lines.append(line) }
        lines += pluginNotes.prefix(20).map { Explanation.row("", "", $0) }
        return lines
    }

    private func personText(_ now: UnixTime) -> String {
        var parts: [String] = []
        if let email = person.claims["email"]?.string { parts.append(email.escaped(limit: 200)) }
        if !person.subject.isEmpty { parts.append("sub \(person.subject.escaped(limit: 200))") }
        parts.append("of \(person.row.issuer.escaped(limit: 200))")
        let name = person.row.groupsClaim ?? "groups"
        if let groups = person.claims[name]?.array?.compactMap(\.string), !groups.isEmpty { parts.append("\(name) \(Words.list(groups))") }
        parts.append("issued \(Words.when(person.issuedAt, now))")
        return parts.joined(separator: ", ")
    }

    private static func text(_ finding: RequirementFinding) -> String {
        let obstacles = finding.obstacles.map(\.description).joined(separator: "; ")
        if let group = finding.exceptedBy {
            return "excepted by group \(group.escaped(limit: 128))" + (obstacles.isEmpty ? "" : " (else: \(obstacles))")
        }
        let from = finding.from.map { "sshd is told to check from \($0.map(\.description).joined(separator: ", "))" }
        return obstacles.isEmpty ? from ?? "holds" : obstacles
    }

    private static func line(_ finding: RowFinding) -> String {
        let place = (finding.isHome ? "home file" : "auth_id") + ", line \(finding.row.line)"
        let who = "\(finding.row.account.description == "*" ? "* " : "")\(finding.row.identity)"
        let glass = finding.row.options.isBreakGlass ? ", break-glass" : ""
        if finding.obstacles.isEmpty { return Explanation.row("ok", place, "\(who)\(glass): admits") }
        return Explanation.row(
            finding.namesIdentity ? "NOT" : "no", place,
            "\(who)\(glass): \(finding.obstacles.map(\.description).joined(separator: "; "))")
    }

    private var homeLine: String {
        switch home {
        case .notAsked: Explanation.row("-", "home file", "not looked at: what is above decides")
        case .off: Explanation.row("-", "home file", "home_policy is false in config.yml")
        case .absent: Explanation.row("-", "home file", "there is none")
        case .read: Explanation.row("-", "home file", "read; its rows are above")
        case .unusable(let why): Explanation.row("bad", "home file", why)
        case .unread(let why): Explanation.row("?", "home file", why)
        }
    }

    private var pluginLine: String? {
        func names(_ list: [String]) -> String { list.prefix(16).map { Text($0).escaped(limit: 128) }.joined(separator: ", ") }
        switch plugins {
        case .none: return nil
        case .notAsked(let list): return Explanation.row("-", "plugins", "not asked: what is above decides (\(names(list)))")
        case .notRun(let list): return Explanation.row("?", "plugins", "not run (--run-plugins as root runs them): \(names(list))")
        case .ran(let list):
            if case .admitted(let grants) = deliberation.verdict,
                grants.contains(where: { if case .plugin = $0.source { true } else { false } })
            {
                return Explanation.row("ok", "plugins", "one of them admits (\(names(list)))")
            }
            return Explanation.row("no", "plugins", "none of them admits (\(names(list)))")
        }
    }
}
