public import Policy
public import Vocabulary

/// The options of a row as `opk add` takes them, each as it was typed.
public struct RowLimits: Sendable {
    public var span: Text?
    public var until: Text?
    public var starts: Text?
    public var from: [Text] = []
    public var hours: Text?
    public var claims: [Text] = []
    public var methods: [Text] = []
    public var level: Text?
    public var maximumAge: Text?
    public var maximumAuthAge: Text?
    public var accountClaim: Text?
    public var isBreakGlass = false
    public var command: Text?
    public var restrict = false
    public var pty = false
    /// sshd's own, `NAME` or `NAME=VALUE`.
    public var session: [Text] = []
    public var reason: Text?

    public init() {}

    /// sshd's options that a row may have: with a value, and without.
    private static let valued: [Text] = ["command", "permitopen", "permitlisten", "environment", "from"]
    private static let flags: [Text] = [
        "restrict", "pty", "no-pty", "port-forwarding", "no-port-forwarding", "agent-forwarding", "no-agent-forwarding", "x11-forwarding",
        "no-x11-forwarding", "user-rc", "no-user-rc",
    ]
    private static let repeatable: [Text] = ["claim", "permitopen", "permitlisten", "environment"]

    /// In the order in which rows have them: times, conditions, what is for the log, sshd's own. What the values mean, the reader of auth_id says.
    public func options(now: UnixTime) throws(PolicyError) -> [RowText.Option] {
        var options: [RowText.Option] = []
        func add(_ name: Text, _ value: Text?) {
            if let value { options.append(RowText.Option(name: name, value: value)) }
        }
        let (start, end) = try times(now)
        add("starts", start.map(TimeArgument.written))
        add("expires", end.map(TimeArgument.written))
        add("hours", hours)
        for claim in claims { add("claim", claim) }
        add("amr", RowLimits.joined(methods, "|"))
        add("acr", level)
        add("max-age", maximumAge)
        add("max-auth-age", maximumAuthAge)
        add("account-claim", accountClaim)
        if isBreakGlass { options.append(RowText.Option(name: "break-glass", value: nil)) }
        add("reason", reason)
        add("from", RowLimits.joined(from, ","))
        if restrict { options.append(RowText.Option(name: "restrict", value: nil)) }
        if pty { options.append(RowText.Option(name: "pty", value: nil)) }
        add("command", command)
        for text in session { options.append(try RowLimits.sessionOption(text)) }
        for (index, option) in options.enumerated() where !RowLimits.repeatable.contains(option.name) {
            if options[..<index].contains(where: { $0.name == option.name }) { throw .optionTwice(option.name) }
        }
        return options
    }

    private func times(_ now: UnixTime) throws(PolicyError) -> (start: UnixTime?, end: UnixTime?) {
        if span != nil, until != nil { throw .notTogether("--for", "--until") }
        var start: UnixTime?
        if let starts { start = try TimeArgument.parse(starts, .start, now: now) }
        var end: UnixTime?
        if let span {
            // Of a row that has not begun yet it is the length.
            end = try TimeArgument.after(span, now: max(start ?? now, now))
        } else if let until {
            let time = try TimeArgument.parse(until, .end, now: now)
            guard time > now else { throw .past(until, time) }
            end = time
        }
        if let start, let end, start >= end { throw .startsAfterEnd }
        return (start, end)
    }

    private static func joined(_ parts: [Text], _ separator: String) -> Text? {
        parts.isEmpty ? nil : Text(parts.map(\.string).joined(separator: separator))
    }

    private static func sessionOption(_ text: Text) throws(PolicyError) -> RowText.Option {
        let equals = text.utf8.firstIndex(of: UInt8(ascii: "="))
        guard let name = Text(validating: text.utf8[..<(equals ?? text.utf8.endIndex)])?.lowercasedASCII else { throw .option(text) }
        if let equals, let value = Text(validating: text.utf8[(equals + 1)...]) {
            guard valued.contains(name) else { throw .option(text) }
            return RowText.Option(name: name, value: value)
        }
        guard flags.contains(name) else { throw .option(text) }
        return RowText.Option(name: name, value: nil)
    }
}
