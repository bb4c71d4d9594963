import AuditTrail
import Foundation
import Testing
import Vocabulary

@testable import AuditReading

@Suite struct LogReaderTests {
    static let began = EventSamples.began

    static func events(_ range: Range<Int>) -> [AuditEvent] {
        range.map { EventSamples.event(.login, id: "number\(String(format: "%04d", $0))", at: began + Int64($0) * 60) }
    }

    static func ids(_ paths: [String], _ query: LogQuery = LogQuery()) throws -> (ids: [String], reader: LogReader) {
        var reader = LogReader(query)
        var ids: [String] = []
        try reader.read(paths) { record in
            ids.append(record.text(.id) ?? "")
            return true
        }
        return (ids, reader)
    }

    @Test("rotated files are read in the order of their events, however they are packed and named")
    func rotated() throws {
        let place = try LogFolder()
        // The names lie about the order.
        try place.write("audit.jsonl.1", LogReaderTests.events(0..<10))
        try place.write("audit.jsonl-20261127", LogReaderTests.events(10..<20))
        try place.run("/usr/bin/gzip", [place.path + "-20261127"])
        try place.write("audit.jsonl.3", LogReaderTests.events(20..<30))
        try place.run("/usr/bin/xz", [place.path + ".3"])
        try place.write("audit.jsonl.2", LogReaderTests.events(30..<40))
        try place.run("/usr/bin/zstd", ["-q", "--rm", place.path + ".2"])
        try place.write(LogReaderTests.events(40..<50))
        try place.write("audit.jsonl.swp", LogReaderTests.events(50..<60))
        let (ids, reader) = try LogReaderTests.ids([place.path])
        #expect(ids == LogReaderTests.events(0..<50).map(\.id) && reader.failures.isEmpty)
        #expect(reader.summary.logins == 50 && reader.summary.torn == 0)
    }

    @Test("several files are merged by time, however they are packed; of the same time, the one that was named first comes first")
    func merged() throws {
        let place = try LogFolder()
        func login(_ id: String, _ seconds: Int64) -> AuditEvent { EventSamples.event(.login, id: id, at: LogReaderTests.began + seconds) }
        try place.write("a.jsonl", [login("a0", 0), login("a5", 5), login("a9", 9)])
        try place.write("b.jsonl", [login("b3", 3), login("b5", 5), login("b4", 4), login("b7", 7)])
        try place.run("/usr/bin/gzip", [place.folder.path + "/b.jsonl"])
        try place.write("c.jsonl", Array("rubbish\n".utf8) + [login("c1", 1), login("c5", 5)].flatMap(\.line))
        // Nobody reads this one.
        try place.write("c.jsonl.1", [login("x", 2)])
        let paths = ["c.jsonl", "b.jsonl.gz", "a.jsonl"].map { place.folder.path + "/" + $0 }
        let (ids, reader) = try LogReaderTests.ids(paths)
        #expect(ids == ["a0", "c1", "b3", "c5", "b5", "b4", "a5", "b7", "a9"], "\(ids)")
        #expect(reader.summary.logins == 9 && reader.summary.torn == 1)
        var query = LogQuery()
        (query.since, query.until) = (LogReaderTests.began + 4, LogReaderTests.began + 8)
        #expect(try LogReaderTests.ids(paths, query).ids == ["c5", "b5", "b4", "a5", "b7"])
    }

    @Test(
        "what came late into a file that was rotated away stands at its time; of files beyond those that can be open nothing is left out")
    func late() throws {
        let place = try LogFolder()
        try place.write("audit.jsonl.1", LogReaderTests.events(0..<3) + LogReaderTests.events(5..<6))
        try place.write(LogReaderTests.events(3..<5) + LogReaderTests.events(6..<8))
        #expect(try LogReaderTests.ids([place.path]).ids == LogReaderTests.events(0..<8).map(\.id))

        let many = (0..<(LogReader.mostOpen + 20)).map { place.folder.path + "/\($0).jsonl" }
        for (number, path) in many.enumerated() {
            let events = [0, 1000].map { EventSamples.event(.login, id: "n\(number)", at: LogReaderTests.began + Int64($0 + number)) }
            try Data(events.flatMap(\.line)).write(to: URL(fileURLWithPath: path))
        }
        let (ids, reader) = try LogReaderTests.ids(many)
        #expect(ids.count == 2 * many.count && Set(ids).count == many.count && reader.failures.isEmpty)
        #expect(Array(ids.prefix(LogReader.mostOpen)) == (0..<LogReader.mostOpen).map { "n\($0)" })
    }

    @Test("a file that is rotated between being found and being opened is the one that was found, or is said to be gone")
    func rotatedMeanwhile() throws {
        let place = try LogFolder()
        try place.write(LogReaderTests.events(0..<3))
        let source = LogSource(try LogFile(place.path), of: place.path)
        try FileManager.default.moveItem(atPath: place.path, toPath: place.path + ".1")
        func first() throws -> String? {
            var input = try source.open()
            var (lines, sieve) = (LogLines(), LogSieve(LogQuery()))
            return try sieve.next(&lines, &input)?.text(.id)
        }
        #expect(try first() == "number0000")
        try place.write(LogReaderTests.events(3..<5))
        #expect(try first() == "number0000")
        try FileManager.default.removeItem(atPath: place.path + ".1")
        #expect { try first() } throws: { if case .rotated? = $0 as? LogError { true } else { false } }
    }

