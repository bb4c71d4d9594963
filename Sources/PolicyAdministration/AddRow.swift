public import Policy
import SSHKeys
import Vocabulary

/// One more row of `auth_id`.
public struct AddRow: Sendable {
    public let place: PolicyPlace
    public let request: RowRequest
    /// Whether rows of the same account, identity and issuer give way, whatever their options.
    public let replaces: Bool

    public struct Outcome: Sendable {
        public let row: NumberedRow
        /// What it means to the verifier.
        public let meaning: AuthRow
        /// False where an equal row was there: then nothing was written.
        public let isNew: Bool
        /// Rows that gave way, where they stood.
        public let replaced: [NumberedRow]
        /// Rows of the same account, identity and issuer with other options, where they stood: rows add up.
        public let others: [NumberedRow]
    }

    public init(_ request: RowRequest, in place: PolicyPlace, replaces: Bool = false) throws(PolicyError) {
        if case .home(let own) = place.kind, request.account != own.text { throw .otherAccount(request.account, own: own.text) }
        if request.who == "*" { throw .everybody }
        (self.place, self.request, self.replaces) = (place, request, replaces)
    }

    /// - Parameter isTrial: whether nothing is to be written.
    public func run(isTrial: Bool) throws(PolicyError) -> Outcome {
        // Nothing is touched for a row that will not be written.
        _ = try meaning(of: try request.written())
        if isTrial { return try applied(to: try place.authID.read()).result }
        return try place.authID.change(as: "add", applied)
    }

    func applied(to text: [UInt8]) throws(PolicyError) -> (text: [UInt8]?, result: Outcome) {
        let row = try request.written()
        let alone = try meaning(of: row)
        // Rows of other accounts are what they were if their bytes are.
        let before = place.rows(of: text, for: request.account)
        let same = before.rows.filter { $0.account == alone.account && $0.identity.isWritten(request.who) && $0.issuer == alone.issuer }
        if let equal = same.first(where: { $0.options == alone.options }), !replaces || same.count == 1 {
            let others = NumberedRow.rows(same.map(\.line).filter { $0 != equal.line }, of: text)
            return (
                nil, Outcome(row: NumberedRow(equal.line, of: text), meaning: equal, isNew: false, replaced: [], others: others)
            )
        }
        let rows = NumberedRow.rows(same.map(\.line), of: text)
        let (changed, line): ([UInt8], Int)
        let passes: Bool
        if replaces, let first = same.first {
            let others = Set(same.dropFirst().map(\.line))
            (changed, line) = PolicyText.replacing(first.line, with: row, removing: others, in: text)
            let check = AuthIDCheck(before: before, after: place.rows(of: changed, for: request.account))
            passes =
                check.passes(gone: others, new: line, replacing: first.line)
                && PolicyText.isOnly(removed: others, replaced: (first.line, row), of: text, in: changed)
        } else {
            (changed, line) = PolicyText.appending(row, to: text)
            let check = AuthIDCheck(before: before, after: place.rows(of: changed, for: request.account))
            passes = check.passes(gone: [], new: line) && changed.starts(with: text)
        }
        guard passes, PolicyText.line(line, of: changed) == row else { throw .misread(row) }
        return (
            changed,
            Outcome(
                row: NumberedRow(line: line, text: row), meaning: alone, isNew: true, replaced: replaces ? rows : [],
                others: replaces ? [] : rows)
        )
    }

    /// The row as the verifier reads it, and exactly what was asked for.
    private func meaning(of row: Text) throws(PolicyError) -> AuthRow {
        let read = place.rows(of: row.utf8)
        if let problem = read.problems.first { throw .row(row, problem) }
        guard read.rows.count == 1, let meaning = read.rows.first, request.reads(back: row),
            meaning.account.description == request.account.string,
            meaning.identity.isWritten(request.who), meaning.issuer == request.issuer
        else { throw .misread(row) }
        return meaning
    }
}
