import CSystem
import Foundation
import JOSE
import Testing
import Vocabulary

@testable import Sessions

@Suite("The record of a session") struct SessionRecordTests {
    static func record(_ id: String = "abcdefghjk", process: ProcessStamp = ProcessStamp(id: 77, start: 5)) throws -> SessionRecord {
        var identity = SessionIdentity()
        (identity.issuer, identity.subject, identity.email) = ("https://issuer.example.com", "alice-1", "alice@example.com")
        (identity.groups, identity.isVerified, identity.isBreakGlass) = (["ops", "a \"quoted\" one"], true, true)
        identity.decidedBy = [SessionIdentity.Decider(file: "/etc/opk/auth_id", line: 3, kind: "row", name: nil)]
        (identity.keyFingerprint, identity.issuedAt) = ("SHA256:x", UnixTime(seconds: 100))
        (identity.identityEnds, identity.certificateEnds) = (UnixTime(seconds: 5_000), UnixTime(seconds: 9_000))
        var record = try #require(
            SessionRecord(
                id: id, account: "deploy", process: process, address: "192.0.2.1", identity: identity, began: UnixTime(seconds: 1_000),
                limits: SessionLimits(limit: TimeSpan(seconds: 600), endsWithIdentity: true)))
        (record.warned, record.endedBy) = (UnixTime(seconds: 1_300), .limit)
        return record
    }

    @Test("what is written is read again, and nothing that is no record of this session")
    func roundTrip() throws {
        let record = try Self.record()
        let bytes = JSONLine.bytes(record.members)
        #expect(SessionRecord(parsing: bytes, id: record.id) == record)
        #expect(SessionRecord(parsing: bytes, id: "abcdefghjz") == nil)
        for cut in bytes.indices.dropLast() where cut != bytes.count - 1 {
            #expect(SessionRecord(parsing: Array(bytes[..<cut]), id: record.id) == nil)
        }
        for account in ["", "-x", "a b", "a\nb", "../x"] {
            var members = record.members
            members["account"] = .string(Text(account))
            #expect(SessionRecord(parsing: JSONLine.bytes(members), id: record.id) == nil)
        }
        for id in ["", "abc", "../../etc/x", "abcdefghj/", "ABCDEFGHJK", "abcdefghjkk"] { #expect(!SessionRecord.isID(id)) }
    }

    @Test("the earlier of the limit and the identity's end counts, and only what config.yml asks for")
    func ends() throws {
        var record = try Self.record()
        #expect(record.end(under: record.limits) == SessionEnd(time: UnixTime(seconds: 1_600), reason: .limit))
        #expect(record.end(under: SessionLimits(endsWithIdentity: true)) == SessionEnd(time: UnixTime(seconds: 5_000), reason: .identity))
        #expect(record.end(under: SessionLimits(limit: TimeSpan(seconds: 86_400), endsWithIdentity: true))?.reason == .identity)
        #expect(record.end(under: SessionLimits()) == nil)
        record.identity.identityEnds = nil
        #expect(record.end(under: SessionLimits(endsWithIdentity: true)) == nil)
    }

    @Test("an id, an address but for its case, a subject, an account: and nobody else")
    func selection() throws {
        let record = try Self.record()
        for who in ["abcdefghjk", "Alice@Example.com", "alice-1", "sub:alice-1@https://issuer.example.com", "account:deploy"] {
            #expect(SessionSelection(who).means(record), "\(who)")
        }
        for who in ["", "abcdefghj", "alice", "deploy", "Alice-1", "account:", "account:dep", "sub:alice-1@https://other.example.com", "*"]
        {
            #expect(!SessionSelection(who).means(record), "\(who)")
        }
    }

    @Test("a process may call itself anything: its parent, terminal and start are read behind the last parenthesis")
    func status() throws {
        let rest = "S 7 1 1 34818 1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0"
        let status = try #require(ProcessStatus(parsing: Array("9 (sshd: a) S 1 (b) \(rest)\n".utf8), id: 9))
        #expect(status.parent == 7 && status.stamp == ProcessStamp(id: 9, start: 4242) && status.terminal == 34818 && !status.isDead)
        #expect(SessionTerminals.name(status.terminal) == "pts/2")
        #expect(ProcessStatus(parsing: Array("9 (x) Z 7 1 1 0 1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0".utf8), id: 9)?.isDead == true)
        for text in ["", "9", "9 (x) S 1", "9 x S 7 1"] { #expect(ProcessStatus(parsing: Array(text.utf8), id: 9) == nil) }
        #expect(ProcessStamp(running: getpid())?.isRunning == true)
        #expect(!ProcessStamp(id: getpid(), start: 1).isRunning)
        #expect(SessionTerminals.name(0x0403) == "tty3" && SessionTerminals.name(0x0440) == "ttyS0" && SessionTerminals.name(0x0101) == nil)
    }

    private func sends(_ signal: Int32, to process: ProcessStamp) -> Bool {
        if let handle = ProcessHandle(process) { handle.send(signal) } else { false }
    }

    @Test("a process whose number is another's by now gets no signal; the very one does")
    func handle() throws {
        var child: pid_t = 0
        let words = Array("/bin/sleep\u{0}60\u{0}".utf8)
        #expect(opk_spawn(&child, "/bin/sleep", words, words.count, [], 0, OPK_NULL_DEVICE, OPK_NULL_DEVICE, OPK_NULL_DEVICE) == 0)
        let stamp = try #require(ProcessStamp(running: child))
        for start in [stamp.start - 1, stamp.start + 1] {
            #expect(!sends(SIGTERM, to: ProcessStamp(id: stamp.id, start: start)))
        }
        #expect(stamp.isRunning)
        #expect(sends(SIGTERM, to: stamp))
        var status: Int32 = 0
        #expect(waitpid(child, &status, 0) == child && status & 0x7F == SIGTERM)
        #expect(!stamp.isRunning && !sends(SIGTERM, to: stamp))
    }

    @Test("the newest decision that admitted this key to this account counts; a refusal, another key and another account do not")
    func decisions() throws {
        func line(_ type: String, granted: Bool, account: String, key: String, attempt: String, email: String, second: Int) -> String {
            """
            {"v":1,"time":"2026-11-28T22:00:\(second)Z","type":"\(type)","attempt":"\(attempt)","account":"\(account)","granted":\(granted),\
            "verified":true,"email":"\(email)","key_fingerprint":"\(key)","identity_ends":"2026-11-29T00:00:00Z"}

            """
        }
        let log = [
            line("decision", granted: true, account: "a", key: "SHA256:k", attempt: "aaaaaaaaaa", email: "old@x", second: 10),
            line("decision", granted: true, account: "a", key: "SHA256:k", attempt: "aaaaaaaaaa", email: "right@x", second: 11),
            "{\"torn\":\n",
            line("decision", granted: false, account: "a", key: "SHA256:k", attempt: "aaaaaaaaaa", email: "refused@x", second: 12),
            line("login", granted: true, account: "a", key: "SHA256:k", attempt: "aaaaaaaaaa", email: "login@x", second: 13),
            line("decision", granted: true, account: "b", key: "SHA256:k", attempt: "aaaaaaaaaa", email: "b@x", second: 14),
            line("decision", granted: true, account: "a", key: "SHA256:l", attempt: "bbbbbbbbbb", email: "l@x", second: 15),
        ].joined()
        let path = NSTemporaryDirectory() + "/opk-decisions-" + UUID().uuidString
        try log.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let found = GrantedDecisions(log: path)
        let now = UnixTime(rfc3339: "2026-11-28T22:00:30Z") ?? UnixTime(seconds: 0)
        #expect(found.decision(of: "aaaaaaaaaa", account: "a", key: "SHA256:k", at: now)?.identity.email == "right@x")
        #expect(found.decision(of: "cccccccccc", account: "a", key: "SHA256:k", at: now)?.identity.email == "right@x")
        #expect(found.decision(of: "cccccccccc", account: "a", key: "SHA256:k", at: now + 3600) == nil)
        #expect(found.decision(of: "aaaaaaaaaa", account: "c", key: "SHA256:k", at: now) == nil)
        let newest = found.newest(of: ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"])
        #expect(newest.mapValues(\.identity.email) == ["aaaaaaaaaa": "b@x", "bbbbbbbbbb": "l@x"])
    }
}
