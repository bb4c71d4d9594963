import AuditTrail
import Vocabulary

/// An event in the form of the Elastic Common Schema 9.4.0: docs/audit/ecs.md says which member is which, and why.
public enum ECSEvent {
    public static let version = "9.4.0"

    /// One JSON object.
    public static func json(_ record: AuditRecord) -> [UInt8] {
        var event = EventMembers(record)
        event.copy("@timestamp", .time)
        event.object("ecs") { $0.set("version", version) }
        event.set("message", record.sentence)
        event.object("event") { facts(record, &$0) }
        let actor = record.object(.actor)
        event.object("user") { user(record, actor, &$0) }
        source(record, &event)
        event.object("host") {
            $0.copy("name", .host)
            $0.copy("hostname", .host)
        }
        related(record, actor, &event)
        rule(record, &event)
        event.object("process") { if record.number(.process).map({ 0...Int64(Int32.max) ~= $0 }) == true { $0.copy("pid", .process) } }
        event.object("service") { $0.set("name", isOfLogin(record.kind) ? "sshd" : "opk") }
        file(record, &event)
        event.take(.version)
        event.rest("opk", always: identity)
        return event.finished
    }

    /// Whether or not they are verified: there a search for them finds all.
    private static let identity: [AuditField] = [.issuer, .subject, .email]

    private static func isOfLogin(_ kind: AuditKind) -> Bool {
        switch kind {
        case .decision, .login, .logout, .sessionWarned, .sessionEnded: true
        case .policyChanged, .keysChanged, .serverChanged, .notified, .gap, .damaged: false
        }
    }

    private static func facts(_ record: AuditRecord, _ facts: inout EventMembers) {
        facts.set("kind", "event")
        let (categories, types) = classes(record.kind)
        facts.set("category", categories)
        facts.set("type", types)
        facts.copy("action", .type)
        facts.set("outcome", record.isFailure ? "failure" : "success")
        facts.take(.granted)
        if record.has(.detail) { facts.copy("reason", .detail) } else { facts.set("reason", record.reasonWording) }
        // What somebody was told of is another event's.
        if record.kind != .notified { facts.copy("code", .reason) }
        facts.copy("id", .id)
        facts.set("module", "opk")
        facts.set("dataset", "opk.audit")
        facts.copy("provider", .program)
        switch record.kind {
        case .decision:
            guard let span = record.number(.duration), 0...1_000_000_000_000 ~= span else { return }
            facts.set("duration", span * 1000)
            facts.take(.duration)
        case .login, .logout:
            facts.set("start", record.moment(.sessionBegan).map(AuditTimestamp.text))
            if record.kind == .logout { end(record, &facts) }
        default: break
        }
    }

    private static func end(_ record: AuditRecord, _ facts: inout EventMembers) {
        facts.copy("end", .time)
        let longest = Int64.max / 1_000_000_000
        facts.set("duration", record.moment(.sessionBegan).map { min(max(0, record.time - $0), longest) * 1_000_000_000 })
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

    /// `user` is who acts; `user.effective` the account with whose rights, `user.target` whom it was done to.
    private static func user(_ record: AuditRecord, _ actor: AuditDetail?, _ user: inout EventMembers) {
        guard let actor, let person = actor.person else { return account(record, &user) }
        user.set("name", person)
        if let account = actor.text(.account), account != person { user.object("effective") { $0.set("name", account) } }
        user.object("target") { account(record, &$0) }
    }

    private static func account(_ record: AuditRecord, _ user: inout EventMembers) {
        user.copy("name", .account)
        if record.isVerified, let email = record.text(.email), EmailAddress.isLikely(email) { user.copy("email", .email) }
    }

    private static func source(_ record: AuditRecord, _ event: inout EventMembers) {
        event.object("source") { source in
            if record.text(.sourceAddress)?.isEmpty == false { source.copy("address", .sourceAddress) }
            source.set("ip", record.source.address)
            if record.sourcePort != nil { source.copy("port", .sourcePort) }
        }
    }

    private static func related(_ record: AuditRecord, _ actor: AuditDetail?, _ event: inout EventMembers) {
        var people = [record.text(.account)]
        if record.isVerified { people += [record.text(.email), record.text(.subject)] }
        if let actor { people += [AuditField.name, .account, .sudoUser, .loginAccount].map(actor.text) }
        let source = record.source
        event.object("related") { related in
            related.set("user", once(people))
            related.set("ip", once([source.address]))
            related.set("hosts", once([record.text(.host), source.name]))
        }
    }

    /// Those that there are, each once.
    private static func once(_ texts: [String?]) -> [String] {
        var all: [String] = []
        for case let text? in texts where !text.isEmpty && !all.contains(text) { all.append(text) }
        return all
    }

    /// The first of what decided.
    private static func rule(_ record: AuditRecord, _ event: inout EventMembers) {
        guard let first = record.objects(.decidedBy).first else { return }
        let file = first.text(.file)
        event.object("rule") { rule in
            rule.set("category", first.text(.kind))
            rule.set("ruleset", file)
            rule.set("name", first.text(.name))
            if let line = first.number(.line) { rule.set("id", "\(file ?? ""):\(line)") }
        }
    }

    private static func file(_ record: AuditRecord, _ event: inout EventMembers) {
        guard let change = record.object(.change), let path = change.text(.file) else { return }
        event.object("file") { file in
            file.set("path", path)
            file.object("hash") { $0.set("sha256", change.digest) }
        }
    }
}
