import AuditTrail
import PKToken
import Policy
import Verifier
import Vocabulary

/// A decision as the audit log has it (docs/audit-log.md) and, with the same words, as journald's fields.
final class DecisionEvent {
    private let record: DecisionRecord
    private let deliberation: Deliberation?
    private let arguments: Arguments
    /// Whether sshd has the lines; false also where nobody reads them any more.
    private let isAnswered: Bool

    init(record: DecisionRecord, deliberation: Deliberation?, arguments: Arguments, isAnswered: Bool) {
        (self.record, self.deliberation, self.arguments, self.isAnswered) = (record, deliberation, arguments, isAnswered)
    }

    private var refusal: Refusal? { if case .refused(let refusal) = record.outcome { refusal } else { nil } }
    private var account: String { String(decoding: record.account, as: UTF8.self) }

    /// Whose doing it is.
    var cause: AuditTrail.Cause { record.verified == nil ? .anybody : isAnswered ? .admission : .person }

    /// What matters most comes first: what has no room any more is left out.
    func event(_ log: AuditLog) -> AuditEvent {
        var event = log.event(id: record.id)
        event.set(.account, account)
        event.set(.granted, isAnswered)
        if let refusal {
            event.set(.step, Int64(refusal.step.rawValue))
            event.set(.reason, refusal.code.rawValue)
            event.set(.detail, "\(refusal)")
        }
        if let identity = record.identity {
            event.set(.verified, record.verified != nil)
            event.set(.issuer, identity.issuer)
            event.set(.subject, identity.subject)
            event.set(.email, identity.email)
        }
        event.set(.authMethod, "publickey/openpubkey")
        if let address = ConnectionWords.clientAddress(in: arguments.extra) { event.set(.sourceAddress, "\(address)") }
        if let port = ConnectionWords.clientPort(in: arguments.extra) { event.set(.sourcePort, port) }
        event.set(.keyFingerprint, record.fingerprint)
        event.set(.tokenFingerprint, record.tokenFingerprint)
        let deciding = deciding
        if !deciding.isEmpty { event.set(.decidedBy, deciding) }
        if isAnswered, record.grants.allSatisfy(\.isBreakGlass) { event.set(.breakGlass, true) }
        event.set(.grantReason, grantReason)
        setTimes(of: &event)
        event.set(.duration, RunningTime.microseconds)
        if !record.keyID.isEmpty { event.set(.keyID, String(decoding: record.keyID, as: UTF8.self)) }
        if let identity = record.verified { set(identity, of: &event) }
        if !record.notes.isEmpty { event.set(.notes, record.notes) }
        return event
    }

    private func setTimes(of event: inout AuditEvent) {
        if let end = record.certificateEnd, end <= UInt64(UnixTime.endOfYear9999.seconds) {
            event.set(.certificateEnds, UnixTime(seconds: Int64(end)))
        }
        guard let identity = record.verified else { return }
        event.set(.issuedAt, identity.issuedAt)
        if let end = identity.expires { event.set(.identityEnds, end) }
        if let time = identity.authenticatedAt { event.set(.authTime, time) }
    }

    private func set(_ identity: VerifiedIdentity, of event: inout AuditEvent) {
        event.set(.acr, identity.contextClass?.string)
        let methods = identity.authenticationMethods
        if !methods.isEmpty { event.set(.amr, DecisionEvent.strings(methods)) }
        let groups = identity.namedGroups(record.userinfo)
        guard !groups.isEmpty else { return }
        let written = event.set(.groups, DecisionEvent.strings(groups))
        if written < groups.count { event.set(.groupsMore, Int64(groups.count - written)) }
    }

    /// As many as an event has room for.
    private static func strings(_ texts: [Text]) -> [String] {
        var strings: [String] = []
        for text in texts.prefix(AuditEvent.mostElements) { strings.append(text.string) }
        return strings
    }

    private var grantReason: String? {
        for grant in record.grants { if let reason = grant.reason { return reason.string } }
        return nil
    }

    /// The rows and plugins that admit; or the list, the revocation, the rules or the rows that are in the way.
    private var deciding: [AuditObject] {
        var objects: [AuditObject] = []
        func add(_ kind: String, _ file: String, line: Int? = nil, name: String? = nil) {
            guard objects.count < DecisionEvent.mostDeciding else { return }
            var object = AuditObject()
            object.set(.kind, kind)
            object.set(.file, file)
            if let line { object.set(.line, Int64(line)) }
            if let name { object.set(.name, name) }
            objects.append(object)
        }
        func file(_ name: String) -> String { arguments.configFolder + "/" + name }
        for grant in record.grants {
            switch grant.source {
            case .row(let line): add("row", file("auth_id"), line: line)
            case .home(let line): add("home-row", "~\(account)/.opk/auth_id", line: line)
            case .plugin(let name): add("plugin", file("policy.d"), name: name)
            }
        }
        guard let deliberation, let code = refusal?.code else { return objects }
        switch code {
        case .denied, .groupsUnknown, .revoked:
            for denial in deliberation.denials where denial.code == code {
                let isRevoked = code == .revoked
                add(isRevoked ? "revoked" : "deny", file(isRevoked ? "revoked" : "config.yml"), line: denial.line)
            }
        case .requirementNotMet:
            for finding in deliberation.requirements where !finding.holds { add("require", file("config.yml"), line: finding.rule.line) }
        case .conditionNotMet, .emailNotVerified:
            for finding in deliberation.rows where finding.namesIdentity {
                if finding.isHome {
                    add("home-row", "~\(account)/.opk/auth_id", line: finding.row.line)
                } else {
                    add("row", file("auth_id"), line: finding.row.line)
                }
            }
        default: break
        }
        return objects
    }

    /// Of `decided_by`.
    private static let mostDeciding = 16

    func fields(_ log: AuditLog) -> [JournalMessage.Field] {
        var fields: [JournalMessage.Field] = [
            ("OPK_EVENT_ID", record.id), ("OPK_TYPE", AuditKind.decision.rawValue), ("OPK_ACCOUNT", account),
        ]
        func add(_ name: String, _ value: String?) { if let value { fields.append((name, value)) } }
        add("OPK_GRANTED", isAnswered ? "true" : "false")
        add("OPK_STEP", refusal.map { String($0.step.rawValue) })
        add("OPK_REASON", refusal?.code.rawValue)
        if let identity = record.identity {
            add("OPK_VERIFIED", record.verified == nil ? "false" : "true")
            add("OPK_ISSUER", identity.issuer)
            add("OPK_SUBJECT", identity.subject)
            add("OPK_EMAIL", identity.email)
        }
        add("OPK_SOURCE_ADDRESS", ConnectionWords.clientAddress(in: arguments.extra).map { "\($0)" })
        add("OPK_ATTEMPT", log.attempt)
        add("OPK_KEY_FINGERPRINT", record.fingerprint)
        add("OPK_TOKEN_FINGERPRINT", record.tokenFingerprint)
        return fields
    }
}
