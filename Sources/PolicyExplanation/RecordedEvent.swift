import AuditReading
import AuditTrail
public import JOSE
import RecentRefusals
import Verifier
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What was written down under one id: a refusal that is still among the last ones, or else the event in the audit log or a rotated file of it.
///
/// Whoever runs as opk-verify's user could have written anything in either place: what is shown is escaped, and decides nothing.
public struct RecordedEvent: Sendable {
    /// The file that has it.
    public let path: String
    private let found: Found
    private let now: UnixTime

    private enum Found {
        case refusal(RefusalHistory.Entry)
        case event(AuditRecord)
    }

    /// - Parameters:
    ///   - id: as a log line writes it, with or without `id=`.
    ///   - stateFolder: opk-verify's.
    public init(_ id: Text, stateFolder: String, auditLog: String, at now: UnixTime) throws(ExplainError) {
        self.now = now
        let wanted = id.hasPrefix("id=") ? id.dropFirst(3) ?? id : id
        let ring = RecentRefusals.path(in: stateFolder)
        var search = IDSearch(id: wanted)
        do throws(ExplainError) {
            if let entry = try RefusalHistory(folder: stateFolder, at: now).entry(id: wanted) {
                (path, found) = (ring, .refusal(entry))
                return
            }
            search.missing.append("the last refusals (\(Text(ring).escaped)) do not have it")
        } catch { search.note(error) }
        do throws(LogError) {
            let log = try EventSearch(wanted, in: auditLog)
            if let event = log.event {
                (path, found) = (log.path ?? auditLog, .event(event))
                return
            }
            let all = log.failures.isEmpty ? "" : "what can be read of "
            search.missing.append("\(all)the audit log (\(Text(auditLog).escaped) and its rotated files) does not have it")
            for failure in log.failures { search.note(failure) }
        } catch { search.note(error) }
        throw .nowhere(search)
    }

    public var lines: [String] {
        let lines =
            switch found {
            case .refusal(let entry): RefusalHistory.lines(entry, now)
            case .event(let event): RecordedEvent.lines(event, now)
            }
        return lines + ["  found in \(Text(path).escaped)"]
    }

    /// As `opk explain --last` has it, with the place, and the event where it is one of the audit log.
    public var json: JSON {
        var object: JSONObject
        switch found {
        case .refusal(let entry): object = RefusalHistory.members(entry)
        case .event(let event):
            object = RefusalHistory.members(RefusalHistory.Entry(time: event.time, refusal: KeptRefusal(event)))
            object["event"] = try? JSON(parsing: event.line)
        }
        object["found_in"] = .string(Text(path))
        return .array([.object(object)])
    }

    // MARK: An event in words

    private static func lines(_ event: AuditRecord, _ now: UnixTime) -> [String] {
        let kept = KeptRefusal(event)
        let decided = deciders(event).map { ["  decided by \($0)"] } ?? []
        let source = event.text(.sourceAddress).map { ["  from \(Text($0).escaped(limit: 64))"] } ?? []
        let attempt = event.text(.attempt).map { ["  of the connection \(Text($0).escaped(limit: 32))"] } ?? []
        guard event.kind == .decision, event.flag(.granted) != true else {
            return ["\(Words.when(event.time, now))  id \(RefusalHistory.shown(kept.id))"] + what(event, kept) + decided + source + attempt
        }
        return RefusalHistory.lines(RefusalHistory.Entry(time: event.time, refusal: kept), now) + decided + source + attempt
    }

    private static func what(_ event: AuditRecord, _ kept: KeptRefusal) -> [String] {
        if event.kind == .decision {
            let reason = event.text(.grantReason).map { ", for \(Text($0).escaped(limit: 200))" } ?? ""
            let glass = event.flag(.breakGlass) == true ? ", by a break-glass row alone" : ""
            return ["  account \(RefusalHistory.shown(kept.account))" + RefusalHistory.who(kept), "  admitted\(glass)\(reason)"]
        }
        let line = LogLine(LogEntry(event))
        return ["  " + ([event.kind.rawValue, line.subject].filter { !$0.isEmpty }).joined(separator: ": "), "  " + line.words]
            .filter { $0 != "  " }
    }

    /// `row /etc/opk/auth_id:3`
    private static func deciders(_ event: AuditRecord) -> String? {
        let all = event.objects(.decidedBy).prefix(16).map { decider in
            let line = decider.number(.line).map { ":\($0)" } ?? ""
            let parts = [decider.text(.kind), decider.text(.file).map { $0 + line }, decider.text(.name)]
            return parts.compactMap { $0.map { Text($0).escaped(limit: 160) } }.joined(separator: " ")
        }
        return all.isEmpty ? nil : all.joined(separator: ", ")
    }
}

/// Where an id was looked for in vain.
public struct IDSearch: Sendable {
    let id: Text
    /// Sentences, what is foreign in them escaped.
    fileprivate(set) var missing: [String] = []
    /// Whether a place could not be looked at by who asks.
    private(set) var isDenied = false

    fileprivate init(id: Text) { self.id = id }

    fileprivate mutating func note(_ error: ExplainError) {
        missing.append("\(error)")
        if case .recent(_, EACCES) = error { isDenied = true }
    }

    fileprivate mutating func note(_ error: LogError) {
        missing.append("\(error)")
        if case .denied = error { isDenied = true }
    }
}

extension KeptRefusal {
    /// As opk-verify would have kept it: escaped.
    init(_ event: AuditRecord) {
        self.init()
        func text(_ field: AuditField) -> String { event.text(field).map { Text($0).escaped(limit: 512) } ?? "" }
        (id, reason, account) = (text(.id), text(.reason), text(.account))
        (issuer, subject, email) = (text(.issuer), text(.subject), text(.email))
        step = event.number(.step).flatMap { (1...10).contains($0) ? Int($0) : nil }
        isVerified = event.flag(.verified) == true
        // A sentence of ours, in which what is foreign was escaped when it was made.
        detail = event.text(.detail).map { Text($0).escapedOnce(limit: 2000) } ?? ""
    }
}
