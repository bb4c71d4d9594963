import Foundation

/// What a literal text of a document is an example of, by what it looks like.
enum ExampleKind: Hashable {
    case authID, providers, revoked, config, clientConfig, plugin, commands
    /// A drawing, a log line, another program's configuration.
    case other

    static let configKeys = ["deny_users:", "deny_emails:", "deny_groups:", "home_policy:", "require:", "keys:", "skew:", "env_vars:"]
}

extension Document.Block {
    /// A comment that begins it says that its rows are bad ones, or that as a file it is an error.
    var isBad: Bool { lines.first.map { $0.hasPrefix("# bad") } ?? false }

    /// Without comments and empty lines.
    var content: [String] { lines.filter { !Command.isComment($0) && !$0.trimmingCharacters(in: .whitespaces).isEmpty } }

    var kind: ExampleKind {
        let first = content.first ?? ""
        if content.contains(where: { Command($0) != nil }) { return .commands }
        let words = first.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        let word = words.first ?? ""
        let bare = word.trimmingCharacters(in: CharacterSet(charactersIn: "'\""))
        if ["email:", "sub:", "key:SHA256", "issuer:"].contains(where: { bare.hasPrefix($0) && bare.count > $0.count }) { return .revoked }
        if isBad && words.count < 3 && content.contains(where: { $0.hasPrefix("email:") }) { return .revoked }
        if word.hasPrefix("http://") || word.hasPrefix("https://") { return words.count >= 3 ? .providers : .other }
        // Behind an account and an identity stands an issuer.
        if !word.contains(":"), !word.contains("/"),
            words.dropFirst(2).contains(where: { $0.hasPrefix("http://") || $0.hasPrefix("https://") })
        {
            return .authID
        }
        if word == "name:" { return .plugin }
        if content.contains(where: { $0.trimmingCharacters(in: .whitespaces).hasPrefix("- alias:") }) { return .clientConfig }
        if isBad && word.hasSuffix(":") || ExampleKind.configKeys.contains(word) { return .config }
        return .other
    }
}

/// A line that calls `opk`.
struct Command: CustomStringConvertible, Sendable {
    /// Behind `opk`.
    let words: [String]
    let description: String

    static let prompts = ["$ sudo ", "$ ", "# ", "there# ", "here# ", "sudo ", ""]

    init?(_ line: String) {
        let text = line.trimmingCharacters(in: .whitespaces)
        guard let prompt = Command.prompts.first(where: { text.hasPrefix($0 + "opk ") }) else { return nil }
        description = String(text.dropFirst(prompt.count))
        words = Command.split(description).dropFirst().map { $0 == "$USER" ? "alice" : $0 }
        // In a drawing something else stands there.
        guard words.first.map({ $0.utf8.allSatisfy { $0 == UInt8(ascii: "-") || (0x61...0x7A).contains($0) } }) != false else { return nil }
    }

    /// `# opk add …` is a command that root types.
    static func isComment(_ line: String) -> Bool { line.hasPrefix("#") && Command(line) == nil }

    /// As a shell would, up to a comment, a pipe, a redirection or another command. No variables.
    private static func split(_ text: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word?.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character == " " {
                if let done = word { words.append(done) }
                word = nil
            } else if word == nil && "#|<>&;(".contains(character) {
                return words
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let done = word { words.append(done) }
        return words
    }
}
