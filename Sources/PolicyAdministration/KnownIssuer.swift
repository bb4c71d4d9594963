import Login
public import Vocabulary

/// The short names of providers that `opk login` takes, for the issuer of a row.
public enum KnownIssuer {
    /// The issuer that an alias stands for; everything else is an issuer already.
    public static func issuer(_ word: Text) -> Text { provider(word)?.issuer ?? word }

    /// The same of what somebody typed: a word that is neither an alias nor an address is a slip.
    public static func named(_ word: Text) throws(PolicyError) -> Text {
        let issuer = issuer(word)
        guard issuer.utf8.contains(UInt8(ascii: ":")) else { throw .alias(word) }
        return issuer
    }

    public static var aliases: [String] { ProviderConfig.builtIn.flatMap(\.aliases) }

    /// The row of providers by which people are admitted who log in with `opk login ALIAS`; nil for other issuers.
    public static func row(of issuer: Text) -> String? {
        ProviderConfig.builtIn.first { $0.issuer == issuer }.map { "\($0.issuer.string) \($0.clientID.string) 24h" }
    }

    /// The word for `opk login` by which people log in at that issuer for that client; nil where it has none.
    public static func alias(of issuer: Text, _ clientID: Text) -> String? {
        ProviderConfig.builtIn.first { $0.issuer == issuer && $0.clientID == clientID }?.aliases.first
    }

    private static func provider(_ word: Text) -> ProviderConfig? {
        ProviderConfig.builtIn.first { $0.aliases.contains { Text($0) == word } }
    }
}
