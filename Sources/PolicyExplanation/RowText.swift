import Policy
import Vocabulary

/// A row of `auth_id` as it would be written, with some of its conditions changed.
struct RowText {
    var account: String
    var identity: Text
    var issuer: Text
    var options: [String]

    init(account: String, identity: Text, issuer: Text, options: [String] = []) {
        (self.account, self.identity, self.issuer, self.options) = (account, identity, issuer, options)
    }

    /// The same row.
    ///
    /// - Parameters:
    ///   - expires: in the place of its own end.
    ///   - leavingOut: names of options.
    init(_ row: AuthRow, expires: UnixTime? = nil, leavingOut: [String] = []) {
        account = "\(row.account)"
        identity = RowText.word(row.identity)
        issuer = row.issuer
        let from = row.options
        var options: [String] = []
        func add(_ name: String, _ value: String?) {
            guard let value, !leavingOut.contains(name) else { return }
            options.append(name + "=\"" + value.replacing("\"", with: "\\\"") + "\"")
        }
        add("expires", expires.map(Words.minute) ?? from.expires.map { "\($0)" })
        add("starts", from.starts.map { "\($0)" })
        add("hours", from.hours.map { "\($0)" })
        for claim in from.claims {
            if case .claim(let name, let value) = claim { add("claim", RowText.claim(name, value)) }
        }
        add("amr", from.amr.isEmpty ? nil : from.amr.map(\.string).joined(separator: "|"))
        add("acr", from.acr?.string)
        add("max-age", from.maximumAge.map { "\($0)" })
        add("max-auth-age", from.maximumAuthAge.map { "\($0)" })
        add("account-claim", from.accountClaim?.string)
        if from.isBreakGlass { options.append("break-glass") }
        add("from", from.from.map { "\($0)" })
        for option in from.session { options.append("\(option)") }
        add("reason", from.reason?.string)
        self.options = options
    }

    var text: String {
        let columns = "\(account)  \(Words.quoted(identity))  \(Words.quoted(issuer))"
        return options.isEmpty ? columns : columns + "  " + options.joined(separator: ",")
    }

    /// As the second column has it, before anything is quoted.
    private static func word(_ identity: Identity) -> Text {
        switch identity {
        case .subject(let text), .emailOrSubject(let text): text
        case .claim(let name, let value): Text("oidc:" + claim(name, value))
        case .emailDomain(let suffix): Text("oidc-match-end:email:" + suffix.string)
        case .repository(let glob): glob.pattern
        }
    }

    private static func claim(_ name: Text, _ value: Text) -> String {
        name.contains(UInt8(ascii: ":")) ? "\"\(name.string)\":\(value.string)" : "\(name.string):\(value.string)"
    }
}
