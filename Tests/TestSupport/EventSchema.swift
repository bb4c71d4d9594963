import Foundation

/// The audit log's published JSON Schema, and a validator that is not ours: python3-jsonschema.
public enum EventSchema {
    /// What is wrong with each line that is no event of the schema; empty also where the validator is not here (`SchemaTests` says so).
    public static func problems(_ log: String) throws -> [String] {
        let lines = log.split(separator: "\n")
        guard isHere, !lines.isEmpty else { return [] }
        let root = SharedData.packageRoot
        let verdicts = try python(
            ["-B", root.path + "/Tests/AuditReadingTests/validate.py", root.path + "/docs/audit/opk-audit.schema.json"],
            lines.joined(separator: "\n") + "\n"
        ).output.split(separator: "\n")
        guard verdicts.count == lines.count else { return ["the validator says nothing about \(lines.count - verdicts.count) lines"] }
        return zip(lines, verdicts).filter { $1 != "ok" }.map { "\($1): \($0)" }
    }

    public static let isHere = (try? python(["-c", "import jsonschema"], "").status == 0) ?? false

    private static func python(_ arguments: [String], _ input: String) throws -> (status: Int32, output: String) {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("opk-events-\(UUID().uuidString)")
        try Data(input.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = arguments
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
}
