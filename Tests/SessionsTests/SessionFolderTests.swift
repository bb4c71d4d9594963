import AuditTrail
import CSystem
import Foundation
import JOSE
import TestSupport
import Testing
import Vocabulary

@testable import Sessions

@Suite("Who writes down a session", .serialized) struct SessionFolderTests {
    private let folder = NSTemporaryDirectory() + "/opk-folder-" + UUID().uuidString
    private var places: SessionPlaces {
        var places = SessionPlaces()
        (places.sessions, places.log, places.trust) = (SessionFolder(folder + "/sessions"), folder + "/audit.jsonl", .rootOrUser(geteuid()))
        places.configFolder = folder
        return places
    }

    init() throws {
        mkdir(folder, 0o755)
        _ = FileManager.default.createFile(atPath: places.log, contents: Data(), attributes: [.posixPermissions: 0o640])
    }

    private func clean() { try? FileManager.default.removeItem(atPath: folder) }

    private var events: [JSONObject] {
        get throws {
            let log = try String(contentsOfFile: places.log, encoding: .utf8)
            #expect(try EventSchema.problems(log) == [])
            return try log.split(separator: "\n").map { try JSONObject(parsing: Array($0.utf8)) }
        }
    }

    private func record(_ id: String = "abcdefghjk", process: ProcessStamp = ProcessStamp(id: 77, start: 5)) throws -> SessionRecord {
        var record = try SessionRecordTests.record(id, process: process)
        record.isSeen = true
        record.identity.keyFingerprint = Text("SHA256:" + String(repeating: "A", count: 43))
        return record
    }

    private func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: places.sessions.path).sorted() }

    @Test("of many who write the same session down at once one does, and tells of its login")
    func once() async throws {
        defer { clean() }
        let places = places
        let record = try record()
        let events = SessionEvents(AuditTrail(path: places.log), program: "opk")
        let told = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 { group.addTask { (try? places.noteSeen(record, events)) == true } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(told == 1 && places.sessions.record(record.id) == record)
        #expect(
            try self.events.map { $0["type"] } == ["login"] && self.events.first?["notes"] == .array(["seen"]) && files() == [record.id])
    }

    @Test("a session that is over does not come back with a change of its record")
    func over() throws {
        defer { clean() }
        try places.sessions.create()
        var record = try record()
        try places.sessions.update(record)
        #expect(try files() == [])
        #expect(try places.sessions.add(record) && !places.sessions.add(record))
        record.endedBy = .administrator
        try places.sessions.update(record)
        #expect(places.sessions.record(record.id)?.endedBy == .administrator)
        #expect(try files() == [record.id])
        #expect(places.sessions.remove(record.id))
        try places.sessions.update(record)
        #expect(try files() == [])
    }

    @Test("a session that is gone is told of once, with why it ended: by whom, or by itself")
    func gone() throws {
        defer { clean() }
        try places.sessions.create()
        try "".write(toFile: folder + "/config.yml", atomically: true, encoding: .utf8)
        for (id, reason) in [("aaaaaaaaaa", EndedBy?.none), ("bbbbbbbbbb", .limit), ("cccccccccc", .administrator)] {
            var record = try record(id, process: ProcessStamp(id: getpid(), start: 1))
            record.endedBy = reason
            try places.sessions.write(record)
        }
        let live = try LiveSessions(places, limits: SessionLimits(), at: .now())
        #expect(!live.sessions.contains { ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"].contains($0.record.id) } && live.stale.count == 3)
        for _ in 0..<2 {
            var enforcement = SessionEnforcement(places, at: .now())
            try enforcement.run()
            #expect(enforcement.problems == [])
        }
        let told = try events.filter { $0["type"] == "logout" }
        #expect(told.compactMap { $0["ended_by"]?.string } == ["user", "limit", "administrator"] && told.count == 3)
        #expect(try files() == ["enforced"])
    }

    @Test("what takes connections is not ended, though a record says that it is a session", .enabled(if: geteuid() == 0, "not root"))
    func listener() throws {
        defer { clean() }
        try places.sessions.create()
        // A process of root's that is called sshd and does not say that it has a connection.
        let program = folder + "/sshd"
        try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: program)
        var child: pid_t = 0
        let words = Array("\(program)\u{0}60\u{0}".utf8)
        try #require(opk_spawn(&child, program, words, words.count, [], 0, OPK_NULL_DEVICE, OPK_NULL_DEVICE, OPK_NULL_DEVICE) == 0)
        defer {
            kill(child, SIGKILL)
            waitpid(child, nil, 0)
        }
        let stamp = try #require(ProcessStamp(running: child))
        let record = try record(process: stamp)
        try places.sessions.write(record)
        let live = try LiveSessions(places, limits: SessionLimits(), at: .now())
        let session = try #require(live.sessions.first { $0.record.id == record.id })
        #expect(SessionEnding(places).run([SessionEnding.Order(session, .limit, message: "over")]).isEmpty)
        #expect(stamp.isRunning)
        #expect(try events.isEmpty)
    }
}

@Suite("When limits were last enforced") struct EnforcementRunTests {
    @Test("a run that came to its end is remembered, for five minutes")
    func remembered() throws {
        let folder = NSTemporaryDirectory() + "/opk-run-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        mkdir(folder, 0o755)
        var places = SessionPlaces()
        (places.sessions, places.log, places.trust) = (SessionFolder(folder + "/sessions"), folder + "/audit.jsonl", .rootOrUser(geteuid()))
        places.configFolder = folder
        let run = EnforcementRun(places.sessions)
        let now = UnixTime.now()
        #expect(run.last == nil && run.isOverdue(at: now))
        var enforcement = SessionEnforcement(places, at: now)
        try enforcement.run()
        #expect(enforcement.problems == [] && run.last != nil)
        #expect(!run.isOverdue(at: now + 299) && run.isOverdue(at: now + 400))
        #expect(try places.sessions.records().unreadable == [])
    }
}
