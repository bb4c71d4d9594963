import ChildProcess
import Foundation
import JOSE
import PKToken
import Policy
import SSHKeys
import TestSupport
import Testing
import Vocabulary

/// One line of docs/migrating-from-opkssh.md: a policy, and what each of the two makes of the vectors' alice under it.
struct Difference: Encodable, CustomStringConvertible, Sendable {
    let name: String
    var authID = "testuser alice@example.com http://localhost:18391"
    var providers = "http://localhost:18391 client-1 never"
    var config = "---"
    var plugin: String?
    var pluginFile = "name: P\ncommand: /etc/opk/plugin.sh"
    /// In /etc/opk. Such a case is about files, and is asked of opkssh alone.
    var steps: [[String]] = []
    let opkssh: Bool
    var opk = true

    var description: String { name }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(authID + "\n", forKey: .authID)
        try container.encode(providers + "\n", forKey: .providers)
        try container.encode(config + "\n", forKey: .config)
        try container.encode(plugin, forKey: .plugin)
        try container.encode(pluginFile + "\n", forKey: .pluginFile)
        try container.encode(steps, forKey: .steps)
    }

    enum CodingKeys: String, CodingKey {
        case name, providers, config, plugin, steps
        case authID = "auth_id"
        case pluginFile = "plugin_file"
    }

    static let issuer = "http://localhost:18391"
    static func row(_ identity: String, _ rest: String = "") -> String { "testuser \(identity) \(issuer)\(rest)" }

    static let all: [Difference] = [
        Difference(name: "nothing special", opkssh: true),
        Difference(name: "a fourth column", authID: row("alice@example.com", " restrict"), opkssh: false),
        Difference(name: "a domain without @", authID: row("oidc-match-end:email:ple.com"), opkssh: true, opk: false),
        Difference(name: "no domain", authID: row("oidc-match-end:email:"), opkssh: true, opk: false),
        Difference(name: "a group with a colon", authID: row("oidc:groups:a:ssh-users"), opkssh: true, opk: false),
        Difference(name: "# inside a word", authID: row("alice@example.com", "#note"), opkssh: true, opk: false),
        Difference(name: "# in quotes", authID: "\(row("alice@example.com"))\ntestuser 'a#b' \(issuer)", opkssh: true),
        Difference(name: "a fourth column of providers", providers: "\(issuer) client-1 never require-verified-email", opkssh: false),
        Difference(name: "8h", providers: "\(issuer) client-1 never\nhttps://idp.example.com opk 8h", opkssh: false),
        Difference(
            name: "oidc-refreshed", providers: "\(issuer) client-1 never\nhttps://idp.example.com opk oidc-refreshed", opkssh: false),
        Difference(name: "an issuer twice", providers: "\(issuer) client-1 never\n\(issuer) client-2 never", opkssh: false),
        Difference(name: "deny_emails", config: "deny_emails: [alice@example.com]", opkssh: false, opk: false),
        Difference(name: "deny_groups", config: "deny_groups: [ssh-users]", opkssh: true, opk: false),
        Difference(name: "require", config: "require: [{accounts: [\"*\"], groups: [nobody]}]", opkssh: true, opk: false),
        Difference(name: "a key that is not known", config: "deny_user: [testuser]", opkssh: true, opk: false),
        Difference(name: "malformed YAML", config: "deny_emails: [alice@example.com]\nx: [", opkssh: true, opk: false),
        Difference(name: "a text where a list belongs", config: "deny_emails: alice@example.com", opkssh: true, opk: false),
        Difference(name: "PATH", config: "env_vars: {PATH: /tmp}", opkssh: true, opk: false),
        Difference(
            name: "config.yml of mode 0644", config: "deny_emails: [alice@example.com]", steps: [["chmod", "644", "config.yml"]],
            opkssh: true),
        Difference(name: "auth_id of mode 0600", steps: [["chmod", "600", "auth_id"]], opkssh: false),
        Difference(name: "auth_id of somebody", steps: [["chown", "65534", "auth_id"]], opkssh: true),
        Difference(name: "auth_id is a link", steps: [["mv", "auth_id", "real"], ["ln", "-s", "real", "auth_id"]], opkssh: true),
        Difference(name: "auth_id has a second name", steps: [["ln", "auth_id", "second"]], opkssh: true),
        Difference(name: "a folder for everybody", steps: [["chmod", "777", "."]], opkssh: true),
        Difference(name: "revoked", steps: [["sh", "-c", "echo email:alice@example.com > revoked"]], opkssh: true),
        Difference(
            name: "a plugin's error output is its answer", authID: "", plugin: "#!/bin/sh\necho allow >&2\n", steps: [["true"]],
            opkssh: true),
        Difference(
            name: "a plugin's answer with blanks", authID: "", plugin: "#!/bin/sh\necho '  allow  '\n", steps: [["true"]], opkssh: true),
        Difference(
            name: "a plugin's answer beside a complaint", authID: "", plugin: "#!/bin/sh\necho hm >&2; echo allow\n", steps: [["true"]],
            opkssh: false),
        Difference(
            name: "a key of a plugin that is not known", authID: "", plugin: "#!/bin/sh\necho allow\n",
            pluginFile: "name: P\ncommand: /etc/opk/plugin.sh\nonly_from: 10.0.0.0/8", steps: [["true"]], opkssh: true),
    ]
}

