/// The names of an event's members, in the order of docs/audit-log.md. A closed list: what is not in it is in no event.
public enum AuditField: String, Sendable, CaseIterable {
    case version = "v"
    case time
    case id
    case type
    case attempt
    case session
    case host
    case program
    case account
    case granted
    case step
    case reason
    case detail
    case issuer
    case subject
    case email
    case verified
    case groups
    case groupsMore = "groups_more"
    case authMethod = "auth_method"
    case amr
    case acr
    case authTime = "auth_time"
    case issuedAt = "issued_at"
    case identityEnds = "identity_ends"
    case sourceAddress = "source_address"
    case sourcePort = "source_port"
    case decidedBy = "decided_by"
    case grantReason = "grant_reason"
    case breakGlass = "break_glass"
    case tokenFingerprint = "token_fingerprint"
    case keyFingerprint = "key_fingerprint"
    case keyID = "key_id"
    case certificateEnds = "certificate_ends"
    case notes
    case tty
    case process
    case sessionBegan = "session_began"
    case sessionEnds = "session_ends"
    case endedBy = "ended_by"
    case actor
    case uid
    case sudoUser = "sudo_user"
    case loginUID = "login_uid"
    case loginAccount = "login_account"
    case command
    case change
    case file
    case line
    case kind
    case name
    case action
    case rows
    case digestBefore = "sha256_before"
    case digestAfter = "sha256_after"
    case lost
    case since
    // Reserved for a verdict on how unusual a login is; never written by this version.
    case riskScore = "risk_score"
    case riskLevel = "risk_level"
    case riskReasons = "risk_reasons"
}
