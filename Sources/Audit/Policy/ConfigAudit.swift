import PKToken
import Policy
import Vocabulary

extension Auditor {
    mutating func auditConfig() {
        guard let config = policy.config, places.looksAtMachine else { return }
        for name in config.denyUsers where account(name) == nil {
            found.add(.denyNobody, places.config, "deny_users has \(name), and there is no such account")
        }
        for rule in config.requirements where !rule.accounts.contains("*") && rule.accounts.allSatisfy({ account($0) == nil }) {
            found.add(
                .requireNobody, places.config, line: rule.line,
                "this rule protects nobody: there is no account \(rule.accounts.map(\.escaped).joined(separator: ", "))")
        }
    }

    /// Whether a rule has an exception of which no row makes use.
    mutating func auditExceptions() {
        guard let config = policy.config, let authID = policy.authID else { return }
        for rule in config.requirements where rule.exceptBreakGlass {
            let isUsed = authID.rows.contains { row in
                guard row.options.isBreakGlass else { return false }
                guard case .named(let account) = row.account else { return true }
                return rule.applies(to: account)
            }
            if !isUsed {
                found.add(.requireGlass, places.config, line: rule.line, "no row is marked break-glass for the exception of this rule")
            }
        }
    }

    mutating func auditRevoked() {
        guard let revocations = policy.revocations, let providers = policy.providers else { return }
        let trusted = Set(providers.rows.map(\.issuer))
        for row in revocations.rows {
            let issuer: Text
            switch row.what {
            case .subject(_, let name): issuer = name
            case .issuer(let name): issuer = name
            case .email, .key: continue
            }
            if !trusted.contains(issuer) {
                found.add(
                    .revokedIssuer, places.revoked, line: row.line,
                    "no row of providers names \(issuer.escaped(limit: 200)), so nobody of it gets in anyway: look for a slip of the pen")
            }
        }
        if !revocations.rows.isEmpty {
            found.add(.opksshConfig, places.revoked, "opkssh does not read this file: a server with it admits whom it puts out")
        }
    }
}
