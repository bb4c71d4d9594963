import CSystem
import Foundation
import JOSE
import Policy
import TestSupport
import Testing
import Vocabulary

@testable import Sessions

/// A server's folders, and processes that are here in sshd's place; gone with the value.
private final class EnforcedServer {
    let folder = NSTemporaryDirectory() + "/opk-enforced-" + UUID().uuidString
    var places = SessionPlaces()
    private var children: [pid_t] = []

    init(_ config: String) throws {
        for path in ["", "/etc", "/log"] { mkdir(folder + path, 0o755) }
        places.configFolder = folder + "/etc"
        places.sessions = SessionFolder(folder + "/run/opk/sessions")
        places.log = folder + "/log/audit.jsonl"
        places.trust = .rootOrUser(geteuid())
        try places.sessions.create()
        _ = FileManager.default.createFile(atPath: places.log, contents: Data(), attributes: [.posixPermissions: 0o640])
        try put("config.yml", config)
    }

    deinit {
        for child in children {
            kill(child, SIGKILL)
            waitpid(child, nil, 0)
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    func put(_ name: String, _ text: String) throws {
        try text.write(toFile: folder + "/etc/" + name, atomically: true, encoding: .utf8)
        chmod(folder + "/etc/" + name, 0o644)
    }

    /// A session that began so many seconds ago, whose identity ends in so many.
    func begin(
        _ id: String, at now: UnixTime, ago: Int64 = 0, identityEnds: Int64 = 36_000, limits: SessionLimits = SessionLimits(),
        _ change: (inout SessionIdentity) -> Void = { _ in }
    ) throws {
        var child: pid_t = 0
        let words = Array("/bin/sleep\u{0}60\u{0}".utf8)
        guard opk_spawn(&child, "/bin/sleep", words, words.count, [], 0, OPK_NULL_DEVICE, OPK_NULL_DEVICE, OPK_NULL_DEVICE) == 0 else {
            throw POSIXError(.ENOEXEC)
        }
        children.append(child)
        var identity = SessionIdentity()
        (identity.issuer, identity.subject, identity.email) = ("https://issuer.example.com", "bob-1", "bob@example.com")
        (identity.groups, identity.isVerified, identity.keyFingerprint) = (
            ["dev", "ops"], true, Text("SHA256:" + String(repeating: "k", count: 43))
        )
        (identity.issuedAt, identity.identityEnds) = (now + -600, now + identityEnds)
        change(&identity)
        let record = SessionRecord(
            id: id, account: "nobody", process: try #require(ProcessStamp(running: child)), address: nil, identity: identity,
            began: now + -ago,
            limits: limits)
        try places.sessions.write(try #require(record))
    }

    func enforce(at now: UnixTime) throws -> SessionEnforcement {
        var enforcement = SessionEnforcement(places, at: now)
        try enforcement.run()
        #expect(try EventSchema.problems(try String(contentsOfFile: places.log, encoding: .utf8)) == [])
        return enforcement
    }

    var live: [String] { get throws { try places.sessions.records().records.map(\.id).sorted() } }

    var events: [JSONObject] {
        get throws {
            try String(contentsOfFile: places.log, encoding: .utf8).split(separator: "\n").map { try JSONObject(parsing: Array($0.utf8)) }
        }
    }
}

@Suite("opk sessions enforce", .serialized) struct SessionEnforcementTests {
    private let id = "abcdefghjk"
    private let now = UnixTime(seconds: UnixTime.now().seconds)

    @Test("five minutes before its end a session is warned, once; it ends at its end, and four minutes after its warning at the earliest")
    func warned() throws {
        let server = try EnforcedServer("session_limit: 1h\n")
        try server.begin(id, at: now)
        for (second, warns) in [(Int64(0), false), (3299, false), (3300, true), (3301, false), (3599, false)] {
            let run = try server.enforce(at: now + second)
            #expect(run.warned.map(\.id) == (warns ? [id] : []) && run.ended.isEmpty && run.problems.isEmpty, "\(second)")
        }
        #expect(try server.enforce(at: now + 3600).ended.map(\.id) == [id])
        #expect(try server.live.isEmpty)
        #expect(try server.events.compactMap { $0["ended_by"]?.string } == ["limit", "limit"])
        // The limit is long over when it is seen first.
        try server.begin(id, at: now, ago: 9000)
        #expect(try server.enforce(at: now).warned.count == 1)
        #expect(try server.enforce(at: now + 239).ended.isEmpty)
        #expect(try server.enforce(at: now + 240).ended.count == 1)
    }

    @Test("with the identity it ends where config.yml says so, and at the earlier of both")
    func identity() throws {
        let server = try EnforcedServer("session_limit: 8h\n")
        try server.begin(id, at: now, identityEnds: 60)
        #expect(try server.enforce(at: now).warned.isEmpty)
        try server.put("config.yml", "session_limit: 8h\nend_with_identity: true\n")
        #expect(try server.enforce(at: now).warned.count == 1)
        #expect(try server.enforce(at: now + 240).ended.count == 1)
        #expect(try server.events.last?["ended_by"] == "identity")
    }

    @Test("whom config.yml denies or revoked means is out at once, where sessions end with identities, and nobody else is")
    func excluded() throws {
        let server = try EnforcedServer("")
        let other = "zzzzzzzzzz"
        let ends = "end_with_identity: true\n"
        let cases: [(config: String, revoked: String, why: String)] = [
            ("deny_users: [Nobody]\n", "", "config.yml: deny_users has nobody"),
            ("deny_emails: [BOB@example.com]\n", "", "config.yml: deny_emails has bob@example.com"),
            ("deny_groups: [root, OPS]\n", "", "config.yml: deny_groups has ops"),
            ("", "# out\nemail:Bob@example.com\n", "revoked, line 2"), ("", "sub:bob-1@https://issuer.example.com\n", "revoked, line 1"),
            ("", "key:SHA256:\(String(repeating: "A", count: 43))\n", "revoked, line 1"),
            ("", "issuer:https://issuer.example.com \(now + -599)\n", "revoked, line 1"),
        ]
        for (config, revoked, why) in cases {
            try server.put("revoked", revoked)
            try server.begin(id, at: now) {
                if revoked.hasPrefix("key:") { $0.keyFingerprint = Text(String(revoked.dropFirst(4).dropLast())) }
            }
            try server.begin(other, at: now) { identity in
                identity.email = "carol@example.com"
                (identity.subject, identity.groups) = ("carol-1", ["devops"])
                if why.contains("deny_users") || revoked.hasPrefix("issuer:") { identity.issuer = "https://other.example.com" }
            }
            try server.put("config.yml", config)
            #expect(try server.enforce(at: now).ended.isEmpty, "\(config)\(revoked)")
            try server.put("config.yml", ends + config)
            let ended = try server.enforce(at: now).ended.map(\.id)
            #expect(ended == (why.contains("deny_users") ? [id, other] : [id]), "\(config)\(revoked)")
            let event = try server.events.last { $0["type"] == "session.ended" && $0["session"] == .string(Text(id)) }
            #expect(event?["ended_by"] == "revoked" && event?["detail"]?.string?.hasPrefix(Text(why)) == true, "\(why): \(event as Any)")
            _ = server.places.sessions.remove(other)
        }
    }

    @Test("a row with a time means identities that were issued before it, and those of which that is not known")
    func before() throws {
        let server = try EnforcedServer("end_with_identity: true\n")
        try server.put("revoked", "email:bob@example.com \(now + -601)\n")
        try server.begin(id, at: now)
        #expect(try server.enforce(at: now).ended.isEmpty)
        try server.begin(id, at: now) { $0.issuedAt = nil }
        #expect(try server.enforce(at: now).ended.count == 1)
    }

    @Test("while config.yml cannot be read, what held at each session's login holds on; a revoked that cannot be read ends nobody")
    func unreadable() throws {
        let server = try EnforcedServer("nonsense: 1\n")
        try server.begin(id, at: now, ago: 4000, limits: SessionLimits(limit: TimeSpan(seconds: 3600)))
        try server.begin("zzzzzzzzzz", at: now, ago: 4000)
        let broken = try server.enforce(at: now)
        #expect(broken.warned.map(\.id) == [id] && broken.problems.count == 1)
        #expect(try server.enforce(at: now + 240).ended.map(\.id) == [id])
        try server.put("config.yml", "end_with_identity: true\n")
        try server.put("revoked", "nobody knows\n")
        let unknown = try server.enforce(at: now)
        #expect(unknown.ended.isEmpty && unknown.problems.count == 1, "\(unknown.problems)")
        #expect(try server.live == ["zzzzzzzzzz"])
    }
}
