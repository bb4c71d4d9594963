internal import AuditTrail
internal import Policy
public import SafeFiles
public import Vocabulary

/// What the timer does every minute: writes down which sessions have ended, and which there are that PAM did not report; ends those whose time is over, and
/// warns those whose time is nearly over.
///
/// A session is told at least four minutes before it ends by its limit or with its identity, also where the limit was made shorter, or the timer had stood
/// still: then it ends that much later. Whoever is revoked or denied is out at once.
public struct SessionEnforcement {
    private let places: SessionPlaces
    private let now: UnixTime
    private let events: SessionEvents
    /// What could not be done, a sentence each.
    public private(set) var problems: [String] = []
    public private(set) var ended: [SessionRecord] = []
    public private(set) var warned: [SessionRecord] = []
    /// Those that PAM had not reported, and that have a record now.
    public private(set) var seen: [SessionRecord] = []

    /// Seconds that a run may take: nine of them for sshd and what it leaves behind.
    public static let patience: UInt32 = 45
    /// Seconds before the end at which a session is told, and that it has at least from then on; in between lies the timer's minute.
    public static let warning: Int64 = 300
    public static let grace: Int64 = 240

    public init(_ places: SessionPlaces, at now: UnixTime) {
        (self.places, self.now) = (places, now)
        events = SessionEvents(AuditTrail(path: places.log), program: "opk")
    }

    public mutating func run() throws(UnsafeFile) {
        try enforce()
        do {
            try places.sessions.create()
            try EnforcementRun(places.sessions).note()
        } catch {
            problems.append("\(error)")
        }
    }

    private mutating func enforce() throws(UnsafeFile) {
        let config = self.config()
        let live = try LiveSessions(places, limits: config.map(SessionLimits.init) ?? SessionLimits(), at: now)
        for record in live.stale where places.sessions.remove(record.id) { events.logout(record, by: record.endedBy ?? .user, at: now) }
        for session in live.sessions where !session.isRecorded { noteSeen(session.record) }
        Folder.removeAbandoned(in: places.sessions.path, olderThan: 60)
        for name in live.unreadable { problems.append("\(places.sessions.path)/\(name) is no record of a session") }
        let exclusion = Exclusion(config, revocations(for: live, config), now)
        var orders: [SessionEnding.Order] = []
        for session in live.sessions {
            let record = session.record
            // A file that cannot be read lets nobody in; it must not let those stay for ever who are in, nor end everybody for a slip of the pen.
            let limits = config.map(SessionLimits.init) ?? record.limits
            if let why = limits.endsWithIdentity ? exclusion.reason(for: record) : nil {
                orders.append(
                    SessionEnding.Order(session, .revoked, message: "this session ends now: its login is no longer allowed", words: why))
            } else if let end = record.end(under: limits) {
                if let order = order(for: session, end, limits) { orders.append(order) }
            }
        }
        if orders.isEmpty { return }
        ended = SessionEnding(places).run(orders)
        for order in orders where !ended.contains(where: { $0.id == order.session.record.id }) {
            problems.append("session \(order.session.record.id) does not end: process \(order.session.record.process.id) is still there")
        }
    }

    private mutating func noteSeen(_ record: SessionRecord) {
        do {
            if try places.noteSeen(record, events) { seen.append(record) }
        } catch {
            problems.append("\(error)")
        }
    }

    private mutating func config() -> ServerConfig? {
        do {
            return try ServerConfig.read(places.configFolder + "/config.yml", trust: places.trust)
        } catch {
            problems.append("\(error); what held at each session's login holds on")
            return nil
        }
    }

    /// Nil where they are not asked for, or cannot be read.
    private mutating func revocations(for live: LiveSessions, _ config: ServerConfig?) -> Revocations? {
        guard live.sessions.contains(where: { (config.map(SessionLimits.init) ?? $0.record.limits).endsWithIdentity }) else { return nil }
        do {
            return try Revocations.read(places.configFolder + "/revoked", trust: places.trust, about: nil)
        } catch {
            problems.append("\(error); nobody's session is ended by it")
            return nil
        }
    }

    /// Warns where it is time to; the order where it is time to end.
    private mutating func order(for session: LiveSessions.Session, _ end: SessionEnd, _ limits: SessionLimits) -> SessionEnding.Order? {
        guard now + SessionEnforcement.warning >= end.time else { return nil }
        let why = SessionEnforcement.words(end.reason, limits)
        if let warned = session.record.warned {
            guard now >= end.time, now >= warned + SessionEnforcement.grace else { return nil }
            return SessionEnding.Order(session, end.reason, message: "this session ends now: \(why)", words: why)
        }
        let time = max(end.time, now + SessionEnforcement.grace)
        let minutes = max(1, (time - now + 30) / 60)
        let message = "this session ends in \(minutes) minutes, at \(time): \(why)"
        let terminals = SessionEnding.tell(session, message)
        var record = session.record
        record.warned = now
        do {
            try places.sessions.update(record)
        } catch {
            // Without it the session would be warned every minute, and never end.
            problems.append("\(error)")
        }
        if !terminals.isEmpty { events.warned(record, time, end.reason, terminals: terminals, at: now) }
        warned.append(record)
        return nil
    }

    private static func words(_ reason: EndedBy, _ limits: SessionLimits) -> String {
        switch reason {
        case .limit: "sessions here last \(limits.limit.map(\.description) ?? "so long") at most"
        case .identity: "its login ends (opk login gives a new one)"
        case .revoked, .administrator, .user: reason.rawValue
        }
    }
}

/// Who may no longer be in: `revoked`, and config.yml's lists.
struct Exclusion {
    private let config: ServerConfig?
    private let revocations: Revocations?
    private let now: UnixTime

    init(_ config: ServerConfig?, _ revocations: Revocations?, _ now: UnixTime) {
        (self.config, self.revocations, self.now) = (config, revocations, now)
    }

    /// Why this session's person is out; nil for who may stay.
    func reason(for record: SessionRecord) -> String? {
        let identity = record.identity
        if let row = revocations?.revoking(subject(of: record)) { return "revoked, line \(row.line): \(row.what)" }
        guard let config else { return nil }
        func has(_ list: [Text], _ name: Text) -> Bool { list.contains { $0.equalsIgnoringASCIICase(name) } }
        if has(config.denyUsers, Text(record.account)) { return "config.yml: deny_users has \(record.account)" }
        if let email = identity.email, has(config.denyEmails, email) { return "config.yml: deny_emails has \(email)" }
        if let group = identity.groups.first(where: { has(config.denyGroups, $0) }) { return "config.yml: deny_groups has \(group)" }
        return nil
    }

    /// Where nothing is known of when the identity was issued it is as old as can be: a row with a time then means it.
    private func subject(of record: SessionRecord) -> RevocationSubject {
        let identity = record.identity
        return RevocationSubject(
            emails: identity.email.map { [$0] } ?? [], subject: identity.subject ?? "", issuer: identity.issuer ?? "",
            key: identity.keyFingerprint ?? "", issuedAt: identity.issuedAt ?? UnixTime(seconds: 0))
    }
}
