public import SafeFiles
internal import Vocabulary

/// Where everything about sessions lies.
public struct SessionPlaces: Sendable {
    public var configFolder = "/etc/opk"
    public var sessions = SessionFolder()
    public var log = "/var/log/opk/audit.jsonl"
    /// Whose configuration counts.
    public var trust: FileTrust = .rootOnly

    public init() {}
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
        let family: [ProcessStatus]
        /// `pts/3`: those that its processes have now.
        public var terminals: [String] { SessionTerminals(of: family).names }
    }

    /// - Parameter limits: for those that have no record.
    public init(_ places: SessionPlaces, limits: SessionLimits) throws(UnsafeFile) {
        let (records, unreadable) = try places.sessions.records()
        let table = ProcessTable.now()
        let running = Set(table.processes.filter { !$0.isDead }.map(\.stamp))
        let live = records.filter { running.contains($0.process) }
        stale = records.filter { !running.contains($0.process) }
        let seen = SeenSessions.find(in: table, known: Set(live.map(\.process)), log: places.log, limits: limits)
        sessions = (live + seen).map { Session(record: $0, family: table.family(of: $0.process)) }
            .sorted { ($0.record.began, $0.record.id) < ($1.record.began, $1.record.id) }
        self.unreadable = unreadable
    }
}
