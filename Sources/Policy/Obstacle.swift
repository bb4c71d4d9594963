public import Vocabulary

/// Why one rule or row does not hold: a closed list, each with what was wanted and what is there. Ages and differences are in seconds.
public enum Obstacle: Hashable, Sendable {
    /// It names another identity.
    case identity
    /// It names this email, which the provider does not vouch for.
    case unverifiedEmail
    case expired(at: UnixTime, ago: Int64)
    case notStarted(at: UnixTime, away: Int64)
    case closed(WeeklyHours, at: UnixTime)
    case claim(name: Text, wanted: Text, has: [Text])
    /// None of the wanted methods is in `amr`.
    case methods(wanted: [Text], has: [Text])
    case contextClass(wanted: Text, has: Text?)
    /// Since the ID token was issued.
    case tooOld(Int64, maximum: TimeSpan)
    /// Since the person last authenticated; nil: the token does not say when that was, or says a time to come.
    case authenticatedTooLongAgo(Int64?, maximum: TimeSpan)
    /// The account is not the one that the claim names.
    case accountClaim(name: Text, has: Text?)
    /// A row with `account-claim` never admits to an account below 1000, to nobody (65534), or to one whose number is not known (nil).
    case systemAccount(UInt32?)
    case address(NetworkAddress, wanted: String)
    /// Two lists of addresses, both of which must hold, have nothing in common.
    case noCommonAddress
    /// Two lists of addresses, both of which sshd would have to check, cannot be written as one.
    case addressesNotCombinable
    case groups(wanted: [Text], has: [Text], unknown: String?)
    case emailNotVerified
    /// A rule of config.yml, at that line, does not hold, and this row is not excepted.
    case requirement(line: Int)

    /// Whether more claims about the same person could take it away.
    var isForUserinfo: Bool {
        switch self {
        case .unverifiedEmail, .claim, .accountClaim, .groups, .emailNotVerified: true
        default: false
        }
    }

    /// The lowest number that an account has which `account-claim` may name.
    static let firstPersonsID: UInt32 = 1000
    /// `nobody`, where it is on every Linux.
    static let nobodysID: UInt32 = 65_534
}

extension Obstacle: CustomStringConvertible {
    /// What is in the way, on one line and escaped: "expired 3 h ago (2026-11-21T12:00:00Z)".
    public var description: String {
        switch self {
        case .identity: "names another identity"
        case .unverifiedEmail: "names this email, and the provider does not vouch for it (email_verified)"
        case .expired(let time, let ago): "expired \(Obstacle.roughly(ago)) ago (\(time))"
        case .notStarted(let time, let away): "starts in \(Obstacle.roughly(away)) (\(time))"
        // Looked for only here: it is a walk through days.
        case .closed(let hours, let time): "holds only at \(hours)" + (hours.nextOpening(after: time).map { " (next at \($0))" } ?? "")
        case .claim(let name, let wanted, let has):
            "wants \(name.escaped(limit: 128)) \(wanted.escaped(limit: 128)); " + Obstacle.token(has: has, name.escaped(limit: 128))
        case .methods(let wanted, let has): "wants amr \(Obstacle.list(wanted, " or ")); " + Obstacle.token(has: has, "amr")
        case .contextClass(let wanted, let has):
            "wants acr \(wanted.escaped(limit: 128)); " + Obstacle.token(has: has.map { [$0] } ?? [], "acr")
        case .tooOld(let age, let maximum):
            "wants an ID token younger than \(maximum); this one is \(Obstacle.roughly(age)) old: log in again"
        case .authenticatedTooLongAgo(nil, let maximum):
            "wants an authentication less than \(maximum) ago; the token does not say when it was (auth_time)"
        case .authenticatedTooLongAgo(let age?, let maximum):
            "wants an authentication less than \(maximum) ago; the last was \(Obstacle.roughly(age)) ago"
        case .accountClaim(let name, let has):
            "admits to the account that \(name.escaped(limit: 128)) names; "
                + (has.map { "that is \($0.escaped(limit: 128))" } ?? "the token has no such text")
        case .systemAccount(nil): "has account-claim, and the account's number is not known"
        case .systemAccount(Obstacle.nobodysID): "has account-claim, which never admits to nobody (\(Obstacle.nobodysID))"
        case .systemAccount(let number?):
            "has account-claim, which never admits to an account below \(Obstacle.firstPersonsID) (this one is \(number))"
        case .address(let address, let wanted): "holds only from \(wanted); the client is \(address)"
        case .noCommonAddress: "and a requirement have no address in common (from)"
        case .addressesNotCombinable: "has host names or patterns in from, which cannot be combined with a requirement's addresses"
        case .groups(let wanted, let has, let unknown):
            "wants group \(Obstacle.list(wanted, " or ")); "
                + (unknown.map { "the groups are not known: \($0)" } ?? Obstacle.token(has: has, "groups"))
        case .emailNotVerified: "wants an email that the provider vouches for (email_verified)"
        case .requirement(let line): "is bound by the requirement in line \(line) of config.yml, which does not hold"
        }
    }

    private static func token(has values: [Text], _ name: String) -> String {
        values.isEmpty ? "the token has no \(name)" : "the token has \(name) \(list(values, ", "))"
    }

    /// The first eight.
    private static func list(_ values: [Text], _ separator: String) -> String {
        values.prefix(8).map { $0.escaped(limit: 64) }.joined(separator: separator) + (values.count > 8 ? " … (\(values.count))" : "")
    }

    /// "45 s", "12 min", "3 h", "5 days".
    static func roughly(_ seconds: Int64) -> String {
        switch max(0, seconds) {
        case ..<120: "\(max(0, seconds)) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }
}
