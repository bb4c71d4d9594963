import AuditTrail
public import JOSE
import Vocabulary

/// An event in the form of OCSF 1.8.0: docs/audit/ocsf.md says which member is which, and why.
public enum OCSFEvent {
    public static let version = "1.8.0"

    private struct Activity {
        var category: Int64
        var classID: Int64
        var className: String
        var id: Int64
        var name: String
    }

    public static func json(_ record: AuditRecord) -> JSON {
        let activity = activity(record.kind)
        var event = EventMembers()
        event.set("category_uid", activity.category)
        event.set("category_name", activity.category == 3 ? "Identity & Access Management" : "Uncategorized")
        event.set("class_uid", activity.classID)
        event.set("class_name", activity.className)
        event.set("activity_id", activity.id)
        event.set("activity_name", activity.name)
        event.set("type_uid", activity.classID * 100 + activity.id)
        event.set("type_name", "\(activity.className): \(activity.name)")
        event.set("time", milliseconds(record.time))
        event.set("metadata", metadata(record))
        event.set("message", record.sentence)
        severity(record, &event)
        status(record, &event)
        switch activity.classID {
        case 3002: authentication(record, &event)
        case 3004: change(record, &event)
        default: gap(record, &event)
        }
        var unmapped = EventMembers()
        unmapped.set("opk", record.others(others))
        event.set("unmapped", unmapped.json)
        return event.all
    }

    private static func activity(_ kind: AuditKind) -> Activity {
        func authentication(_ id: Int64, _ name: String) -> Activity {
            Activity(category: 3, classID: 3002, className: "Authentication", id: id, name: name)
        }
        switch kind {
        case .decision: return authentication(6, "Preauth")
        case .login: return authentication(1, "Logon")
        case .logout: return authentication(2, "Logoff")
        case .sessionWarned: return authentication(99, "Session Warned")
        case .sessionEnded: return authentication(99, "Session Ended")
        case .policyChanged, .keysChanged, .serverChanged:
            return Activity(category: 3, classID: 3004, className: "Entity Management", id: 3, name: "Update")
        case .notified: return Activity(category: 0, classID: 0, className: "Base Event", id: 99, name: "Notified")
        case .gap: return Activity(category: 0, classID: 0, className: "Base Event", id: 99, name: "Audit Gap")
        case .damaged: return Activity(category: 0, classID: 0, className: "Base Event", id: 99, name: "Audit Damaged")
        }
    }

    /// What no attribute of the schema says, or what is only hearsay.
    private static let others: [AuditField] = [
        .attempt, .program, .step, .issuer, .subject, .email, .verified, .groupsMore, .amr, .acr, .authTime, .issuedAt, .identityEnds,
        .certificateEnds, .decidedBy, .grantReason, .breakGlass, .tokenFingerprint, .keyFingerprint, .keyID, .notes, .process, .command,
        .change, .lost, .since,
    ]

    private static func milliseconds(_ time: UnixTime) -> Int64 { time.seconds * 1000 + Int64(time.nanoseconds) / 1_000_000 }

    private static func metadata(_ record: AuditRecord) -> JSON {
        var product = EventMembers()
        product.set("name", "opk")
        product.set("vendor_name", "opk")
        var metadata = EventMembers()
        metadata.set("version", version)
        metadata.set("uid", record.text(.id))
        metadata.set("correlation_uid", record.text(.attempt))
        metadata.set("product", product.json)
        metadata.set("event_code", record.kind.rawValue)
        metadata.set("log_name", "audit.jsonl")
        metadata.set("log_version", "1")
        metadata.set("original_time", AuditTimestamp.text(record.time))
        return metadata.all
    }

    private static func severity(_ record: AuditRecord, _ event: inout EventMembers) {
        let isHigh = [.gap, .damaged].contains(record.kind) || record.flag(.breakGlass) == true
        let isLow = record.kind == .decision && record.flag(.granted) != true
        event.set("severity_id", isHigh ? 4 : isLow ? 2 : 1)
        event.set("severity", isHigh ? "High" : isLow ? "Low" : "Informational")
    }

