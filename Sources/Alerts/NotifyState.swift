import AuditReading
import JOSE
import Policy
import Vocabulary

/// What `opk log notify` remembers.
struct NotifyState {
    var cursor = LogCursor()
    var digests: PolicyWatch.Digests = [:]
    var pending: [Pending] = []
    /// Lines of events of which nobody could be told, since config.yml could not be read.
    var waiting: [[UInt8]] = []
    var isFirst = true
    /// What commands of opk said that files became; of this run alone.
    var announced: Set<String> = []
    /// When somebody was told of a subject.
    private var told: [String: UnixTime] = [:]

    struct Pending {
        let notice: Notice
        /// Of its channel.
        let key: String
        var tries: Int
    }

    init(_ object: JSONObject?) {
        guard let object else { return }
        isFirst = false
        cursor = LogCursor(object["cursor"]) ?? LogCursor()
        for member in object["digests"]?.object?.members ?? [] { digests[member.name.string] = member.value.string?.string }
        for member in object["told"]?.object?.members ?? [] {
            if let seconds = member.value.number?.integer { told[member.name.string] = UnixTime(seconds: seconds) }
        }
        waiting = (object["waiting"]?.array ?? []).compactMap { $0.string.map { Array($0.utf8) } }
        for entry in object["pending"]?.array ?? [] {
            guard let line = entry["line"]?.string, let key = entry["key"]?.string, let tries = entry["tries"]?.number?.integer,
                let notice = AuditRecord(Array(line.utf8)).flatMap(Notice.init)
            else { continue }
            pending.append(Pending(notice: notice, key: key.string, tries: Int(tries)))
        }
    }

    var json: JSONObject {
        var object = JSONObject()
        object["cursor"] = cursor.json
        object["digests"] = NotifyState.object(digests.map { ($0.key, .string(Text($0.value))) })
        object["told"] = NotifyState.object(told.map { ($0.key, .number(JSONNumber($0.value.seconds))) })
        object["waiting"] = .array(waiting.compactMap { Text(validating: $0).map(JSON.string) })
        object["pending"] = .array(
            pending.compactMap { pending in
                Text(validating: pending.notice.line).map {
                    ["line": .string($0), "key": .string(Text(pending.key)), "tries": .number(JSONNumber(Int64(pending.tries)))]
                }
            })
        return object
    }

    private static func object(_ members: [(String, JSON)]) -> JSON {
        var object = JSONObject()
        for (name, value) in members.sorted(by: { Text($0.0) < Text($1.0) }) { object[Text(name)] = value }
        return .object(object)
    }

    mutating func wait(for notices: [Notice]) { waiting = Array((waiting + notices.map(\.line)).suffix(Notifier.mostPending)) }

    /// False for what somebody was told of a short while ago.
    mutating func isNew(_ notice: Notice, at now: UnixTime) -> Bool {
        guard notice.event == .revoked || notice.event == .auditLog else { return true }
        if told[notice.subject] != nil { return false }
        // So many people are not out at once: somebody plays with us.
        if told.count < 1000 { told[notice.subject] = now }
        return true
    }

    /// Whether somebody was told of it a short while ago.
    func wasTold(of subject: String) -> Bool { told[subject] != nil }

    mutating func forget(before time: UnixTime) { told = told.filter { $0.value > time } }
}
