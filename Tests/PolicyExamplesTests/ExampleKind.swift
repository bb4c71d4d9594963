import Foundation

/// What a literal text of a document is an example of, by what it looks like.
enum ExampleKind: Hashable {
    case authID, providers, revoked, config, plugin, commands
    /// A drawing, a log line, another program's configuration.
    case other
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
        if ["email:", "sub:", "key:SHA256", "issuer:"].contains(where: bare.hasPrefix) { return .revoked }
        if isBad && words.count < 3 && content.contains(where: { $0.hasPrefix("email:") }) { return .revoked }
        if word.hasPrefix("http://") || word.hasPrefix("https://") { return words.count >= 3 ? .providers : .other }
        // The issuer is the first URL of a row that has nothing like it before.
        if words.count >= 3, first.contains(" http://") || first.contains(" https://"), !first.contains("://\""), !word.hasSuffix(":") {
            return .authID
        }
        if content.contains(where: { $0.contains(" https://idp.") || $0.contains("\thttps://") }), !word.hasSuffix(":") { return .authID }
        if word == "name:" { return .plugin }
        if word.hasSuffix(":"), word.dropLast().allSatisfy({ $0.isLowercase || $0 == "_" }) { return .config }
        return .other
    }
}

/// A line that calls `opk`.
struct Command: CustomStringConvertible, Sendable {
    /// Behind `opk`.
    let words: [String]
    let description: String

    static let prompts = ["$ sudo ", "$ ", "# ", "sudo ", ""]

    init?(_ line: String) {
        let text = line.trimmingCharacters(in: .whitespaces)
        guard let prompt = Command.prompts.first(where: { text.hasPrefix($0 + "opk ") }) else { return nil }
        description = String(text.dropFirst(prompt.count))
        words = Array(Command.split(description).dropFirst())
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
