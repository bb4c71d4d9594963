internal import AuditTrail
internal import Vocabulary

/// Sessions that PAM did not report (`UsePAM no`, or no line for opk-session): sshd's processes whose connection has a decision that admitted, and in
/// which somebody is logged in.
///
/// This is less than what PAM says: who shows a certificate that is admitted, and then logs in with another key, is seen as the certificate's person. So a
/// record says how it came about.
enum SeenSessions {
    /// - Parameter known: processes that have a record.
    static func find(in table: ProcessTable, known: Set<ProcessStamp>, log: String, limits: SessionLimits) -> [SessionRecord] {
        let candidates = table.processes.filter { process in
            process.name.hasPrefix("sshd") && !process.isDead && !known.contains(process.stamp) && owner(of: process.stamp.id) == 0
        }
        guard !candidates.isEmpty else { return [] }
        let decisions = GrantedDecisions(log: log)
        return candidates.compactMap { process in
            guard let id = ConnectionID.of(process: process.stamp.id), let decision = decisions.decision(of: id),
                isLoggedIn(process, as: decision.account.string, table)
            else { return nil }
            var record = SessionRecord(
                id: id, account: decision.account.string, process: process.stamp, address: decision.address, identity: decision.identity,
                began: decision.time, limits: limits)
            record?.isSeen = true
            return record
        }
    }

    /// sshd's process stays root's and has a child of the account's once somebody is logged in, and one of a user without privileges before. For root's own
    /// login there is no other process.
    private static func isLoggedIn(_ process: ProcessStatus, as account: String, _ table: ProcessTable) -> Bool {
        guard let user = AccountUser.number(of: account) else { return false }
        let children = table.children(of: process.stamp.id)
        if user != 0 { return children.contains { owner(of: $0.stamp.id) == user } }
        return !children.contains { owner(of: $0.stamp.id) != 0 }
    }

    /// Its real user.
    private static func owner(of process: Int32) -> UInt32? {
        guard let status = ProcFile.read("/proc/\(process)/status") else { return nil }
        for line in status.split(separator: UInt8(ascii: "\n")) where line.starts(with: "Uid:".utf8) {
            let words = line.dropFirst(4).split(whereSeparator: { $0 == 0x20 || $0 == 0x09 })
            return words.first.flatMap { UInt32(String(decoding: $0, as: UTF8.self)) }
        }
        return nil
    }
}
