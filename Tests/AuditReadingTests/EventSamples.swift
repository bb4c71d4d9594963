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

    static func full(_ kind: AuditKind) -> AuditEvent {
        var event = AuditEvent(kind, id: "abcdefghij", at: began, host: "server", program: "opk")
        switch kind {
        case .decision: decide(&event)
        case .login, .logout, .sessionWarned, .sessionEnded: live(&event)
        case .policyChanged, .keysChanged, .serverChanged:
            event.set(.detail, "a sentence")
            event.set(.actor, actor())
            event.set(.command, "opk add")
            var change = AuditObject()
            change.set(.file, "/etc/opk/auth_id")
            change.set(.action, "added")
            change.set(.rows, ["+root alice@example.com https://idp.example.com"])
            change.set(.digestBefore, String(repeating: "0a", count: 32))
            change.set(.digestAfter, String(repeating: "1b", count: 32))
            event.set(.change, change)
        case .notified:
            event.set(.about, "abcdefghik")
            event.set(.reason, "break-glass")
            event.set(.name, "webhook at chat.example.com")
            event.set(.kind, "failed")
            event.set(.detail, "it answered 503")
        case .gap:
            event.set(.lost, 17)
            event.set(.since, began)
        case .damaged: return Self.event(.damaged)
        }
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
        identify(&event)
        event.set(.sourceAddress, "2001:db8::1")
        event.set(.sourcePort, 50_000)
        event.set(.grantReason, "CHG-0881")
        event.set(.breakGlass, true)
        event.set(.notes, ["keys: fresh"])
        event.set(.duration, 3456)
    }

    private static func live(_ event: inout AuditEvent) {
        event.set(.attempt, "attempt2aa")
        event.set(.session, "attempt2aa")
        event.set(.account, "root")
        identify(&event)
        event.set(.sourceAddress, "client.example.com")
        event.set(.tty, "pts/3")
        event.set(.process, 4321)
        event.set(.sessionBegan, began + -7200)
        event.set(.sessionEnds, began + 3600)
        event.set(.endedBy, "identity")
    }

    private static func identify(_ event: inout AuditEvent) {
        event.set(.issuer, "https://idp.example.com")
        event.set(.subject, "1234")
        event.set(.email, "alice@example.com")
        event.set(.verified, true)
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
        event.set(.tokenFingerprint, "SHA256:4skbUKzgjnrhKFHFvnCBqg3kFQ6aaqY1Vt1bS3xbWjM")
        event.set(.keyFingerprint, "SHA256:4skbUKzgjnrhKFHFvnCBqg3kFQ6aaqY1Vt1bS3xbWjM")
        event.set(.keyID, "alice@example.com")
    }

    private static func actor() -> AuditObject {
        var actor = AuditObject()
        actor.set(.uid, 0)
        actor.set(.account, "root")
        actor.set(.sudoUser, "alice")
        actor.set(.name, "alice")
        return actor
    }

    /// Every type, in both ways, and refusals.
    static let all: [AuditEvent] = AuditKind.allCases.flatMap { [event($0), full($0)] } + [refusal(), hostile]

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
