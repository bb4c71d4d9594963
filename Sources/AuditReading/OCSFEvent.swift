import AuditTrail
import Vocabulary

/// An event in the form of OCSF 1.8.0, with the profile `host`: docs/audit/ocsf.md says which member is which, and why.
public enum OCSFEvent {
    public static let version = "1.8.0"

    /// One JSON object.
    public static func json(_ record: AuditRecord) -> [UInt8] {
        let activity = Activity(record.kind)
        var event = EventMembers(record)
        event.set("category_uid", activity.category)
        event.set("category_name", activity.category == 3 ? "Identity & Access Management" : "Uncategorized")
        event.set("class_uid", activity.classID)
        event.set("class_name", activity.className)
        event.set("activity_id", activity.id)
        event.set("activity_name", activity.name)
        event.set("type_uid", activity.classID * 100 + activity.id)
        event.set("type_name", activity.typeName)
        event.set("time", milliseconds(record.time))
        event.object("metadata") { metadata(record, &$0) }
        event.set("message", record.sentence)
        severity(record, &event)
        status(record, &event)
        device(record, &event)
        switch activity.classID {
        case 3002: authentication(record, &event)
        case 3004: change(record, &event)
        default: gap(record, &event)
        }
        event.take(.version)
        event.object("unmapped") { $0.rest("opk", always: identity) }
        return event.finished
    }

    /// Whether or not they are verified: there a search for them finds all.
    private static let identity: [AuditField] = [.attempt, .issuer, .subject, .email]

    /// Of a time that is within the calendar of four figures.
    private static func milliseconds(_ time: UnixTime) -> Int64 { time.seconds * 1000 + Int64(time.nanoseconds) / 1_000_000 }

    private static func metadata(_ record: AuditRecord, _ metadata: inout EventMembers) {
        metadata.set("version", version)
        metadata.set("profiles", ["host"])
        metadata.copy("uid", .id)
        metadata.copy("correlation_uid", .attempt)
        metadata.object("product") {
            $0.set("name", "opk")
            $0.set("vendor_name", "opk")
        }
        metadata.copy("event_code", .type)
        metadata.set("log_name", "audit.jsonl")
        metadata.set("log_version", "1")
        metadata.copy("original_time", .time)
    }

    private static func severity(_ record: AuditRecord, _ event: inout EventMembers) {
        let (id, name): (Int64, String) =
            if [.gap, .damaged].contains(record.kind) || record.flag(.breakGlass) == true {
                (4, "High")
            } else if record.kind == .notified, record.isFailure {
                (3, "Medium")
            } else if record.isFailure {
                (2, "Low")
            } else {
                (1, "Informational")
            }
        event.set("severity_id", id)
        event.set("severity", name)
    }

    private static func status(_ record: AuditRecord, _ event: inout EventMembers) {
        event.set("status_id", record.isFailure ? 2 : 1)
        event.set("status", record.isFailure ? "Failure" : "Success")
        event.take(.granted)
        // What somebody was told of is another event's.
        if record.kind != .notified { event.copy("status_code", .reason) }
        if record.has(.detail) { event.copy("status_detail", .detail) } else { event.set("status_detail", record.reasonWording) }
    }

    /// The machine on which it happened.
    private static func device(_ record: AuditRecord, _ event: inout EventMembers) {
        guard record.has(.host) else { return }
        event.object("device") { device in
            device.copy("hostname", .host)
            device.set("type_id", 0)
            device.set("type", "Unknown")
        }
    }

    // MARK: Authentication (3002)

    private static func authentication(_ record: AuditRecord, _ event: inout EventMembers) {
        let administrator = record.object(.actor)?.person
        event.object("user") { user(record, withEmail: administrator != nil, &$0) }
        if let administrator {
            event.object("actor") { somebody(administrator, &$0) }
        } else {
            event.object("actor") { actor(record, &$0) }
        }
        if record.has(.authMethod) {
            event.copy("auth_protocol", .authMethod)
            event.set("auth_protocol_id", 99)
        }
        event.set("is_mfa", record.isMultiFactor)
        event.set("is_remote", true)
        event.object("src_endpoint") { source(record, &$0) }
        event.object("dst_endpoint") { $0.copy("hostname", .host) }
        event.object("service") { $0.set("name", "sshd") }
        event.object("session") { session(record, &$0) }
    }

    /// The account that is logged in to.
    ///
    /// - Parameter withEmail: whose session it is, where the actor is somebody else.
    private static func user(_ record: AuditRecord, withEmail: Bool, _ user: inout EventMembers) {
        let account = record.text(.account)
        user.set("name", account ?? "")
        user.set("type_id", account == "root" ? 2 : account == nil ? 0 : 1)
        user.set("type", account == "root" ? "Admin" : account == nil ? "Unknown" : "User")
        user.take(.account)
        if withEmail, record.isVerified, let email = record.text(.email), EmailAddress.isOCSF(email) { user.copy("email_addr", .email) }
    }

