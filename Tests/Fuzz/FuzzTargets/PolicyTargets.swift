import PKToken
import Policy
import SSHKeys
import Vocabulary

/// Reads the bytes as `auth_id`: what is found for one account and issuer is what is there for them.
@Sendable func authID(_ bytes: [UInt8]) {
    let all = AuthID(parsing: bytes)
    for row in all.rows.prefix(4) {
        must(!row.issuer.isEmpty, "a row without an issuer")
        guard case .named(let account) = row.account else {
            must(row.options.accountClaim != nil, "a row for every account")
            continue
        }
        must(Principal(account.text) == account, "an account that is no principal")
        let found = AuthID(parsing: bytes, for: account, of: row.issuer)
        let wanted = all.rows.filter { ($0.account == row.account || $0.account == .byClaim) && $0.issuer == row.issuer }
        must(found.rows == wanted, "a row lost or found in scanning")
        let line = [quoted(account.text.utf8), quoted(written(row.identity).utf8), quoted(row.issuer.utf8)].joined(separator: [0x20])
        let again = AuthID(parsing: Array(line)).rows
        must(
            again.count == 1 && again[0].account == row.account && again[0].identity == row.identity && again[0].issuer == row.issuer,
            "a row that is read differently once it is written")
    }
    for problem in all.problems { must(!problem.text.utf8.contains { $0 < 0x20 }, "a control character in a message") }
}

/// Reads the bytes as `providers`.
@Sendable func providers(_ bytes: [UInt8]) {
    let all = Providers(parsing: bytes)
    for row in all.rows {
        must(row.issuer.hasPrefix("https://") || row.issuer.hasPrefix("http://"), "an issuer that is no URL")
        must(!row.clientID.isEmpty && row.line > 0, "a row without a client id")
        guard let expiry = written(row.expiry) else { continue }
        let line = [quoted(row.issuer.utf8), quoted(row.clientID.utf8), Array(expiry.utf8)].joined(separator: [0x20])
        let again = Providers(parsing: Array(line)).rows
        must(
            again == [ProviderRow(issuer: row.issuer, clientID: row.clientID, expiry: row.expiry, options: row.options, line: 1)],
            "a row that is read differently once it is written")
    }
    for problem in all.problems { must(!problem.text.utf8.contains { $0 < 0x20 }, "a control character in a message") }
}

private func written(_ policy: ExpiryPolicy) -> String? {
    switch policy {
    case .oidc: return "oidc"
    case .oidcRefreshed: return "oidc-refreshed"
    case .never: return "never"
    case .maximumAge(let seconds):
        must(seconds > 0 && seconds <= 9_999_999 * 86_400, "an age out of range")
        return [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)].first { seconds.isMultiple(of: $0.1) && seconds / $0.1 <= 9_999_999 }
            .map { "\(seconds / $0.1)\($0.0)" }
    }
}

private func written(_ identity: Identity) -> Text {
    switch identity {
    case .subject(let text), .emailOrSubject(let text): return text
    case .claim(let name, let value): return Text("oidc:\"" + name.string + "\":" + value.string)
    case .emailDomain(let suffix): return Text("oidc-match-end:email:" + suffix.string)
    case .repository(let glob): return glob.pattern
    }
}

/// Between double quotes, as a shell writes it.
private func quoted(_ bytes: [UInt8]) -> [UInt8] {
    let escaped = Array("$`\"\\".utf8)
    return [0x22] + bytes.flatMap { escaped.contains($0) ? [0x5C, $0] : [$0] } + [0x22]
}
