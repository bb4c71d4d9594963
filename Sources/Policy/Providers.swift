public import PKToken
public import SafeFiles
import Vocabulary

/// The `providers` file: the issuers that are trusted, each for one client id.
public struct Providers: Hashable, Sendable {
    /// The good rows, in the file's order: the first that fits a token decides.
    public private(set) var rows: [ProviderRow] = []
    /// Rows that nobody is admitted through: the first `maximumProblems`.
    public private(set) var problems: [RowProblem] = []

    public static let maximumProblems = 1000

    /// Absent means that nobody is trusted.
    public static func read(_ path: String, trust: FileTrust) throws(UnsafeFile) -> Providers {
        var providers = Providers(parsing: [])
        guard let file = try SafeFile(path, trust: trust) else { return providers }
        try file.eachLine { line in providers.take(line) }
        return providers
    }

    public init(parsing bytes: [UInt8]) {
        var providers = self
        LineSplitter.eachLine(of: bytes) { line in providers.take(line) }
        self = providers
    }

    private mutating func take(_ line: ScannedLine) {
        do {
            guard let columns = try Columns(line) else { return }
            rows.append(try Providers.row(columns, line.number))
        } catch {
            if problems.count < Providers.maximumProblems { problems.append(RowProblem(line: line.number, text: error.text)) }
        }
    }

    private static func row(_ columns: Columns, _ line: Int) throws(RowFault) -> ProviderRow {
        guard columns.words.count == Columns.maximum else {
            throw RowFault("a row has three columns (issuer, client id, expiry), this one \(columns.words.count)")
        }
        let (issuer, clientID) = (columns.words[0], columns.words[1])
        try IssuerURL.check(issuer)
        if clientID.isEmpty { throw RowFault("the client id is empty") }
        guard let expiry = ExpiryPolicy(columns.words[2]) else { throw RowFault("\(columns.words[2]) is not an expiry policy") }
        let column = try ProviderOptionColumn(columns.rest)
        return ProviderRow(
            issuer: issuer, clientID: clientID, expiry: expiry, options: column.options, keys: column.keys,
            groupsClaim: column.groupsClaim, line: line)
    }
}
