import AuditTrail
import Foundation
import Synchronization
import TestSupport
import Testing
import Vocabulary

@testable import Alerts

@Suite struct NotifierTests {
    @Test("what is past when it runs for the first time is told to nobody")
    func beginsNow() throws {
        let server = try AlertsServer()
        try server.write("notify: [{on: [revoked], command: \(try server.command())}]\n", to: "config.yml")
        try server.refuse("revoked")
        #expect(try server.notify().told.isEmpty)
        #expect(try server.notify().told.isEmpty)
        #expect(server.told.isEmpty)
    }

    @Test("a refusal of somebody who is out is told once an hour for each account, a broken glass each time, and nothing else")
    func tells() throws {
        let server = try AlertsServer()
        try server.write("notify: [{on: [break-glass, revoked], command: \(try server.command())}]\n", to: "config.yml")
        _ = try server.notify()
        let now = UnixTime.now()
        try server.refuse("revoked")
        try server.refuse("revoked")
        try server.refuse("revoked", account: "deploy")
        // Hearsay: anybody could have said so.
        try server.refuse("revoked", email: "eve@example.com", verified: false)
        try server.refuse("no-row-admits")
        for isBreakGlass in [true, false, true] {
            try server.append(.login) {
                $0.set(.account, "root")
                $0.set(.email, "alice@example.com")
                $0.set(.breakGlass, isBreakGlass)
                $0.set(.grantReason, "CHG-881")
                $0.set(.sourceAddress, "10.0.0.7")
            }
        }
        // A decision is no login.
        try server.append(.decision) {
            $0.set(.granted, true)
            $0.set(.breakGlass, true)
        }
        #expect(
            try server.notify(at: now).told == [
                "revoked: bob@example.com tried to log in to root on web1 and was refused",
                "revoked: bob@example.com tried to log in to deploy on web1 and was refused",
                "break-glass: alice@example.com logged in to root on web1 from 10.0.0.7 (CHG-881)",
                "break-glass: alice@example.com logged in to root on web1 from 10.0.0.7 (CHG-881)",
            ])
        #expect(server.told.count == 4)
        #expect(server.told.first?.hasPrefix("{\"event\":{\"") == true)
        #expect(server.told.first?.contains("\"notification\":\"revoked\"") == true)
        try server.refuse("revoked")
        #expect(try server.notify(at: now + 3599).told.isEmpty)
        try server.refuse("revoked")
        #expect(try server.notify(at: now + 3601).told.count == 1)
    }

    @Test("however often those who are out are refused, a broken glass is told")
    func flood() throws {
        let server = try AlertsServer()
        try server.write("notify: [{on: [break-glass, revoked], command: \(try server.command("cat > /dev/null"))}]\n", to: "config.yml")
        _ = try server.notify()
        for number in 0..<300 { try server.refuse("revoked", account: "a\(number % 150)") }
        try server.append(.login) { $0.set(.breakGlass, true) }
        let told = try server.notify().told
        #expect(told.count { $0.hasPrefix("revoked") } == Notifier.mostPending)
        #expect(told.count { $0.hasPrefix("break-glass") } == 1)
    }

    @Test("each event is told once, also where the log was rotated in between, once or more often, and packed", arguments: [0, 1, 2, 5])
    func rotation(rotations: Int) throws {
        let server = try AlertsServer()
        try server.write("notify: [{on: [break-glass], command: \(try server.command())}]\n", to: "config.yml")
        _ = try server.notify()
        var accounts: [String] = []
        func login() throws {
            accounts.append("a\(accounts.count)")
            try server.append(.login) {
                $0.set(.breakGlass, true)
                $0.set(.account, accounts.last)
            }
        }
        func told(_ count: Int) throws {
            let report = try server.notify()
            let names = report.told.compactMap { $0.split(separator: " ").dropFirst(5).first.map(String.init) }
            #expect(names == accounts.suffix(count) && report.damages.isEmpty && report.torn == 0, "\(report)")
        }
        for _ in 0..<2 {
            try login()
            try told(1)
            for _ in 0..<rotations {
                try login()
                try server.rotate()
            }
            for _ in 0..<2 { try login() }
            try told(rotations + 2)
            try told(0)
        }
        // Nothing was read of the file yet.
        try server.rotate()
        try told(0)
        for _ in 0..<rotations {
            try login()
            try server.rotate()
        }
        try told(rotations)
        try login()
        try told(1)
    }

    @Test("a packed file that cannot be read hides nothing but what is in it")
    func brokenPacking() throws {
        let server = try AlertsServer()
        try server.write("notify: [{on: [break-glass], command: \(try server.command())}]\n", to: "config.yml")
        _ = try server.notify()
        func login() throws { try server.append(.login) { $0.set(.breakGlass, true) } }
        for _ in 0..<3 {
            try login()
            try server.rotate()
        }
        try login()
        try Data("no gzip".utf8).write(to: URL(fileURLWithPath: server.log + ".3.gz"))
        #expect(try server.notify().told.count == 3)
        #expect(try server.notify().told.isEmpty)
    }

    @Test("whoever makes the log shorter in its place, or writes it anew, is told of by every channel")
    func shortened() throws {
        let server = try AlertsServer()
        try server.write("notify: [{on: [revoked], command: \(try server.command())}]\n", to: "config.yml")
        try server.append(.login)
        #expect(try server.notify().damages.isEmpty)
        truncate(server.log, 0)
        var report = try server.notify()
        let sentence =
            "audit log: \(server.log) on \(AlertsServer.host): it became shorter in its place, or was written anew, so events may be gone"
        #expect(report.damages.map(\.kind) == [.shortened] && report.told == [sentence], "\(report)")
        #expect(server.told.last?.contains("\"notification\":\"audit-log\"") == true)
        let log = try String(contentsOfFile: server.log, encoding: .utf8)
        #expect(log.contains("\"type\":\"audit.damaged\"") && log.contains("\"action\":\"shortened\""))
        // Another text of the same length, and a longer one: events that were told before are not told again.
        try server.refuse("revoked")
        report = try server.notify()
        #expect(report.damages.isEmpty && report.told.count == 1)
        let text = try String(contentsOfFile: server.log, encoding: .utf8)
        for anew in [text.replacing("bob@", with: "eve@"), text.replacing("bob@", with: "eve@") + text] {
            let file = try #require(FileHandle(forWritingAtPath: server.log))
            try file.truncate(atOffset: 0)
            file.write(Data(anew.utf8))
            report = try server.notify()
            // Once an hour.
            #expect(report.damages.map(\.kind) == [.shortened] && report.told.isEmpty, "\(report)")
        }
        truncate(server.log, 0)
        let now = UnixTime.now()
        #expect(try server.notify(at: now + 3700).told == [sentence])
        #expect(try server.notify(at: now + 3700).damages.isEmpty)
    }

    @Test("a log that is another one, with nothing of the old one beside it, is told of; one that was rotated is not")
    func vanished() throws {
        let server = try AlertsServer()
        let command = try server.command()
        try server.write(
            "notify: [{on: [audit-log], command: \(command)}, {on: [audit-log, revoked], command: \(command)}]\n", to: "config.yml")
        _ = try server.notify()
        try server.append(.login)
        #expect(try server.notify().damages.isEmpty)
        try server.rotate()
        #expect(try server.notify().damages.isEmpty)
        try server.append(.login)
        #expect(try server.notify().damages.isEmpty)
        // So that the new one has another number.
        try FileManager.default.moveItem(atPath: server.log, toPath: server.folder + "/elsewhere")
        server.makeLog()
        let report = try server.notify()
        #expect(report.damages.map(\.kind) == [.vanished], "\(report)")
        // By one channel once, however many rules have it.
        #expect(report.told.count == 1 && report.told.first?.hasSuffix("is gone, and in no rotated file, so events may be gone") == true)
        #expect(try server.notify().damages.isEmpty)
    }

    @Test("a log that nothing is written to is told of once an hour for as long as that lasts, and again when it comes again")
    func unusable() throws {
        let server = try AlertsServer()
        try server.write("notify: [{on: [policy-changed], command: \(try server.command())}]\n", to: "config.yml")
        _ = try server.notify()
        let now = UnixTime.now()
        chmod(server.log, 0o666)
        var report = try server.notify(at: now)
        #expect(report.damages.map(\.kind) == [.unsafe] && report.told.count == 1, "\(report)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: server.log)).isEmpty)
        report = try server.notify(at: now + 60)
        #expect(report.damages.map(\.kind) == [.unsafe] && report.told.isEmpty)
        #expect(try server.notify(at: now + 3700).told.count == 1)
        // Root could still write to it, opk-verify could not.
        chmod(server.log, 0o040)
        for _ in 0..<3 { #expect(try server.notify(at: now + 7350).damages.map(\.kind) == [.unsafe]) }
        let log = try String(contentsOfFile: server.log, encoding: .utf8)
        #expect(log.split(separator: "\n").count { $0.contains("audit.damaged") } == 1)
        try FileManager.default.removeItem(atPath: server.log)
        report = try server.notify(at: now + 7400)
        #expect(report.damages.map(\.kind) == [.absent] && report.told.count == 1, "\(report)")
        server.makeLog()
        // What root wrote about it had been read, and is gone.
        report = try server.notify(at: now + 7400)
        #expect(report.damages.map(\.kind) == [.vanished] && report.told.count == 1, "\(report)")
        #expect(try server.notify(at: now + 7400).damages.isEmpty)
    }

    @Test("in what a chat service shows there is nobody to wake and nothing to follow, and an email address stays one")
    func plain() {
        for address in ["alice@example.com", "a.b+c_d-e@example.co.uk", "bob@allianz.example", "o'neil@channels.example"] {
            #expect(Notice.plain(address) == address)
        }
        for (text, shown) in [
            ("@everyone", "?everyone"), ("x@everyone", "x?everyone"), ("x@HERE.example", "x?HERE.example"), ("a @here b", "a ?here b"),
            ("x@channel", "x?channel"), ("(@all)", "??all?"), ("<!channel>", "?!channel?"), ("<@U123>", "??U123?"),
            ("[sign in](https://evil.example)", "?sign in??https: //evil.example?"), ("`x`", "?x?"), ("*b* ~s~ |q|", "?b? ?s? ?q?"),
            ("a@b@here", "a@b?here"), ("@", "?"), ("é@example.com", "é@example.com"),
        ] {
            #expect(Notice.plain(text) == shown)
        }
    }

    @Test("a line that is not whole yet is left for the next time")
    func halfLine() throws {
        let server = try AlertsServer()
        try server.write("notify: [{on: [break-glass], command: \(try server.command())}]\n", to: "config.yml")
        _ = try server.notify()
        var event = AuditEvent(.login, id: server.newID(), at: .now(), host: "web1", program: "opk-session")
        event.set(.breakGlass, true)
        let file = try #require(FileHandle(forWritingAtPath: server.log))
        try file.seekToEnd()
        file.write(Data(event.line.prefix(40)))
        #expect(try server.notify().told.isEmpty)
        file.write(Data(event.line.dropFirst(40)))
        let report = try server.notify()
        #expect(report.told.count == 1 && report.torn == 0)
    }

    @Test("a file of the policy that was changed without opk is written down and told once; what a command of opk wrote is told once, too")
    func policyChanged() throws {
        let server = try AlertsServer()
        try server.write("notify: [{on: [policy-changed], command: \(try server.command())}]\n", to: "config.yml")
        try server.write("root a@example.com https://idp.example.com\n", to: "auth_id")
        _ = try server.notify()
        #expect(try server.notify().changes.isEmpty)
        try server.write("root eve@example.com https://idp.example.com\n", to: "auth_id")
        let report = try server.notify()
        #expect(report.changes.map(\.path) == [server.config + "/auth_id"])
        #expect(report.told == ["policy changed: \(server.config)/auth_id on \(AlertsServer.host), not by a command of opk"])
        #expect(try server.notify().told.isEmpty)
        try server.write("email:bob@example.com\n", to: "revoked")
        let digest = try #require(PolicyWatch(folder: server.config).digests()[server.config + "/revoked"])
        try server.append(.policyChanged) {
            var (change, actor) = (AuditObject(), AuditObject())
            change.set(.file, server.config + "/revoked")
            change.set(.digestAfter, digest)
            actor.set(.name, "carol")
            $0.set(.actor, actor)
            $0.set(.change, change)
        }
        let second = try server.notify()
        #expect(second.changes.isEmpty)
        #expect(second.told == ["policy changed: \(server.config)/revoked on web1, by carol"])
        try FileManager.default.removeItem(atPath: server.config + "/revoked")
        #expect(try server.notify().told.count == 1)
    }

    @Test("what cannot be delivered is tried again ten times, then given up, and the log says so")
    func retries() throws {
        let server = try AlertsServer()
        try server.write("notify: [{on: [break-glass], command: \(try server.command("exit 3"))}]\n", to: "config.yml")
        _ = try server.notify()
        let id = try server.append(.login) { $0.set(.breakGlass, true) }
        for number in 1...9 {
            let report = try server.notify()
            #expect(report.failed.count == 1 && report.told.isEmpty, "try \(number)")
        }
        #expect(try server.notify().failed.first?.contains("given up: it ended with status 3") == true)
        #expect(try server.notify().failed.isEmpty)
        let log = try String(contentsOfFile: server.log, encoding: .utf8)
        let notified = log.split(separator: "\n").filter { $0.contains("\"type\":\"notified\"") }
        #expect(notified.count == 1 && notified[0].contains("\"about\":\"\(id)\"") && notified[0].contains("\"kind\":\"failed\""))
    }

    @Test("a command that others may change is not run")
    func untrustedCommand() throws {
        let server = try AlertsServer()
        let command = try server.command()
        try server.write("notify: [{on: [break-glass], command: \(command)}]\n", to: "config.yml")
        _ = try server.notify()
        chmod(command, 0o777)
        try server.append(.login) { $0.set(.breakGlass, true) }
        #expect(try server.notify().failed.count == 1)
        #expect(server.told.isEmpty)
    }

    @Test("a webhook gets JSON with a sentence in it, and its address is in no log, no error and no state")
    func webhook() throws {
        let server = try AlertsServer()
        let down = Mutex(true)
        let hook = try ScriptedServer { request, connection in
            connection.answer(down.withLock { $0 } ? 503 : 204, "")
        }
        try server.write("notify: [{on: [break-glass], webhook: 'http://127.0.0.1:\(hook.port)/S3CRET?token=S3CRET'}]\n", to: "config.yml")
        _ = try server.notify()
        try server.append(.login) {
            $0.set(.breakGlass, true)
            $0.set(.email, "a<!channel>*b*@example.com\u{202E}\n")
            $0.set(.account, "root")
        }
        let failure = try #require(try server.notify().failed.first)
        #expect(failure == "webhook at 127.0.0.1: it answered 503")
        down.withLock { $0 = false }
        #expect(try server.notify().told.count == 1)
        let request = try #require(hook.requests.last)
        #expect(request.method == "POST" && request.header("Content-Type") == "application/json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: Any])
        let text = try #require(object["text"] as? String)
        #expect(text == "break-glass: a?!channel??b??example.com\\u{202e}\\u{a} logged in to root on web1")
        #expect((object["event"] as? [String: Any])?["type"] as? String == "login")
        for path in [server.log, server.state + "/notify"] {
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains("S3CRET") == false)
        }
    }

    @Test("with a config.yml that cannot be read nobody is told, and everybody is once it can")
    func brokenConfiguration() throws {
        let server = try AlertsServer()
        let rules = "notify: [{on: [break-glass], command: \(try server.command())}]\n"
        try server.write(rules, to: "config.yml")
        _ = try server.notify()
        try server.append(.login) { $0.set(.breakGlass, true) }
        try server.write("notify: [{on: [nonsense]}]\n", to: "config.yml")
        #expect(throws: AlertError.self) { try server.notify() }
        try server.write(rules, to: "config.yml")
        #expect(try server.notify().told.count == 1)
    }

    @Test("a state that is not what opk writes is an error, and stays as it is")
    func brokenState() throws {
        let server = try AlertsServer()
        _ = try server.notify()
        let path = server.state + "/notify"
        try Data("{\"version\":2}".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: AlertError.state(path: path, reason: "it is not what opk writes")) { try server.notify() }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"version\":2}")
    }
}
