import AuditTrail
import ChildProcess
import Foundation
import TestSupport
import Testing
import Vocabulary

@testable import AuditReading
@testable import opk

@Suite struct LogCommandTests {
    @Test("a login is one line, a refusal says why, and the summary counts")
    func text() throws {
        let place = try LogFolder()
        try place.write([
            EventSamples.full(.decision), EventSamples.full(.decision), EventSamples.full(.login), EventSamples.refusal(),
            EventSamples.full(.policyChanged),
            EventSamples.full(.gap),
        ])
        let (status, lines, _) = try place.log()
        #expect(status == .exited(0))
        #expect(lines[0].hasPrefix("2026-11-01 00:00:00  in        alice@example.com → root"))
        #expect(lines[0].contains("BREAK GLASS, by /etc/opk/auth_id:3, for \"CHG-0881\""))
        #expect(
            lines[1].contains("refused   mallory@example.com (says the token) → deploy") && lines[1].contains("no row of auth_id admits"))
        #expect(lines[1].hasSuffix("(no-row-admits, step 9)"))
        #expect(lines[2].contains("changed   alice") && lines[2].hasSuffix("opk add, changed /etc/opk/auth_id"))
        #expect(lines[3].contains("gap") && lines[3].contains("17 events were not written since 2026-10-31 23:58:30"))
        #expect(lines[4] == "1 login by 1 person, 1 refused, 1 change" && lines.contains("1 gap: 17 events could not be written"))
    }

    @Test("hostile text never reaches a terminal, in no format", arguments: LogShowCommand.Format.allCases)
    func hostile(format: LogShowCommand.Format) throws {
        let place = try LogFolder()
        var raw = String(decoding: EventSamples.hostile.line, as: UTF8.self)
        // As somebody else than opk would write it: valid JSON, with the characters as they are.
        raw = raw.replacing("\\u202e", with: "\u{202E}").replacing("\\u009b", with: "\u{9B}")
        try place.write("audit.jsonl", Array(raw.utf8) + Array("\u{1B}[2J rubbish\n".utf8))
        let (status, lines, errors) = try place.log("--format", format.rawValue)
        #expect(status == .exited(0) && !lines.isEmpty)
        for scalar in (lines.joined() + errors.replacing("\n", with: "")).unicodeScalars { #expect(isHarmless(scalar)) }
        for line in lines where format != .text { #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil) }
    }

    @Test("JSON is what is in the log, to the byte; the summary is an object")
    func json() throws {
        let place = try LogFolder()
        let events = [EventSamples.full(.login), EventSamples.refusal()]
        try place.write(events)
        #expect(try place.log("--json").lines == events.map { String(decoding: EventSamples.line($0), as: UTF8.self) })
        let summary = try place.log("--json", "--summary").lines.joined()
        let object = try JSONSerialization.jsonObject(with: Data(summary.utf8)) as? [String: Any]
        #expect(object?["logins"] as? Int == 1 && object?["decisions_refused"] as? Int == 1)
    }

    @Test("what is missing is said, with the command that mends it; a wrong call is 64")
    func missing() throws {
        let place = try LogFolder()
        let (status, _, errors) = try place.log()
        #expect(status == .exited(1) && errors.contains("opk: error: there is no ") && errors.contains("audit.jsonl"))
        #expect(LogError.absent(path: AuditTrail.defaultPath).hint?.contains("install -o opksshuser -g adm -m 0640") == true)
        for call in [
            ["--since", "soon"], ["--type", "other"], ["--follow", "--until", "now"], ["--json", "--format", "ecs"],
            ["--since", "1h", "--until", "2h"],
        ] {
            #expect(try place.run(BuiltPrograms.path("opk"), ["log"] + call).ending == .exited(64), "\(call)")
        }
    }

    @Test("who may not read it is told which group may", .enabled(if: getuid() == 0, "only root can be somebody else"))
    func denied() throws {
        let place = try LogFolder()
        try place.write([EventSamples.full(.login)])
        try place.run("/bin/chgrp", ["adm", place.path])
        try place.run("/bin/chmod", ["0640", place.path])
        try place.run("/bin/cp", [BuiltPrograms.path("opk"), place.folder.path + "/opk"])
        let outcome = try place.run(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--regid=65534", "--clear-groups", place.folder.path + "/opk", "log", "--file", place.path])
        let errors = String(decoding: outcome.errorOutput, as: UTF8.self)
        #expect(outcome.ending == .exited(1) && errors.contains("it is for root and the group adm") && errors.contains("sudo adduser"))
    }

    @Test("--follow shows what comes, over a rotation, and ends with Ctrl-C and a summary")
    func follow() throws {
        let place = try LogFolder()
        try place.write([EventSamples.full(.gap)])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: BuiltPrograms.path("opk"))
        process.arguments = ["log", "--follow", "--file", place.path]
        let (output, notes) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, notes)
        try process.run()
        defer { process.terminate() }
        // The note says that it is listening.
        #expect(String(decoding: notes.fileHandleForReading.availableData, as: UTF8.self).contains("following"))
        let now = UnixTime.now()
        try place.append(EventSamples.refusal(id: "secondabcd", at: now + 5))
        var text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        #expect(text.contains("refused") && !text.contains("gap"))
        try FileManager.default.moveItem(atPath: place.path, toPath: place.path + ".1")
        try place.append(EventSamples.event(.login, at: now + 6))
        text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        #expect(text.contains("in  "))
        // Not SIGINT: whoever runs the tests may have it ignored, and a child inherits that.
        process.terminate()
        process.waitUntilExit()
        text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(process.terminationStatus == 0 && process.terminationReason == .exit && text.contains("1 login by 1 person, 1 refused"))
    }

    @Test("--follow --since begins with what was rotated away, and says which rotated file cannot be read")
    func followSince() throws {
        let place = try LogFolder()
        let now = UnixTime.now()
        try place.write("audit.jsonl.2", [EventSamples.event(.login, id: "first", at: now + -7000)])
        try place.run("/usr/bin/gzip", [place.path + ".2"])
        try place.write("audit.jsonl.1", [EventSamples.event(.login, id: "second", at: now + -6000)])
        try place.write("audit.jsonl.3.gz", Array("no gzip".utf8))
        try place.write([EventSamples.event(.login, id: "third", at: now + -60)])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: BuiltPrograms.path("opk"))
        process.arguments = ["log", "--follow", "--since", "2h", "--json", "--file", place.path]
        let (output, notes) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, notes)
        try process.run()
        defer { process.terminate() }
        var text = ""
        while !text.contains("third") {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "it ended: \(text)")
            text += String(decoding: more, as: UTF8.self)
        }
        process.terminate()
        process.waitUntilExit()
        let ids = text.split(separator: "\n").compactMap { AuditRecord(Array($0.utf8))?.text(.id) }
        let errors = String(decoding: notes.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(ids == ["first", "second", "third"])
        // As without --follow: what is shown is not all.
        #expect(process.terminationStatus == 1 && errors.contains("audit.jsonl.3.gz cannot be unpacked"), "\(errors)")
    }

    @Test("several files are one log in the order of time, in every format", arguments: LogShowCommand.Format.allCases)
    func several(format: LogShowCommand.Format) throws {
        let place = try LogFolder()
        func login(_ id: String, _ seconds: Int64) -> AuditEvent {
            EventSamples.event(.login, id: id, at: EventSamples.began + seconds).with { $0.set(.email, "\(id)@example.com") }
        }
        try place.write("one.jsonl", [login("a", 0), login("c", 2)])
        try place.write("two.jsonl", [login("b", 1), login("d", 3)])
        let files = ["two.jsonl", "one.jsonl"].flatMap { ["--file", place.folder.path + "/" + $0] }
        let outcome = try place.run(BuiltPrograms.path("opk"), ["log", "--format", format.rawValue] + files)
        let lines = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").prefix(4)
        #expect(outcome.ending == .exited(0) && lines.count == 4)
        for (line, id) in zip(lines, ["a", "b", "c", "d"]) { #expect(line.contains("\(id)@example.com"), "\(lines)") }
    }

    @Test("times are read as a person types them")
    func times() throws {
        let now = try #require(UnixTime(rfc3339: "2026-11-28T12:00:30Z"))
        #expect(try LogTime.parse("2h", now: now) == now + -7200 && LogTime.parse("now", now: now) == now)
        #expect(try LogTime.parse("2026-11-27T18:00:01.5Z", now: now) == UnixTime(rfc3339: "2026-11-27T18:00:01.5Z"))
        let (today, yesterday) = (try LogTime.parse("today", now: now), try LogTime.parse("yesterday", now: now))
        #expect(
            LogLine.local(today).hasSuffix("00:00:00") && today <= now && LogLine.local(yesterday).hasSuffix("00:00:00")
                && yesterday < today)
        #expect(try LogLine.local(LogTime.parse("2026-11-20", now: now)) == "2026-11-20 00:00:00")
        #expect(try LogLine.local(LogTime.parse("2026-11-20 18:30", now: now)) == "2026-11-20 18:30:00")
        #expect(throws: LogError.self) { try LogTime.parse("soon", now: now) }
    }
}
