public import PKToken
import SSHKeys
public import SafeFiles
public import Vocabulary

/// config.yml: what holds for everybody. A key that this version does not know is an error, so that no rule is left out silently.
public struct ServerConfig: Hashable, Sendable {
    /// Accounts that nobody may log in to. ASCII case is ignored.
    public private(set) var denyUsers: [Text] = []
    /// Emails that may not log in to any account. ASCII case is ignored.
    public private(set) var denyEmails: [Text] = []
    /// Groups whose members may not log in to any account. ASCII case is ignored.
    public private(set) var denyGroups: [Text] = []
    /// Where the elements of these lists stand.
    private(set) var denyLines = DenyLines()
    /// Whether `~/.opk/auth_id` counts.
    public private(set) var homePolicy = true
    /// What must hold besides, whoever admits; in the file's order.
    public private(set) var requirements: [Requirement] = []
    /// Seconds by which a provider's clock may be ahead of this machine's: 0 to 600.
    public private(set) var skew: Int64 = 60
    /// For the fetcher's environment only, in the file's order.
    public private(set) var environment: [Variable] = []
    /// `keys`: how providers' keys are fetched and kept, where a provider's own row does not say.
    public private(set) var keys = KeyOptions()
    /// `session_limit`: how long a session may last; nil for as long as it likes.
    public private(set) var sessionLimit: TimeSpan?
    /// `end_with_identity`: whether a session ends when its identity does, or is revoked.
    public private(set) var endsWithIdentity = false
    /// `session_identity`: whether a session is told whose it is, in SSH_OPK_IDENTITY.
    public private(set) var tellsSession = false
    /// `notify`: who is told of what.
    public private(set) var notifications: [NotifyRule] = []

    public struct Variable: Hashable, Sendable {
        public let name: Text
        public let value: Text
    }

    /// Lines of config.yml, counted from 1, one for each element of a deny list.
    struct DenyLines: Hashable, Sendable {
        var users: [Int] = []
        var emails: [Int] = []
        var groups: [Int] = []

        /// Of the first element that denies a name. Looked for only once somebody is denied, and never what denies.
        static func line(of name: Text, in list: [Text], _ lines: [Int]) -> Int? {
            for index in list.indices where list[index].equalsIgnoringASCIICase(name) && index < lines.count { return lines[index] }
            return nil
        }
    }

    /// What holds where the file is absent or empty.
    public init() {}

    /// Why a file could not be used.
    public enum Failure: Error, Hashable, Sendable {
        case unsafe(UnsafeFile)
        case malformed(path: String, ConfigurationError)
    }

    /// Absent is the default; anything wrong is an error, and then nobody may be admitted.
    public static func read(_ path: String, trust: FileTrust) throws(Failure) -> ServerConfig {
        let bytes: [UInt8]?
        do { bytes = try SafeFile.read(path, trust: trust) } catch { throw .unsafe(error) }
        do { return try ServerConfig(parsing: bytes ?? []) } catch { throw .malformed(path: path, error) }
    }

    public init(parsing bytes: [UInt8]) throws(ConfigurationError) {
        guard let root = try YAMLReader.read(bytes) else { return }
        guard case .mapping(let entries) = root.content else { throw ConfigurationError(root.line, "this is not a list of KEY: VALUE") }
        for entry in entries {
            switch entry.key {
            case "deny_users":
                denyUsers = try entry.texts()
                denyLines.users = entry.elementLines
                if let name = denyUsers.first(where: { Principal($0) == nil }) {
                    throw ConfigurationError(entry.line, "deny_users takes names of accounts, and \"\(name)\" would deny nobody")
                }
            case "deny_emails":
                denyEmails = try entry.texts()
                denyLines.emails = entry.elementLines
                if let pattern = denyEmails.first(where: { !ServerConfig.isAddress($0) }) {
                    throw ConfigurationError(entry.line, "deny_emails takes whole addresses, and \"\(pattern)\" would deny nobody")
                }
            case "deny_groups":
                denyGroups = try entry.texts()
                denyLines.groups = entry.elementLines
            case "home_policy": homePolicy = try entry.flag()
            case "require": requirements = try ServerConfig.requirements(entry)
            case "skew": skew = try ServerConfig.skew(entry)
            case "env_vars": environment = try ServerConfig.variables(entry)
            case "keys": keys = try ServerConfig.keyOptions(entry)
            case "session_limit": sessionLimit = try ServerConfig.span(entry, ServerConfig.sessionBounds)
            case "end_with_identity": endsWithIdentity = try entry.flag()
            case "session_identity": tellsSession = try entry.flag()
            case "notify": notifications = try NotifyRule.rules(entry)
            default:
                throw ConfigurationError(
                    entry.line,
                    """
                    \(entry.key) is not a key that this version knows (deny_users, deny_emails, deny_groups, home_policy, require, keys, skew, \
                    env_vars, session_limit, end_with_identity, session_identity, notify)
                    """)
            }
        }
    }

