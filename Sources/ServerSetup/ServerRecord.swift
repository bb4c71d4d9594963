import AuditTrail

/// `server.changed` of the audit log, where there is one.
enum ServerRecord {
    static func append(_ command: String, changes: [ServerChange]) {
        var event = AuditEvent(.serverChanged, id: EventID.new(), program: "opk")
        event.set(.actor, AuditActor.current)
        event.set(.command, "opk " + command)
        if let change = changes.first {
            var object = AuditObject()
            object.set(.file, change.path)
            event.set(.change, object)
        }
        event.set(.detail, changes.map(\.path).joined(separator: " "))
        // Nobody audits here, or the log is full: the server is set up all the same.
        try? AuditTrail().append(event)
    }
}
