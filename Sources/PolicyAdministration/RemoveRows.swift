import Policy
import SSHKeys
public import Vocabulary

/// Rows of `auth_id` that go: those that are named, and no others.
public struct RemoveRows: Sendable {
    public enum Selection: Sendable, Equatable {
        /// What is nil may be anything.
        case words(account: Text, who: Text?, issuer: Text?)
        /// The row on that line, good or bad; if words are given, it must be theirs.
        case line(Int, account: Text?, who: Text?, issuer: Text?)
    }

    public let place: PolicyPlace
    public let selection: Selection
    /// Whether rows of several people may go at once.
    public let takesAll: Bool

    public struct Outcome: Sendable {
        /// Where they stood.
        public let removed: [NumberedRow]
    }

    /// Rows that are shown where none is the one.
    private static let mostNear = 8

    public init(_ selection: Selection, in place: PolicyPlace, takesAll: Bool = false) throws(PolicyError) {
        if case .line(let number, _, _, _) = selection, number < 1 { throw .line(number) }
        (self.place, self.selection, self.takesAll) = (place, selection, takesAll)
    }

    /// - Parameter isTrial: whether nothing is to be written.
    public func run(isTrial: Bool) throws(PolicyError) -> Outcome {
        if isTrial { return try applied(to: try place.authID.read()).result }
        return try place.authID.change(as: "remove", applied)
    }

    func applied(to text: [UInt8]) throws(PolicyError) -> (text: [UInt8]?, result: Outcome) {
        let lines = Set(try chosen(text))
        return (try RemoveRows.without(lines, text), Outcome(removed: NumberedRow.rows(lines.sorted(), of: text)))
    }

    /// The text without these lines, looked over: no line that stays has another byte, so that no row that stays means anything else.
    static func without(_ lines: Set<Int>, _ text: [UInt8]) throws(PolicyError) -> [UInt8] {
        let changed = PolicyText.removing(lines, from: text)
        guard PolicyText.isOnly(removed: lines, of: text, in: changed) else { throw .others }
        return changed
    }

    private func chosen(_ text: [UInt8]) throws(PolicyError) -> [Int] {
        switch selection {
        case .line(let number, let account, let who, let issuer):
            return [try checked(number, account, who, issuer, text)]
        case .words(let account, let who, let issuer):
            let read = place.rows(of: text, for: account)
            let found = read.rows.filter { RemoveRows.names($0, account, who, issuer) }
            guard let first = found.first else {
                throw .nothing("no row of \(Text(place.authID.path)) is that one", near: near(account, who, text))
            }
            let isOne = found.allSatisfy {
                $0.account == first.account && first.identity.isSame($0.identity) && $0.issuer == first.issuer
            }
            guard isOne || takesAll else {
                throw .ambiguous(
                    "\(found.count) rows are of that description", candidates: rows(found.map(\.line), text),
                    hint: "name who and which issuer, or --line NUMBER, or --all for all of them")
            }
            return found.map(\.line)
        }
    }

    /// The line, where a row of these words stands there. A row is what it is by itself, whatever stands around it.
    private func checked(
        _ number: Int, _ account: Text?, _ who: Text?, _ issuer: Text?, _ text: [UInt8]
    ) throws(PolicyError) -> Int {
        guard let bytes = PolicyText.bytes(ofLine: number, of: text) else { throw .otherLine(number, "no row is there") }
        let read = AuthID(parsing: bytes)
        if let row = read.rows.first {
            if RemoveRows.names(row, account, who, issuer) { return number }
            throw .otherLine(number, "that row is another one: \(NumberedRow(number, of: text).text.escapedOnce(limit: 400))")
        }
        guard !read.problems.isEmpty else { throw .otherLine(number, "no row is there") }
        if account != nil || who != nil || issuer != nil {
            throw .otherLine(number, "that row cannot be read, so it is nobody's; name its number alone")
        }
        return number
    }

    private static func names(_ row: AuthRow, _ account: Text?, _ who: Text?, _ issuer: Text?) -> Bool {
        (account == nil || row.account.description == account?.string) && (who.map { row.identity.isWritten($0) } ?? true)
            && (issuer == nil || row.issuer == issuer)
    }

    /// Rows of the same person, else of the same account.
    private func near(_ account: Text, _ who: Text?, _ text: [UInt8]) -> [String] {
        let read = place.rows(of: text)
        let ofPerson = read.rows.filter { row in who.map { row.identity.isWritten($0) } ?? false }
        let ofAccount = read.rows.filter { $0.account.description == account.string }
        return rows((ofPerson.isEmpty ? ofAccount : ofPerson).prefix(RemoveRows.mostNear).map(\.line), text)
    }

    private func rows(_ lines: [Int], _ text: [UInt8]) -> [String] {
        NumberedRow.rows(Array(lines.prefix(100)), of: text).map { $0.described(in: place.authID.path) }
    }
}

extension Identity {
    /// Equal but for the case of email addresses.
    func isSame(_ other: Identity) -> Bool {
        switch (self, other) {
        case (.emailOrSubject(let one), .emailOrSubject(let other)), (.emailDomain(let one), .emailDomain(let other)):
            one.equalsIgnoringASCIICase(other)
        default: self == other
        }
    }
}
