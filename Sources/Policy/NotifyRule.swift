public import Vocabulary

/// One rule of `notify` in config.yml: of what, and how. Read by whoever tells, never by a decision.
public struct NotifyRule: Hashable, Sendable {
    /// At least one.
    public let events: [Event]
    public let channel: Channel

    public enum Event: String, Sendable, CaseIterable {
        /// A session was opened that only a row marked `break-glass` admitted.
        case breakGlass = "break-glass"
        /// Somebody whom `revoked` names was refused.
        case revoked
        /// A file of /etc/opk changed.
        case policyChanged = "policy-changed"
        /// The audit log became shorter, vanished or is not to be written to: told by every channel, whatever its rule says.
        case auditLog = "audit-log"
    }

    public enum Channel: Hashable, Sendable {
        /// A program's absolute path and its arguments; it is run without a shell, with the event as one line of JSON on its standard input.
        case command([Text])
        /// An `https` URL, or `http` of a loopback host; the event is its POST's body. A secret: such addresses are who may post.
        case webhook(Text)
    }

    /// Rules of one file.
    static let maximum = 16
    /// Bytes of a webhook's address.
    static let longestAddress = 2048

    static func rules(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> [NotifyRule] {
        if entry.value.isNull { return [] }
        guard case .sequence(let elements) = entry.value.content else {
            throw ConfigurationError(entry.line, "notify is not a list of rules")
        }
        guard elements.count <= maximum else { throw ConfigurationError(entry.line, "notify has more than \(maximum) rules") }
        var rules: [NotifyRule] = []
        for element in elements { rules.append(try NotifyRule(element)) }
        return rules
    }

    private init(_ node: YAMLNode) throws(ConfigurationError) {
        guard case .mapping(let entries) = node.content else {
            throw ConfigurationError(node.line, "a rule of notify is not a list of KEY: VALUE")
        }
        var events: [Event] = []
        var channels: [Channel] = []
        for entry in entries {
            switch entry.key {
            case "on": events = try NotifyRule.events(entry)
            case "command": channels.append(.command(try NotifyRule.command(entry)))
            case "webhook": channels.append(.webhook(try NotifyRule.webhook(entry)))
            default:
                throw ConfigurationError(
                    entry.line, "a rule of notify has \(entry.key), which this version does not know (on, command, webhook)")
            }
        }
        guard !events.isEmpty else {
            throw ConfigurationError(node.line, "a rule of notify does not say on what (\(NotifyRule.eventNames))")
        }
        guard channels.count == 1, let channel = channels.first else {
            throw ConfigurationError(node.line, "a rule of notify wants one of command and webhook")
        }
        self.events = events
        self.channel = channel
    }

    private static func events(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> [Event] {
        var events: [Event] = []
        for text in try entry.texts() {
            guard let event = Event(rawValue: text.string) else {
                throw ConfigurationError(entry.line, "on has \"\(text)\", which is none of \(eventNames)")
            }
            events.append(event)
        }
        return events
    }

    private static func command(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> [Text] {
        guard case .scalar(let text, _) = entry.value.content, !entry.value.isNull else {
            throw ConfigurationError(entry.line, "command is not a text")
        }
        let words: [Text]
        do {
            words = try CommandWords.split(text)
        } catch {
            throw ConfigurationError(entry.line, "command: \(error.text)")
        }
        guard let program = words.first, program.utf8.first == UInt8(ascii: "/") else {
            throw ConfigurationError(entry.line, "command does not begin with an absolute path")
        }
        return words
    }

    private static func webhook(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> Text {
        guard case .scalar(let text, _) = entry.value.content, text.count <= longestAddress, isAddress(text) else {
            // Without the address, which is a secret.
            throw ConfigurationError(entry.line, "webhook is not an https URL (or an http one of localhost, 127.0.0.1 or [::1])")
        }
        return text
    }

    private static func isAddress(_ text: Text) -> Bool {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return false }
        let secure = Array("https://".utf8)
        if text.utf8.starts(with: secure) { return text.count > secure.count }
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            let start = Array("http://\(host)".utf8)
            guard text.utf8.starts(with: start) else { continue }
            let next = text.utf8.dropFirst(start.count).first
            return next == nil || next == UInt8(ascii: "/") || next == UInt8(ascii: ":")
        }
        return false
    }

    private static let eventNames = "break-glass, revoked, policy-changed, audit-log"
}
