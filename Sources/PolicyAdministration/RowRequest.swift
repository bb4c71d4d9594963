public import Policy
public import Vocabulary

/// A row of `auth_id` as somebody asked for it, in the words that its reader must find.
public struct RowRequest: Sendable, Equatable {
    public let account: Text
    public let who: Text
    public let issuer: Text
    public let options: [RowText.Option]

    public init(account: Text, who: Text, issuer: Text, options: [RowText.Option] = []) {
        (self.account, self.who, self.issuer, self.options) = (account, who, issuer, options)
    }

    /// The line, without its end. It is not written before `reads(back:)` has looked at it.
    func written() throws(PolicyError) -> Text {
        var parts: [String] = []
        for (word, what) in [(account, "the account"), (who, "the identity"), (issuer, "the issuer")] {
            parts.append(try RowRequest.quoted(word, what).string)
        }
        if !options.isEmpty {
            var written: [String] = []
            for option in options { written.append(try RowRequest.text(of: option)) }
            parts.append(written.joined(separator: ","))
        }
        return Text(parts.joined(separator: " "))
    }

    /// Whether a line says exactly this, to the reader's own cutting into words.
    func reads(back line: Text) -> Bool {
        guard let read = RowText(line) else { return false }
        return read.words == [account, who, issuer] && read.options == options
    }

    /// A word as the reader takes it for one: as it is, in single quotes, or in double quotes where it has a single one.
    package static func quoted(_ word: Text, _ what: String) throws(PolicyError) -> Text {
        if word.isEmpty || hasControl(word) { throw .unwritable(word, what: what) }
        let special = Array(" '\"\\#".utf8)
        guard word.utf8.contains(where: { special.contains($0) }) else { return word }
        if !word.contains(UInt8(ascii: "'")) { return Text("'" + word.string + "'") }
        let escaped = word.utf8.flatMap { Array("$`\"\\".utf8).contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
        return Text("\"" + String(decoding: escaped, as: UTF8.self) + "\"")
    }

    /// In sshd's quoting, in which `\"` is a quote and a backslash is otherwise itself: so none can stand at the end.
    private static func text(of option: RowText.Option) throws(PolicyError) -> String {
        guard let value = option.value else { return option.name.string }
        if value.isEmpty || hasControl(value) || value.hasSuffix("\\") { throw .unwritable(value, what: "the value of \(option.name)") }
        let escaped = value.utf8.flatMap { $0 == UInt8(ascii: "\"") ? [UInt8(ascii: "\\"), $0] : [$0] }
        return option.name.string + "=\"" + String(decoding: escaped, as: UTF8.self) + "\""
    }

    private static func hasControl(_ text: Text) -> Bool { text.utf8.contains { $0 < 0x20 || $0 == 0x7F } }
}
