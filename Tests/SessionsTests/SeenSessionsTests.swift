import Foundation
import Testing
import Vocabulary

@testable import Sessions

/// A machine's processes as /proc shows them, on OpenSSH 9.2 and 10.0.
private struct Processes {
    var all: [ProcessStatus] = []
    var facts: [Int32: ProcessFacts] = [:]

    mutating func add(
        _ id: Int32, _ parent: Int32, _ name: String, _ title: String?, user: UInt32 = 0, program: String? = nil, catchesAlarm: Bool = false
    ) throws {
        let text = "\(id) (\(name)) S \(parent) 1 1 0 1 0 0 0 0 0 0 0 0 0 20 0 1 0 \(id * 10) 0 0\n"
        all.append(try #require(ProcessStatus(parsing: Array(text.utf8), id: id)))
        facts[id] = ProcessFacts(user: user, title: title, program: program ?? name, catchesAlarm: catchesAlarm)
    }

    /// Each process has the connection that its number says.
    static func connection(_ id: Int32) -> String {
        let letters = Array("abcdefghij")
        return "zzzzzz" + String(id + 1000).map { letters[Int(String($0)) ?? 0] }.map(String.init).joined()
    }

    var table: ProcessTable { ProcessTable(all, facts: { facts[$0] }, connection: { Self.connection($0) }) }
}

@Suite("Sessions that PAM did not report") struct SeenSessionsTests {
    private let now = UnixTime(seconds: 1_800_000_000)
    private let nobody = AccountUser.number(of: "nobody") ?? 65534

    /// A decision that admits to this account, for whichever connection is asked about: what opksshuser could write.
    private func decision(_ attempt: String, _ account: Text) -> GrantedDecisions.Decision? {
        GrantedDecisions.Decision(
            parsing: Array(
                """
                {"time":"2026-11-28T22:00:10Z","type":"decision","attempt":"\(attempt)","account":"\(account.string)","granted":true,"email":"evil@x"}
                """.utf8))
    }

    private func seen(_ processes: Processes, as account: Text, known: Set<ProcessStamp> = []) -> [Int32] {
        SeenSessions.find(in: processes.table, known: known, limits: SessionLimits(), at: now) { ids in
            Dictionary(uniqueKeysWithValues: ids.compactMap { id in decision(id, account).map { (id, $0) } })
        }.map(\.process.id)
    }

    @Test("who is logged in is seen on each sshd, with and without privileges, with a shell and with forwarded ports alone")
    func logins() throws {
        for name in ["sshd", "sshd-session"] {
            var of = Processes()
            try of.add(10, 1, "sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups")
            try of.add(20, 10, name, "\(name): nobody [priv]")
            try of.add(21, 20, name, "\(name): nobody@pts/0", user: nobody)
            try of.add(30, 10, name, "\(name): root [priv]", program: name == "sshd" ? nil : "sshd-session")
            try of.add(31, 30, name, "\(name): root@notty")
            try of.add(32, 31, "sh", "sh -c sleep")
            #expect(seen(of, as: "nobody") == [20] && seen(of, as: "root") == [30], "\(name)")
            // The listener was started anew, its sessions live on, and their program is another file by now.
            try of.add(40, 1, name, "\(name): nobody [priv]", program: ProcessFacts.fileName("/usr/sbin/\(name) (deleted)"))
            try of.add(41, 40, name, "\(name): nobody", user: nobody)
            #expect(seen(of, as: "nobody") == [20, 40])
            #expect(seen(of, as: "nobody", known: [of.all[1].stamp]) == [40])
        }
        // root's own session on 9.2: with a command, and with forwarded ports alone.
        var old = Processes()
        try old.add(20, 10, "sshd", "sshd: root@notty")
        try old.add(21, 20, "sleep", "sleep 3")
        try old.add(30, 10, "sshd", "sshd: root")
        #expect(seen(old, as: "root") == [20, 30] && seen(old, as: "nobody") == [])
    }

