public import SSHKeys
public import Vocabulary

/// One rule of `require` in config.yml: what must hold at every login to these accounts, whichever row, home file or plugin admits.
public struct Requirement: Hashable, Sendable {
    /// Counted from 1.
    public let line: Int
    /// Names of accounts; `*` stands for all. ASCII case is ignored: a slip must not leave an account unbound.
    public internal(set) var accounts: [Text] = []
    /// The person must be in one of these groups; nil: not asked for.
    public internal(set) var groups: [Text]?
    /// One of these methods must be in `amr`.
    public internal(set) var amr: [Text]?
    public internal(set) var acr: Text?
    /// Since `iat`.
    public internal(set) var maximumAge: TimeSpan?
    /// Since `auth_time`.
    public internal(set) var maximumAuthAge: TimeSpan?
    public internal(set) var hours: WeeklyHours?
    /// The client must be in one of these blocks.
    public internal(set) var from: [AddressBlock]?
    /// `email_verified` must be true.
    public internal(set) var verifiedEmail = false
    /// Whoever is in one of these groups is not bound.
    public internal(set) var exceptGroups: [Text] = []
    /// A row that is marked `break-glass` is not bound.
    public internal(set) var exceptBreakGlass = false

    init(line: Int) { self.line = line }

    /// Whether it is about this account.
    public func applies(to account: Principal) -> Bool { accounts.contains { $0 == "*" || $0.equalsIgnoringASCIICase(account.text) } }

    /// Whether it asks for anything at all.
    var asks: Bool {
        groups != nil || amr != nil || acr != nil || maximumAge != nil || maximumAuthAge != nil || hours != nil || from != nil
            || verifiedEmail
    }
}

extension Requirement {
    /// - Throws: for a rule that cannot be read, names no account, or asks for nothing: nobody must believe that it protects something.
    init(_ node: YAMLNode) throws(ConfigurationError) {
        guard case .mapping(let entries) = node.content else {
            throw ConfigurationError(node.line, "require: a rule is not a list of KEY: VALUE")
        }
        self.init(line: node.line)
        for entry in entries { try take(entry) }
        if accounts.isEmpty { throw ConfigurationError(node.line, "require: the rule has no accounts (accounts: [\"*\"] is all of them)") }
        if !asks { throw ConfigurationError(node.line, "require: the rule asks for nothing") }
    }

    private mutating func take(_ entry: YAMLNode.Entry) throws(ConfigurationError) {
        switch entry.key {
        case "accounts": accounts = try Requirement.accounts(entry)
        case "groups": groups = try Requirement.some(entry)
        case "amr": amr = try Requirement.some(entry)
        case "acr": acr = try Requirement.word(entry)
        case "max_age": maximumAge = try Requirement.span(entry)
        case "max_auth_age": maximumAuthAge = try Requirement.span(entry)
        case "hours": hours = try Requirement.hours(entry)
        case "from": from = try Requirement.blocks(entry)
        case "verified_email": verifiedEmail = try entry.flag()
        case "except_groups": exceptGroups = try Requirement.some(entry)
        case "except_break_glass": exceptBreakGlass = try entry.flag()
        default:
            throw ConfigurationError(
                entry.line,
                """
                require has \(entry.key), which this version does not know (accounts, groups, amr, acr, max_age, max_auth_age, hours, from, \
                verified_email, except_groups, except_break_glass)
                """)
        }
    }

    private static func accounts(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> [Text] {
        let names = try some(entry)
        if let name = names.first(where: { $0 != "*" && Principal($0) == nil }) {
            throw ConfigurationError(entry.line, "accounts takes names of accounts or \"*\", and \"\(name)\" is neither")
        }
        return names
    }

    /// A list with something in it.
    private static func some(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> [Text] {
        let words = try entry.texts()
        if words.isEmpty { throw ConfigurationError(entry.line, "\(entry.key) is an empty list") }
        return words
    }

    private static func word(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> Text {
        guard case .scalar(let text, _) = entry.value.content, !entry.value.isNull, !text.isEmpty else {
            throw ConfigurationError(entry.line, "\(entry.key) is not a word")
        }
        return text
    }

    private static func span(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> TimeSpan {
        guard let span = TimeSpan(try word(entry)) else {
            throw ConfigurationError(entry.line, "\(entry.key) is not a length of time such as 90m, 8h or 7d")
        }
        return span
    }

    private static func hours(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> WeeklyHours {
        let text = try word(entry)
        do { return try WeeklyHours(text) } catch { throw ConfigurationError(entry.line, error.text) }
    }

    private static func blocks(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> [AddressBlock] {
        var blocks: [AddressBlock] = []
        for text in try some(entry) {
            guard let block = AddressBlock(text) else {
                throw ConfigurationError(
                    entry.line,
                    "from takes addresses and blocks such as 10.0.0.0/8 (no bits set beyond the length), and \"\(text)\" is none")
            }
            blocks.append(block)
        }
        return blocks
    }
}

extension YAMLNode.Entry {
    /// `true` or `false`, without quotes.
    func flag() throws(ConfigurationError) -> Bool {
        switch value.content {
        case .scalar("true", isPlain: true): return true
        case .scalar("false", isPlain: true): return false
        default: throw ConfigurationError(line, "\(key) is neither true nor false")
        }
    }

    /// A list of words. Nothing at all is an empty list.
    func texts() throws(ConfigurationError) -> [Text] {
        if value.isNull { return [] }
        guard case .sequence(let elements) = value.content else { throw ConfigurationError(line, "\(key) is not a list") }
        var texts: [Text] = []
        for element in elements {
            guard case .scalar(let text, _) = element.content, !element.isNull, !text.isEmpty else {
                throw ConfigurationError(element.line, "\(key) has an element that is not a word")
            }
            texts.append(text)
        }
        return texts
    }
    /// Where the elements of the list stand.
    var elementLines: [Int] {
        var lines: [Int] = []
        if case .sequence(let elements) = value.content { for element in elements { lines.append(element.line) } }
        return lines
    }
}
