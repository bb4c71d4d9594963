import PKToken
import Policy
import SafeFiles
import Vocabulary

extension Auditor {
    private static let week: Int64 = 7 * 86_400
    private static let longKeyAge: Int64 = 30 * 86_400

    mutating func auditProviders() {
        guard let providers = policy.providers else { return }
        let file = places.providers
        for problem in providers.problems {
            found.add(.providerRow, file, line: problem.line, problem.text + ": nobody is admitted through this row")
        }
        if providers.rows.isEmpty {
            if FileFacts(places.configFolder) != nil { found.add(.providerNone, file, "no provider is trusted, so nobody may log in") }
            return
        }
        var clients: [[Text]: Int] = [:]
        for row in providers.rows {
            audit(row, file)
            if let first = clients[[row.issuer, row.clientID]] {
                found.add(
                    .providerTwice, file, line: row.line,
                    "line \(first) has this issuer and client id already, and of two such rows the first decides",
                    remedy: "take this line away")
            } else {
                clients[[row.issuer, row.clientID]] = row.line
            }
        }
        auditForOpkssh(providers, file)
    }

    private mutating func audit(_ row: ProviderRow, _ file: String) {
        switch row.expiry {
        case .never:
            found.add(
                .providerNever, file, line: row.line,
                "a login through this row never ends: only a row in revoked puts out who has lost a key",
                remedy: "write 24h in place of never")
        case .maximumAge(let seconds) where seconds > Auditor.week:
            found.add(
                .providerLong, file, line: row.line,
                "a login through this row lasts \(TimeSpan(seconds: seconds)), and a stolen key as long",
                remedy: "write 24h or 1week")
        default: break
        }
        if row.options.contains(.trustUnverifiedEmail) {
            found.add(
                .providerUnverifiedEmail, file, line: row.line,
                "rows that name emails admit whoever wrote that address into their account there, proved or not (trust-unverified-email)")
        }
        if row.issuer.hasPrefix("http://") {
            found.add(
                .providerHTTP, file, line: row.line, "this provider's keys come without TLS: whoever listens on that port can name anybody")
        }
        if let age = row.keys.maximumAge, age.seconds > Auditor.longKeyAge {
            found.add(
                .providerKeyAge, file, line: row.line,
                "keys of this provider are used for \(age), also one that it withdrew because it was stolen")
        }
        if let authorities = row.keys.authorities { audit(authorities: authorities.string, row, file) }
    }

    /// Read by whoever fetches keys, and nobody else may write it.
    private mutating func audit(authorities path: String, _ row: ProviderRow, _ file: String) {
        let remedy = "chown root \(shellWord(path)); chmod go-w,a+r \(shellWord(path))"
        guard let facts = FileFacts(path, following: true) else {
            found.add(.providerAuthority, file, line: row.line, "ca=: there is no \(Text(path)), so no keys can be fetched")
            return
        }
        guard facts.kind == .file else {
            found.add(.providerAuthority, file, line: row.line, "ca=: \(Text(path)) is no file, so no keys can be fetched")
            return
        }
        let reader = Account.named(places.fetcherUser) ?? verifierAccount
        if facts.owner != 0 && places.isSystems || facts.mode & 0o022 != 0 {
            found.add(
                .providerAuthority, file, line: row.line,
                "ca=: others than root can change \(Text(path)) (owner \(Text(Group.owner(facts.owner))), mode \(facts.octal)), and so say who is who",
                remedy: remedy)
        } else if places.looksAtMachine, let reader, facts.rights(of: reader) & 4 == 0 {
            found.add(
                .providerAuthority, file, line: row.line, "ca=: \(Text(reader.name)), who fetches keys, may not read \(Text(path))",
                remedy: remedy)
        }
    }

    /// Providers for which no row says who may come. Home files and plugins may.
    mutating func auditUnusedProviders(_ used: Set<Text>) {
        guard let providers = policy.providers, !policy.readsHomeFiles, FileFacts(places.pluginFolder) == nil else { return }
        for row in providers.rows where !used.contains(row.issuer) {
            found.add(.providerUnused, places.providers, line: row.line, "no row of auth_id names this issuer")
        }
    }
}
