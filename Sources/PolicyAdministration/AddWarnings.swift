import PKToken
import Policy
import SSHKeys
import Vocabulary

/// Something about a row that is good and yet may not be what somebody wanted.
public struct PolicyWarning: Sendable, Equatable {
    /// One sentence without a full stop; everything foreign in it is escaped.
    public let text: String
    public let hint: String?
}

extension AddRow.Outcome {
    public func warnings(in place: PolicyPlace) -> [PolicyWarning] {
        var warnings: [PolicyWarning] = []
        if let warning = accountWarning(place) { warnings.append(warning) }
        if let warning = issuerWarning(place) { warnings.append(warning) }
        if let warning = identityWarning { warnings.append(warning) }
        warnings += denials(place)
        if !others.isEmpty {
            warnings.append(
                PolicyWarning(
                    text:
                        "the same identity has \(others.count == 1 ? "another row" : "\(others.count) other rows") for this account, and one "
                        + "that matches is enough: "
                        + others.prefix(8).map { $0.described(in: place.authID.path) }.joined(separator: "; "),
                    hint: "`opk add --replace …` puts a row in the place of those"))
        }
        return warnings
    }

    private func accountWarning(_ place: PolicyPlace) -> PolicyWarning? {
        guard case .named(let account) = meaning.account, place.isThisMachine, !PolicyPlace.knows(account.text) else { return nil }
        return PolicyWarning(text: "there is no account \(account) on this machine", hint: nil)
    }

    private func issuerWarning(_ place: PolicyPlace) -> PolicyWarning? {
        guard let providers = place.providers, !providers.rows.contains(where: { $0.issuer == meaning.issuer }) else { return nil }
        let text = "no row of providers names \(meaning.issuer.escaped(limit: 200)), so nobody is admitted by this row yet"
        let bare = AddRow.Outcome.withoutSlash(meaning.issuer)
        if let close = providers.rows.first(where: { AddRow.Outcome.withoutSlash($0.issuer) == bare }) {
            return PolicyWarning(text: text, hint: "providers names \(close.issuer.escaped(limit: 200)): a slash at the end counts")
        }
        let row = KnownIssuer.row(of: meaning.issuer) ?? "\(meaning.issuer.escaped(limit: 200)) CLIENT-ID 24h"
        return PolicyWarning(text: text, hint: "`opk edit providers`, and there: \(row)")
    }

    /// What takes away at once what the row gives.
    private func denials(_ place: PolicyPlace) -> [PolicyWarning] {
        guard case .system = place.kind else { return [] }
        var warnings: [PolicyWarning] = []
        if let config = place.config {
            if case .named(let account) = meaning.account, config.denyUsers.contains(where: { $0.equalsIgnoringASCIICase(account.text) }) {
                warnings.append(PolicyWarning(text: "deny_users of config.yml has \(account): nobody is admitted as that", hint: nil))
            }
            if case .emailOrSubject(let email) = meaning.identity, config.denyEmails.contains(where: { $0.equalsIgnoringASCIICase(email) })
            {
                warnings.append(PolicyWarning(text: "deny_emails of config.yml has \(email): this row admits nobody", hint: nil))
            }
        }
        for revocation in place.revocations?.rows ?? [] where revocation.before == nil {
            let isOut =
                switch (revocation.what, meaning.identity) {
                case (.email(let out), .emailOrSubject(let email)): out.equalsIgnoringASCIICase(email)
                case (.subject(let out, let issuer), .subject(let subject)): out == subject && issuer == meaning.issuer
                case (.issuer(let issuer), _): issuer == meaning.issuer
                default: false
                }
            if isOut {
                warnings.append(
                    PolicyWarning(
                        text: "line \(revocation.line) of revoked has \(revocation.what): this row admits nobody",
                        hint: "`opk restore --line \(revocation.line)`"))
            }
        }
        return warnings
    }

    private static func withoutSlash(_ issuer: Text) -> Text {
        issuer.hasSuffix("/") ? Text(validating: issuer.utf8.dropLast()) ?? issuer : issuer
    }

    /// Words that other commands and other people's files understand, and that here are only somebody's subject or address.
    private var identityWarning: PolicyWarning? {
        let word: Text
        switch meaning.identity {
        case .subject(let text), .emailOrSubject(let text): word = text
        default: return nil
        }
        for (prefix, form) in [
            ("email:", "the address alone"), ("sub:", "the subject alone"), ("groups:", "oidc:groups:NAME"), ("group:", "oidc:groups:NAME"),
        ] {
            guard word.lowercasedASCII.hasPrefix(Text(prefix)) else { continue }
            return PolicyWarning(
                text: "\(word.escaped(limit: 200)) is read as \(meaning.identity.inWords), \(prefix) included", hint: "write \(form)")
        }
        return nil
    }
}
