import AuditTrail
import Foundation
import KeyAdministration
import SafeFiles
import Testing
import Vocabulary

@testable import Alerts

@Suite struct MetricsTests {
    func text(_ server: AlertsServer) throws -> [String] {
        var metrics = Metrics(trail: AuditTrail(path: server.log), stateFolder: server.state)
        try metrics.count()
        return metrics.text(nil, sessions: 2, at: UnixTime(seconds: 1_800_000_000)).split(separator: "\n").map(String.init)
    }

    @Test("counters grow with the log, through its rotation, and count each event once")
    func counters() throws {
        let server = try AlertsServer()
        try server.append(.decision) {
            $0.set(.granted, true)
            $0.set(.duration, 3000)
        }
        try server.refuse("revoked")
        try server.append(.login) { $0.set(.breakGlass, true) }
        var lines = try text(server)
        #expect(lines.contains("opk_decisions_total{outcome=\"granted\",reason=\"none\"} 1"))
        #expect(lines.contains("opk_decisions_total{outcome=\"refused\",reason=\"revoked\"} 1"))
        #expect(lines.contains("opk_logins_total{break_glass=\"true\"} 1"))
        #expect(lines.contains("opk_audit_events_lost_total 0"))
        #expect(lines.contains("opk_sessions 2"))
        try server.rotate()
        try server.refuse("revoked")
        try server.append(.gap) { $0.set(.lost, 17) }
        lines = try text(server)
        #expect(lines.contains("opk_decisions_total{outcome=\"refused\",reason=\"revoked\"} 2"))
        #expect(lines.contains("opk_decisions_total{outcome=\"granted\",reason=\"none\"} 1"))
        #expect(lines.contains("opk_audit_events_lost_total 17"))
        #expect(try text(server) == lines)
        // Not run for days: the file that was read last is packed, and two more are between.
        for _ in 0..<3 {
            try server.refuse("revoked")
            try server.rotate()
        }
        try server.refuse("revoked")
        lines = try text(server)
        #expect(lines.contains("opk_decisions_total{outcome=\"refused\",reason=\"revoked\"} 6"))
        #expect(lines.contains("opk_logins_total{break_glass=\"true\"} 1") && lines.contains("opk_audit_torn_lines_total 0"))
        try server.append(.damaged)
        #expect(try text(server).contains("opk_audit_log_damaged_total 1"))
    }

    @Test("decisions are counted by how long they took: each bucket has those below it")
    func durations() throws {
        let server = try AlertsServer()
        for microseconds: Int64 in [900, 1000, 4000, 20_000_000] {
            try server.append(.decision) {
                $0.set(.granted, true)
                $0.set(.duration, microseconds)
            }
        }
        let lines = try text(server)
        #expect(lines.contains("opk_decision_duration_seconds_bucket{le=\"0.001\"} 2"))
        #expect(lines.contains("opk_decision_duration_seconds_bucket{le=\"0.0025\"} 2"))
        #expect(lines.contains("opk_decision_duration_seconds_bucket{le=\"0.005\"} 3"))
        #expect(lines.contains("opk_decision_duration_seconds_bucket{le=\"10\"} 3"))
        #expect(lines.contains("opk_decision_duration_seconds_bucket{le=\"+Inf\"} 4"))
        #expect(lines.contains("opk_decision_duration_seconds_sum 20.0059"))
        #expect(lines.contains("opk_decision_duration_seconds_count 4"))
    }

    @Test("what whoever could write to the log wrote there makes no label of its own")
    func hostileReason() throws {
        let server = try AlertsServer()
        try server.refuse("x\"} 1\nopk_evil_total 1")
        #expect(try text(server).contains("opk_decisions_total{outcome=\"refused\",reason=\"other\"} 1"))
        #expect(try text(server).contains { $0.contains("evil") } == false)
    }

    @Test("every metric has a help and a type before it, and a line is a name, labels and a number")
    func form() throws {
        let server = try AlertsServer()
        try server.refuse("revoked")
        var known: Set<String> = []
        for line in try text(server) {
            if line.hasPrefix("# TYPE ") {
                known.insert(String(line.split(separator: " ")[2]))
            } else if !line.hasPrefix("# HELP ") {
                let match = try #require(
                    line.wholeMatch(of: /([a-z_]+?)(_bucket|_sum|_count)?(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*\})? [0-9.]+/))
                #expect(known.contains(String(match.1)) || known.contains(String(match.1) + String(match.2 ?? "")), "\(line)")
            }
        }
    }

    @Test("microseconds are seconds exactly")
    func seconds() {
        #expect([0, 1, 1000, 2500, 1_000_000, 20_005_900].map(Metrics.seconds) == ["0", "0.000001", "0.001", "0.0025", "1", "20.0059"])
    }
}
