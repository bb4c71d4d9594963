import AuditReading
public import AuditTrail
import JOSE
import Policy
import SafeFiles
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `opk log notify`: tells of what happened since the last time, as `notify` of config.yml says, and writes down what changed in the policy's files without
/// a command of opk. Run every minute, and not on the way of a login.
public struct Notifier {
    public let configFolder: String
    public let trail: AuditTrail
    public let statePath: String

    /// What one run did.
    public struct Report: Hashable, Sendable {
        public internal(set) var told: [String] = []
        public internal(set) var failed: [String] = []
        public internal(set) var changes: [PolicyWatch.Change] = []
        public internal(set) var torn = 0
        public internal(set) var damages: [LogDamage] = []
    }

    public init(configFolder: String, trail: AuditTrail, stateFolder: String) {
        self.configFolder = configFolder
        self.trail = trail
        statePath = stateFolder + "/notify"
    }

    /// Tries of one notice by one channel, a minute apart.
    static let mostTries = 10
    /// For all deliveries of one run: a channel that hangs must not keep it from remembering whom it told. The rest waits for the next.
    static let patience = Duration.seconds(45)
    /// Notices that wait for another try: refusals, and all others.
    static let mostPending = 100
    /// Seconds for which the same refusal, or that the log is damaged, is not told again.
    static let pause: Int64 = 3600

    /// - Parameter newID: of an event.
    public func run(at now: UnixTime, newID: () -> String) throws(AlertError) -> Report {
        let file = StateFile(path: statePath)
        return try file.alone { () throws(AlertError) in
            var state = try NotifyState(file.read())
            let report = try run(&state, at: now, newID)
            try file.write(state.json)
            return report
        }
    }

    private func run(_ state: inout NotifyState, at now: UnixTime, _ newID: () -> String) throws(AlertError) -> Report {
        var report = Report()
        let trust: FileTrust = configFolder == "/etc/opk" ? .rootOnly : .rootOrUser(geteuid())
        let watch = PolicyWatch(folder: configFolder)
        let digests = watch.digests()
        var notices = try fresh(&state, at: now, &report)
        report.changes = unannounced(digests, &state)
        state.forget(before: now + -Notifier.pause)
        var events = report.changes.map { event(of: $0, newID()) } + report.damages.map { $0.event(newID()) }
        if let damage = LogDamage.standing(trail) {
            report.damages.append(damage)
            // It lasts until somebody mends it.
            if !state.wasTold(of: LogDamage.subject(damage.kind)) { events.append(damage.event(newID())) }
        }
        for event in events {
            do {
                // Read again below, with what others wrote meanwhile.
                try trail.append(event)
            } catch {
                if let record = AuditRecord(event.line.dropLast()), let notice = Notice(record) { notices.append(notice) }
            }
        }
        if !report.changes.isEmpty || !report.damages.isEmpty { notices += try fresh(&state, at: now, &report) }
        state.isFirst = false
        let rules: [NotifyRule]
        do {
            rules = try ServerConfig.read(configFolder + "/config.yml", trust: trust).notifications
        } catch {
            // Nobody comes in either: what waits goes on waiting.
            state.wait(for: notices)
            throw .configuration("\(error)")
        }
        for notice in notices where state.isNew(notice, at: now) {
            for key in channels(rules, for: notice, trust) { state.pending.append(NotifyState.Pending(notice: notice, key: key, tries: 0)) }
        }
        deliver(&state, rules, trust, at: now, newID, &report)
        return report
    }

    /// Those whose rules name such an event; all of them where it is about the log, since without that none of the others is heard of. Each once.
    private func channels(_ rules: [NotifyRule], for notice: Notice, _ trust: FileTrust) -> [String] {
        var keys: [String] = []
        for rule in rules where notice.event == .auditLog || rule.events.contains(notice.event) {
            let key = Delivery(channel: rule.channel, trust: trust).key
            if notice.event != .auditLog || !keys.contains(key) { keys.append(key) }
        }
        return keys
    }

    /// What the log says since the last time; at the first, of nothing that is past.
    private func fresh(_ state: inout NotifyState, at now: UnixTime, _ report: inout Report) throws(AlertError) -> [Notice] {
        var notices = state.waiting.compactMap { AuditRecord($0).flatMap(Notice.init) }
        state.waiting = []
        if state.isFirst {
            try state.cursor.skip(in: trail.path, at: now)
            return []
        }
        var announced: Set<String> = []
        var refused: Set<String> = []
        let findings = try state.cursor.read(trail.path, at: now) { record in
            if record.kind == .policyChanged, let digest = record.object(.change)?.text(.digestAfter) { announced.insert(digest) }
            guard let notice = Notice(record) else { return }
            // Somebody who is out can be refused as often as they like: that must not keep anybody from hearing of a broken glass.
            if notice.event == .revoked, !refused.insert(notice.subject).inserted || refused.count > Notifier.mostPending { return }
            notices.append(notice)
        }
        report.torn += findings.torn
        if let damage = findings.damage { report.damages.append(damage) }
        state.announced = announced
        return notices
    }

    /// Files that are not what they were, and of which no event says what they became.
    private func unannounced(_ digests: PolicyWatch.Digests, _ state: inout NotifyState) -> [PolicyWatch.Change] {
        let changes = PolicyWatch.changes(from: state.digests, to: digests)
        let wasKnown = !state.isFirst
        state.digests = digests
        return wasKnown ? changes.filter { !state.announced.contains($0.after) } : []
    }

    private func event(of change: PolicyWatch.Change, _ id: String) -> AuditEvent {
        var event = AuditEvent(.policyChanged, id: id, program: "opk")
        var what = AuditObject()
        what.set(.file, change.path)
        what.set(.action, change.after == "absent" ? "removed" : change.before == "absent" ? "made" : "edited")
        what.set(.digestBefore, change.before)
        what.set(.digestAfter, change.after)
        event.set(.change, what)
        return event
    }

    private func deliver(
        _ state: inout NotifyState, _ rules: [NotifyRule], _ trust: FileTrust, at now: UnixTime, _ newID: () -> String,
        _ report: inout Report
    ) {
        var rest: [NotifyState.Pending] = []
        let end = ContinuousClock.now + Notifier.patience
        for var pending in state.pending {
            let delivery = rules.lazy.map { Delivery(channel: $0.channel, trust: trust) }.first { $0.key == pending.key }
            // The rule is gone.
            guard let delivery else { continue }
            guard ContinuousClock.now < end else {
                rest.append(pending)
                continue
            }
            let failure = delivery.send(pending.notice.message)
            pending.tries += 1
            if failure != nil, pending.tries < Notifier.mostTries {
                rest.append(pending)
                report.failed.append("\(delivery.name): \(failure ?? "")")
                continue
            }
            var event = AuditEvent(.notified, id: newID(), program: "opk")
            event.set(.about, pending.notice.id)
            event.set(.reason, pending.notice.event.rawValue)
            event.set(.name, delivery.name)
            event.set(.kind, failure == nil ? "delivered" : "failed")
            event.set(.detail, failure)
            try? trail.append(event)
            if let failure {
                report.failed.append("\(delivery.name), given up: \(failure)")
            } else {
                report.told.append(pending.notice.sentence)
            }
        }
        // Where there is no room, it is refusals that are not told.
        let refusals = rest.filter { $0.notice.event == .revoked }.suffix(Notifier.mostPending)
        state.pending = rest.filter { $0.notice.event != .revoked }.suffix(Notifier.mostPending) + refusals
    }
}
