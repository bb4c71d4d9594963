import Policy
import Vocabulary

extension Auditor {
    /// PAM's line that has logins recorded: where it stands, and whether it is there at all where something depends on it.
    mutating func auditSessionLine(_ sshd: SSHDSettings) {
        let service = sshd.first("pamservicename") ?? "sshd"
        let file = places.pamFolder + "/" + service
        let calls = service.contains("/") ? [] : PAMStack(file).sessionCalls
        for call in calls {
            if let leak = call.leak {
                found.add(
                    .pamEnvironment, call.line.file, line: call.line.number,
                    "opk-session runs after a line that takes variables from a file in the user's home (\(Text(leak.file)), line \(leak.number)): "
                        + "whoever has an account here may have root's process do what they want",
                    remedy: sessionLineRemedy)
            }
            if !call.isAtOpenOnly {
                found.add(
                    .pamClose, call.line.file, line: call.line.number,
                    "without type=open_session opk-session also runs at a session's end, when variables of the user's are there",
                    remedy: sessionLineRemedy)
            }
        }
        let usesPAM = sshd.says("usepam", "yes")
        guard let config = policy.config, calls.isEmpty || !usesPAM else { return }
        let needing = [
            ("notify", !config.notifications.isEmpty), ("session_limit", config.sessionLimit != nil),
            ("end_with_identity", config.endsWithIdentity),
        ].filter(\.1).map(\.0)
        if needing.isEmpty { return }
        found.add(
            .pamSession, places.config,
            "\(needing.joined(separator: ", ")) is there, and no login is recorded: "
                + (usesPAM ? "\(Text(file)) has no line for opk-session" : "sshd's UsePAM is no")
                + ". Sessions are then only seen by sshd's processes, and nobody is told of a login",
            remedy: usesPAM ? sessionLineRemedy : "write UsePAM yes")
    }

    private var sessionLineRemedy: String {
        "opk setup server, or write at the top: session optional pam_exec.so quiet type=open_session \(places.helperFolder)/opk-session"
    }
}
