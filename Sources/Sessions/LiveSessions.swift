public import SafeFiles
public import Vocabulary

/// Where everything about sessions lies.
public struct SessionPlaces: Sendable {
    public var configFolder = "/etc/opk"
    public var sessions = SessionFolder()
    public var log = "/var/log/opk/audit.jsonl"
    /// Whose configuration counts.
    public var trust: FileTrust = .rootOnly

    public init() {}
}

extension SessionPlaces {
    /// Writes down a session that PAM did not report: its record and, for whoever made that, its login.
    ///
    /// - Returns: whether this was the one.
    @discardableResult
    func noteSeen(_ record: SessionRecord, _ events: SessionEvents) throws(WriteFailure) -> Bool {
        try sessions.create()
        guard try sessions.add(record) else { return false }
        events.login(record, terminals: [], at: .now())
        return true
    }
}

/// Who is in now.
public struct LiveSessions {
    /// The oldest first.
    public let sessions: [Session]
    /// Records of sessions that are over, though nobody said so.
    public let stale: [SessionRecord]
    /// Files that are no records.
    public let unreadable: [String]

    public struct Session {
        public var record: SessionRecord
        /// Whether there is a file of it; else it is only seen.
        public let isRecorded: Bool
        /// Whether other sessions' processes are children of its own, as they are of what takes connections.
        let hasSessions: Bool
        /// Its processes and no other session's.
        let family: [ProcessStatus]
        /// `pts/3`: those that its processes have now.
        public var terminals: [String] { SessionTerminals(of: family).names }
    }

    /// - Parameter limits: for those that have no record.
    public init(_ places: SessionPlaces, limits: SessionLimits, at now: UnixTime) throws(UnsafeFile) {
        let (records, unreadable) = try places.sessions.records()
        let table = ProcessTable.now()
        let running = Set(table.processes.filter { !$0.isDead }.map(\.stamp))
        let live = records.filter { running.contains($0.process) }
        stale = records.filter { !running.contains($0.process) }
        let known = Set(live.map(\.process))
        let seen = SeenSessions.find(in: table, known: known, limits: limits, at: now) { GrantedDecisions(log: places.log).newest(of: $0) }
        let all = known.union(seen.map(\.process))
        sessions = (live + seen).map { record in
            Session(
                record: record, isRecorded: known.contains(record.process),
                hasSessions: table.children(of: record.process.id).contains { all.contains($0.stamp) },
                family: table.family(of: record.process, without: all))
        }
        .sorted { ($0.record.began, $0.record.id) < ($1.record.began, $1.record.id) }
        self.unreadable = unreadable
    }
}