    /// Something on both sides of an `@`, without a blank, a control character or an asterisk.
    static func isAddress(_ text: Text) -> Bool {
        guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")), at > 0, at < text.count - 1 else { return false }
        return text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "*") }
    }

    private static func requirements(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> [Requirement] {
        if entry.value.isNull { return [] }
        guard case .sequence(let rules) = entry.value.content else {
            throw ConfigurationError(entry.line, "require is not a list of rules")
        }
        var requirements: [Requirement] = []
        for rule in rules { requirements.append(try Requirement(rule)) }
        return requirements
    }

    /// A shorter one would end before its warning.
    private static let sessionBounds = TimeSpan(seconds: 600)...TimeSpan(seconds: 365 * 86_400)

    private static let longestSkew = TimeSpan(seconds: 600)

    private static func skew(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> Int64 {
        guard case .scalar(let text, _) = entry.value.content else { throw ConfigurationError(entry.line, "skew is not a time") }
        if text == "0s" || text == "0" { return 0 }
        guard let span = TimeSpan(text), span <= longestSkew else {
            throw ConfigurationError(entry.line, "skew is not a time from 0s to \(longestSkew), such as 60s")
        }
        return span.seconds
    }

    /// `{max_age: 24h, refresh_after: 1h, timeout: 5s}`, each of them or none.
    private static func keyOptions(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> KeyOptions {
        var keys = KeyOptions()
        if entry.value.isNull { return keys }
        guard case .mapping(let entries) = entry.value.content else {
            throw ConfigurationError(entry.line, "keys is not a list of NAME: TIME")
        }
        for setting in entries {
            switch setting.key {
            case "max_age": keys.maximumAge = try span(setting, KeySettings.ageBounds)
            case "refresh_after": keys.refreshAfter = try span(setting, KeySettings.refreshBounds)
            case "timeout": keys.timeout = try span(setting, KeySettings.timeoutBounds)
            default:
                throw ConfigurationError(
                    setting.line, "keys has \(setting.key), which this version does not know (max_age, refresh_after, timeout)")
            }
        }
        if let refresh = keys.refreshAfter, let age = keys.maximumAge, refresh > age {
            throw ConfigurationError(entry.line, "keys: refresh_after (\(refresh)) is longer than max_age (\(age))")
        }
        return keys
    }

    private static func span(_ entry: YAMLNode.Entry, _ bounds: ClosedRange<TimeSpan>) throws(ConfigurationError) -> TimeSpan {
        guard case .scalar(let text, _) = entry.value.content, let span = TimeSpan(text), bounds.contains(span) else {
            throw ConfigurationError(
                entry.line, "\(entry.key) is not a time from \(bounds.lowerBound) to \(bounds.upperBound), such as 90m")
        }
        return span
    }

    private static func variables(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> [Variable] {
        if entry.value.isNull { return [] }
        guard case .mapping(let entries) = entry.value.content else {
            throw ConfigurationError(entry.line, "\(entry.key) is not a list of NAME: VALUE")
        }
        var variables: [Variable] = []
        for variable in entries {
            guard case .scalar(let value, _) = variable.value.content, !variable.value.isNull else {
                throw ConfigurationError(variable.line, "the value of \(variable.key) is not a text")
            }
            try EnvironmentName.check(variable.key, variable.line)
            variables.append(Variable(name: variable.key, value: value))
        }
        return variables
    }
}

extension ServerConfig.Failure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unsafe(let file): file.description
        case .malformed(let path, let error): "\(Text(path).escaped), \(error)"
        }
    }
}
