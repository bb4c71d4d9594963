import AuditTrail
import SSHKeys
import Verifier
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The audit log, as one decision has it. What becomes of its event changes nothing about the decision.
///
/// The file is opened before this process confines itself and written to at the end: a rule of Landlock's would hold for the file of that name as it was then, and
/// not for the one that a rotation makes meanwhile. So nothing is added to what a confined process may reach.
struct AuditLog {
    private let path: String
    private let file: AuditFile?
    /// Why there is no file, where there should be one.
    private let failure: AuditTrail.Failure?
    /// Of the connection that sshd asks about.
    let attempt: String?

    /// Nothing is looked at for a key that is no certificate.
    init(_ arguments: Arguments) {
        guard let path = arguments.auditLog, SSHCertificate.isCertificateType(arguments.request.type) else {
            self.init()
            return
        }
        self.init(path)
    }

    /// None.
    private init() { (path, file, failure, attempt) = ("", nil, nil, nil) }

    init(_ path: String) {
        self.path = path
        do throws(AuditTrail.Failure) {
            (file, failure) = (try AuditTrail(path: path).open(), nil)
        } catch {
            (file, failure) = (nil, error == .notInstalled ? nil : error)
        }
        attempt = file == nil ? nil : ConnectionID.ofParent()
    }

    /// Whether an event is wanted.
    var isOn: Bool { file != nil || failure != nil }

    /// Whether it would come to the file.
    var isWritable: Bool { file != nil }

    func event(id: String, _ kind: AuditKind = .decision) -> AuditEvent {
        var event = AuditEvent(kind, id: id, program: "opk-verify")
        event.set(.attempt, attempt)
        return event
    }

    /// What is appended if this process is cut short from here on; nil for nothing.
    func setLastWords(_ event: AuditEvent?, by cause: AuditTrail.Cause = .anybody) { file?.setLastWords(event, by: cause) }

    /// Adds the event, and before it what could not be written earlier. Where it cannot be written it is counted, and the log told, but not for each.
    func record(_ event: AuditEvent, by cause: AuditTrail.Cause, _ log: SystemLog) {
        guard isOn else { return }
        setLastWords(event, by: cause)
        defer { setLastWords(nil) }
        let lost = file == nil ? nil : log.tally?.takeLost()
        do throws(AuditTrail.Failure) {
            guard let file else { throw failure ?? .absent }
            try file.append(event, after: lost.map { gap($0.count, $0.since) }, by: cause)
            if let lost { log.warn("audit: \(lost.count) events\(AuditLog.words(lost.since)) were not written to \(path)") }
        } catch {
            if let lost { log.tally?.lose(lost.count, since: lost.since ?? .now()) }
            log.tally?.lose(since: .now())
            guard log.tally?.admitsLineAboutAudit != false else { return }
            log.warn("audit: event \(event.id) was not written to \(path): \(error)")
        }
    }

    private func gap(_ count: UInt64, _ since: UnixTime?) -> AuditEvent {
        var event = event(id: EventID.new(), .gap)
        event.set(.lost, Int64(clamping: count))
        if let since { event.set(.since, since) }
        return event
    }

    private static func words(_ since: UnixTime?) -> String { since.map { " since \($0)" } ?? "" }
}
