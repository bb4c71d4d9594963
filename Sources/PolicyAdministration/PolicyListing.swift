public import Policy
import SafeFiles
public import Vocabulary

/// What `auth_id` says: who may be what, and what is left of each limit.
public struct PolicyListing: Sendable {
    public let path: String
    public let time: UnixTime
    public let entries: [Entry]
    /// Rows that grant nothing, whoever was asked for.
    public let problems: [RowProblem]

    public struct Filter: Sendable, Equatable {
        public var account: Text?
        /// An identity as a row has it; of an email address also the rows of its whole domain.
        public var who: Text?
        public var onlyExpired = false

        public init() {}
    }

    public struct Entry: Sendable {
        public let row: AuthRow
        public let text: NumberedRow
        public let options: [RowText.Option]
        public let state: State
    }

    public enum State: Sendable, Equatable {
        case active
        case expired
        case notStarted
        /// Until that moment, or for good where there is none.
        case closed(until: UnixTime?)
    }

    public init(_ place: PolicyPlace, _ filter: Filter = Filter(), at now: UnixTime) throws(PolicyError) {
        let text = try place.authID.read()
        self.init(text, in: place, filter, at: now)
    }

    init(_ text: [UInt8], in place: PolicyPlace, _ filter: Filter = Filter(), at now: UnixTime) {
        let read = place.rows(of: text)
        let wanted = read.rows.filter { filter.takes($0, at: now) }
        let lines = NumberedRow.rows(wanted.map(\.line), of: text)
        path = place.authID.path
        time = now
        entries = zip(wanted, lines).map { row, line in
            Entry(row: row, text: line, options: RowText(line.text)?.options ?? [], state: State(row.options, at: now))
        }
        problems = read.problems
    }
}

extension PolicyListing.Filter {
    func takes(_ row: AuthRow, at now: UnixTime) -> Bool {
        // A row for whatever account a claim names is about every one.
        if let account, row.account != .byClaim, row.account.description != account.string { return false }
        if let who, !row.identity.isWritten(who), !isDomain(row.identity, of: who) { return false }
        return !onlyExpired || PolicyListing.State(row.options, at: now) == .expired
    }

    private func isDomain(_ identity: Identity, of who: Text) -> Bool {
        guard case .emailDomain(let domain) = identity else { return false }
        return who.count > domain.count && who.lowercasedASCII.hasSuffix(domain.lowercasedASCII)
    }
}

extension PolicyListing.State {
    init(_ options: RowOptions, at now: UnixTime) {
        if let expires = options.expires, expires <= now {
            self = .expired
        } else if let starts = options.starts, starts > now {
            self = .notStarted
        } else if let hours = options.hours, !hours.contains(now) {
            self = .closed(until: hours.nextOpening(after: now))
        } else {
            self = .active
        }
    }
}
