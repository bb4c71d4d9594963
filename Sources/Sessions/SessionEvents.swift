public import AuditTrail
internal import CSystem
public import Vocabulary

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What the audit log is told about a session.
public struct SessionEvents: Sendable {
    private let trail: AuditTrail
    /// Opened before this process confined itself; else each event opens the log.
    private let file: AuditFile?
    private let program: String
    private let host: String

    /// - Parameter file: the same, opened; for one event.
    public init(_ trail: AuditTrail, opened file: AuditFile? = nil, program: String) {
        self.trail = trail
        self.file = file
        self.program = program
        host = SessionEvents.hostName()
    }

    /// One that PAM did not report says so.
    public func login(_ record: SessionRecord, terminals: [String], at now: UnixTime) {
        tell(.login, record, at: now) { event in
            SessionEvents.describe(record.identity, &event)
            SessionEvents.set(terminals, &event)
            if record.isSeen { event.set(.notes, ["seen"]) }
        }
    }

    public func logout(_ record: SessionRecord, by reason: EndedBy, at now: UnixTime) {
        tell(.logout, record, at: now) { event in
            event.set(.sessionEnds, now)
            event.set(.endedBy, reason.rawValue)
        }
    }

    /// - Parameter end: when it will be over.
    public func warned(_ record: SessionRecord, _ end: UnixTime, _ reason: EndedBy, terminals: [String], at now: UnixTime) {
        tell(.sessionWarned, record, at: now) { event in
            event.set(.sessionEnds, end)
            event.set(.endedBy, reason.rawValue)
            SessionEvents.set(terminals, &event)
        }
    }

    /// - Parameters:
    ///   - actor: the administrator, where one did it.
    ///   - words: their reason, or what ended it.
    public func ended(_ record: SessionRecord, by reason: EndedBy, _ words: String?, actor: AuditObject?, at now: UnixTime) {
        tell(.sessionEnded, record, at: now) { event in
            event.set(.sessionEnds, now)
            event.set(.endedBy, reason.rawValue)
            event.set(.detail, words)
            if let actor { event.set(.actor, actor) }
        }
    }

    /// Nothing that happens to the log changes what is done: a session is recorded, or ended, all the same.
    private func tell(_ kind: AuditKind, _ record: SessionRecord, at now: UnixTime, _ more: (inout AuditEvent) -> Void) {
        var event = AuditEvent(kind, id: EventID.new(), at: now, host: host, program: program)
        event.set(.attempt, record.id)
        event.set(.session, record.id)
        event.set(.account, record.account)
        event.set(.issuer, record.identity.issuer?.string)
        event.set(.subject, record.identity.subject?.string)
        event.set(.email, record.identity.email?.string)
        event.set(.verified, record.identity.isVerified)
        event.set(.sourceAddress, record.address?.string)
        if record.identity.isBreakGlass { event.set(.breakGlass, true) }
        event.set(.keyFingerprint, record.identity.keyFingerprint?.string)
        event.set(.process, Int64(record.process.id))
        event.set(.sessionBegan, record.began)
        more(&event)
        do throws(AuditTrail.Failure) {
            if let file { try file.append(event) } else { try trail.append(event) }
        } catch .notInstalled {
            // Nothing is audited here.
        } catch {
            let line = Array(SessionEvents.line(about: record, kind, error, trail.path).utf8)
            // The call reads no more than the bytes.
            _ = unsafe opk_log_line(LOG_AUTH | LOG_WARNING, line, line.count)
        }
    }

    /// For the system's log, where the audit log has no room or is not to be had: who logged in where, all the same.
    static func line(about record: SessionRecord, _ kind: AuditKind, _ failure: AuditTrail.Failure, _ path: String) -> String {
        let identity = record.identity
        let person = identity.email ?? identity.subject ?? "somebody"
        var line = "audit: \(kind.rawValue) of \"\(person.escaped(limit: 256))\" account=\"\(Text(record.account).escaped(limit: 256))\""
        if let issuer = identity.issuer { line += " issuer=\"\(issuer.escaped(limit: 256))\"" }
        if let address = record.address { line += " from=\"\(address.escaped(limit: 64))\"" }
        if !identity.isVerified { line += " unverified" }
        if identity.isBreakGlass { line += " break-glass" }
        if let key = identity.keyFingerprint { line += " key=\(key.escaped(limit: 64))" }
        return line + " session=\(record.id) process=\(record.process.id) was not written to \(path): \(failure)"
    }

    private static func describe(_ identity: SessionIdentity, _ event: inout AuditEvent) {
        if !identity.groups.isEmpty {
            let written = event.set(.groups, identity.groups.map(\.string))
            let more = (identity.groupsMore ?? 0) + Int64(identity.groups.count - written)
            if more > 0 { event.set(.groupsMore, more) }
        }
        if let port = identity.sourcePort { event.set(.sourcePort, port) }
        event.set(.authMethod, "publickey/openpubkey")
        if !identity.authenticationMethods.isEmpty { event.set(.amr, identity.authenticationMethods.map(\.string)) }
        event.set(.acr, identity.contextClass?.string)
        if let time = identity.authenticatedAt { event.set(.authTime, time) }
        if let time = identity.issuedAt { event.set(.issuedAt, time) }
        if let time = identity.identityEnds { event.set(.identityEnds, time) }
        if let time = identity.certificateEnds { event.set(.certificateEnds, time) }
        let deciders = identity.decidedBy.map { decider in
            var object = AuditObject()
            if let file = decider.file { object.set(.file, file.string) }
            if let line = decider.line { object.set(.line, line) }
            if let kind = decider.kind { object.set(.kind, kind.string) }
            if let name = decider.name { object.set(.name, name.string) }
            return object
        }
        if !deciders.isEmpty { event.set(.decidedBy, deciders) }
        event.set(.grantReason, identity.grantReason?.string)
        event.set(.tokenFingerprint, identity.tokenFingerprint?.string)
        event.set(.keyID, identity.keyID?.string)
    }

    private static func set(_ terminals: [String], _ event: inout AuditEvent) {
        if !terminals.isEmpty { event.set(.tty, terminals.joined(separator: " ")) }
    }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        // The last byte stays 0 whatever the system writes.
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
