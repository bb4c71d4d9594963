import ChildProcess
import Foundation
import TestSupport
import Testing

/// rsyslog with the configurations of packaging/shipping: over a rotation, an outage and refusals of the receiver, every event arrives once, whole and in order.
@Suite(.serialized) struct ShippingTests {
    static let isThere = ["/usr/sbin/rsyslogd", "/usr/bin/python3"].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(
        "rsyslog ships every event once", .enabled(if: isThere, "rsyslog is not here (.ci/install-packages test)"),
        arguments: ["splunk", "elasticsearch"])
    func shipped(kind: String) throws {
        let script = SharedData.packageRoot.appendingPathComponent("Tests/AuditReadingTests/shipping.py").path
        let outcome = try ChildProcess.run(
            "/usr/bin/python3", ["-B", script, kind], environment: .inherited(), errorOutput: .captured(limit: 4000), deadline: 300_000)
        #expect(outcome.succeeded, "\(String(decoding: outcome.errorOutput, as: UTF8.self))")
        #expect(String(decoding: outcome.output, as: UTF8.self).contains("500 events arrived once"))
    }

    static let hasSendersNeeds = ["/usr/bin/python3", "/usr/bin/openssl"].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(
        "the sender takes for a confirmation nothing that is none, survives every answer, follows no redirect and says no key",
        .enabled(if: hasSendersNeeds, "no python3 or openssl (.ci/install-packages test)"))
    func sender() throws {
        let script = SharedData.packageRoot.appendingPathComponent("Tests/AuditReadingTests/sender.py").path
        let outcome = try ChildProcess.run(
            "/usr/bin/python3", ["-B", script], environment: .inherited(), errorOutput: .captured(limit: 4000), deadline: 300_000)
        #expect(outcome.succeeded, "\(String(decoding: outcome.errorOutput, as: UTF8.self))")
        #expect(String(decoding: outcome.output, as: UTF8.self).contains("none of them taken for what it is not"))
    }
}
