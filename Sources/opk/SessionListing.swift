import Display
import JOSE
import PolicyAdministration
import Sessions
import Vocabulary

/// The live sessions, for a person and for a script.
struct SessionListing {
    private let live: LiveSessions
    /// Nil where config.yml cannot be read.
    private let limits: SessionLimits?
    private let now: UnixTime

    init(_ live: LiveSessions, _ limits: SessionLimits?, at now: UnixTime) {
        (self.live, self.limits, self.now) = (live, limits, now)
    }

    var lines: [String] {
        guard !live.sessions.isEmpty else { return ["nobody is in with an identity"] }
        var table = Table(head: ["ID", "WHO", "ACCOUNT", "FROM", "TTY", "SINCE", "UNTIL"])
        for session in live.sessions {
            let record = session.record
            table.append([
                record.id, SessionListing.who(record), record.account, record.address?.escaped(limit: 64) ?? "-",
                session.terminals.isEmpty ? "-" : session.terminals.joined(separator: " "),
                "\(record.began.local) (\(RelativeTime.text(record.began, from: now)))", until(record),
            ])
        }
        return table.lines
    }

    private static func who(_ record: SessionRecord) -> String {
        var notes: [String] = []
        if record.identity.isBreakGlass { notes.append("break-glass") }
        if record.isSeen { notes.append("seen") }
        if !record.identity.isVerified { notes.append("not verified") }
        return record.identity.shown + (notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))")
    }

    private func until(_ record: SessionRecord) -> String {
        guard let end = record.end(under: limits ?? record.limits) else { return "-" }
        return "\(end.time.local) (\(RelativeTime.text(end.time, from: now)): \(end.reason.rawValue))"
    }

    var json: JSON {
        var object = JSONObject()
        object["sessions"] = .array(
            live.sessions.map { session in
                var members = session.record.members
                members["tty"] = .array(session.terminals.map { .string(Text($0)) })
                if let end = session.record.end(under: limits ?? session.record.limits) {
                    members["session_ends"] = .string(Text(end.time.description))
                    members["ends_by"] = .string(Text(end.reason.rawValue))
                }
                return .object(members)
            })
        return .object(object)
    }

    static func json(of ended: [SessionRecord]) -> JSON {
        var object = JSONObject()
        object["ended"] = .array(ended.map { .object($0.members) })
        return .object(object)
    }
}

extension Terminal {
    static func answer(_ lines: [String]) throws(SessionsError) {
        if let number = failure(writing: Array(lines.map { $0 + "\n" }.joined().utf8)) { throw .output(errno: number) }
    }

    static func answer(_ json: JSON) throws(SessionsError) { try answer([json.pretty()]) }
}
