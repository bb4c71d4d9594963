import AuditTrail
import ChildProcess
import Foundation
import SafeFiles
import TestSupport
import Testing
import Vocabulary

@testable import Alerts

/// A server's folders for one test: policy, log and state.
final class AlertsServer {
    let folder: String
    /// This machine's name, as events have it that opk writes.
    static var host: String { ProcessInfo.processInfo.hostName }
    var config: String { folder + "/etc" }
    var log: String { folder + "/audit.jsonl" }
    var state: String { folder + "/state" }
    private var number = 0

    init() throws {
        folder = SharedData.packageRoot.path + "/.build/alerts-test-" + UUID().uuidString
        for path in [folder, folder + "/etc", folder + "/state"] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        makeLog()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func newID() -> String {
        number += 1
        // An event's id has no 0 and no 1.
        let figures = String(number).replacing("0", with: "z").replacing("1", with: "y")
        return "e" + String(repeating: "a", count: 9 - figures.count) + figures
    }

    func write(_ text: String, to name: String) throws { try AtomicFile.write(Array(text.utf8), to: config + "/" + name, mode: 0o640) }

    /// What a command of `notify` was given, each time.
    func command(_ body: String = "cat >> FOLDER/told; echo >> FOLDER/told") throws -> String {
        let path = folder + "/tell"
        try AtomicFile.write(Array("#!/bin/sh\n\(body.replacingOccurrences(of: "FOLDER", with: folder))\n".utf8), to: path, mode: 0o755)
        return path
    }

    var told: [String] {
        let text = (try? String(contentsOfFile: folder + "/told", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    @discardableResult
    func append(_ kind: AuditKind, at time: UnixTime = .now(), _ fill: (inout AuditEvent) -> Void = { _ in }) throws -> String {
        var event = AuditEvent(kind, id: newID(), at: time, host: "web1", program: "opk-verify")
        fill(&event)
        try AuditTrail(path: log).append(event)
        return event.id
    }

    func refuse(_ reason: String, email: String = "bob@example.com", verified: Bool = true, account: String = "root") throws {
        try append(.decision) {
            $0.set(.account, account)
            $0.set(.granted, false)
            $0.set(.reason, reason)
            $0.set(.issuer, "https://idp.example.com")
            $0.set(.subject, "s-" + email)
            $0.set(.email, email)
            $0.set(.verified, verified)
        }
    }

    func notify(at time: UnixTime = .now()) throws -> Notifier.Report {
        let before = ((try? Data(contentsOf: URL(fileURLWithPath: log))) ?? Data()).count
        let report = try Notifier(configFolder: config, trail: AuditTrail(path: log), stateFolder: state).run(at: time, newID: newID)
        // What it wrote itself; the events before it are this test's.
        let own = ((try? Data(contentsOf: URL(fileURLWithPath: log))) ?? Data()).dropFirst(before)
        if !report.told.isEmpty || !report.failed.isEmpty || !report.changes.isEmpty {
            #expect(try EventSchema.problems(String(decoding: own, as: UTF8.self)) == [])
        }
        return report
    }

    /// As logrotate does it, with `delaycompress`: the first rotated file is packed the next time.
    func rotate() throws {
        let manager = FileManager.default
        for number in stride(from: 30, through: 2, by: -1) where manager.fileExists(atPath: "\(log).\(number).gz") {
            try manager.moveItem(atPath: "\(log).\(number).gz", toPath: "\(log).\(number + 1).gz")
        }
        if manager.fileExists(atPath: log + ".1") {
            try manager.moveItem(atPath: log + ".1", toPath: log + ".2")
            let packed = try ChildProcess.run("/usr/bin/gzip", [log + ".2"], environment: .inherited(), deadline: 20_000)
            #expect(packed.ending == .exited(0))
        }
        try manager.moveItem(atPath: log, toPath: log + ".1")
        makeLog()
    }

    func makeLog() {
        _ = FileManager.default.createFile(atPath: log, contents: Data())
        chmod(log, 0o640)
    }
}
