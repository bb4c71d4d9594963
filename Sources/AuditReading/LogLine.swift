import AuditTrail
import Display
public import Vocabulary

/// An entry in words, for a person. Every text in it can be printed as it is.
public struct LogLine: Sendable {
    public enum Outcome: String, Sendable {
        case loggedIn = "in"
        case admitted
        case refused
        case left
        case warned
        case ended
        case changed
        case told
        case gap
    }

    public let outcome: Outcome
    public let time: UnixTime
    /// `alice@example.com → root`
    public let subject: String
    /// `from 192.0.2.7`, or empty.
    public let source: String
    public let words: String
    public let isBreakGlass: Bool

    /// - Parameter times: how times look that the words name.
    public init(_ entry: LogEntry, times: (UnixTime) -> String = LogLine.local) {
        let record = entry.login ?? entry.first
        time = entry.time
        source = record.text(.sourceAddress).map { "from " + LogLine.shown($0, 64) } ?? ""
        isBreakGlass = [entry.first, record].contains { $0.flag(.breakGlass) == true }
        subject = LogLine.subject(of: record, entry.first)
        switch record.kind {
        case .login: (outcome, words) = (.loggedIn, LogLine.session(record, entry, times))
        case .logout: (outcome, words) = (.left, LogLine.end(record, since: record.moment(.sessionBegan)))
        case .decision where record.flag(.granted) == true:
            (outcome, words) = (
                .admitted, LogLine.joined([LogLine.deciders(record), LogLine.grantReason(record), "no login came of it yet"])
            )
        case .decision: (outcome, words) = (.refused, LogLine.refusal(record))
        case .sessionWarned:
            (outcome, words) = (.warned, LogLine.joined(["told that the session ends", record.moment(.sessionEnds).map(times)]))
        case .sessionEnded: (outcome, words) = (.ended, LogLine.ending(record))
        case .policyChanged, .keysChanged, .serverChanged: (outcome, words) = (.changed, LogLine.change(record))
        case .notified: (outcome, words) = (.told, LogLine.delivery(record))
        case .damaged:
            (outcome, words) = (.gap, LogLine.joined(["the log itself", record.text(.detail).map { LogLine.shown($0, 300) }]))
        case .gap:
            let lost =
                record.number(.lost).map { $0 == 1 ? "1 event was not written" : "\($0) events were not written" }
                ?? "events were not written"
            (outcome, words) = (.gap, lost + (record.moment(.since).map { " since " + times($0) } ?? ""))
        }
    }

    // MARK: Who

    private static func subject(of record: AuditRecord, _ first: AuditRecord) -> String {
        switch record.kind {
        case .policyChanged, .keysChanged, .serverChanged:
            if let actor = record.object(.actor) { return shown(actor.person ?? "somebody", 80) }
        case .notified: return record.text(.name).map { shown($0, 80) } ?? ""
        default: break
        }
        let who = record.text(.email) ?? record.text(.subject).map { "sub " + $0 } ?? first.text(.email)
        let isVerified = record.flag(.verified) ?? first.flag(.verified) ?? false
        let name = who.map { shown($0, 80) + (isVerified ? "" : " (says the token)") }
        let account = record.text(.account).map { shown($0, 40) }
        switch (name, account) {
        case (let name?, let account?): return "\(name) → \(account)"
        case (nil, let account?): return record.kind == .decision || record.kind == .login ? "somebody → \(account)" : account
        case (let name?, nil): return name
        case (nil, nil): return ""
        }
    }

    // MARK: What

    private static func session(_ login: AuditRecord, _ entry: LogEntry, _ times: (UnixTime) -> String) -> String {
        let decision = entry.first.kind == .decision ? entry.first : login
        var words = [deciders(decision) ?? deciders(login), grantReason(decision) ?? grantReason(login)]
        if let logout = entry.logout {
            words.append(end(logout, since: login.time))
        } else if let ends = login.moment(.sessionEnds) {
            words.append("until " + times(ends))
        }
        return joined(words)
    }

