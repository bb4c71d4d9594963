import AuditTrail
import ChildProcess
import Foundation
import TestSupport
import Vocabulary

/// A folder with a log in it, and `opk log` over it; gone with the test.
final class LogFolder {
    let folder: URL
    var path: String { folder.appendingPathComponent("audit.jsonl").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-log-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func write(_ name: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: folder.appendingPathComponent(name)) }

    func write(_ name: String, _ events: [AuditEvent]) throws { try write(name, events.flatMap(\.line)) }

    func write(_ events: [AuditEvent]) throws { try write("audit.jsonl", events) }

    func append(_ event: AuditEvent) throws {
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        try AuditTrail(path: path).append(event)
    }

    @discardableResult
    func run(_ program: String, _ arguments: [String]) throws -> ChildProcess.Outcome {
        try ChildProcess.run(
            program, arguments, environment: ProcessEnvironment(entries: ["TZ=UTC", "PATH=/usr/bin:/bin"].map { Array($0.utf8) }),
            outputLimit: 64 << 20,
            errorOutput: .captured(limit: 10_000), deadline: 60_000)
    }

    /// `opk log` of this folder's file.
    func log(_ arguments: String...) throws -> (status: ChildProcess.Ending, lines: [String], errors: String) {
        let outcome = try run(BuiltPrograms.path("opk"), ["log", "--file", path] + arguments)
        let text = String(decoding: outcome.output, as: UTF8.self)
        return (outcome.ending, text.split(separator: "\n").map(String.init), String(decoding: outcome.errorOutput, as: UTF8.self))
    }
}
