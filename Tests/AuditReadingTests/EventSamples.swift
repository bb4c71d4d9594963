import AuditTrail
import Vocabulary

/// One event of each type with all that it may have, and one with as little as it may have.
enum EventSamples {
    static let began = UnixTime(seconds: 1_793_491_200, nanoseconds: 123_456_000)

    static func event(_ kind: AuditKind, id: String = "abcdefghij", at time: UnixTime = began) -> AuditEvent {
        var event = AuditEvent(kind, id: id, at: time, host: "server", program: "opk-verify")
        switch kind {
        case .decision:
            event.set(.account, "root")
            event.set(.granted, true)
        case .login, .logout, .sessionWarned, .sessionEnded:
            event.set(.account, "root")
            event.set(.session, "attempt2aa")
            if kind == .sessionEnded { event.set(.endedBy, "limit") }
        case .policyChanged, .keysChanged, .serverChanged:
            event.set(.actor, actor())
            event.set(.command, "opk add")
            event.set(.detail, "a sentence")
        case .notified:
            event.set(.about, "abcdefghik")
            event.set(.reason, "break-glass")
            event.set(.name, "command /usr/local/bin/tell")
            event.set(.kind, "delivered")
        case .gap: event.set(.lost, 17)
        case .damaged:
            var change = AuditObject()
            change.set(.file, "/var/log/opk/audit.jsonl")
            change.set(.action, "shortened")
            event.set(.change, change)
            event.set(.detail, "a sentence")
        }
        return event
    }

    /// With all that its writer may write.
    static func full(_ kind: AuditKind) -> AuditEvent {
        var event = AuditEvent(kind, id: "abcdefghij", at: began, host: "server", program: program(of: kind))
        switch kind {
        case .decision: decide(&event)
        case .login, .logout, .sessionWarned, .sessionEnded: live(kind, &event)
        case .policyChanged:
            change(&event, "opk add")
            var change = AuditObject()
            change.set(.file, "/etc/opk/auth_id")
            change.set(.action, "changed")
            change.set(.digestBefore, String(repeating: "0a", count: 32))
            change.set(.digestAfter, String(repeating: "1b", count: 32))
            change.set(.rows, ["+root alice@example.com https://idp.example.com"])
            event.set(.change, change)
        case .keysChanged:
            change(&event, "opk keys refresh")
            var change = AuditObject()
            change.set(.action, "fetched")
            change.set(.rows, ["https://idp.example.com", "https://other.example.com"])
            event.set(.change, change)
        case .serverChanged:
            change(&event, "opk setup server")
            var change = AuditObject()
            change.set(.file, "/etc/ssh/sshd_config.d/60-opk.conf")
            event.set(.change, change)
            event.set(.detail, "/etc/ssh/sshd_config.d/60-opk.conf /etc/pam.d/sshd")
        case .notified: notify(&event, "delivered")
        case .gap:
            event.set(.lost, 17)
            event.set(.since, began + -90)
        case .damaged: return Self.event(.damaged)
        }
        return event
    }

    private static func program(of kind: AuditKind) -> String {
        switch kind {
        case .decision, .gap: "opk-verify"
        case .login, .logout: "opk-session"
        default: "opk"
        }
    }

    private static func change(_ event: inout AuditEvent, _ command: String) {
        event.set(.actor, actor())
        event.set(.command, command)
    }

    private static func notify(_ event: inout AuditEvent, _ kind: String) {
        event.set(.about, "abcdefghik")
        event.set(.reason, "break-glass")
        event.set(.name, "webhook at chat.example.com")
        event.set(.kind, kind)
    }

    /// A channel that does not take it.
    static var undelivered: AuditEvent {
        var event = AuditEvent(.notified, id: "abcdefghin", at: began, host: "server", program: "opk")
        notify(&event, "failed")
        event.set(.detail, "it answered 503")
        return event
    }

    /// A file that was deleted without a command of opk.
    static var foundRemoved: AuditEvent {
        var event = AuditEvent(.policyChanged, id: "abcdefghip", at: began, host: "server", program: "opk")
        var change = AuditObject()
        change.set(.file, "/etc/opk/revoked")
        change.set(.action, "removed")
        change.set(.digestBefore, String(repeating: "0a", count: 32))
        change.set(.digestAfter, "absent")
        event.set(.change, change)
        return event
    }

    /// Alice's session as root, ended by bob.
    static var endedByAdministrator: AuditEvent {
        var event = AuditEvent(.sessionEnded, id: "abcdefghim", at: began, host: "server", program: "opk")
        describe(&event)
        event.set(.sessionEnds, began)
        event.set(.endedBy, "administrator")
        event.set(.detail, "left the company")
        event.set(.actor, actor("bob"))
        return event
    }

    /// From an address of this machine's link, and as somebody whose claims are not what their names say.
    static var odd: AuditEvent {
        var event = AuditEvent(.login, id: "abcdefghiq", at: began, host: "server", program: "opk-session")
        event.set(.attempt, "attempt2aa")
        event.set(.session, "attempt2aa")
        event.set(.account, "deploy")
        event.set(.email, "ci pipeline")
        event.set(.verified, true)
        event.set(.sourceAddress, "fe80::1%eth0")
        event.set(.tty, "ssh")
        return event
    }