@Suite struct OpksshDifferenceTests {
    static let program = SharedData.packageRoot.appendingPathComponent(".build/opkssh/usr/bin/opkssh").path
    static let namespaces = ["--mount", "--net", "--propagation", "private"]

    /// What was measured is true of this version.
    static let isThere: Bool = {
        guard SharedData.isThere, FileManager.default.isExecutableFile(atPath: program) else { return false }
        let version = try? ChildProcess.run(program, ["--version"], environment: .inherited(), outputLimit: 1000, deadline: 10_000)
        guard String(decoding: version?.output ?? [], as: UTF8.self).contains("0.16.") else { return false }
        return (try? ChildProcess.run("/usr/bin/unshare", namespaces + ["/bin/true"], environment: .inherited(), deadline: 5000))?.succeeded
            == true
    }()

    @Test(
        "opkssh does what docs/migrating-from-opkssh.md says of it",
        .enabled(if: isThere, "opkssh 0.16 or the vectors are not here, or this machine allows no namespaces"))
    func theirs() throws {
        let work = SharedData.packageRoot.appendingPathComponent(".build/opkssh-differences-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: work) }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("opkssh_differences.py").path
        let vectors = SharedData.root.appendingPathComponent("opkssh-vectors").path
        let outcome = try ChildProcess.run(
            "/usr/bin/unshare",
            OpksshDifferenceTests.namespaces + ["/usr/bin/python3", script, OpksshDifferenceTests.program, vectors, work.path],
            environment: .inherited(), input: Array(try JSONEncoder().encode(Difference.all)), outputLimit: 1 << 20,
            errorOutput: .captured(limit: 4000), deadline: 120_000)
        guard outcome.succeeded else {
            Issue.record("\(outcome.ending) \(String(decoding: outcome.errorOutput, as: UTF8.self))")
            return
        }
        let answers = try JSONDecoder().decode([String: Bool].self, from: Data(outcome.output))
        for difference in Difference.all { #expect(answers[difference.name] == difference.opkssh, "\(difference)") }
    }

    @Test("opk does what docs/migrating-from-opkssh.md says of it", arguments: Difference.all.filter(\.steps.isEmpty))
    func ours(difference: Difference) throws {
        #expect(try isAdmitted(difference) == difference.opk)
    }

    private func isAdmitted(_ difference: Difference) throws -> Bool {
        let issuer = Text(Difference.issuer)
        let config: ServerConfig
        do { config = try ServerConfig(parsing: Array(difference.config.utf8)) } catch { return false }
        let rows = Providers(parsing: Array(difference.providers.utf8)).rows
        guard let row = rows.first(where: { $0.issuer == issuer && $0.clientID == "client-1" }) else { return false }
        let now = try #require(UnixTime(rfc3339: "2026-11-21T12:00Z"))
        let claims: JSON = ["email": "alice@example.com", "email_verified": true, "groups": ["ssh-users", "dev team"]]
        let person = Supposition(
            row: row, subject: "sub-alice-123",
            claims: claims.object ?? JSONObject(),
            issuedAt: now + -60)
        let account = try #require(Principal("testuser"))
        var evidence = Evidence()
        (evidence.home, evidence.plugins) = (.absent, .none)
        let deliberation = authorize(
            supposing: person, as: account, at: now, authID: person.authID(for: account, parsing: Array(difference.authID.utf8)),
            config: config, evidence: evidence)
        if case .admitted = deliberation.verdict { return true }
        return false
    }
}
