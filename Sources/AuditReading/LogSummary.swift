import AuditTrail
public import JOSE
public import Vocabulary

/// What there was, counted: of the events that a query wants, and of the lines in its time that are no events.
public struct LogSummary: Sendable {
    public private(set) var events = 0
    public private(set) var admitted = 0
    public private(set) var refused = 0
    public private(set) var logins = 0
    public private(set) var logouts = 0
    public private(set) var breakGlass = 0
    /// Of policy, keys and server.
    public private(set) var changes = 0
    public private(set) var gaps = 0
    /// Events that gaps say were not written.
    public private(set) var lost: Int64 = 0
    /// Lines that are no events: torn, or foreign.
    public internal(set) var torn = 0
    private var people = KeyedCounts()
    private var reasons = KeyedCounts()

    private static let email = AuditField.email.index
    private static let subject = AuditField.subject.index
    private static let granted = AuditField.granted.index
    private static let reason = AuditField.reason.index
    private static let lostIndex = AuditField.lost.index
    private static let breakGlassIndex = AuditField.breakGlass.index

    public init() {}

    public struct Count: Hashable, Sendable {
        /// An email address, a subject, a reason's code: hostile text.
        public let name: Text
        public let count: Int
    }

    /// Logins by email address, or by subject where there is none; the most first.
    public var loginsByPerson: [Count] { people.sorted }
    /// Refused decisions by reason; the most first.
    public var refusalsByReason: [Count] { reasons.sorted }
    /// Logins and refusals of those for whom there was no room in these lists.
    public var uncounted: Int { people.others + reasons.others }

    /// The line that was scanned last.
    mutating func add(_ scanner: EventScanner, _ bytes: Span<UInt8>) {
        events += 1
        switch scanner.kind {
        case .decision:
            if scanner.isTrue(LogSummary.granted, bytes) == true {
                admitted += 1
            } else {
                refused += 1
                reasons.add(bytes, scanner.range(LogSummary.reason))
            }
        case .login:
            logins += 1
            if scanner.isTrue(LogSummary.breakGlassIndex, bytes) == true { breakGlass += 1 }
            people.add(bytes, scanner.range(LogSummary.email) ?? scanner.range(LogSummary.subject))
        case .logout: logouts += 1
        case .policyChanged, .keysChanged, .serverChanged: changes += 1
        case .gap:
            gaps += 1
            let count = scanner.range(LogSummary.lostIndex).flatMap { Int64(String(decoding: bytes.copy($0), as: UTF8.self)) } ?? 0
            lost = lost.addingReportingOverflow(max(0, count)).partialValue
        case .sessionWarned, .sessionEnded, .notified, .damaged: break
        }
    }

    public var json: JSON {
        func number(_ value: Int) -> JSON { .number(JSONNumber(Int64(value))) }
        func list(_ name: Text, _ counts: [Count]) -> JSON {
            .array(counts.map { [name: .string($0.name), "count": number($0.count)] })
        }
        return [
            "events": number(events), "decisions_admitted": number(admitted), "decisions_refused": number(refused),
            "logins": number(logins),
            "logouts": number(logouts), "logins_break_glass": number(breakGlass), "changes": number(changes), "gaps": number(gaps),
            "events_lost": .number(JSONNumber(lost)), "torn_lines": number(torn), "logins_by_person": list("who", loginsByPerson),
            "refusals_by_reason": list("reason", refusalsByReason), "not_listed": number(uncounted),
        ]
    }
}
