public import SSHKeys
public import SafeFiles
public import Vocabulary

/// What `auth_id` says about one account, or about all of them.
///
/// The file may have a million rows and is read on every login: it is looked through in chunks, a row of another account is passed over
/// after its first column, and only rows that can matter are kept.
public struct AuthID: Hashable, Sendable {
    /// The good rows, in the file's order.
    public private(set) var rows: [AuthRow] = []
    /// Rows that grant nothing although they are of this account: the first `maximumProblems`.
    public private(set) var problems: [RowProblem] = []
    /// The good rows of this account whatever their issuer.
    public private(set) var accountRows = 0

    public static let maximumProblems = 1000

    private let account: Principal?
    private let issuer: Text?

    /// The rows of one account and issuer; none where the file is absent.
    public init(for account: Principal, of issuer: Text, at path: String, trust: FileTrust) throws(UnsafeFile) {
        self.init(account: account, issuer: issuer)
        guard let file = try SafeFile(path, trust: trust) else { return }
        var found = self
        try file.eachLine { line in found.take(line) }
        self = found
    }

    /// The rows of all accounts and issuers, for looking the file over.
    public init(at path: String, trust: FileTrust) throws(UnsafeFile) {
        self.init(account: nil, issuer: nil)
        guard let file = try SafeFile(path, trust: trust) else { return }
        var found = self
        try file.eachLine { line in found.take(line) }
        self = found
    }

    /// The same of a text.
    public init(parsing bytes: [UInt8], for account: Principal? = nil, of issuer: Text? = nil) {
        self.init(account: account, issuer: issuer)
        var found = self
        LineSplitter.eachLine(of: bytes) { line in found.take(line) }
        self = found
    }

    private init(account: Principal?, issuer: Text?) {
        self.account = account
        self.issuer = issuer
    }

    private mutating func take(_ line: ScannedLine) {
        if let account, !mayBegin(line.bytes, with: account.text.utf8) { return }
        do {
            guard let columns = try Columns(line) else { return }
            let row = try AuthRow(columns, line: line.number)
            if let account, row.account != account { return }
            accountRows += 1
            if issuer == nil || row.issuer == issuer { rows.append(row) }
        } catch {
            if problems.count < AuthID.maximumProblems { problems.append(RowProblem(line: line.number, text: error.text)) }
        }
    }
}

/// Whether the line's first column can be `word`: true where it is, or where quotes or a backslash come before that is decided.
private func mayBegin(_ line: ArraySlice<UInt8>, with word: [UInt8]) -> Bool {
    var position = line.startIndex
    while position < line.endIndex && isBlank(line[position]) { position += 1 }
    for byte in word {
        guard position < line.endIndex else { return false }
        let read = line[position]
        if read != byte { return read == UInt8(ascii: "'") || read == UInt8(ascii: "\"") || read == UInt8(ascii: "\\") }
        position += 1
    }
    // A longer word goes on with a character of its own; with a quote or a # it is for the parser to say.
    guard position < line.endIndex, !isBlank(line[position]) else { return true }
    let next = line[position]
    return next == UInt8(ascii: "'") || next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") || next == UInt8(ascii: "#")
}