    private static func status(_ record: AuditRecord, _ event: inout EventMembers) {
        let failed = [.gap, .damaged].contains(record.kind) || (record.kind == .decision && record.flag(.granted) != true)
        event.set("status_id", failed ? 2 : 1)
        event.set("status", failed ? "Failure" : "Success")
        event.set("status_code", record.text(.reason))
        event.set("status_detail", record.text(.detail) ?? record.text(.reason).flatMap { Refusal.Code(rawValue: $0)?.wording })
    }

    // MARK: Authentication (3002)

    private static func authentication(_ record: AuditRecord, _ event: inout EventMembers) {
        var user = EventMembers()
        let account = record.text(.account)
        user.set("name", account ?? "")
        user.set("type_id", account == "root" ? 2 : account == nil ? 0 : 1)
        user.set("type", account == "root" ? "Admin" : account == nil ? "Unknown" : "User")
        event.set("user", user.all)
        event.set("actor", actor(record))
        event.set("auth_protocol", record.text(.authMethod))
        if record.has(.authMethod) { event.set("auth_protocol_id", 99) }
        event.set("is_mfa", record.isMultiFactor.map { JSON.bool($0) })
        event.set("is_remote", JSON.bool(true))
        event.set("src_endpoint", source(record))
        var destination = EventMembers()
        destination.set("hostname", record.text(.host))
        event.set("dst_endpoint", destination.json)
        event.set("service", ["name": "sshd"])
        event.set("session", session(record))
    }

    /// Who is at the other end; only if the provider vouches for it.
    private static func actor(_ record: AuditRecord) -> JSON? {
        guard record.isVerified, let name = record.text(.email) ?? record.text(.subject) else { return nil }
        var user = EventMembers()
        user.set("name", name)
        user.set("email_addr", record.text(.email))
        user.set("uid", record.text(.subject))
        user.set("type_id", 1)
        let groups = record.texts(.groups)
        if !groups.isEmpty { user.set("groups", JSON.array(groups.map { ["name": .string(Text($0))] })) }
        var provider = EventMembers()
        provider.set("name", record.text(.issuer))
        var actor = EventMembers()
        actor.set("user", user.all)
        actor.set("idp", provider.json)
        return actor.all
    }

    private static func source(_ record: AuditRecord) -> JSON? {
        let (address, name) = record.source
        guard address != nil || name != nil else { return nil }
        var endpoint = EventMembers()
        endpoint.set("ip", address)
        endpoint.set("hostname", name)
        endpoint.set("port", record.number(.sourcePort))
        return endpoint.json
    }

    private static func session(_ record: AuditRecord) -> JSON? {
        guard let id = record.text(.session) else { return nil }
        var session = EventMembers()
        session.set("uid", id)
        session.set("created_time", record.moment(.sessionBegan).map(milliseconds))
        session.set("expiration_time", record.moment(.sessionEnds).map(milliseconds))
        session.set("expiration_reason", record.text(.endedBy))
        session.set("issuer", record.text(.issuer))
        session.set("terminal", record.text(.tty))
        session.set("is_remote", JSON.bool(true))
        return session.json
    }

    // MARK: Entity Management (3004)

    private static func change(_ record: AuditRecord, _ event: inout EventMembers) {
        let change = record.object(.change)
        var entity = EventMembers()
        switch record.kind {
        case .policyChanged:
            entity.set("type_id", 5)
            entity.set("type", "Policy")
            entity.set("name", change?.text(.file) ?? "policy")
        case .keysChanged:
            entity.set("type_id", 99)
            entity.set("type", "Provider Keys")
            entity.set("name", record.text(.issuer) ?? change?.text(.file) ?? "keys")
        default:
            entity.set("type_id", 99)
            entity.set("type", "Server Configuration")
            entity.set("name", change?.text(.file) ?? record.text(.host) ?? "server")
        }
        event.set("entity", entity.all)
        event.set("comment", record.text(.detail))
        guard let who = record.object(.actor), let name = who.text(.name) ?? who.text(.account) else { return }
        var user = EventMembers()
        user.set("name", name)
        var actor = EventMembers()
        actor.set("user", user.all)
        actor.set("app_name", "opk")
        event.set("actor", actor.all)
    }

    // MARK: Base Event (0)

    private static func gap(_ record: AuditRecord, _ event: inout EventMembers) {
        guard record.kind == .gap else { return }
        event.set("count", record.number(.lost))
        event.set("start_time", record.moment(.since).map(milliseconds))
        event.set("end_time", milliseconds(record.time))
    }
}
