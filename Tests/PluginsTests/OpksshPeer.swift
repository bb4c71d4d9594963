import ChildProcess
import Foundation
import TestSupport
import Testing

/// Debian's own opkssh, asked about certificates in a namespace of its own (opkssh_peer.py says how).
enum OpksshPeer {
    struct Request: Encodable {
        var providers: [String]
        var plugin = "name: Dump\ncommand: /etc/opk/dump.sh\n"
        var script: String?
        var serve: String?
        var pages: [String: String] = [:]
        var userinfo: [String: String] = [:]
        var cases: [Case] = []

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(providers, forKey: .providers)
            try container.encode(plugin, forKey: .plugin)
            try container.encode(script, forKey: .script)
            try container.encode(serve, forKey: .serve)
            try container.encode(pages, forKey: .pages)
            try container.encode(userinfo, forKey: .userinfo)
            try container.encode(cases, forKey: .cases)
        }

        enum CodingKeys: String, CodingKey { case providers, plugin, script, serve, pages, userinfo, cases }
    }

    struct Case: Encodable {
        let name: String
        let user: String
        let key: String
        let type: String
        var extra: [String] = []
        var token: String?
        let issuer: String

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(user, forKey: .user)
            try container.encode(key, forKey: .key)
            try container.encode(type, forKey: .type)
            try container.encode(extra, forKey: .extra)
            try container.encode(token, forKey: .token)
            try container.encode(issuer, forKey: .issuer)
        }

        enum CodingKeys: String, CodingKey { case name, user, key, type, extra, token, issuer }
    }

    struct Answer: Decodable {
        let status: Int
        let output: String
        let log: String
        /// The plugin's `OPKSSH_PLUGIN_…` entries; nil where it was not run.
        let environment: [Data]?
        let userinfo: Data?

        /// By what follows the prefix.
        var variables: [String: String]? {
            environment.map { entries in
                Dictionary(uniqueKeysWithValues: entries.map { variable(Array($0)) })
            }
        }
    }

    private struct Answers: Decodable { let cases: [String: Answer] }

    static let program = SharedData.packageRoot.appendingPathComponent(".build/opkssh/usr/bin/opkssh").path
    private static let unshare = "/usr/bin/unshare"
    private static let namespaces = ["--mount", "--net", "--propagation", "private"]

    static let isThere: Bool = {
        guard FileManager.default.isExecutableFile(atPath: program), FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") else {
            return false
        }
        return (try? ChildProcess.run(unshare, namespaces + ["/bin/true"], environment: .inherited(), deadline: 5000))?.succeeded == true
    }()
    static let absence: Comment = "opkssh is not here (.ci/install-test-packages), or this machine allows no namespaces"

    static func ask(_ request: Request) throws -> [String: Answer] {
        let work = SharedData.packageRoot.appendingPathComponent(".build/opkssh-peer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: work) }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("opkssh_peer.py").path
        let outcome = try ChildProcess.run(
            unshare, namespaces + ["/usr/bin/python3", script, program, work.path], environment: .inherited(),
            input: Array(try JSONEncoder().encode(request)), outputLimit: 64 << 20, errorOutput: .captured(limit: 4000), deadline: 300_000)
        guard outcome.succeeded else {
            Issue.record("opkssh_peer.py: \(outcome.ending) \(String(decoding: outcome.errorOutput, as: UTF8.self))")
            return [:]
        }
        let decoder = JSONDecoder()
        decoder.dataDecodingStrategy = .base64
        return try decoder.decode(Answers.self, from: Data(outcome.output)).cases
    }
}

/// An entry without the prefix, cut at its first `=`.
func variable(_ entry: [UInt8]) -> (String, String) {
    let text = String(decoding: entry, as: UTF8.self)
    let name = text.prefix { $0 != "=" }
    let short = name.hasPrefix("OPKSSH_PLUGIN_") ? name.dropFirst(14) : name
    return (String(short), String(text.dropFirst(name.count + 1)))
}
