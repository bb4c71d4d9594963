public import Vocabulary

/// One file of policy.d that can be used: `name`, `command`, and of ours `timeout`.
public struct Plugin: Hashable, Sendable {
    /// The file's name in policy.d.
    public let file: String
    public let name: Text
    /// The command, cut into words: at least one, which is an absolute path.
    public let words: [Text]
    public let timeout: TimeSpan
    /// What the file says, as opkssh writes it anew for `OPKSSH_PLUGIN_CONFIG`.
    public let configuration: [UInt8]

    public static let defaultTimeout = TimeSpan(seconds: 2)
    static let timeoutBounds = TimeSpan(seconds: 1)...TimeSpan(seconds: 6)
    /// Of the name and of the command, in bytes.
    static let longestName = 256
    static let longestCommand = 4096

    /// - Parameter bytes: the file's; nothing is read here.
    public init(file: String, parsing bytes: [UInt8]) throws(ConfigurationError) {
        guard let root = try YAMLReader.read(bytes) else { throw ConfigurationError(0, "the file is empty") }
        guard case .mapping(let entries) = root.content else { throw ConfigurationError(root.line, "this is not a list of KEY: VALUE") }
        var name: Text?
        var command: YAMLNode.Entry?
        var timeout: TimeSpan?
        for entry in entries {
            switch entry.key {
            case "name": name = try Plugin.text(entry, longest: Plugin.longestName)
            case "command": command = entry
            case "timeout": timeout = try Plugin.span(entry)
            // opkssh would pass over it, and a condition that was meant with it.
            default:
                throw ConfigurationError(
                    entry.line, "\(entry.key.escaped(limit: 64)) is not a key that this version knows (name, command, timeout)")
            }
        }
        guard let name else { throw ConfigurationError(0, "name is missing") }
        guard let command else { throw ConfigurationError(0, "command is missing") }
        let commandText = try Plugin.text(command, longest: Plugin.longestCommand)
        self.file = file
        self.name = name
        words = try Plugin.words(commandText, command.line)
        self.timeout = timeout ?? Plugin.defaultTimeout
        var written = "name: ".utf8 + YAMLScalar.written(name) + "\ncommand: ".utf8 + YAMLScalar.written(commandText)
        if let timeout { written += "\ntimeout: \(timeout)".utf8 }
        configuration = written + "\n".utf8
    }

    private static func words(_ command: Text, _ line: Int) throws(ConfigurationError) -> [Text] {
        let words: [Text]
        do { words = try CommandWords.split(command) } catch { throw ConfigurationError(line, error.text) }
        guard let program = words.first else { throw ConfigurationError(line, "command is empty") }
        guard program.utf8.first == UInt8(ascii: "/") else {
            throw ConfigurationError(line, "\(program.escaped(limit: 128)) is not an absolute path")
        }
        return words
    }

    private static func text(_ entry: YAMLNode.Entry, longest: Int) throws(ConfigurationError) -> Text {
        guard case .scalar(let text, _) = entry.value.content, !entry.value.isNull, !text.isEmpty else {
            throw ConfigurationError(entry.line, "\(entry.key) is not a text")
        }
        guard text.count <= longest else { throw ConfigurationError(entry.line, "\(entry.key) is over \(longest) bytes") }
        return text
    }

    private static func span(_ entry: YAMLNode.Entry) throws(ConfigurationError) -> TimeSpan {
        guard case .scalar(let text, _) = entry.value.content, let span = TimeSpan(text), timeoutBounds.contains(span) else {
            throw ConfigurationError(
                entry.line, "timeout is not a time from \(timeoutBounds.lowerBound) to \(timeoutBounds.upperBound), such as 3s")
        }
        return span
    }
}
