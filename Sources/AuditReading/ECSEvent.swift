import AuditTrail
public import JOSE
import Vocabulary

/// An event in the form of the Elastic Common Schema 9.4.0: docs/audit/ecs.md says which member is which, and why.
public enum ECSEvent {
    public static let version = "9.4.0"

    public static func json(_ record: AuditRecord) -> JSON {
        var event = EventMembers()
        event.set("@timestamp", AuditTimestamp.text(record.time))
        event.set("ecs", ["version": .string(Text(version))])
        event.set("message", record.sentence)
        event.set("event", facts(record))
        event.set("user", user(record))
        event.set("source", source(record))
        event.set("host", host(record))
        event.set("related", related(record))
        event.set("rule", rule(record))
        if let process = record.number(.process) { event.set("process", ["pid": .number(JSONNumber(process))]) }
        event.set("service", ["name": isOfLogin(record.kind) ? "sshd" : "opk"])
        event.set("file", file(record))
        event.set("opk", record.others(others))
        return event.all
    }

    private static let others: [AuditField] = [
        .attempt, .session, .program, .step, .issuer, .subject, .email, .verified, .groups, .groupsMore, .authMethod, .amr, .acr, .authTime,
        .issuedAt, .identityEnds, .certificateEnds, .decidedBy, .grantReason, .breakGlass, .tokenFingerprint, .keyFingerprint, .keyID,
        .notes,
        .tty, .sessionBegan, .sessionEnds, .endedBy, .command, .change, .lost, .since,
    ]

    private static func isOfLogin(_ kind: AuditKind) -> Bool {
        switch kind {
        case .decision, .login, .logout, .sessionWarned, .sessionEnded: true
        case .policyChanged, .keysChanged, .serverChanged, .notified, .gap, .damaged: false
        }
    }

    private static func facts(_ record: AuditRecord) -> JSON {
        var facts = EventMembers()
        facts.set("kind", "event")
        let (categories, types) = classes(record.kind)
        facts.set("category", JSON.texts(categories))
        facts.set("type", JSON.texts(types))
        facts.set("action", record.kind.rawValue)
        let failed = [.gap, .damaged].contains(record.kind) || (record.kind == .decision && record.flag(.granted) != true)
        facts.set("outcome", failed ? "failure" : "success")
        facts.set("reason", record.text(.detail) ?? record.text(.reason).map { Refusal.Code(rawValue: $0)?.wording ?? $0 })
        facts.set("code", record.text(.reason))
        facts.set("id", record.text(.id))
        facts.set("module", "opk")
        facts.set("dataset", "opk.audit")
        facts.set("provider", record.text(.program))
        if record.kind == .login || record.kind == .logout {
            facts.set("start", record.moment(.sessionBegan).map(AuditTimestamp.text))
        }
        if record.kind == .logout {
            facts.set("end", AuditTimestamp.text(record.time))
            let longest = Int64.max / 1_000_000_000
            facts.set("duration", record.moment(.sessionBegan).map { min(max(0, record.time - $0), longest) * 1_000_000_000 })
        }
        return facts.all
    }

    /// event.category and event.type, of those that the schema expects together.
    private static func classes(_ kind: AuditKind) -> ([String], [String]) {
        switch kind {
        case .decision: (["authentication"], ["info"])
        case .login: (["authentication", "session"], ["start"])
        case .logout: (["authentication", "session"], ["end"])
        case .sessionWarned: (["session"], ["info"])
        case .sessionEnded: (["session"], ["end"])
        case .policyChanged: (["configuration", "iam"], ["change"])
        case .keysChanged, .serverChanged: (["configuration"], ["change"])
        case .notified: ([], ["info"])
        case .gap, .damaged: ([], ["error"])
        }
    }

    private static func user(_ record: AuditRecord) -> JSON? {
        var user = EventMembers()
        if let actor = record.object(.actor) {
            user.set("name", actor.text(.name) ?? actor.text(.account))
            return user.json
        }
        user.set("name", record.text(.account))
        if record.isVerified { user.set("email", record.text(.email)) }
        return user.json
    }

    private static func source(_ record: AuditRecord) -> JSON? {
        guard let text = record.text(.sourceAddress) else { return nil }
        var source = EventMembers()
        source.set("address", text)
        source.set("ip", record.source.address)
        source.set("port", record.number(.sourcePort))
        return source.json
    }

    private static func host(_ record: AuditRecord) -> JSON? {
        var host = EventMembers()
        host.set("name", record.text(.host))
        host.set("hostname", record.text(.host))
        return host.json
    }

    private static func related(_ record: AuditRecord) -> JSON? {
        let actor = record.object(.actor)
        let people = [
            record.text(.account), record.isVerified ? record.text(.email) : nil, record.isVerified ? record.text(.subject) : nil,
            actor?.text(.name), actor?.text(.account),
        ]
        var related = EventMembers()
        related.set("user", JSON.texts(Set(people.compactMap(\.self)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }))
        related.set("ip", JSON.texts([record.source.address].compactMap(\.self)))
        related.set("hosts", JSON.texts([record.text(.host), record.source.name].compactMap(\.self)))
        return related.json
    }

    /// The first of what decided.
    private static func rule(_ record: AuditRecord) -> JSON? {
        guard let first = record.objects(.decidedBy).first else { return nil }
        var rule = EventMembers()
        rule.set("category", first.text(.kind))
        rule.set("ruleset", first.text(.file))
        rule.set("name", first.text(.name))
        if let line = first.number(.line) { rule.set("id", "\(first.text(.file) ?? ""):\(line)") }
        return rule.json
    }

    private static func file(_ record: AuditRecord) -> JSON? {
        guard let change = record.object(.change), let path = change.text(.file) else { return nil }
        var file = EventMembers()
        file.set("path", path)
        if let digest = change.text(.digestAfter) { file.set("hash", ["sha256": .string(Text(digest))]) }
        return file.json
    }
}
