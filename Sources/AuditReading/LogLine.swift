import AuditTrail
import Display
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

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
    /// In the person's own time zone, to the second.
    public let time: String
    /// `alice@example.com → root`
    public let subject: String
    /// `from 192.0.2.7`, or empty.
    public let source: String
    public let words: String
    public let isBreakGlass: Bool

    public init(_ entry: LogEntry) {
        let record = entry.login ?? entry.first
        time = LogLine.local(entry.time)
        source = record.text(.sourceAddress).map { "from " + LogLine.shown($0, 64) } ?? ""
        isBreakGlass = [entry.first, record].contains { $0.flag(.breakGlass) == true }
        subject = LogLine.subject(of: record, entry.first)
        switch record.kind {
        case .login: (outcome, words) = (.loggedIn, LogLine.session(record, entry))
        case .logout: (outcome, words) = (.left, LogLine.end(record, since: record.moment(.sessionBegan)))
        case .decision where record.flag(.granted) == true:
            (outcome, words) = (
                .admitted, LogLine.joined([LogLine.deciders(record), LogLine.grantReason(record), "no login came of it yet"])
            )
        case .decision: (outcome, words) = (.refused, LogLine.refusal(record))
        case .sessionWarned:
            (outcome, words) = (.warned, LogLine.joined(["told that the session ends", record.moment(.sessionEnds).map(LogLine.local)]))
        case .sessionEnded: (outcome, words) = (.ended, LogLine.ending(record))
        case .policyChanged, .keysChanged, .serverChanged: (outcome, words) = (.changed, LogLine.change(record))
        case .notified:
            (outcome, words) = (
                .told,
                LogLine.joined([record.text(.command).map { LogLine.shown($0, 120) }, record.text(.detail).map { LogLine.shown($0, 200) }])
            )
        case .damaged:
            (outcome, words) = (.gap, LogLine.joined(["the log itself", record.text(.detail).map { LogLine.shown($0, 300) }]))
        case .gap:
            let lost =
                record.number(.lost).map { $0 == 1 ? "1 event was not written" : "\($0) events were not written" }
                ?? "events were not written"
            (outcome, words) = (.gap, lost + (record.moment(.since).map { " since " + LogLine.local($0) } ?? ""))
        }
    }

    // MARK: Who

    private static func subject(of record: AuditRecord, _ first: AuditRecord) -> String {
        if let actor = record.object(.actor) {
            return shown(actor.text(.name) ?? actor.text(.account) ?? "somebody", 80)
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

    private static func session(_ login: AuditRecord, _ entry: LogEntry) -> String {
        let decision = entry.first.kind == .decision ? entry.first : login
        var words = [deciders(decision) ?? deciders(login), grantReason(decision) ?? grantReason(login)]
        if let logout = entry.logout {
            words.append(end(logout, since: login.time))
        } else if let ends = login.moment(.sessionEnds) {
            words.append("until " + local(ends))
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
            case "administrator": "an administrator ended it"
            case let other?: shown(other, 40)
            case nil: nil
            }
        return joined([why, record.text(.detail).map { shown($0, 200) }])
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
        return joined([record.text(.command).map { shown($0, 120) }, [action, file].compactMap(\.self).joined(separator: " ")])
    }

    private static func joined(_ words: [String?]) -> String { words.compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ", ") }

    private static func shown(_ text: String, _ limit: Int) -> String { Text(text).escaped(limit: limit) }

    /// `2026-11-28 22:31:49`
    public static func local(_ time: UnixTime) -> String {
        var seconds = time_t(time.seconds)
        var parts = unsafe tm()
        guard unsafe localtime_r(&seconds, &parts) != nil else { return time.description }
        var buffer = [CChar](repeating: 0, count: 32)
        // At most so many bytes are written.
        let count = unsafe strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
