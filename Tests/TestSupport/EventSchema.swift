import AuditReading
import Foundation

/// The published JSON Schemas of the audit log and of what it is mapped to, and a validator that is not ours: python3-jsonschema.
public enum EventSchema {
    private static let schemas = ["opk-audit", "ocsf-1.8.0", "ecs-9.4.0"]

    /// What is wrong with each line: it is no event of our schema, `opk log` does not take it for one, or what it is mapped to is none of OCSF's or ECS's. Empty
    /// also where the validator is not here (`SchemaTests` says so).
    public static func problems(_ log: String) throws -> [String] {
        let lines = log.split(separator: "\n")
        guard isHere, !lines.isEmpty else { return [] }
        var forms: [String] = []
        for line in lines {
            guard let record = AuditRecord(Array(line.utf8)) else { return ["opk log takes this for no event: \(line)"] }
            forms += [String(line)] + [OCSFEvent.json(record), ECSEvent.json(record)].map { String(decoding: $0, as: UTF8.self) }
        }
        let root = SharedData.packageRoot
        let verdicts = try python(
            ["-B", root.path + "/Tests/AuditReadingTests/validate.py"] + schemas.map { root.path + "/docs/audit/\($0).schema.json" },
            forms.joined(separator: "\n") + "\n"
        ).output.split(separator: "\n")
        guard verdicts.count == forms.count else { return ["the validator says nothing about \(forms.count - verdicts.count) events"] }
        return verdicts.indices.filter { verdicts[$0] != "ok" }.map {
            "\(schemas[$0 % schemas.count]): \(verdicts[$0]): \(forms[$0])"
        }
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
