import CSystem
import Foundation
import JOSE
import Synchronization
import Testing
import Vocabulary

@testable import AuditTrail

@Suite(.serialized) struct AuditFileTests {
    private final class Place: Sendable {
        let folder = "/tmp/opk-trail-" + UUID().uuidString.prefix(8)
        var path: String { folder + "/audit.jsonl" }
        var trail: AuditTrail { AuditTrail(path: path) }

        init() throws {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
            make()
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        func make() { close(open(path, O_CREAT | O_EXCL | O_WRONLY, 0o640)) }

        func lines() -> [ArraySlice<UInt8>] {
            (FileManager.default.contents(atPath: path).map(Array.init) ?? []).split(separator: 0x0A)
        }

        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
    }

    private func event(_ text: String = "x") -> AuditEvent {
        var event = AuditEvent(.decision, program: "test")
        event.set(.account, text)
        return event
    }

    @Test func `without a folder nothing is installed; without a file it is absent, after a while; with a file that comes it is written`()
        throws
    {
        let place = try Place()
        #expect(throws: AuditTrail.Failure.notInstalled) { try AuditTrail(path: place.folder + "/none/audit.jsonl").append(event()) }
        unlink(place.path)
        #expect(throws: AuditTrail.Failure.absent) { try place.trail.append(event()) }
        let maker = Thread {
            usleep(10_000)
            place.make()
        }
        maker.start()
        try place.trail.append(event())
        #expect(place.lines().count == 1)
    }

    @Test func `two events of one write are two lines, and one that was rotated away is written to where it was opened`() throws {
        let place = try Place()
        let file = try place.trail.open()
        defer { file.close() }
        #expect(rename(place.path, place.path + ".1") == 0)
        place.make()
        try file.append(event("b"), after: event("a"))
        #expect(place.lines().isEmpty)
        let old = FileManager.default.contents(atPath: place.path + ".1").map(Array.init) ?? []
        #expect(try old.split(separator: 0x0A).map { try JSONObject(parsing: Array($0))["account"] } == ["a", "b"])
    }

    @Test func `what was torn off before stays a line of its own`() throws {
        let place = try Place()
        try place.write("{\"v\":1,\"ti")
        try place.trail.append(event())
        try place.trail.append(event())
        #expect(place.lines().count == 3 && (try? JSONObject(parsing: Array(place.lines()[0]))) == nil)
        for line in place.lines().dropFirst() { _ = try JSONObject(parsing: Array(line)) }
    }

    @Test func `a link, a folder, and a file that the group or others may write are not written to`() throws {
        let place = try Place()
        let victim = place.folder + "/victim"
        let cases: [(String, () -> Int32)] = [
            ("a link", { symlink(victim, place.path) }),
            ("a folder", { mkdir(place.path, 0o755) }), ("a FIFO", { mkfifo(place.path, 0o640) }),
            ("the group's", { self.make(place, 0o660) }), ("everybody's", { self.make(place, 0o642) }),
        ]
        _ = FileManager.default.createFile(atPath: victim, contents: Data(), attributes: [.posixPermissions: 0o640])
        for (name, make) in cases {
            remove(place.path)
            #expect(make() == 0, "\(name)")
            #expect(throws: AuditTrail.Failure.self, "\(name)") { try place.trail.append(event()) }
            #expect(FileManager.default.contents(atPath: victim) == Data(), "\(name)")
        }
        remove(place.path)
        place.make()
        try place.trail.append(event())
        #expect(place.lines().count == 1)
    }

    private func make(_ place: Place, _ mode: mode_t) -> Int32 {
        place.make()
        return chmod(place.path, mode)
    }

    @Test func `the fewer can cause an event, the larger the file may be that still takes it`() throws {
        let place = try Place()
        let sizes = AuditTrail.Cause.allCases.map { Int($0.largest >> 20) }
        #expect(sizes == [256, 384, 768, 1024])
        for (index, cause) in AuditTrail.Cause.allCases.enumerated() {
            #expect(truncate(place.path, Int(cause.largest) - 10) == 0)
            for lower in AuditTrail.Cause.allCases[...index] {
                #expect(throws: AuditTrail.Failure.full, "\(lower) at \(cause.largest)") { try place.trail.append(event(), by: lower) }
            }
            var facts = stat()
            #expect(stat(place.path, &facts) == 0 && facts.st_size == Int(cause.largest) - 10)
            for higher in AuditTrail.Cause.allCases[(index + 1)...] { try place.trail.append(event(), by: higher) }
        }
        // What has no cause of its own is the server's.
        #expect(truncate(place.path, Int(AuditTrail.Cause.admission.largest)) == 0)
        try place.trail.append(event())
    }

    @Test(.enabled(if: geteuid() == 0, "not root"))
    func `a second name stops nothing where the folder is root's alone, and everything where it is not`() throws {
        let place = try Place()
        #expect(link(place.path, place.folder + "/other") == 0)
        try place.trail.append(event())
        #expect(chmod(place.folder, 0o775) == 0)
        #expect(throws: AuditTrail.Failure.unsafe) { try place.trail.append(event()) }
        #expect(chmod(place.folder, 0o755) == 0 && chown(place.folder, 65534, 0) == 0)
        #expect(throws: AuditTrail.Failure.unsafe) { try place.trail.append(event()) }
        #expect(chown(place.folder, 0, 0) == 0 && chmod(place.path, 0o642) == 0)
        #expect(throws: AuditTrail.Failure.unsafe) { try place.trail.append(event()) }
        #expect(place.lines().count == 1)
    }

    /// Pieces of lines appended again and again, as by writers that are killed in the middle of a write.
    @Test func `sixteen writers beside one that is torn off again and again: no event of theirs is lost`() throws {
        let place = try Place()
        let left = Atomic(16)
        let pieces = Atomic(0)
        for number in 0..<16 {
            Thread.detachNewThread {
                for index in 0..<50 {
                    // However busy the machine is, most of them come between pieces.
                    while index == 10, pieces.load(ordering: .acquiring) < 4 { usleep(100) }
                    do { try place.trail.append(event("\(number).\(index)")) } catch { Issue.record("\(error)") }
                }
                left.subtract(1, ordering: .acquiringAndReleasing)
            }
        }
        let torn = open(place.path, O_WRONLY | O_APPEND)
        while left.load(ordering: .acquiring) > 0 {
            #expect(write(torn, "{\"torn", 6) == 6)
            pieces.add(1, ordering: .acquiringAndReleasing)
            usleep(300)
        }
        close(torn)
        let events = place.lines().compactMap { try? JSONObject(parsing: Array($0)) }
        #expect(Set(events.compactMap { $0["account"]?.string }).count == 800)
    }

    @Test func `room is taken ahead, so that the file's length never counts more than its lines`() throws {
        let place = try Place()
        try place.trail.append(event())
        var facts = stat()
        #expect(stat(place.path, &facts) == 0)
        #expect(facts.st_size == place.lines()[0].count + 1)
        // Where the file system can.
        #expect(facts.st_blocks * 512 >= 256 << 10 || facts.st_blocks * 512 < 64 << 10)
    }
}
