import PKToken
import Policy
import PolicyAdministration
public import Vocabulary

/// What somebody wants of their server.
public struct ServerRequest: Sendable {
    public var providers: [ProviderRequest] = []
    public var allowed: [AllowRequest] = []
    /// Whether opkssh, where it is asked now, gives way.
    public var takesOverOpkssh = false
    /// Whether another AuthorizedKeysCommand is not asked any more.
    public var dropsOther = false
    /// Whether certificates may be the only way in.
    public var mayBeTheOnlyWay = false
    public var reloads = true
    /// Whether an undo leaves rows of policy as they are, as when the programs are about to go.
    public var keepsPolicy = false

    public init() {}
}

/// A row of `providers` that is to be there.
public struct ProviderRequest: Sendable, Hashable {
    public let issuer: Text
    public let clientID: Text
    public let row: Text

    /// - Parameter text: `ISSUER,CLIENT_ID[,EXPIRY]`, or an alias of `opk login`.
    public init(_ text: String) throws(ServerSetupError) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Text(String($0)) }
        if parts.count == 1, let known = KnownIssuer.row(of: KnownIssuer.issuer(Text(text))), KnownIssuer.aliases.contains(text) {
            try self.init(row: Text(known), of: text)
            return
        }
        guard (2...3).contains(parts.count) else { throw .provider(Text(text), "ISSUER,CLIENT_ID[,EXPIRY] is wanted, or an alias") }
        let words: [Text]
        do throws(PolicyError) {
            words = [
                try RowRequest.quoted(parts[0], "the issuer"), try RowRequest.quoted(parts[1], "the client id"),
                try RowRequest.quoted(parts.count > 2 ? parts[2] : "24h", "the expiry"),
            ]
        } catch {
            throw .provider(Text(text), "\(error)")
        }
        try self.init(row: Text(words.map(\.string).joined(separator: " ")), of: text)
        guard issuer == parts[0], clientID == parts[1] else { throw .provider(Text(text), "it cannot be written") }
    }

    private init(row: Text, of text: String) throws(ServerSetupError) {
        let read = Providers(parsing: row.utf8)
        if let problem = read.problems.first { throw .provider(Text(text), problem.text) }
        guard read.rows.count == 1, let meaning = read.rows.first else { throw .provider(Text(text), "it is no row") }
        (issuer, clientID, self.row) = (meaning.issuer, meaning.clientID, row)
    }
}

/// Somebody who may log in as an account.
public struct AllowRequest: Sendable, Hashable {
    public let email: Text
    public let account: Text
    /// Nil for the only one that `providers` names.
    public let issuer: Text?

    /// - Parameter text: `EMAIL=ACCOUNT` or `EMAIL=ACCOUNT,ISSUER`.
    public init(_ text: String) throws(ServerSetupError) {
        let halves = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        // An address may have an equals sign, an account's name has none.
        guard let head = halves.first, let equals = head.lastIndex(of: "=") else { throw .allow(Text(text)) }
        email = Text(String(head[..<equals]))
        account = Text(String(head[head.index(after: equals)...]))
        let sides = email.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard sides.count == 2, sides.allSatisfy({ !$0.isEmpty }), !account.isEmpty else { throw .allow(Text(text)) }
        guard halves.count > 1 else {
            issuer = nil
            return
        }
        do throws(PolicyError) {
            issuer = try KnownIssuer.named(Text(String(halves[1])))
        } catch {
            throw .policy(error)
        }
    }
}
