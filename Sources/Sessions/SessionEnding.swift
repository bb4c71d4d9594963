public import AuditTrail
internal import Vocabulary

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Ends sessions: says so on their terminals, asks sshd's process of each to end (SIGTERM, upon which sshd closes the session in good order), and takes
/// away what is still there five seconds later. All of them at once, so that many take no longer than one.
public struct SessionEnding {
    private let places: SessionPlaces
    private let events: SessionEvents

    public init(_ places: SessionPlaces, program: String = "opk") {
        self.places = places
        events = SessionEvents(AuditTrail(path: places.log), program: program)
    }

    /// One session, and why it ends.
    public struct Order {
        public var session: LiveSessions.Session
        public var reason: EndedBy
        /// For the terminal, one line; escaped here.
        public var message: String
        /// For the audit log.
        public var words: String?
        public var actor: AuditObject?

        public init(_ session: LiveSessions.Session, _ reason: EndedBy, message: String, words: String? = nil, actor: AuditObject? = nil) {
            (self.session, self.reason, self.message, self.words, self.actor) = (session, reason, message, words, actor)
        }
    }

    /// Milliseconds that sshd gets, and then everything else that the session started.
    static let patience = 5_000
    static let lastPatience = 2_000
    /// Microseconds in which a message reaches its reader.
    static let reading: UInt32 = 500_000

    /// - Returns: the records of those that are gone, which is all of them but what the system would not let go.
    public func run(_ orders: [Order]) -> [SessionRecord] {
        let orders = orders.filter { SessionEnding.mayEnd($0.session) }
        // So that the timer, should it find the session gone before we do, knows why.
        var isTold = false
        for order in orders {
            var record = order.session.record
            record.endedBy = order.reason
            if !order.session.isRecorded { _ = try? places.noteSeen(order.session.record, events) }
            try? places.sessions.update(record)
            isTold = !SessionEnding.tell(order.session, order.message).isEmpty || isTold
        }
        // What sshd does not read from the terminal in this time nobody sees.
        if isTold { usleep(SessionEnding.reading) }
        let daemons = orders.map(\.session.record.process)
        SessionEnding.signal(daemons, SIGTERM)
        SessionEnding.wait(for: daemons, SessionEnding.patience)
        SessionEnding.signal(daemons, SIGKILL)
        SessionEnding.wait(for: daemons, SessionEnding.lastPatience)
        // What ran without a terminal does not notice that its connection is gone.
        let rest = orders.flatMap { $0.session.family.dropFirst().map(\.stamp) }
        SessionEnding.signal(rest, SIGHUP)
        SessionEnding.wait(for: rest, SessionEnding.lastPatience)
        SessionEnding.signal(rest, SIGKILL)
        return orders.filter(conclude).map(\.session.record)
    }

    /// Whatever a record or a decision says: what takes sshd's connections is no session, nor is what has another session's process as its child.
    private static func mayEnd(_ session: LiveSessions.Session) -> Bool {
        guard let process = ProcessStatus(session.record.process.id), process.stamp == session.record.process else { return true }
        return !session.hasSessions && !SSHDProcess.isListener(process, ProcessTable([process]))
    }

    /// False for one that is still there.
    private func conclude(_ order: Order) -> Bool {
        var record = order.session.record
        guard !record.process.isRunning else { return false }
        record.endedBy = order.reason
        let now = UnixTime.now()
        events.ended(record, by: order.reason, order.words, actor: order.actor, at: now)
        // Unless the timer found it gone before we did.
        if places.sessions.remove(record.id) { events.logout(record, by: order.reason, at: now) }
        return true
    }

    /// - Returns: the terminals that took it.
    static func tell(_ session: LiveSessions.Session, _ message: String) -> [String] {
        guard let owner = AccountUser.number(of: session.record.account) else { return [] }
        return SessionTerminals(of: session.family).tell(Text("opk: " + message).escapedOnce(limit: 1024), owner: owner)
    }

    private static func signal(_ processes: [ProcessStamp], _ signal: Int32) {
        for process in processes {
            if let handle = ProcessHandle(process) { handle.send(signal) }
        }
    }

    private static func wait(for processes: [ProcessStamp], _ milliseconds: Int) {
        for _ in 0..<(milliseconds / 50) {
            guard processes.contains(where: \.isRunning) else { return }
            usleep(50_000)
        }
    }
}