    @Test("a rotated file that is broken is named, and the others are read")
    func broken() throws {
        let place = try LogFolder()
        try place.write("audit.jsonl.1.gz", Array("no gzip".utf8))
        try place.write(LogReaderTests.events(0..<3))
        let (ids, reader) = try LogReaderTests.ids([place.path])
        #expect(ids.count == 3 && reader.failures.count == 1)
        #expect("\(reader.failures[0])".contains("audit.jsonl.1.gz"))
    }

    @Test("of times, the first counts and the last does not; a file that ended before is not opened")
    func times() throws {
        let place = try LogFolder()
        try place.write("audit.jsonl.1.gz", Array("no gzip".utf8))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: Double(LogReaderTests.began.seconds - 100))], ofItemAtPath: place.path + ".1.gz"
        )
        try place.write(LogReaderTests.events(0..<50))
        var query = LogQuery()
        query.since = LogReaderTests.began + 600
        query.until = LogReaderTests.began + 1200
        let (ids, reader) = try LogReaderTests.ids([place.path], query)
        #expect(ids == LogReaderTests.events(10..<20).map(\.id) && reader.failures.isEmpty)
    }

    @Test("counts of many lines are exact, torn ones among them, and what is whole behind a torn one is read")
    func counts() throws {
        let place = try LogFolder()
        var bytes: [UInt8] = []
        let login = EventSamples.full(.login).line
        let refusal = EventSamples.refusal().line
        for number in 0..<30_000 {
            bytes += number % 3 == 0 ? login : refusal
            // Torn, with the next one behind it; foreign; longer than a chunk's rest.
            if number % 1000 == 0 { bytes += login.prefix(100) }
            if number % 1000 == 1 { bytes += Array("Nov 28 rubbish\n".utf8) }
            if number == 15_500 { bytes += [UInt8](repeating: 0, count: 600_000) + [0x0A] }
        }
        try place.write("audit.jsonl", bytes + login.dropLast(20))
        let (ids, reader) = try LogReaderTests.ids([place.path])
        #expect(ids.count == 30_000 && reader.summary.events == 30_000)
        #expect(reader.summary.logins == 10_000 && reader.summary.refused == 20_000 && reader.summary.torn == 30 + 30 + 1 + 1)
        #expect(reader.summary.loginsByPerson == [.init(name: "alice@example.com", count: 10_000)])
        #expect(reader.summary.refusalsByReason == [.init(name: "no-row-admits", count: 20_000)])
    }

    @Test("people beyond those that are remembered are counted together")
    func flood() throws {
        let place = try LogFolder()
        let events = (0..<5000).map { number in
            var event = EventSamples.event(.login)
            event.set(.email, "person\(number)@example.com")
            return event
        }
        try place.write(events)
        let (_, reader) = try LogReaderTests.ids([place.path])
        #expect(reader.summary.logins == 5000 && reader.summary.loginsByPerson.count == 4096 && reader.summary.uncounted == 904)
    }

    @Test("who, account, type and refused: each alone, and together")
    func filters() throws {
        let place = try LogFolder()
        try place.write([
            EventSamples.full(.decision), EventSamples.full(.login), EventSamples.refusal(), EventSamples.full(.policyChanged),
        ])
        func count(_ change: (inout LogQuery) -> Void) throws -> Int {
            var query = LogQuery()
            change(&query)
            return try LogReaderTests.ids([place.path], query).ids.count
        }
        #expect(try count { $0.who = "ALICE@example.com" } == 2 && count { $0.who = "@EXAMPLE.com" } == 3)
        #expect(try count { $0.who = "1234" } == 2 && count { $0.who = "alice" } == 1 && count { $0.who = "lice@example.com" } == 0)
        #expect(
            try count { $0.account = "deploy" } == 1 && count { $0.isDenied = true } == 1
                && count { $0.kinds = [.login, .policyChanged] } == 2)
        #expect(try count { ($0.isDenied, $0.account) = (true, "root") } == 0)
    }

    @Test("no log, a folder and a link are told apart")
    func absent() throws {
        let place = try LogFolder()
        #expect { try LogReaderTests.ids([place.path]) } throws: { if case .absent? = $0 as? LogError { true } else { false } }
        #expect { try LogReaderTests.ids([place.folder.path]) } throws: { if case .notAFile? = $0 as? LogError { true } else { false } }
        try FileManager.default.createSymbolicLink(atPath: place.path, withDestinationPath: "/etc/passwd")
        #expect { try LogReaderTests.ids([place.path]) } throws: { if case .notAFile? = $0 as? LogError { true } else { false } }
    }

    @Test("a log that is followed is read over rotations and cuts, each event once")
    func followed() throws {
        let place = try LogFolder()
        try place.write(LogReaderTests.events(0..<3))
        var follower = try LogFollower(place.path, LogQuery())
        let seen = Seen()
        func look() throws { try follower.look { record in seen.add(record) } }
        try look()
        for event in LogReaderTests.events(3..<5) { try place.append(event) }
        try look()
        try FileManager.default.moveItem(atPath: place.path, toPath: place.path + ".1")
        try look()
        // Somebody had it open still.
        try AuditTrail(path: place.path + ".1").append(LogReaderTests.events(5..<6)[0])
        for event in LogReaderTests.events(6..<8) { try place.append(event) }
        try look()
        try look()
        try look()
        #expect(seen.ids == LogReaderTests.events(0..<8).map(\.id))
        try place.write(LogReaderTests.events(8..<9))
        try look()
        try look()
        #expect(seen.ids == LogReaderTests.events(0..<9).map(\.id) && follower.summary.torn == 0)
    }

    @Test(
        "what is followed begins with the rotated files of its time, packed or not, each event once even where the log is rotated meanwhile"
    )
    func caughtUp() throws {
        let place = try LogFolder()
        try place.write("audit.jsonl.2", LogReaderTests.events(0..<3))
        try place.run("/usr/bin/gzip", [place.path + ".2"])
        try place.write("audit.jsonl.1", LogReaderTests.events(3..<6))
        try place.write(LogReaderTests.events(6..<8))
        var query = LogQuery()
        query.since = LogReaderTests.began + 60
        var follower = try LogFollower(place.path, query)
        // As logrotate does it, between the log's opening and the list of what was rotated away.
        try FileManager.default.moveItem(atPath: place.path + ".2.gz", toPath: place.path + ".3.gz")
        try FileManager.default.moveItem(atPath: place.path + ".1", toPath: place.path + ".2")
        try FileManager.default.moveItem(atPath: place.path, toPath: place.path + ".1")
        try place.write(LogReaderTests.events(8..<9))
        let seen = Seen()
        try follower.catchUp { seen.add($0) }
        #expect(seen.ids == LogReaderTests.events(1..<6).map(\.id), "\(seen.ids)")
        for _ in 0..<3 { try follower.look { seen.add($0) } }
        #expect(seen.ids == LogReaderTests.events(1..<9).map(\.id), "\(seen.ids)")
        #expect(follower.summary.logins == 8 && follower.failures.isEmpty)
    }

    private final class Seen {
        var ids: [String] = []
        func add(_ record: AuditRecord) -> Bool {
            ids.append(record.text(.id) ?? "")
            return true
        }
    }
}

