import Policy
public import Vocabulary

/// Rows of `auth_id` whose time is over go; comments stay.
public struct PruneRows: Sendable {
    public let place: PolicyPlace
    public let now: UnixTime

    public init(_ place: PolicyPlace, at now: UnixTime) {
        (self.place, self.now) = (place, now)
    }

    public struct Removed: Sendable {
        /// Where it stood.
        public let row: NumberedRow
        public let expired: UnixTime
    }

    /// - Parameter isTrial: whether nothing is to be written.
    public func run(isTrial: Bool) throws(PolicyError) -> [Removed] {
        if isTrial { return try applied(to: try place.authID.read()).result }
        return try place.authID.change(as: "prune", applied)
    }

    func applied(to text: [UInt8]) throws(PolicyError) -> (text: [UInt8]?, result: [Removed]) {
        var removed: [Removed] = []
        for row in place.rows(of: text).rows {
            guard let expires = row.options.expires, expires <= now else { continue }
            removed.append(Removed(row: NumberedRow(line: row.line, text: ""), expired: expires))
        }
        if removed.isEmpty { return (nil, []) }
        let lines = Set(removed.map(\.row.line))
        let texts = PolicyText.lines(lines, of: text)
        return (
            try RemoveRows.without(lines, text),
            removed.map { Removed(row: NumberedRow(line: $0.row.line, text: texts[$0.row.line] ?? ""), expired: $0.expired) }
        )
    }
}
