internal import AuditTrail
internal import Vocabulary

/// Sessions that have no record, since PAM did not report them (`UsePAM no`, no line for opk-session, a certificate too long for it): sshd's connections in
/// which somebody is logged in, and which have a decision that admitted to that very account.
///
/// This is less than what PAM says: who shows a certificate that is admitted, and then logs in with another key, is seen as the certificate's person; and
/// decisions are what opksshuser says. So a record says how it came about, and what is no connection of sshd's is nobody's, whatever is in the log.
enum SeenSessions {
    /// - Parameters:
    ///   - known: processes that have a record.
    ///   - decisions: the newest of each connection. Asked once, and only for connections in which somebody is logged in.
    static func find(
        in table: ProcessTable, known: Set<ProcessStamp>, limits: SessionLimits, at now: UnixTime,
        decisions: (Set<String>) -> [String: GrantedDecisions.Decision]
    ) -> [SessionRecord] {
        var connections: [(id: String, process: ProcessStamp, user: UInt32)] = []
        for process in table.processes where !known.contains(process.stamp) {
            guard let user = SSHDProcess.loginUser(of: process, table), let id = table.connection(process.stamp.id) else { continue }
            connections.append((id, process.stamp, user))
        }
        guard !connections.isEmpty else { return [] }
        let decisions = decisions(Set(connections.map(\.id)))
        return connections.compactMap { id, process, user in
            guard let decision = decisions[id], AccountUser.number(of: decision.account.string) == user else { return nil }
            var record = SessionRecord(
                id: id, account: decision.account.string, process: process, address: decision.address, identity: decision.identity,
                began: min(decision.time, now), limits: limits)
            record?.isSeen = true
            return record
        }
    }
}
