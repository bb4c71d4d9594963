import ChildProcess
import Foundation
import JOSE
import Policy
import SafeFiles
import TestSupport
import Vocabulary

@testable import PolicyAdministration

/// A folder of policy, and `opk` to be run on it.
final class Desk: Sendable {
    let folder: String
    var config: String { folder + "/etc" }
    var authID: String { config + "/auth_id" }
    var revoked: String { config + "/revoked" }

    static let isRoot: Bool = geteuid() == 0
    static let opk: String = BuiltPrograms.path("opk")
    static let google = "https://accounts.google.com"
    static let idp = "https://idp.example.com"

    struct Run: Sendable, CustomStringConvertible {
        let status: Int32
        let output: String
        let errors: String
        var lines: [String] { output.split(separator: "\n").map(String.init) }
        var description: String { "status \(status)\n\(output)\(errors)" }

        func json() throws -> JSON { try JSON(parsing: Array(output.utf8)) }
    }

    init(_ rows: String? = nil) throws {
        folder = "/tmp/opk-policy-" + UUID().uuidString.prefix(8)
        for path in [folder, config] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        }
        try write("providers", "\(Desk.google) client 24h\n\(Desk.idp) client 24h\n")
        if let rows { try write("auth_id", rows) }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws { try write(name, Array(text.utf8), mode: mode) }

    func write(_ name: String, _ bytes: [UInt8], mode: Int = 0o644) throws {
        let path = config + "/" + name
        try? FileManager.default.removeItem(atPath: path)
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: [.posixPermissions: mode]) else {
            throw CocoaError(.fileWriteUnknown)
        }
    }

    func bytes(_ name: String = "auth_id") -> [UInt8]? { FileManager.default.contents(atPath: config + "/" + name).map { Array($0) } }

    func text(_ name: String = "auth_id") -> String { bytes(name).map { String(decoding: $0, as: UTF8.self) } ?? "(none)" }

    /// Names in the folder, locks left out.
    var names: [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: config)) ?? []
        return all.filter { !$0.hasSuffix(".lock") }.sorted()
    }

    /// `opk`, with these words and this folder.
    func opk(_ words: String..., zone: String = "UTC", as user: UInt32? = nil) throws -> Run { try opk(words, zone: zone, as: user) }

    func opk(_ words: [String], zone: String = "UTC", as user: UInt32? = nil) throws -> Run {
        let whole = [Desk.opk] + words + ["--config-dir", config]
        guard let user else { return try Desk.run(whole, zone: zone) }
        return try Desk.run(["/usr/bin/setpriv", "--reuid", "\(user)", "--regid", "\(user)", "--clear-groups"] + whole, zone: zone)
    }

    static func run(
        _ words: [String], zone: String = "UTC", input: String = "", variables: [String: String] = [:]
    ) throws -> Run {
        var environment = ProcessEnvironment.empty
        (environment["PATH"], environment["LC_ALL"], environment["TZ"]) = ("/usr/bin:/bin", "C.UTF-8", zone)
        for (name, value) in variables { environment[name] = value }
        let outcome = try ChildProcess.run(
            words[0], Array(words.dropFirst()), environment: environment, input: Array(input.utf8), outputLimit: 32 << 20,
            errorOutput: .captured(limit: 1 << 20), deadline: 240_000)
        let status: Int32
        switch outcome.ending {
        case .exited(let code): status = code
        case .killed(let signal): status = 128 + signal
        default: throw CocoaError(.executableRuntimeMismatch)
        }
        return Run(
            status: status, output: String(decoding: outcome.output, as: UTF8.self),
            errors: String(decoding: outcome.errorOutput, as: UTF8.self))
    }

    /// The place, for the module itself.
    var place: PolicyPlace { PolicyPlace(system: config) }
}

/// Runs `work` for all of them, a few at once.
func atOnce<Element: Sendable>(_ elements: [Element], width: Int = 4, _ work: @escaping @Sendable (Element) throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        var rest = elements[...]
        for element in rest.prefix(width) { group.addTask { try work(element) } }
        rest = rest.dropFirst(width)
        while try await group.next() != nil {
            if let element = rest.popFirst() { group.addTask { try work(element) } }
        }
    }
}