    static func refusal(reason: String = "no-row-admits", id: String = "abcdefghik", at time: UnixTime = began) -> AuditEvent {
        var event = AuditEvent(.decision, id: id, at: time, host: "server", program: "opk-verify")
        event.set(.account, "deploy")
        event.set(.granted, false)
        event.set(.step, 9)
        event.set(.reason, reason)
        event.set(.email, "mallory@example.com")
        return event
    }

    private static func decide(_ event: inout AuditEvent) {
        event.set(.attempt, "attempt2aa")
        event.set(.account, "root")
        event.set(.granted, true)
        event.set(.issuer, "https://idp.example.com")
        event.set(.subject, "1234")
        event.set(.email, "alice@example.com")
        event.set(.verified, true)
        identify(&event)
        event.set(.sourceAddress, "2001:db8::1")
        event.set(.sourcePort, 50_000)
        event.set(.keyFingerprint, "SHA256:4skbUKzgjnrhKFHFvnCBqg3kFQ6aaqY1Vt1bS3xbWjM")
        event.set(.breakGlass, true)
        event.set(.notes, ["keys: fresh"])
        event.set(.duration, 3456)
    }

    /// What all events of a session have.
    private static func describe(_ event: inout AuditEvent, since start: UnixTime = began + -7200) {
        event.set(.attempt, "attempt2aa")
        event.set(.session, "attempt2aa")
        event.set(.account, "root")
        event.set(.issuer, "https://idp.example.com")
        event.set(.subject, "1234")
        event.set(.email, "alice@example.com")
        event.set(.verified, true)
        event.set(.sourceAddress, "client.example.com")
        event.set(.breakGlass, true)
        event.set(.keyFingerprint, "SHA256:4skbUKzgjnrhKFHFvnCBqg3kFQ6aaqY1Vt1bS3xbWjM")
        event.set(.process, 4321)
        event.set(.sessionBegan, start)
    }

    private static func live(_ kind: AuditKind, _ event: inout AuditEvent) {
        if kind == .login { describe(&event, since: began) } else { describe(&event) }
        switch kind {
        case .login:
            event.set(.sourcePort, 50_000)
            identify(&event)
        case .logout:
            event.set(.sessionEnds, began)
            event.set(.endedBy, "user")
        case .sessionWarned:
            event.set(.sessionEnds, began + 300)
            event.set(.endedBy, "limit")
            event.set(.tty, "pts/3 pts/4")
        default:
            event.set(.sessionEnds, began)
            event.set(.endedBy, "identity")
            event.set(.detail, "the identity ended at 2026-11-01T00:00:00Z")
        }
    }

    /// What a decision that admits knows, and the login takes over from it.
    private static func identify(_ event: inout AuditEvent) {
        event.set(.groups, ["dev", "ops"])
        event.set(.groupsMore, 3)
        event.set(.authMethod, "publickey/openpubkey")
        event.set(.amr, ["pwd", "hwk"])
        event.set(.acr, "silver")
        event.set(.authTime, began + -60)
        event.set(.issuedAt, began + -50)
        event.set(.identityEnds, began + 80_000)
        event.set(.certificateEnds, began + 80_000)
        var row = AuditObject()
        row.set(.file, "/etc/opk/auth_id")
        row.set(.line, 3)
        row.set(.kind, "row")
        event.set(.decidedBy, [row])
        event.set(.grantReason, "CHG-0881")
        event.set(.tokenFingerprint, "SHA256:7skbUKzgjnrhKFHFvnCBqg3kFQ6aaqY1Vt1bS3xbWjM")
        event.set(.keyID, "alice@example.com")
    }

    /// By sudo.
    private static func actor(_ name: String = "alice") -> AuditObject {
        var actor = AuditObject()
        actor.set(.uid, 0)
        actor.set(.account, "root")
        actor.set(.sudoUser, name)
        actor.set(.loginUID, 1000)
        actor.set(.loginAccount, name)
        actor.set(.name, name)
        return actor
    }

    /// What docs/audit/examples.jsonl has: every type, and those that are mapped in a way of their own.
    static let examples: [AuditEvent] =
        AuditKind.allCases.map(full) + [refusal(), endedByAdministrator, undelivered, foundRemoved, odd]

    /// Every type, in both ways, and others.
    static let all: [AuditEvent] = AuditKind.allCases.map { event($0) } + examples + [hostile]

    /// All texts are somebody's who wants to be obeyed by a terminal or to end the line.
    static var hostile: AuditEvent {
        var event = refusal()
        event.set(.subject, "\u{1B}]0;x\u{7}\u{9B}2J\u{202E}\n\"}{\\ \u{E000} \u{1F600}é")
        event.set(.keyID, String(repeating: "\u{7F}", count: 600))
        return event
    }

    /// Without its line feed.
    static func line(_ event: AuditEvent) -> [UInt8] { Array(event.line.dropLast()) }
}

extension AuditEvent {
    func with(_ change: (inout AuditEvent) -> Void) -> AuditEvent {
        var event = self
        change(&event)
        return event
    }
}