    private static func end(_ logout: AuditRecord, since began: UnixTime?) -> String {
        joined([
            began.map { "for " + RelativeTime.span(logout.time - $0) },
            logout.text(.endedBy).flatMap { $0 == "user" ? nil : "ended by " + shown($0, 40) },
        ])
    }

    private static func ending(_ record: AuditRecord) -> String {
        let why: String? =
            switch record.text(.endedBy) {
            case "limit": "its time was over"
            case "identity": "its identity has expired"
            case "revoked": "its identity was revoked"
            case "administrator":
                record.object(.actor)?.person.map { "\(shown($0, 80)) ended it, as an administrator" } ?? "an administrator ended it"
            case let other?: shown(other, 40)
            case nil: nil
            }
        return joined([why, record.text(.detail).map { shown($0, 200) }])
    }

    /// `of break-glass (event abcdefghij), delivered`; the subject is the channel.
    private static func delivery(_ record: AuditRecord) -> String {
        let event = record.text(.about).map { "(event \(shown($0, 40)))" }
        let what = ["of", record.text(.reason).map { shown($0, 60) } ?? "an event", event].compactMap(\.self).joined(separator: " ")
        if !record.isFailure { return what + ", delivered" }
        return what + ", not delivered" + (record.text(.detail).map { ": " + shown($0, 200) } ?? "")
    }

    /// The reason in words, its code and its step, which opk-verify(8) lists.
    private static func refusal(_ record: AuditRecord) -> String {
        let code = record.text(.reason)
        let wording = code.flatMap { Refusal.Code(rawValue: $0)?.wording }
        var words = wording ?? code.map { shown($0, 60) } ?? "refused"
        if let detail = record.text(.detail), detail != wording {
            // The detail may begin with the wording already.
            words = wording.map { detail.hasPrefix($0) } == true ? once(detail) : words + ": " + once(detail)
        }
        guard let code, wording != nil else { return words }
        return words + " (" + shown(code, 60) + (record.number(.step).map { ", step \($0)" } ?? "") + ")"
    }

    /// A sentence of ours, in which what is foreign was escaped when it was made.
    private static func once(_ detail: String) -> String { Text(detail).escapedOnce(limit: 400) }

    private static func grantReason(_ record: AuditRecord) -> String? { record.text(.grantReason).map { "for \"\(shown($0, 120))\"" } }

    /// `by /etc/opk/auth_id:3`
    private static func deciders(_ record: AuditRecord) -> String? {
        let all = record.objects(.decidedBy).prefix(3).map { decider in
            guard let file = decider.text(.file) else { return shown(decider.text(.name) ?? decider.text(.kind) ?? "?", 80) }
            return shown(file, 120) + (decider.number(.line).map { ":\($0)" } ?? "")
        }
        return all.isEmpty ? nil : "by " + all.joined(separator: " and ")
    }

    private static func change(_ record: AuditRecord) -> String {
        let change = record.object(.change)
        let file = change?.text(.file).map { shown($0, 160) }
        let action = change?.text(.action).map { shown($0, 80) }
        // Of keys it is the issuers that say what was changed.
        let issuers = file == nil ? change?.texts(.rows).prefix(3).map { shown($0, 120) } ?? [] : []
        return joined([
            record.text(.command).map { shown($0, 120) }, ([action, file].compactMap(\.self) + issuers).joined(separator: " "),
        ])
    }

    private static func joined(_ words: [String?]) -> String { words.compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ", ") }

    private static func shown(_ text: String, _ limit: Int) -> String {
        // Most texts are what `escaped` would make of them.
        let isPlain =
            text.utf8.count <= limit
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        return isPlain ? text : Text(text).escaped(limit: limit)
    }

    /// `2026-11-28 22:31:49`, by the clock here.
    public static func local(_ time: UnixTime) -> String { LocalTime.text(time) }
}
