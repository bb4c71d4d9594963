public import Policy
public import Vocabulary

/// One more row of `revoked`.
public struct RevokeRow: Sendable {
    public let revocation: Revocation
    private let file: PolicyFile

    public struct Outcome: Sendable {
        public let row: NumberedRow
        /// False where a row that says as much, or more, was there: then nothing was written.
        public let isNew: Bool
    }

    /// - Parameter before: only identities that were issued earlier.
    public init(_ what: Revocation.What, before: UnixTime? = nil, in place: PolicyPlace) throws(PolicyError) {
        do { revocation = try Revocation(what, before: before) } catch { throw .revocation(error.text) }
        file = try place.revoked()
    }

    public var path: String { file.path }

    /// - Parameter isTrial: whether nothing is to be written.
    public func run(isTrial: Bool) throws(PolicyError) -> Outcome {
        if isTrial { return try applied(to: try file.read()).result }
        return try file.change(as: "revoke", applied)
    }

    func applied(to text: [UInt8]) throws(PolicyError) -> (text: [UInt8]?, result: Outcome) {
        let before = try RevokeRow.read(text, file)
        if let same = before.rows.first(where: { $0.what.isSame(revocation.what) && RevokeRow.covers($0.before, revocation.before) }) {
            return (nil, Outcome(row: NumberedRow(same.line, of: text), isNew: false))
        }
        let row = revocation.written
        let (changed, line) = PolicyText.appending(row, to: text)
        let after = try RevokeRow.read(changed, file)
        guard after.rows.count == before.rows.count + 1, RevokeRow.same(before.rows[...], after.rows.dropLast()),
            let new = after.rows.last, new.line == line, new.what == revocation.what, new.before == revocation.before
        else { throw .misread(row) }
        return (changed, Outcome(row: NumberedRow(line: line, text: row), isNew: true))
    }

    /// A file with a row that cannot be read refuses everybody: it is mended before anything is added to it.
    static func read(_ text: [UInt8], _ file: PolicyFile) throws(PolicyError) -> Revocations {
        do { return try Revocations(parsing: text) } catch { throw .brokenRevoked(file.path, error) }
    }

    static func same(_ one: ArraySlice<Revocation>, _ other: ArraySlice<Revocation>) -> Bool {
        one.elementsEqual(other) { $0.what == $1.what && $0.before == $1.before }
    }

    /// Whether a row for `old` has out whom one for `new` would.
    private static func covers(_ old: UnixTime?, _ new: UnixTime?) -> Bool {
        guard let old else { return true }
        return new.map { $0 <= old } ?? false
    }
}
