import AuditTrail
import Foundation
import JOSE
import TestSupport
import Testing
import Vocabulary

@testable import AuditReading
@testable import opk

/// What each event becomes for another system and for a person, as docs/audit shows it: a change of one character is seen here.
@Suite struct MappingTests {
    static let folder = SharedData.packageRoot.appendingPathComponent("docs/audit")

    static func lines(_ name: String) throws -> [String] {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// With `OPK_GOLDEN=write` the files are written anew, to be read with `git diff`.
    private static func write(_ name: String, _ lines: [String]) throws {
        guard ProcessInfo.processInfo.environment["OPK_GOLDEN"] == "write" else { return }
        try lines.map { $0 + "\n" }.joined().write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }

    private static func mapped(_ event: AuditEvent) throws -> (ocsf: JSON, ecs: JSON) {
        let record = try #require(AuditRecord(EventSamples.line(event)))
        return (try JSON(parsing: OCSFEvent.json(record)), try JSON(parsing: ECSEvent.json(record)))
    }

    @Test("the examples are what opk writes")
    func examples() throws {
        let lines = EventSamples.examples.map { String(decoding: EventSamples.line($0), as: UTF8.self) }
        try Self.write("examples.jsonl", lines)
        #expect(try Self.lines("examples.jsonl") == lines)
    }

    @Test("each example is what docs/audit says that it becomes", arguments: [LogShowCommand.Format.ocsf, .ecs, .text])
    func golden(format: LogShowCommand.Format) throws {
        let place = try LogFolder()
        // One by one: what belongs to one login would else be one line.
        let shown = try EventSamples.examples.flatMap { event -> [String] in
            try place.write([event])
            return Array(try place.log("--format", format.rawValue).lines.prefix(1))
        }
        let name = format == .text ? "examples.txt" : "examples.\(format.rawValue).jsonl"
        try Self.write(name, shown)
        let golden = try Self.lines(name)
        #expect(shown.count == golden.count)
        for (shown, golden) in zip(shown, golden) { #expect(shown == golden) }
    }

    @Test("nothing of an event is lost: what has no member of its own stands under our own name")
    func nothingIsLost() throws {
        for event in EventSamples.examples {
            let line = EventSamples.line(event)
            let whole = try JSONObject(parsing: line)
            let (ocsf, ecs) = try Self.mapped(event)
            for (name, form) in [("ocsf", ocsf), ("ecs", ecs)] {
                let text = String(decoding: form.serialized, as: UTF8.self)
                for member in whole.members where !Self.changed.contains(member.name) {
                    #expect(
                        text.contains(String(decoding: member.value.serialized, as: UTF8.self)), "\(name) of \(event.kind): \(member.name)")
                }
            }
        }
    }

    /// These are written in another way.
    private static let changed: [Text] = ["v", "granted", "time", "session_began", "session_ends", "since", "duration_us", "groups"]

    @Test("who ended a session is not whose session it was")
    func administrator() throws {
        let (ocsf, ecs) = try Self.mapped(EventSamples.endedByAdministrator)
        #expect(ocsf["user"]?["name"] == "root" && ocsf["user"]?["email_addr"] == "alice@example.com")
        #expect(ocsf["actor"]?["user"]?["name"] == "bob")
        // ECS: `user` acts, `user.target` is whom it is done to, `user.effective` with whose rights.
        #expect(ecs["user"]?["name"] == "bob" && ecs["user"]?["effective"]?["name"] == "root")
        #expect(ecs["user"]?["target"]?["name"] == "root" && ecs["user"]?["target"]?["email"] == "alice@example.com")
        #expect(ecs["related"]?["user"] == ["root", "alice@example.com", "1234", "bob"])
    }

    @Test("every event says of which machine it is", arguments: AuditKind.allCases)
    func machine(kind: AuditKind) throws {
        let (ocsf, ecs) = try Self.mapped(EventSamples.event(kind))
        #expect(ocsf["device"]?["hostname"] == "server" && ocsf["metadata"]?["profiles"] == ["host"])
        #expect(ecs["host"]?["name"] == "server")
    }

    @Test("what is not what its name says stays under our own name")
    func odd() throws {
        let (ocsf, ecs) = try Self.mapped(EventSamples.odd)
        #expect(
            ocsf["src_endpoint"]?["ip"] == "fe80::1" && ecs["source"]?["ip"] == "fe80::1" && ecs["source"]?["address"] == "fe80::1%eth0")
        #expect(ocsf["unmapped"]?["opk"]?["source_address"] == "fe80::1%eth0")
        #expect(ocsf["actor"]?["user"]?["email_addr"] == nil && ocsf["actor"]?["user"]?["name"] == "ci pipeline")
        #expect(ecs["user"]?["email"] == nil && ecs["opk"]?["email"] == "ci pipeline")
        #expect(ocsf["session"]?["terminal"] == nil && ocsf["unmapped"]?["opk"]?["tty"] == "ssh")
        let (_, removed) = try Self.mapped(EventSamples.foundRemoved)
        #expect(removed["file"]?["path"] == "/etc/opk/revoked" && removed["file"]?["hash"] == nil)
        let port = String(decoding: EventSamples.line(EventSamples.full(.login)), as: UTF8.self).replacing("50000", with: "99999")
        let record = try #require(AuditRecord(Array(port.utf8)))
        let (other, another) = (try JSON(parsing: OCSFEvent.json(record)), try JSON(parsing: ECSEvent.json(record)))
        #expect(other["src_endpoint"]?["port"] == nil && another["source"]?["port"] == nil)
        #expect(other["unmapped"]?["opk"]?["source_port"]?.number?.integer == 99_999)
    }

    @Test(
        "an address is one by OCSF's own pattern",
        arguments: [
            ("a@b.c", true), ("o'neil+x/y@ex-ample.co.uk", true), ("alice", false), ("@b.c", false), ("a@b", false), ("a@.c", false),
            ("a b@c.d", false), ("a@b@c.d", false), ("é@b.c", false), ("a@b.", false), ("", false),
        ])
    func email(text: String, holds: Bool) throws {
        #expect(EmailAddress.isOCSF(text) == holds)
        let schema = try JSON(parsing: Array(Data(contentsOf: Self.folder.appendingPathComponent("ocsf-1.8.0.schema.json"))))
        let pattern = try #require(schema["properties"]?["user"]?["properties"]?["email_addr"]?["pattern"]?.string?.string)
        #expect((text.range(of: pattern, options: .regularExpression) != nil) == holds)
    }
}
