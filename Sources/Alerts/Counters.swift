import AuditReading
import AuditTrail
import JOSE
import Vocabulary

/// What the log's events add up to, since the first that was counted: Prometheus' counters only ever grow, and a log is rotated away.
struct Counters: Hashable {
    /// By a metric's name and labels, as Prometheus writes them.
    private(set) var counts: [String: Int64] = [:]
    /// Decisions by how long they took: for each bound of `bounds` those that took no longer, and all.
    private(set) var buckets = [Int64](repeating: 0, count: Counters.bounds.count + 1)
    /// In microseconds.
    private(set) var duration: Int64 = 0

    /// In microseconds.
    static let bounds: [Int64] = [
        1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
    ]
    /// Different names and labels: those come from closed lists, but the log is not to be trusted.
    private static let most = 500

    /// Names and labels that are known before anything has happened. They are there as 0, since a counter that begins with 1 has not increased to
    /// Prometheus: the first broken glass would raise no alert.
    static let known: [String] =
        ["opk_decisions_total{outcome=\"granted\",reason=\"none\"}"]
        + Refusal.Code.allCases.map { "opk_decisions_total{outcome=\"refused\",reason=\"\($0.rawValue)\"}" }
        + [false, true].map { "opk_logins_total{break_glass=\"\($0)\"}" } + ["opk_logouts_total"]
        + ["administrator", "identity", "limit", "revoked"].map { "opk_sessions_ended_total{by=\"\($0)\"}" }
        + [AuditKind.policyChanged, .keysChanged, .serverChanged].map { "opk_changes_total{type=\"\($0.rawValue)\"}" }
        + ["delivered", "failed"].map { "opk_notifications_total{result=\"\($0)\"}" }
        + ["opk_audit_events_lost_total", "opk_audit_log_damaged_total", "opk_audit_torn_lines_total"]

    /// All that is there to say, by name and labels.
    var all: [String: Int64] { counts.merging(Counters.known.map { ($0, 0) }) { count, _ in count } }

    init() {}

    init(_ json: JSON?) {
        for member in json?["counts"]?.object?.members ?? [] { counts[member.name.string] = member.value.number?.integer }
        let stored = (json?["buckets"]?.array ?? []).compactMap { $0.number?.integer }
        if stored.count == buckets.count { buckets = stored }
        duration = json?["duration_us"]?.number?.integer ?? 0
    }

    var json: JSON {
        var object = JSONObject()
        for (name, count) in counts.sorted(by: { Text($0.key) < Text($1.key) }) { object[Text(name)] = .number(JSONNumber(count)) }
        return [
            "counts": .object(object), "buckets": .array(buckets.map { .number(JSONNumber($0)) }),
            "duration_us": .number(JSONNumber(duration)),
        ]
    }

    mutating func add(_ record: AuditRecord) {
        switch record.kind {
        case .decision:
            let granted = record.flag(.granted) == true
            let reason = granted ? "none" : Counters.label(record.text(.reason))
            add("opk_decisions_total{outcome=\"\(granted ? "granted" : "refused")\",reason=\"\(reason)\"}", 1)
            if let microseconds = record.number(.duration), (0...3_600_000_000).contains(microseconds) { took(microseconds) }
        case .login: add("opk_logins_total{break_glass=\"\(record.flag(.breakGlass) == true)\"}", 1)
        case .logout: add("opk_logouts_total", 1)
        case .sessionEnded: add("opk_sessions_ended_total{by=\"\(Counters.label(record.text(.endedBy)))\"}", 1)
        case .policyChanged, .keysChanged, .serverChanged: add("opk_changes_total{type=\"\(record.kind.rawValue)\"}", 1)
        case .notified: add("opk_notifications_total{result=\"\(Counters.label(record.text(.kind)))\"}", 1)
        case .gap: add("opk_audit_events_lost_total", max(0, record.number(.lost) ?? 0))
        case .damaged: add("opk_audit_log_damaged_total", 1)
        case .sessionWarned: break
        }
    }

    mutating func addTorn(_ lines: Int) { if lines > 0 { add("opk_audit_torn_lines_total", Int64(lines)) } }

    private mutating func add(_ name: String, _ count: Int64) {
        guard counts[name] != nil || counts.count < Counters.most else { return }
        counts[name] = (counts[name] ?? 0).addingReportingOverflow(count).partialValue
    }

    private mutating func took(_ microseconds: Int64) {
        for (index, bound) in Counters.bounds.enumerated() where microseconds <= bound { buckets[index] += 1 }
        buckets[Counters.bounds.count] += 1
        duration = duration.addingReportingOverflow(microseconds).partialValue
    }

    /// Of a closed list by its form: lower-case letters and hyphens.
    private static func label(_ text: String?) -> String {
        guard let text, !text.isEmpty, text.utf8.count <= 40, text.utf8.allSatisfy({ (0x61...0x7A).contains($0) || $0 == 0x2D }) else {
            return "other"
        }
        return text
    }
}
