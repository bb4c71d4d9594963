import PKToken
import Policy
import SafeFiles
import Vocabulary

// Where opkssh reads the same files otherwise than we do (docs/migrating-from-opkssh.md): who changes from one to the other, or has both in a
// fleet, must not find it out by who gets in.

extension Auditor {
    mutating func auditForOpkssh(_ providers: Providers, _ file: String) {
        let withOptions = providers.rows.filter { $0.options != [] || $0.keys != KeyOptions() || $0.groupsClaim != nil }
        if !withOptions.isEmpty {
            found.add(
                .opksshProviders, file,
                "opkssh passes over rows with options, and so their providers: \(Auditor.lines(withOptions.map(\.line)))")
        }
        var (issuers, again): (Set<Text>, [Int]) = ([], [])
        for row in providers.rows where !issuers.insert(row.issuer).inserted { again.append(row.line) }
        if !again.isEmpty {
            found.add(.opksshProviders, file, "opkssh lets nobody in at all where an issuer has several rows: \(Auditor.lines(again))")
        }
    }

    mutating func auditForOpkssh(_ authID: AuthID, _ file: String) {
        let withOptions = authID.rows.filter { $0.options != RowOptions() }.map(\.line)
        if !withOptions.isEmpty {
            found.add(.opksshOptions, file, "opkssh passes over rows with options: \(Auditor.lines(withOptions))")
        }
        let emails = authID.rows.filter { row in
            switch row.identity {
            case .emailOrSubject, .emailDomain: row.options == RowOptions()
            default: false
            }
        }
        if !emails.isEmpty {
            found.add(
                .opksshEmail, file,
                "by rows that name emails opkssh also admits addresses that their provider calls unverified, and look-alike letters (U+212A for k): "
                    + Auditor.lines(emails.map(\.line)))
        }
        for row in authID.rows {
            guard case .claim(let name, let value) = row.identity, value.contains(UInt8(ascii: ":")) else { continue }
            let last = value.string.split(separator: ":").last.map(String.init) ?? ""
            found.add(
                .opksshClaim, file, line: row.line,
                "here the whole of \(value.escaped(limit: 100)) must be in \(name.escaped(limit: 100)); opkssh admits whoever has "
                    + Text(last).escaped(limit: 100))
        }
        auditBadRowsForOpkssh(authID, file)
        if let config = policy.config, !config.denyGroups.isEmpty || !config.requirements.isEmpty {
            found.add(
                .opksshConfig, places.config, "opkssh knows neither deny_groups nor require: a server with it admits whom they keep out")
        }
    }

    /// Rows that grant nothing here, and something there.
    private mutating func auditBadRowsForOpkssh(_ authID: AuthID, _ file: String) {
        // Of a token without an email, opkssh takes the email for empty.
        for problem in authID.problems where problem.text == "the identity is empty" {
            found.add(
                .opksshAdmits, file, line: problem.line, "opkssh admits everybody who has no email by this row", remedy: "take the row away"
            )
        }
        let bad = Set(authID.problems.map(\.line))
        guard !bad.isEmpty else { return }
        var lines: [(number: Int, bytes: [UInt8])] = []
        guard let source = try? SafeFile(file, trust: trust) else { return }
        _ = try? source.eachLine { line in if bad.contains(line.number) { lines.append((line.number, Array(line.bytes))) } }
        for (number, bytes) in lines {
            let cut = Array(bytes.prefix { $0 != UInt8(ascii: "#") })
            if cut.count < bytes.count, let row = AuthID(parsing: cut).rows.first {
                found.add(
                    .opksshComment, file, line: number,
                    "opkssh begins a comment at the # inside of the row, and admits \(row.identity) of \(row.issuer.escaped(limit: 200)) as "
                        + "\(row.account)", remedy: "put quotes around the column with the #, or a blank before it")
            }
            let text = String(decoding: cut, as: UTF8.self)
            guard let start = text.firstRange(of: "oidc-match-end:email:")?.upperBound else { continue }
            let suffix = text[start...].prefix { !" \t'\"".contains($0) }
            if !suffix.hasPrefix("@") {
                found.add(
                    .opksshAdmits, file, line: number,
                    suffix.isEmpty
                        ? "older versions of opkssh admit everybody by this row"
                        : "opkssh admits every address that ends in \(Text(String(suffix)).escaped(limit: 100)), also of domains that anybody can register",
                    remedy: "write oidc-match-end:email:@DOMAIN")
            }
        }
    }

    /// "line 3", "lines 3, 9, 12 and 40 more".
    static func lines(_ numbers: [Int]) -> String {
        let shown = numbers.prefix(20).map { "\($0)" }.joined(separator: ", ")
        let rest = numbers.count - 20
        return (numbers.count == 1 ? "line " : "lines ") + shown + (rest > 0 ? " and \(rest) more" : "")
    }

    /// Whether opkssh is here as well.
    mutating func auditOpkssh() {
        for path in places.opksshFiles where FileFacts(path) != nil {
            found.add(.opksshInstalled, path, "opkssh is still here", remedy: "take it away once everybody logs in with opk")
        }
    }
}