    /// Who is at the other end; only if the provider vouches for it.
    private static func actor(_ record: AuditRecord, _ actor: inout EventMembers) {
        guard record.isVerified, record.has(.email) || record.has(.subject) else { return }
        actor.object("user") { user in
            user.copy("name", record.has(.email) ? .email : .subject)
            if let email = record.text(.email), EmailAddress.isOCSF(email) { user.copy("email_addr", .email) }
            user.copy("uid", .subject)
            user.set("type_id", 1)
            user.objects("groups", each: "name", record.texts(.groups))
            user.take(.groups)
        }
        actor.object("idp") { $0.copy("name", .issuer) }
    }

    /// An administrator, by opk.
    private static func somebody(_ name: String, _ actor: inout EventMembers) {
        actor.object("user") { $0.set("name", name) }
        actor.set("app_name", "opk")
    }

    private static func source(_ record: AuditRecord, _ endpoint: inout EventMembers) {
        let (address, name) = record.source
        guard address != nil || name != nil else { return }
        endpoint.set("ip", address)
        endpoint.set("hostname", name)
        if !record.hasZone { endpoint.take(.sourceAddress) }
        if record.sourcePort != nil { endpoint.copy("port", .sourcePort) }
    }

    private static func session(_ record: AuditRecord, _ session: inout EventMembers) {
        guard record.has(.session) else { return }
        session.copy("uid", .session)
        for (name, field) in [("created_time", AuditField.sessionBegan), ("expiration_time", .sessionEnds)] {
            guard let time = record.moment(field) else { continue }
            session.set(name, milliseconds(time))
            session.take(field)
        }
        session.copy("expiration_reason", .endedBy)
        session.copy("issuer", .issuer)
        if record.hasTerminal { session.copy("terminal", .tty) }
        session.set("is_remote", true)
    }

    // MARK: Entity Management (3004)

    private static func change(_ record: AuditRecord, _ event: inout EventMembers) {
        let change = record.object(.change)
        event.object("entity") { entity in
            switch record.kind {
            case .policyChanged:
                entity.set("type_id", 5)
                entity.set("type", "Policy")
                entity.set("name", change?.text(.file) ?? "policy")
            case .keysChanged:
                entity.set("type_id", 99)
                entity.set("type", "Provider Keys")
                entity.set("name", change?.text(.file) ?? change.map { $0.texts(.rows).joined(separator: " ") } ?? "keys")
            default:
                entity.set("type_id", 99)
                entity.set("type", "Server Configuration")
                entity.set("name", change?.text(.file) ?? record.text(.host) ?? "server")
            }
        }
        event.copy("comment", .detail)
        if let name = record.object(.actor)?.person { event.object("actor") { somebody(name, &$0) } }
    }

    // MARK: Base Event (0)

    private static func gap(_ record: AuditRecord, _ event: inout EventMembers) {
        guard record.kind == .gap else { return }
        event.copy("count", .lost)
        if let since = record.moment(.since) {
            event.set("start_time", milliseconds(since))
            event.take(.since)
        }
        event.set("end_time", milliseconds(record.time))
    }
}

extension OCSFEvent {
    private struct Activity {
        let category: Int64
        let classID: Int64
        let className: String
        let id: Int64
        let name: String

        var typeName: String { className + ": " + name }

        init(_ kind: AuditKind) {
            switch kind {
            case .decision: self.init(authentication: 6, "Preauth")
            case .login: self.init(authentication: 1, "Logon")
            case .logout: self.init(authentication: 2, "Logoff")
            case .sessionWarned: self.init(authentication: 99, "Session Warned")
            case .sessionEnded: self.init(authentication: 99, "Session Ended")
            case .policyChanged, .keysChanged, .serverChanged: self.init(3, 3004, "Entity Management", 3, "Update")
            case .notified: self.init(0, 0, "Base Event", 99, "Notified")
            case .gap: self.init(0, 0, "Base Event", 99, "Audit Gap")
            case .damaged: self.init(0, 0, "Base Event", 99, "Audit Damaged")
            }
        }

        private init(authentication id: Int64, _ name: String) { self.init(3, 3002, "Authentication", id, name) }

        private init(_ category: Int64, _ classID: Int64, _ className: String, _ id: Int64, _ name: String) {
            (self.category, self.classID, self.className, self.id, self.name) = (category, classID, className, id, name)
        }
    }
}
