import AuditTrail
import ChildProcess
import Foundation
import JOSE
import TestSupport
import Testing
import Vocabulary

@testable import AuditReading

/// Every type of event held against the published JSON Schemas by a validator that is not ours.
@Suite struct SchemaTests {
    static let validator = SharedData.packageRoot.appendingPathComponent("Tests/AuditReadingTests/validate.py").path
    static let isThere =
        (try? ChildProcess.run("/usr/bin/python3", ["-c", "import jsonschema"], environment: .inherited(), deadline: 20_000).succeeded)
        == true

    /// What the validator says of each line.
    static func verdicts(_ lines: [[UInt8]], _ schema: String) throws -> [String] {
        let path = SharedData.packageRoot.appendingPathComponent("docs/audit/\(schema)").path
        let outcome = try ChildProcess.run(
            "/usr/bin/python3", ["-B", validator, path], environment: .inherited(), input: Array(lines.joined(separator: [0x0A])) + [0x0A],
            errorOutput: .captured(limit: 4000), deadline: 60_000)
        try #require(outcome.succeeded, "\(String(decoding: outcome.errorOutput, as: UTF8.self))")
        return String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("every event is one of our schema", .enabled(if: isThere, "python3-jsonschema is not here (.ci/install-packages test)"))
    func ownForm() throws {
        let verdicts = try SchemaTests.verdicts(EventSamples.all.map(EventSamples.line), "opk-audit.schema.json")
        #expect(verdicts == Array(repeating: "ok", count: EventSamples.all.count))
    }

    @Test(
        "every event is mapped to what OCSF and ECS demand",
        .enabled(if: isThere, "python3-jsonschema is not here (.ci/install-packages test)"),
        arguments: ["ocsf-1.8.0.schema.json", "ecs-9.4.0.schema.json"])
    func mapped(schema: String) throws {
        let records = try EventSamples.all.map { try #require(AuditRecord(EventSamples.line($0))) }
        let mapped = records.map { schema.hasPrefix("ocsf") ? OCSFEvent.json($0) : ECSEvent.json($0) }
        #expect(try SchemaTests.verdicts(mapped, schema) == Array(repeating: "ok", count: mapped.count))
    }

    @Test("what is no event fails", .enabled(if: isThere, "python3-jsonschema is not here (.ci/install-packages test)"))
    func refused() throws {
        let good = String(decoding: EventSamples.line(EventSamples.full(.decision)), as: UTF8.self)
        let bad = [
            ("a token", good.replacing("\"acr\":", with: "\"token\":")),
            ("an unknown member", good.replacing("\"v\":1", with: "\"v\":1,\"x\":1")),
            ("a number for a text", good.replacing("\"email\":\"alice@example.com\"", with: "\"email\":7")),
            ("a text for a flag", good.replacing("\"granted\":true", with: "\"granted\":\"true\"")),
            ("null", good.replacing("\"silver\"", with: "null")),
            ("no account", good.replacing("\"account\":\"root\",", with: "")),
            ("another version", good.replacing("\"v\":1", with: "\"v\":2")),
            ("a day that is none", good.replacing("\"time\":\"2026-11-0", with: "\"time\":\"2026-11-4")),
            ("a type that is none", good.replacing("\"type\":\"decision\"", with: "\"type\":\"other\"")),
            ("a refusal without its reason", good.replacing("\"granted\":true", with: "\"granted\":false")),
            ("a reason that is none", good.replacing("\"granted\":true", with: "\"granted\":false,\"step\":9,\"reason\":\"no-idea\"")),
            ("a long text", good.replacing("silver", with: String(repeating: "a", count: 600))),
        ]
        #expect(bad.allSatisfy { $0.1 != good })
        let verdicts = try SchemaTests.verdicts(bad.map { Array($0.1.utf8) }, "opk-audit.schema.json")
        for (bad, verdict) in zip(bad, verdicts) { #expect(verdict != "ok", "\(bad.0)") }
        let record = try #require(AuditRecord(Array(good.utf8)))
        let ocsf = String(decoding: OCSFEvent.json(record), as: UTF8.self)
        let ecs = String(decoding: ECSEvent.json(record), as: UTF8.self)
        let badOCSF = [
            ocsf.replacing("\"activity_id\":6", with: "\"activity_id\":8"),
            ocsf.replacing("\"type_uid\":300206", with: "\"type_uid\":300201"),
            ocsf.replacing("\"is_mfa\":true", with: "\"is_mfa\":\"true\""), ocsf.replacing("\"user\":{", with: "\"used\":{"),
            ocsf.replacing("\"severity_id\":4", with: "\"severity_id\":7"), ocsf.replacing("2001:db8::1", with: "nowhere"),
            ocsf.replacing("\"device\":{", with: "\"host\":{"), ocsf.replacing("\"profiles\":[\"host\"]", with: "\"profiles\":[]"),
            ocsf.replacing("\"email_addr\":\"alice@example.com\"", with: "\"email_addr\":\"alice\""),
            ocsf.replacing("\"port\":50000", with: "\"port\":99999"), ocsf.replacing("\"severity\":\"High\"", with: "\"severity\":\"Low\""),
        ]
        let badECS = [
            ecs.replacing("\"outcome\":\"success\"", with: "\"outcome\":\"granted\""),
            ecs.replacing("[\"authentication\"]", with: "[\"login\"]"),
            ecs.replacing("[\"info\"]", with: "[\"allowed\"]"), ecs.replacing("\"port\":50000", with: "\"port\":\"50000\""),
            ecs.replacing("2001:db8::1\",\"port\"", with: "fe80::1%eth0\",\"port\""),
        ]
        #expect(badOCSF.allSatisfy { $0 != ocsf } && badECS.allSatisfy { $0 != ecs })
        #expect(try SchemaTests.verdicts(badOCSF.map { Array($0.utf8) }, "ocsf-1.8.0.schema.json").allSatisfy { $0 != "ok" })
        #expect(try SchemaTests.verdicts(badECS.map { Array($0.utf8) }, "ecs-9.4.0.schema.json").allSatisfy { $0 != "ok" })
    }

    @Test("every member of the list is in the schema, and nothing else")
    func members() throws {
        let file = SharedData.packageRoot.appendingPathComponent("docs/audit/opk-audit.schema.json")
        let schema = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        let properties = try #require(schema["properties"] as? [String: Any])
        let inner: Set = [
            "file", "line", "action", "rows", "sha256_before", "sha256_after", "uid", "sudo_user", "login_uid", "login_account",
        ]
        #expect(Set(properties.keys) == Set(AuditField.allCases.map(\.rawValue)).subtracting(inner))
        let types = (properties["type"] as? [String: Any])?["enum"] as? [String]
        #expect(types == AuditKind.allCases.map(\.rawValue))
    }

    @Test("the reasons of a refusal are a closed list, which the schema and opk-verify(8) have whole")
    func reasons() throws {
        let root = SharedData.packageRoot
        let schema = try JSON(parsing: Array(Data(contentsOf: root.appendingPathComponent("docs/audit/opk-audit.schema.json"))))
        let lists = (schema["allOf"]?.array ?? []).compactMap { $0["then"]?["properties"]?["reason"]?["enum"]?.array }
        #expect(lists.first?.compactMap { $0.string?.string } == Refusal.Code.allCases.map(\.rawValue) + ["wrong-call"])
        let page = try String(contentsOf: root.appendingPathComponent("docs/man/opk-verify.8"), encoding: .utf8)
        for code in Refusal.Code.allCases { #expect(page.contains(".It Cm \(code.rawValue)\n"), "\(code)") }
    }

    @Test("the bench's log is one of our schema", .enabled(if: isThere, "python3-jsonschema is not here (.ci/install-packages test)"))
    func bench() throws {
        let place = try LogFolder()
        let program = SharedData.packageRoot.appendingPathComponent("scripts/bench.d/events.py").path
        #expect(try place.run("/usr/bin/python3", ["-B", program, "1010", place.path]).succeeded)
        #expect(try EventSchema.problems(String(contentsOfFile: place.path, encoding: .utf8)) == [])
    }

    @Test("what only a token says of itself is in no field that means a person")
    func hearsay() throws {
        let record = try #require(AuditRecord(EventSamples.line(EventSamples.refusal())))
        let (ocsf, ecs) = (try JSON(parsing: OCSFEvent.json(record)), try JSON(parsing: ECSEvent.json(record)))
        #expect(ocsf["actor"] == nil && ocsf["user"]?["email_addr"] == nil)
        #expect(ecs["user"]?["email"] == nil && ecs["related"]?["user"]?.array?.count == 1)
        #expect(ocsf["unmapped"]?["opk"]?["email"]?.string == "mallory@example.com")
    }
}
