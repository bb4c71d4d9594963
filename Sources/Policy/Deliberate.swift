import PKToken
import SSHKeys
import Vocabulary

extension Login {
    mutating func deliberate(_ authID: AuthID, _ config: ServerConfig, _ evidence: Evidence) -> Deliberation {
        let denials = denials(config, evidence)
        var rules: [RequirementFinding] = []
        for rule in config.requirements where rule.applies(to: account) {
            rules.append(finding(rule, evidence.clientAddress, skew: config.skew))
        }
        var bench = Bench()
        for row in authID.rows { consider(row, isHome: false, rules, config, evidence, &bench) }
        if case .rows(let home) = evidence.home {
            for row in home.rows { consider(row, isHome: true, rules, config, evidence, &bench) }
        }
        let verdict = denials.isEmpty ? verdict(bench, rules, authID, evidence) : denied(denials, evidence)
        return Deliberation(verdict: verdict, denials: denials, requirements: rules, rows: bench.rows)
    }

    /// What the rows have come to so far.
    struct Bench {
        var rows: [RowFinding] = []
        var grants: [Grant] = []
        /// A row lacks nothing but the account's number.
        var needsUserID = false
    }

    private mutating func consider(
        _ row: AuthRow, isHome: Bool, _ rules: [RequirementFinding], _ config: ServerConfig, _ evidence: Evidence, _ bench: inout Bench
    ) {
        guard row.account.includes(account), row.issuer == self.row.issuer else { return }
        var obstacles = obstacles(of: row, evidence, skew: config.skew)
        if obstacles == [.systemAccount(nil)], case .notAsked = evidence.userID { bench.needsUserID = true }
        let binding = rules.filter { !($0.rule.exceptBreakGlass && row.options.isBreakGlass) && $0.exceptedBy == nil }
        for rule in binding where !rule.holds { obstacles.append(.requirement(line: rule.rule.line)) }
        var from = row.options.from
        for rule in binding {
            if let blocks = rule.from, let obstacle = Login.narrow(&from, to: blocks) { obstacles.append(obstacle) }
        }
        bench.rows.append(RowFinding(row: row, isHome: isHome, obstacles: obstacles))
        guard obstacles.isEmpty else { return }
        let isSure = row.options.from.map { own in evidence.clientAddress.map { own.admits($0) == true } ?? false } ?? true
        bench.grants.append(
            Grant(
                source: isHome ? .home(row.line) : .row(row.line), from: from, session: row.options.session, reason: row.options.reason,
                isBreakGlass: row.options.isBreakGlass, isConditional: !isSure))
    }

    /// Both lists as one, for sshd.
    private static func narrow(_ from: inout SourceList?, to blocks: [AddressBlock]) -> Obstacle? {
        guard let list = from else {
            from = SourceList(blocks: blocks)
            return nil
        }
        switch list.intersection(with: blocks) {
        case .list(let both):
            from = both
            return nil
        case .empty: return .noCommonAddress
        case .inexpressible: return .addressesNotCombinable
        }
    }

    private func verdict(_ bench: Bench, _ rules: [RequirementFinding], _ authID: AuthID, _ evidence: Evidence) -> Deliberation.Verdict {
        if bench.needsUserID { return .needs(.userID) }
        let mayAsk = hasAccessToken && isUserinfoOpen
        // A grant that sshd may turn down for the row's own `from` does not keep others from being looked for.
        let mayBeExcepted = mayAsk && rules.contains(where: \.isLeftToSSHDButForAGroup)
        let unmet = rules.filter { !$0.holds }
        let sure = bench.grants.filter { !$0.isConditional }
        if !sure.isEmpty {
            // Where sshd has to check what a rule says, userinfo is asked if it may know of an exception.
            let isOpen =
                mayBeExcepted
                || mayAsk
                    && (authID.othersAskForClaims && rules.contains { $0.from != nil && $0.rule.exceptBreakGlass }
                        || bench.rows.contains { $0.row.options.isBreakGlass && isForUserinfo($0, unmet, mayBeExcepted) })
            return isOpen && sure.allSatisfy { $0.from != nil } ? .needs(.userinfo) : .admitted(bench.grants)
        }
        // What a home file or a plugin says is bound by every rule, so where one cannot hold they are not asked.
        let canHold = unmet.allSatisfy { mayAsk && $0.isForUserinfo }
        if case .notAsked = evidence.home, canHold { return .needs(.home) }
        // One of the rows that were left out may be marked break-glass.
        let othersMayHold = unmet.allSatisfy { $0.isForUserinfo || $0.rule.exceptBreakGlass }
        if mayAsk, authID.othersAskForClaims && othersMayHold || bench.rows.contains(where: { isForUserinfo($0, unmet, mayBeExcepted) }) {
            return .needs(.userinfo)
        }
        switch evidence.plugins {
        case .notAsked where canHold: return .needs(.plugins)
        case .allowed(let name, _) where unmet.isEmpty:
            if let grant = pluginGrant(name, rules) { return .admitted(bench.grants + [grant]) }
        default: break
        }
        return bench.grants.isEmpty ? .refused(refusal(bench.rows, unmet, authID, evidence)) : .admitted(bench.grants)
    }

    private var isUserinfoOpen: Bool { if case .notAsked = userinfo { true } else { false } }

    /// Whether userinfo could take away everything that is in the row's way, or a limit of its grant.
    private func isForUserinfo(_ finding: RowFinding, _ unmet: [RequirementFinding], _ mayBeExcepted: Bool) -> Bool {
        (mayBeExcepted || !finding.obstacles.isEmpty)
            && finding.obstacles.allSatisfy { obstacle in
                switch obstacle {
                case .identity: finding.row.identity.asksForClaims
                case .requirement(let line): unmet.contains { $0.rule.line == line && $0.isForUserinfo }
                case .noCommonAddress, .addressesNotCombinable: mayBeExcepted
                default: obstacle.isForUserinfo
                }
            }
    }

    private func pluginGrant(_ name: String, _ rules: [RequirementFinding]) -> Grant? {
        var from: SourceList?
        for rule in rules where rule.exceptedBy == nil {
            if let blocks = rule.from, Login.narrow(&from, to: blocks) != nil { return nil }
        }
        return Grant(source: .plugin(name), from: from, session: [], reason: nil, isBreakGlass: false, isConditional: from != nil)
    }
}

extension RequirementFinding {
    /// Whether more claims could make it hold.
    var isForUserinfo: Bool { obstacles.allSatisfy(\.isForUserinfo) || !rule.exceptGroups.isEmpty }

    /// Whether sshd has to check from where the client comes, unless more claims say that the person is in a group that need not.
    var isLeftToSSHDButForAGroup: Bool { from != nil && exceptedBy == nil && !rule.exceptGroups.isEmpty }
}
