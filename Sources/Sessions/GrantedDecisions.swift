internal import JOSE
public import Vocabulary

/// The decisions that admitted, at the end of the audit log and of the file that it was before the last rotation: what opk-verify found out about whom
/// sshd then let in. Lines that cannot be read are passed over: a log is written by more than one program.
///
/// opksshuser may append what it likes. Whoever takes this for the truth about a process has looked at the process first.
public struct GrantedDecisions {
    public struct Decision: Hashable, Sendable {
        public let attempt: String?
        public let account: Text
        public let address: Text?
        public let time: UnixTime
        public let identity: SessionIdentity
    }

    /// Bytes of each file's end that are looked at.
    public static let reach = 16 << 20

    private let path: String
    private let reach: Int

    /// - Parameter path: the log; the one before it has `.1` behind its name.
    public init(log path: String, reach: Int = GrantedDecisions.reach) { (self.path, self.reach) = (path, reach) }

    /// The newest one of this connection that admitted this key to this account; without a connection, or where it has none, the newest of any, which began
    /// within two minutes.
    public func decision(of attempt: String?, account: Text, key: Text, at now: UnixTime) -> Decision? {
        var lines = NewestLines(log: path, reach: reach)
        return GrantedDecisions.decision(of: attempt, account: account, key: key, at: now, in: &lines)
    }

    static func decision(of attempt: String?, account: Text, key: Text, at now: UnixTime, in lines: inout NewestLines) -> Decision? {
        var (found, other): (Decision?, Decision?)
        let piece = Array(key.utf8)
        lines.search { line in
            guard line.position(of: GrantedDecisions.granted) != nil, line.position(of: piece) != nil,
                let decision = Decision(parsing: line.bytes)
            else { return false }
            guard decision.account == account, decision.identity.keyFingerprint == key else { return false }
            if attempt == nil || decision.attempt == attempt {
                found = decision
                return true
            }
            if other == nil, decision.time + 120 > now { other = decision }
            return false
        }
        return found ?? other
    }

    /// The newest one of each connection, in one pass through the log for all of them.
    public func newest(of attempts: Set<String>) -> [String: Decision] {
        var lines = NewestLines(log: path, reach: reach)
        return GrantedDecisions.newest(of: attempts, in: &lines)
    }

    static func newest(of attempts: Set<String>, in lines: inout NewestLines) -> [String: Decision] {
        guard !attempts.isEmpty else { return [:] }
        var found: [String: Decision] = [:]
        lines.search { line in
            guard line.position(of: GrantedDecisions.granted) != nil, let start = line.position(of: GrantedDecisions.attempt) else {
                return false
            }
            let value = line.block[(start + GrantedDecisions.attempt.count)..<line.end].prefix { $0 != UInt8(ascii: "\"") }
            let attempt = String(decoding: value, as: UTF8.self)
            guard attempts.contains(attempt), found[attempt] == nil, let decision = Decision(parsing: line.bytes),
                decision.attempt == attempt
            else { return false }
            found[attempt] = decision
            return found.count == attempts.count
        }
        return found
    }

    /// As docs/audit-log.md has them: no white space, and no quote within a text.
    private static let granted = Array("\"granted\":true".utf8)
    private static let attempt = Array("\"attempt\":\"".utf8)
}

extension GrantedDecisions.Decision {
    /// Nil for any other line.
    init?(parsing line: [UInt8]) {
        guard line.count <= 8 << 10, let members = try? JSONObject(parsing: line), members["type"]?.string == "decision",
            members["granted"]?.bool == true, let account = members["account"]?.string,
            let time = members["time"]?.string.flatMap({ UnixTime(rfc3339: $0) })
        else { return nil }
        (self.account, self.time) = (account, time)
        attempt = members["attempt"]?.string?.string
        address = members["source_address"]?.string
        identity = SessionIdentity(members)
    }
}