@Suite struct LoginFoldingTests {
    private func record(_ kind: AuditKind, _ attempt: String, _ seconds: Int64, _ change: (inout AuditEvent) -> Void = { _ in }) throws
        -> AuditRecord
    {
        var event = EventSamples.event(kind, at: EventSamples.began + seconds)
        event.set(.attempt, attempt)
        change(&event)
        return try #require(AuditRecord(EventSamples.line(event)))
    }

    @Test("both decisions, the login and the logout are one; another connection's are another")
    func folded() throws {
        var folding = LoginFolding()
        var entries: [LogEntry] = []
        for record in [
            try record(.decision, "a", 0), try record(.decision, "b", 1), try record(.decision, "a", 2), try record(.login, "a", 3),
            try record(.logout, "a", 100),
        ] { entries += folding.add(record) }
        entries += folding.finish()
        #expect(entries.count == 2 && entries[0].login != nil && entries[0].logout != nil && entries[1].login == nil)
        #expect(LogLine(entries[0]).outcome == .loggedIn && LogLine(entries[0]).words.contains("for 1 min 37 s"))
        #expect(LogLine(entries[1]).outcome == .admitted)
    }

    @Test("a login that is followed waits for nothing; an admitted key waits for its login")
    func ready() throws {
        var folding = LoginFolding()
        _ = folding.add(try record(.decision, "a", 0))
        #expect(folding.ready(before: EventSamples.began).isEmpty)
        _ = folding.add(try record(.login, "a", 1))
        #expect(folding.ready(before: EventSamples.began).count == 1 && folding.finish().isEmpty)
        _ = folding.add(try record(.decision, "b", 2))
        #expect(folding.ready(before: EventSamples.began + 10).count == 1)
        _ = folding.add(try record(.logout, "a", 20))
        #expect(folding.ready(before: EventSamples.began).count == 1)
    }

    @Test("no more is held than the window has, and events that came late stand at their time")
    func bounded() throws {
        var folding = LoginFolding()
        var count = 0
        for number in 0..<(3 * LoginFolding.window) { count += folding.add(try record(.login, "a\(number)", Int64(number))).count }
        #expect(count == 2 * LoginFolding.window)
        var late = LoginFolding()
        for second: Int64 in [5, 3, 4] { _ = late.add(try record(.login, "x\(second)", second)) }
        #expect(late.finish().map { $0.time.seconds - EventSamples.began.seconds } == [3, 4, 5])
    }
}
