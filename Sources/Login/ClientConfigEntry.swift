import Policy
public import Vocabulary

/// A provider as an element of the file's list: keys and values in the order of opkssh's own file.
public struct ClientConfigEntry: Sendable {
    enum Value: Sendable {
        case text(Text)
        case list([Text])
        case flag(Bool)
    }

    private(set) var members: [(key: String, value: Value)] = []

    public init(alias: String, issuer: String, clientID: String) {
        members = [("alias", .text(Text(alias))), ("issuer", .text(Text(issuer))), ("client_id", .text(Text(clientID)))]
    }

    /// Nothing is written for nil: the usual value holds then.
    public mutating func set(_ key: String, _ text: String?) {
        if let text { members.append((key, .text(Text(text)))) }
    }

    public mutating func set(_ key: String, secret: Secret?) throws(LoginError) {
        guard let secret else { return }
        guard let text = Text(validating: secret.exposed) else { throw .secretInput("it is not text") }
        members.append((key, .text(text)))
    }

    /// Nothing is written for an empty list.
    public mutating func set(_ key: String, list: [String]) {
        if !list.isEmpty { members.append((key, .list(list.map { Text($0) }))) }
    }

    public mutating func set(_ key: String, flag: Bool) {
        if flag { members.append((key, .flag(true))) }
    }

    /// A built-in provider, written out.
    init(_ provider: ProviderConfig) {
        self.init(alias: provider.aliases.joined(separator: " "), issuer: provider.issuer.string, clientID: provider.clientID.string)
        if let secret = provider.clientSecret.flatMap({ Text(validating: $0.exposed) }) { members.append(("client_secret", .text(secret))) }
        set("scopes", provider.scopes.joined(separator: " "))
    }

    /// Ends in a line break.
    var text: String { lines(indent: 2).map { $0 + "\n" }.joined() }

    /// - Parameters:
    ///   - indent: blanks before the `-`.
    ///   - hidesSecret: for a terminal.
    func lines(indent: Int, hidesSecret: Bool = false) -> [String] {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        for (key, value) in members {
            let start = margin + (lines.isEmpty ? "- " : "  ") + key + ":"
            switch value {
            case .text where hidesSecret && key == "client_secret": lines.append(start + " …")
            case .text(let text): lines.append(start + " " + ClientConfigEntry.scalar(text))
            case .flag(let flag): lines.append(start + (flag ? " true" : " false"))
            case .list(let texts): lines += [start] + texts.map { margin + "    - " + ClientConfigEntry.scalar($0) }
            }
        }
        return lines
    }

    static func scalar(_ text: Text) -> String { String(decoding: YAMLScalar.written(text), as: UTF8.self) }
}
