import PKToken
import Policy
import SSHKeys
import Vocabulary

/// What every row is compared with, ready to be looked up: there may be a million rows, and a hundred thousand who are out.
struct PolicyIndex {
    private(set) var issuers: Set<Text> = []
    private var groupsClaims: Set<Text> = ["groups"]
    private var denyUsers: Set<Text> = []
    private var denyEmails: Set<Text> = []
    private var denyGroups: Set<Text> = []
    private var outByEmail: [Text: Int] = [:]
    private var outBySubject: [[Text]: Int] = [:]
    private var outByIssuer: [Text: Int] = [:]

    init() {}

    init(_ policy: PolicyFacts) {
        for row in policy.providers?.rows ?? [] {
            issuers.insert(row.issuer)
            if let claim = row.groupsClaim { groupsClaims.insert(claim) }
        }
        if let config = policy.config {
            denyUsers = Set(config.denyUsers.map(\.lowercasedASCII))
            denyEmails = Set(config.denyEmails.map(\.lowercasedASCII))
            denyGroups = Set(config.denyGroups.map(\.lowercasedASCII))
        }
        // A row with a time puts out what was issued before, and not whom it names.
        for row in policy.revocations?.rows ?? [] where row.before == nil {
            switch row.what {
            case .email(let email): outByEmail[email.lowercasedASCII] = row.line
            case .subject(let subject, let issuer): outBySubject[[subject, issuer]] = row.line
            case .issuer(let issuer): outByIssuer[issuer] = row.line
            case .key: break
            }
        }
    }

    /// Which deny list has what this row names, and what that is.
    func denial(of row: AuthRow) -> (list: String, what: Text)? {
        if case .named(let account) = row.account, denyUsers.contains(account.text.lowercasedASCII) { return ("deny_users", account.text) }
        switch row.identity {
        case .emailOrSubject(let email) where denyEmails.contains(email.lowercasedASCII): return ("deny_emails", email)
        case .claim(let name, let group) where groupsClaims.contains(name) && denyGroups.contains(group.lowercasedASCII):
            return ("deny_groups", group)
        default: return nil
        }
    }

    /// The line of revoked by which whoever this row names is out.
    func revocation(of row: AuthRow) -> Int? {
        if let line = outByIssuer[row.issuer] { return line }
        return switch row.identity {
        case .emailOrSubject(let email): outByEmail[email.lowercasedASCII] ?? outBySubject[[email, row.issuer]]
        case .subject(let subject): outBySubject[[subject, row.issuer]]
        default: nil
        }
    }
}
