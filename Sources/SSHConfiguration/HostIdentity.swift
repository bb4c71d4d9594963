public import Identities
public import Vocabulary

/// Which identity is for which hosts.
public struct HostIdentity: Hashable, Sendable {
    public let name: IdentityName
    /// At least one without `!`.
    public let patterns: [HostPattern]

    public init(name: IdentityName, patterns texts: [Text]) throws(SetupError) {
        // The names of our own files in the keys' folder.
        let lowercased = Text(name.text).lowercasedASCII
        guard !OwnFiles.names.contains(where: { Text($0) == lowercased }) else { throw .reservedName(name) }
        var patterns: [HostPattern] = []
        for text in texts {
            guard let pattern = HostPattern(text) else { throw .pattern(text) }
            if !patterns.contains(pattern) { patterns.append(pattern) }
        }
        guard patterns.contains(where: { !$0.isNegated }) else { throw .noPattern(name) }
        guard patterns.count <= HostIdentity.most else { throw .tooManyPatterns(name, HostIdentity.most) }
        self.name = name
        self.patterns = patterns
    }

    /// Patterns of one identity: more than anybody has, and what ssh still reads in one line.
    static let most = 500

    /// As ssh takes them in `Match host`.
    var list: String { patterns.map(\.text.string).joined(separator: ",") }

    /// As ssh decides: one pattern with `!` that fits outweighs all others.
    public func isFor(_ host: Text) -> Bool {
        let fitting = patterns.filter { $0.fits(host) }
        return !fitting.isEmpty && !fitting.contains(where: \.isNegated)
    }

    /// A host for which this identity is meant, if one is easily thought of.
    var example: Text? { patterns.filter { !$0.isNegated }.map(\.example).first(where: isFor) }
}
