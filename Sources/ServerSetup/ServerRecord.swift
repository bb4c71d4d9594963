import AuditTrail

/// `server.changed` of the audit log, where there is one.
enum ServerRecord {
    /// One event for each file.
    static func append(_ command: String, changes: [ServerChange]) {
        let trail = AuditTrail()
        for change in changes.isEmpty ? [nil] : changes.map(Optional.some) {
            var event = AuditEvent(.serverChanged, id: EventID.new(), program: "opk")
            event.set(.actor, AuditActor.current)
            event.set(.command, "opk " + command)
            if let change {
                var object = AuditObject()
                object.set(.file, change.path)
                event.set(.change, object)
                event.set(.detail, change.path)
            }
            // Nobody audits here, or the log is full: the server is set up all the same.
            guard (try? trail.append(event)) != nil else { return }
        }
    }
}