    @Test("whatever a log says of them: what takes connections, who is not logged in, and what only has the name are no sessions")
    func noSessions() throws {
        var of = Processes()
        try of.add(10, 1, "sshd", "sshd: /usr/sbin/sshd -D [listener] 1 of 10-100 startups")
        // 8.0 has no such title.
        try of.add(11, 1, "sshd", "/usr/sbin/sshd\0-D")
        try of.add(12, 1, "sshd", nil)
        // Before the login, on each; a moment before and after the process that speaks with the client.
        try of.add(20, 10, "sshd", "sshd: nobody [priv]", catchesAlarm: true)
        try of.add(21, 20, "sshd", "sshd: nobody [net]", user: 102, catchesAlarm: true)
        try of.add(22, 10, "sshd-session", "sshd-session: nobody [priv]", catchesAlarm: true)
        try of.add(23, 22, "sshd-auth", "sshd-auth: nobody [session-auth]", user: 102)
        try of.add(24, 10, "sshd-session", "sshd-session: [accepted]", catchesAlarm: true)
        try of.add(25, 10, "sshd", "sshd: root [priv]")
        try of.add(26, 10, "sshd", "sshd: nobody [priv]")
        try of.add(27, 26, "sshd", "sshd: nobody [net]", user: nobody)
        // What asks about keys as the account itself.
        try of.add(28, 10, "sshd", "sshd: nobody [priv]", catchesAlarm: true)
        try of.add(29, 28, "opk-verify", "opk-verify -- nobody", user: nobody)
        // Other programs of that name, and another user's.
        try of.add(30, 1, "sshd", "sshd: root@notty", program: "python3")
        try of.add(31, 1, "sshd", "sshd: root@notty", user: nobody)
        try of.add(32, 1, "sshd-tunnel", "sshd: root@notty")
        #expect(seen(of, as: "root") == [] && seen(of, as: "nobody") == [])
    }

    @Test("the log is asked once, and only about connections in which somebody is logged in")
    func asked() throws {
        var of = Processes()
        for id in Int32(100)..<200 {
            try of.add(id, 10, "sshd", "sshd: [accepted]", catchesAlarm: true)
            try of.add(id + 200, id, "sshd", "sshd: [net]", user: 102, catchesAlarm: true)
        }
        var asked: [Set<String>] = []
        _ = SeenSessions.find(in: of.table, known: [], limits: SessionLimits(), at: now) {
            asked.append($0)
            return [:]
        }
        #expect(asked == [])
        for id in [Int32(500), 502] {
            try of.add(id, 10, "sshd", "sshd: nobody [priv]")
            try of.add(id + 1, id, "sshd", "sshd: nobody", user: nobody)
        }
        _ = SeenSessions.find(in: of.table, known: [], limits: SessionLimits(), at: now) {
            asked.append($0)
            return [:]
        }
        #expect(asked == [[Processes.connection(500), Processes.connection(502)]])
    }

    @Test("a session's processes are its own: no listener that was started in it, no other session below it, and nobody leaves by a name")
    func family() throws {
        var of = Processes()
        try of.add(20, 10, "sshd", "sshd: root@pts/0")
        try of.add(21, 20, "sh", "-sh")
        try of.add(22, 21, "sshd", "sshd: /usr/sbin/sshd -D -p 2222 [listener] 1 of 10-100 startups")
        try of.add(23, 22, "sshd", "sshd: nobody [priv]")
        try of.add(24, 21, "sshd", "/usr/sbin/sshd\0-D")
        try of.add(25, 21, "sshd-session", "sshd-session: bob [priv]")
        try of.add(26, 25, "sh", "-sh", user: nobody)
        try of.add(27, 21, "sshd", "sshd: x [listener] 0 of", user: nobody)
        try of.add(28, 21, "sshd", nil, user: nobody)
        let family = of.table.family(of: of.all[0].stamp, without: [of.all[0].stamp, of.all[5].stamp]).map(\.stamp.id)
        #expect(family == [20, 21, 27, 28])
    }

    @Test("the time of a decision that lies ahead is now: no limit is put off by it")
    func ahead() throws {
        var of = Processes()
        try of.add(20, 10, "sshd", "sshd: root@notty")
        let before = UnixTime(rfc3339: "2026-11-28T22:00:00Z") ?? now
        let found = SeenSessions.find(in: of.table, known: [], limits: SessionLimits(), at: before) { ids in
            Dictionary(uniqueKeysWithValues: ids.compactMap { id in decision(id, "root").map { (id, $0) } })
        }
        #expect(found.first?.began == before && found.first?.isSeen == true)
    }
}
