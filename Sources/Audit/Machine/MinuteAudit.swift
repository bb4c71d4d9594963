import Policy
import Vocabulary

extension Auditor {
    /// What config.yml has done every minute, and whether anybody does it. Only root sees.
    mutating func auditMinute() {
        guard let config = policy.config else { return }
        let waiting = [
            ("session_limit", config.sessionLimit != nil), ("end_with_identity", config.endsWithIdentity),
            ("notify", !config.notifications.isEmpty),
        ].filter(\.1).map(\.0)
        if waiting.isEmpty { return }
        switch FileFacts.look(places.enforced) {
        case .hidden: return
        case .found(let facts) where facts.kind == .file && facts.changed + 300 >= now.seconds: return
        case .found, .absent: break
        }
        found.add(
            .minuteTimer, places.config,
            "\(waiting.joined(separator: ", ")) is there, and nothing has run opk sessions enforce in the last five minutes: "
                + "no session is ended, and nobody is told",
            remedy: FileFacts(places.systemd) != nil
                ? "systemctl enable --now opk-minute.timer" : "\(places.reinstall): cron's line is /etc/cron.d/opk-minute")
    }
}
