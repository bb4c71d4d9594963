import AuditTrail
import ChildProcess
import Foundation
import JOSE
import KeyAdministration
import KeyCache
import MintingKit
import SafeFiles
import TestSupport
import Testing
import Vocabulary

@testable import Alerts

/// What `opk log metrics` says, docs/monitoring's rules and its dashboard, held against Prometheus' own tool and against each other.
@Suite struct PrometheusTests {
    private static let tool = "/usr/bin/promtool"
    private static let isHere: Bool = FileManager.default.isExecutableFile(atPath: tool)
    private static let absent: Comment = "promtool is not installed (Debian's prometheus; .ci/install-packages test)"
    private static let monitoring = SharedData.packageRoot.path + "/docs/monitoring"

    /// - Returns: what it said; nil for a failure, which is recorded.
    private func promtool(_ arguments: [String], input: [UInt8] = []) throws -> String? {
        let outcome = try ChildProcess.run(
            Self.tool, arguments, environment: .inherited(), input: input, errorOutput: .captured(limit: 1 << 20), deadline: 60_000)
        let said = String(decoding: outcome.output + outcome.errorOutput, as: UTF8.self)
        #expect(outcome.succeeded, "\(arguments): \(said)")
        return outcome.succeeded ? said : nil
    }

    /// A server with a provider whose keys are here, one whose are not, and an event of each kind.
    private func busyServer() throws -> AlertsServer {
        let server = try AlertsServer()
        let issuer: Text = "https://idp.example.com"
        try server.write("\(issuer.string) opk 24h\nhttps://other.example.com opk 24h\n", to: "providers")
        let keySet: JSON = ["keys": [MintedLogin.jwk(TestKeys.ed25519.publicKey, ["kid": "one", "alg": "EdDSA", "use": "sig"])]]
        let keys = try #require(
            CachedKeys(
                issuer: issuer, keysURI: "https://idp.example.com/jwks", userinfoEndpoint: nil, fetchedAt: .now(), body: keySet.serialized))
        try KeyCache(directory: server.state).write(keys)
        for kind in AuditKind.allCases {
            try server.append(kind) {
                if kind == .decision {
                    $0.set(.granted, true)
                    $0.set(.duration, 3000)
                }
            }
        }
        try server.refuse("revoked")
        return server
    }

    /// All that there can be, sessions included.
    private func text(_ server: AlertsServer) throws -> String {
        var metrics = Metrics(trail: AuditTrail(path: server.log), stateFolder: server.state)
        try metrics.count()
        let inventory = try KeyInventory(KeyStore(configFolder: server.config, cacheFolder: server.state), at: .now())
        return metrics.text(inventory, sessions: 2, at: .now())
    }

    @Test("promtool finds nothing in what opk log metrics prints", .enabled(if: isHere, absent))
    func metrics() throws {
        let server = try busyServer()
        let words = ["log", "metrics", "--audit-log", server.log, "--state-dir", server.state, "--config-dir", server.config]
        let printed = try ChildProcess.run(
            BuiltPrograms.path("opk"), words + ["--cache-dir", server.state], environment: .inherited(),
            errorOutput: .captured(limit: 1 << 16), deadline: 60_000)
        #expect(printed.succeeded, "\(String(decoding: printed.errorOutput, as: UTF8.self))")
        #expect(
            String(decoding: printed.output, as: UTF8.self).contains("opk_provider_key_age_seconds{issuer=\"https://idp.example.com\"} "))
        #expect(try promtool(["check", "metrics"], input: printed.output) == "")
        #expect(try promtool(["check", "metrics"], input: Array(try text(server).utf8)) == "")
    }

    @Test("promtool takes the alert rules, and each is raised by what it is for and by nothing less", .enabled(if: isHere, absent))
    func rules() throws {
        let checked = try promtool(["check", "rules", Self.monitoring + "/opk-alerts.yml"])
        #expect(checked?.contains("SUCCESS: 10 rules found") == true)
        _ = try promtool(["test", "rules", SharedData.packageRoot.path + "/Tests/AlertsTests/opk-alerts-test.yml"])
    }

    @Test("every metric that a rule or the dashboard asks for, and every value of its labels, is there")
    func names() throws {
        let server = try busyServer()
        let text = try text(server)
        let dashboard = try String(contentsOfFile: Self.monitoring + "/grafana-dashboard.json", encoding: .utf8)
        let rules = try String(contentsOfFile: Self.monitoring + "/opk-alerts.yml", encoding: .utf8)
        let expressions = try Self.expressions(dashboard) + rules.split(separator: "\n").filter { $0.contains("expr:") }.map(String.init)
        #expect(expressions.count >= 19)
        for expression in expressions {
            let names = expression.matches(of: /\bopk_[a-z_]+/).map { String($0.output) }
            #expect(!names.isEmpty, "\(expression)")
            for name in names { #expect(text.contains("\n\(name){") || text.contains("\n\(name) "), "\(name)") }
            for match in expression.matches(of: /(outcome|reason|break_glass|by|type)=~?"([^"$]+)"/) {
                for value in match.output.2.split(separator: "|") {
                    #expect(text.contains("\(match.output.1)=\"\(value)\""), "\(match.output.0)")
                }
            }
        }
    }

    /// What the dashboard asks, variables included.
    private static func expressions(_ dashboard: String) throws -> [String] {
        let object = try #require(try JSONSerialization.jsonObject(with: Data(dashboard.utf8)) as? [String: Any])
        let panels = (object["panels"] as? [[String: Any]] ?? []).flatMap { $0["targets"] as? [[String: Any]] ?? [] }
        let variables = (object["templating"] as? [String: Any])?["list"] as? [[String: Any]] ?? []
        return panels.compactMap { $0["expr"] as? String } + variables.compactMap { $0["query"] as? String }.filter { $0.contains("(") }
    }

    @Test("the manual's table names every metric, and no other")
    func documented() throws {
        let server = try busyServer()
        let types = try text(server).split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
        let names = Set(types.map { String($0.split(separator: " ")[2]) })
        let manual = try String(contentsOfFile: SharedData.packageRoot.path + "/docs/monitoring.md", encoding: .utf8)
        let rows = manual.split(separator: "\n").filter { $0.hasPrefix("| `opk_") }
        #expect(Set(rows.flatMap { $0.matches(of: /`(opk_[a-z_]+)`/).map { String($0.output.1) } }) == names)
    }
}
