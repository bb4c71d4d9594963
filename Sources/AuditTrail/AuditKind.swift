/// What an event is about: its `type`.
public enum AuditKind: String, Sendable, CaseIterable {
    /// opk-verify was asked and answered. sshd asks before the client has proved its key, and again after: no decision is a login.
    case decision
    /// A session was opened by PAM, with a certificate of ours.
    case login
    case logout
    /// A session's terminal was told that it ends soon.
    case sessionWarned = "session.warned"
    case sessionEnded = "session.ended"
    /// A file of /etc/opk, or an account's ~/.opk/auth_id, changed: by a command of opk, or found changed.
    case policyChanged = "policy.changed"
    /// `opk keys import`, or keys fetched at an administrator's word.
    case keysChanged = "keys.changed"
    /// `opk setup server`, and its undoing.
    case serverChanged = "server.changed"
    /// Somebody was told: a command or webhook of `notify`.
    case notified
    /// Events that could not be written, and how many.
    case gap = "audit.gap"
    /// The log itself became shorter in its place, vanished, or is such a file that nothing is written to it.
    case damaged = "audit.damaged"
}
