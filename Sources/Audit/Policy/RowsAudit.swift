import Display
import PKToken
import Policy
import SSHKeys
import SafeFiles
import Vocabulary

extension Auditor {
    private static let month: Int64 = 30 * 86_400

    /// What a row is about, whatever its conditions.
    private struct Subject: Hashable {
        let account: AuthRow.AccountColumn
        let identity: Identity
        let issuer: Text
    }

    mutating func auditRows() {
        guard let authID = policy.authID else { return }
        let file = places.authID
        for problem in authID.problems {
            found.add(.rowBad, file, line: problem.line, problem.text + ": the row grants nothing", remedy: "opk edit")
        }
        if authID.problems.count == AuthID.maximumProblems {
            found.add(.rowBad, file, "there may be more such rows than these \(AuthID.maximumProblems)")
        }
        if authID.rows.isEmpty && authID.problems.isEmpty && FileFacts(places.configFolder) != nil {
            found.add(.rowNone, file, "no row says who may log in", remedy: "opk add ACCOUNT WHO ISSUER")
        }
        var seen: [AuthRowKey: Int] = [:]
        var bare: [Subject: Int] = [:]
        for row in authID.rows where row.options == RowOptions() {
            let subject = Subject(account: row.account, identity: row.identity, issuer: row.issuer)
            if bare[subject] == nil { bare[subject] = row.line }
        }
        for row in authID.rows {
            policy.note(row)
            audit(row, file, isHome: false)
            let key = AuthRowKey(row)
            if let first = seen[key] {
                found.add(.rowTwice, file, line: row.line, "line \(first) says the same", remedy: "take this line away")
            } else {
                seen[key] = row.line
                let subject = Subject(account: row.account, identity: row.identity, issuer: row.issuer)
                if row.options != RowOptions(), let other = bare[subject] {
                    found.add(
                        .rowVoid, file, line: row.line, "line \(other) admits the same person without any of these conditions and limits",
                        remedy: "take line \(other) away")
                }
            }
        }
        auditForOpkssh(authID, file)
        auditExceptions()
        auditUnusedProviders(Set(authID.rows.map(\.issuer)))
    }

    private struct AuthRowKey: Hashable {
        let subject: Subject
        let options: RowOptions

        init(_ row: AuthRow) {
            subject = Subject(account: row.account, identity: row.identity, issuer: row.issuer)
            options = row.options
        }
    }

    /// One good row, of auth_id or of a home file.
    mutating func audit(_ row: AuthRow, _ file: String, isHome: Bool) {
        auditIssuer(of: row, file, isHome: isHome)
        auditTimes(of: row, file)
        auditIdentity(of: row, file)
        auditDenied(row, file, isHome: isHome)
        auditAccount(of: row, file, isHome: isHome)
    }

    private mutating func auditIssuer(of row: AuthRow, _ file: String, isHome: Bool) {
        guard let providers = policy.providers else { return }
        if policy.index.issuers.contains(row.issuer) { return }
        let near = providers.rows.first { Auditor.looksAlike($0.issuer, row.issuer) }
        let hint = near.map { ", which has \($0.issuer.escaped(limit: 200))" } ?? ""
        found.add(
            isHome ? .homeRow : .rowIssuer, file, line: row.line,
            "no row of providers names its issuer, \(row.issuer.escaped(limit: 200))\(hint): the row grants nothing",
            remedy: near.map { "write \($0.issuer.escaped) here" } ?? "name it in \(places.providers), or take the row away")
    }

    /// Equal but for the scheme, the case of letters and a slash at the end.
    private static func looksAlike(_ one: Text, _ other: Text) -> Bool {
        func core(_ issuer: Text) -> [UInt8] {
            var bytes = issuer.lowercasedASCII.utf8[...]
            for scheme in ["https://", "http://"] where bytes.starts(with: scheme.utf8) { bytes = bytes.dropFirst(scheme.utf8.count) }
            while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
            return Array(bytes)
        }
        return core(one) == core(other)
    }

