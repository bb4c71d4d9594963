public import Vocabulary

/// The fourth column of a row of `auth_id`: conditions that have to hold, and what sshd is told (POLICY.md, "auth_id"). A row with an option that is
/// not known, is there twice or cannot be read grants nothing.
public struct RowOptions: Hashable, Sendable {
    /// From this moment on the row admits nobody.
    public private(set) var expires: UnixTime?
    /// Before this moment it admits nobody.
    public private(set) var starts: UnixTime?
    public private(set) var hours: WeeklyHours?
    /// `claim="CLAIM:VALUE"`, all of which must hold; matched as an identity `oidc:CLAIM:VALUE` is.
    public private(set) var claims: [Identity] = []
    /// One of these methods must be in the claim `amr`; none: not asked for.
    public private(set) var amr: [Text] = []
    public private(set) var acr: Text?
    /// Since `iat`.
    public private(set) var maximumAge: TimeSpan?
    /// Since `auth_time`.
    public private(set) var maximumAuthAge: TimeSpan?
    /// The claim that must be the account's name.
    public private(set) var accountClaim: Text?
    /// For the log.
    public private(set) var reason: Text?
    /// Requirements that have break-glass as their exception do not bind this row.
    public private(set) var isBreakGlass = false
    /// sshd's `from=`, which is also checked here where the client's address is known.
    public private(set) var from: SourceList?
    /// sshd's other options, in the row's order.
    public private(set) var session: [SessionOption] = []

    /// A row without a fourth column.
    public init() {}

    init(_ column: Text, isHome: Bool) throws(RowFault) {
        if column.isEmpty { return }
        let list = try OptionList(column).options
        for (index, option) in list.enumerated() {
            if !RowOptions.repeatable.contains(option.name), list[..<index].contains(where: { $0.name == option.name }) {
                throw RowFault("the option \(option.name) is there twice")
            }
            try take(option)
        }
        if let starts, let expires, starts >= expires { throw RowFault("starts is not before expires, so the row would never admit") }
        // Whoever may write in a home folder must not be able to lift what binds everybody.
        if isHome && isBreakGlass { throw RowFault("break-glass counts in the system's auth_id only") }
    }

    private static let repeatable: [Text] = ["claim", "permitopen", "permitlisten", "environment"]

    private mutating func take(_ option: OptionList.Option) throws(RowFault) {
        switch option.name {
        case "expires": expires = try RowOptions.time(option)
        case "starts": starts = try RowOptions.time(option)
        case "hours": hours = try WeeklyHours(try OptionList.value(option))
        case "claim": claims.append(try Identity(claimTest: try OptionList.value(option)))
        case "amr": amr = try RowOptions.alternatives(option)
        case "acr": acr = try OptionList.value(option)
        case "max-age": maximumAge = try RowOptions.span(option)
        case "max-auth-age": maximumAuthAge = try RowOptions.span(option)
        case "account-claim": accountClaim = try OptionList.value(option)
        case "reason": reason = try OptionList.value(option)
        case "break-glass":
            try OptionList.flag(option)
            isBreakGlass = true
        case "from": from = try SourceList(try OptionList.value(option))
        default:
            guard let known = try SessionOption(option) else { throw RowFault("the option \(option.name) is not known in this version") }
            if session.contains(where: { $0.contradicts(known) }) { throw RowFault("the row has \(known.name) and its opposite") }
            session.append(known)
        }
    }

    private static func time(_ option: OptionList.Option) throws(RowFault) -> UnixTime {
        let value = try OptionList.value(option)
        guard let time = UnixTime(rfc3339: value) else {
            throw RowFault("\(option.name)=\"\(value)\" is not a time such as 2026-12-24T18:00Z or 2026-12-24T19:00+01:00")
        }
        return time
    }

    private static func span(_ option: OptionList.Option) throws(RowFault) -> TimeSpan {
        let value = try OptionList.value(option)
        guard let span = TimeSpan(value) else {
            throw RowFault("\(option.name)=\"\(value)\" is not a length of time such as 90m, 8h or 7d")
        }
        return span
    }

    /// `hwk|fido|mfa`.
    private static func alternatives(_ option: OptionList.Option) throws(RowFault) -> [Text] {
        let value = try OptionList.value(option)
        let words = value.utf8.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
        guard words.allSatisfy({ word in !word.isEmpty && word.allSatisfy { $0 > 0x20 && $0 != 0x7F } }) else {
            throw RowFault("\(option.name)=\"\(value)\" is not a list of words with | between, such as hwk|fido")
        }
        return words.compactMap { Text(validating: $0) }
    }
}
