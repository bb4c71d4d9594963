import AuditReading
public import AuditTrail
import JOSE
public import KeyAdministration
import KeyCache
import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `opk log metrics`: a server's counters and the age of its keys in Prometheus' text format (version 0.0.4), for node_exporter's textfile collector.
public struct Metrics {
    let trail: AuditTrail
    let statePath: String
    private var counters = Counters()
    private var lines: [String] = []

    public init(trail: AuditTrail, stateFolder: String) {
        self.trail = trail
        statePath = stateFolder + "/metrics"
    }

    /// Counts what is new in the log, and remembers it.
    public mutating func count() throws(AlertError) {
        let file = StateFile(path: statePath)
        counters = try file.alone { () throws(AlertError) in
            let state = try file.read()
            var cursor = LogCursor(state?["cursor"]) ?? LogCursor()
            var counters = Counters(state?["counters"])
            let findings = try cursor.read(trail.path, at: .now()) { counters.add($0) }
            counters.addTorn(findings.torn)
            var object = JSONObject()
            object["cursor"] = cursor.json
            object["counters"] = counters.json
            try file.write(object)
            return counters
        }
    }

    /// - Parameters:
    ///   - keys: nil where they cannot be looked at.
    ///   - sessions: how many are open; nil where nobody knows.
    public mutating func text(_ keys: KeyInventory?, sessions: Int?, at now: UnixTime) -> String {
        lines = []
        for family in Metrics.families { add(family) }
        addDurations()
        if let keys { add(keys, at: now) }
        if let sessions {
            head("opk_sessions", "gauge", "Sessions that are open.")
            lines.append("opk_sessions \(sessions)")
        }
        head("opk_metrics_timestamp_seconds", "gauge", "When these lines were written.")
        lines.append("opk_metrics_timestamp_seconds \(now.seconds)")
        return lines.map { $0 + "\n" }.joined()
    }

    /// Names and what they say, in the order in which they are written.
    static let families = [
        ("opk_decisions_total", "Decisions of opk-verify; sshd asks twice for a login."),
        ("opk_logins_total", "Sessions that were opened."),
        ("opk_logouts_total", "Sessions that were closed."),
        ("opk_sessions_ended_total", "Sessions that were ended by opk, and why."),
        ("opk_changes_total", "Changes of policy, keys and sshd's configuration."),
        ("opk_notifications_total", "Notices that were delivered, or given up."),
        ("opk_audit_events_lost_total", "Events that could not be written to the audit log."),
        ("opk_audit_log_damaged_total", "How often the audit log became shorter, vanished or was not to be written to."),
        ("opk_audit_torn_lines_total", "Lines of the audit log that are no events."),
    ]

    private mutating func add(_ family: (name: String, help: String)) {
        head(family.name, "counter", family.help)
        let found = counters.all.filter { $0.key == family.name || $0.key.utf8.starts(with: (family.name + "{").utf8) }
        for (name, count) in found.sorted(by: { $0.key < $1.key }) { lines.append("\(name) \(count)") }
    }

    private mutating func addDurations() {
        let name = "opk_decision_duration_seconds"
        head(name, "histogram", "How long opk-verify took for a decision.")
        for (index, bound) in Counters.bounds.enumerated() {
            lines.append("\(name)_bucket{le=\"\(Metrics.seconds(bound))\"} \(counters.buckets[index])")
        }
        let all = counters.buckets.last ?? 0
        lines += ["\(name)_bucket{le=\"+Inf\"} \(all)", "\(name)_sum \(Metrics.seconds(counters.duration))", "\(name)_count \(all)"]
    }

    private mutating func add(_ inventory: KeyInventory, at now: UnixTime) {
        let named = inventory.entries.compactMap { entry -> (String, KeyInventory.Entry)? in
            guard entry.isNamed, case .issuer(let issuer) = entry.subject else { return nil }
            return ("{issuer=\"\(Metrics.label(issuer.string))\"}", entry)
        }
        head("opk_provider_key_age_seconds", "gauge", "Since a provider's keys were fetched.")
        for (label, entry) in named {
            if let keys = entry.keys { lines.append("opk_provider_key_age_seconds\(label) \(max(0, now - keys.fetchedAt))") }
        }
        head("opk_provider_keys_usable", "gauge", "Whether a login can be decided by the keys that are there.")
        for (label, entry) in named {
            let usable = entry.state == .fresh || entry.state == .stale
            lines.append("opk_provider_keys_usable\(label) \(usable ? 1 : 0)")
        }
        head("opk_provider_fetch_failures", "gauge", "Fetches of a provider's keys that have failed since the last that succeeded.")
        for (label, entry) in named { lines.append("opk_provider_fetch_failures\(label) \(entry.lastAttempt?.failures ?? 0)") }
    }

    private mutating func head(_ name: String, _ type: String, _ help: String) {
        lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)"]
    }

    /// Microseconds as seconds, exactly: 2500 is 0.0025.
    static func seconds(_ microseconds: Int64) -> String {
        let whole = microseconds / 1_000_000
        var fraction = String(microseconds % 1_000_000)
        fraction = String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? String(whole) : "\(whole).\(fraction)"
    }

    /// A label's value: backslash, quote and line feed are escaped, and nothing else has to be.
    static func label(_ text: String) -> String {
        var out = ""
        for scalar in Text(text).escapedOnce(limit: 256).unicodeScalars {
            if scalar == "\\" || scalar == "\"" { out.unicodeScalars.append("\\") }
            out.unicodeScalars.append(scalar)
        }
        return out
    }

    public static func hasFolder(for path: String) -> Bool {
        let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).flatMap { String(path.utf8[..<$0]) } ?? "."
        var facts = stat()
        // The path is copied.
        return unsafe stat(folder.isEmpty ? "/" : folder, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    /// For a collector that may read the folder at any moment: whole or not at all.
    public static func write(_ text: String, to path: String) throws(AlertError) {
        do {
            try AtomicFile.write(Array(text.utf8), to: path, mode: 0o644)
        } catch {
            throw .writing("\(error)")
        }
    }
}