    private mutating func auditTimes(of row: AuthRow, _ file: String) {
        let options = row.options
        if let expires = options.expires, expires <= now {
            let isLong = now - expires > Auditor.month
            found.add(
                isLong ? .rowExpiredLong : .rowExpired, file, line: row.line,
                "expired \(RelativeTime.text(expires, from: now)) (\(expires))", remedy: "opk prune")
        }
        if let starts = options.starts, starts > now {
            found.add(.rowFuture, file, line: row.line, "starts \(RelativeTime.text(starts, from: now)) (\(starts))")
        }
        if let hours = options.hours, hours.nextOpening(after: max(now, options.starts ?? now)) == nil && !hours.contains(now) {
            found.add(.rowNeverOpen, file, line: row.line, "its hours (\(hours)) never come")
        }
        if options.isBreakGlass && options.expires == nil {
            found.add(
                .rowBreakGlass, file, line: row.line, "a way around requirements that never ends: break-glass without expires",
                remedy: "add expires=\"…\"")
        }
    }

    private mutating func auditDenied(_ row: AuthRow, _ file: String, isHome: Bool) {
        if let (list, what) = policy.index.denial(of: row) {
            found.add(isHome ? .homeIdle : .rowDenied, file, line: row.line, "\(list) has \(what): the row grants nothing")
        }
        if let line = policy.index.revocation(of: row) {
            found.add(
                isHome ? .homeIdle : .rowRevoked, file, line: row.line,
                "line \(line) of revoked puts out whom it names: the row grants nothing",
                remedy: "opk restore, or take the row away")
        }
    }

    private mutating func auditAccount(of row: AuthRow, _ file: String, isHome: Bool) {
        guard case .named(let name) = row.account else { return }
        if places.looksAtMachine && !isHome && account(name.text) == nil {
            found.add(.rowAccount, file, line: row.line, "there is no account \(name.text) on this machine")
        }
        if name.text == "root" && !isHome, let config = policy.config, !config.requirements.contains(where: { $0.applies(to: name) }),
            !row.options.hasConditions
        {
            found.add(
                .rowRoot, file, line: row.line,
                "nothing but the identity stands before root: no condition in the row, and no rule of require for root",
                remedy: "write a rule of require for root in \(places.config)")
        }
        guard let command = row.options.session.first(where: { $0.name == "command" })?.value?.string, places.looksAtMachine else { return }
        let program = String(command.prefix { $0 != " " && $0 != "\t" })
        guard program.hasPrefix("/"), !program.contains(where: { "\"'$`\\;&|<>()*?".contains($0) }) else { return }
        if let facts = FileFacts(program, following: true) {
            if facts.kind != .file {
                found.add(.rowCommand, file, line: row.line, "\(Text(program)), which is its command, is no program: a login ends at once")
            } else if facts.mode & 0o022 != 0 {
                // What a home file names is not for root to change.
                found.add(
                    .rowCommand, file, line: row.line,
                    "others than its owner can change its command, \(Text(program)) (mode \(facts.octal))",
                    remedy: isHome ? nil : "chmod go-w \(shellWord(program))")
            } else if !isHome, let holder = Auditor.holder(of: program, facts) {
                found.add(.rowCommand, file, line: row.line, "\(Text(program)), which is its command, can be changed by \(Text(holder))")
            }
        } else {
            found.add(.rowCommand, file, line: row.line, "there is no \(Text(program)), which is its command: a login ends at once")
        }
    }
}

extension Auditor {
    /// Who beside root owns the program or a folder on its way.
    private static func holder(of program: String, _ facts: FileFacts) -> String? {
        if facts.owner != 0 { return Group.owner(facts.owner) }
        for folder in foldersAbove(program) {
            guard let facts = FileFacts(folder, following: true) else { continue }
            if facts.owner != 0 { return Group.owner(facts.owner) }
            // Where the sticky bit is set nobody replaces what is root's.
            if facts.mode & 0o022 != 0 && facts.mode & 0o1000 == 0 { return "whoever may write in \(folder)" }
        }
        return nil
    }
}

extension RowOptions {
    /// Whether it asks for more than the identity.
    var hasConditions: Bool {
        hours != nil || !claims.isEmpty || !amr.isEmpty || acr != nil || maximumAge != nil || maximumAuthAge != nil || from != nil
            || expires != nil
    }
}
