public import JOSE
public import Policy
public import Vocabulary

/// A live session, or one that was: a file of `SessionFolder`. Its id is the connection's (`ConnectionID`), so that a connection which carries many channels
/// (ControlMaster, port forwarding) is one session, with or without a terminal.
public struct SessionRecord: Hashable, Sendable {
    /// 10 letters, as in the audit log.
    public let id: String
    /// `AccountName.isSafe`.
    public let account: String
    /// sshd's, that has the connection.
    public let process: ProcessStamp
    /// From where, as PAM or the decision says.
    public var address: Text?
    public var identity: SessionIdentity
    public let began: UnixTime
    /// What config.yml said at the login: what holds while the file cannot be read.
    public var limits: SessionLimits
    /// When it was told that it ends soon.
    public var warned: UnixTime?
    /// Why it is being ended; nil while nobody does.
    public var endedBy: EndedBy?
    /// PAM did not say that there is a session: sshd's process and a decision do.
    public var isSeen = false

    /// Nil unless `id` and `account` are what the words say.
    public init?(
        id: String, account: String, process: ProcessStamp, address: Text?, identity: SessionIdentity, began: UnixTime,
        limits: SessionLimits
    ) {
        guard SessionRecord.isID(id), AccountName.isSafe(Array(account.utf8)) else { return nil }
        (self.id, self.account, self.process, self.address) = (id, account, process, address)
        (self.identity, self.began, self.limits) = (identity, began, limits)
    }

    /// 10 small letters and digits.
    public static func isID(_ text: String) -> Bool {
        text.utf8.count == 10 && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x32...0x39).contains($0) }
    }

    /// - Throws: for what is no record of this session.
    init?(parsing bytes: [UInt8], id: String) {
        guard let members = try? JSONObject(parsing: bytes), members["session"]?.string == Text(id),
            let account = members["account"]?.string?.string,
            let number = members["process"]?.number?.integer.flatMap({ Int32(exactly: $0) }),
            let start = members["process_start"]?.string.flatMap({ UInt64($0.string) }),
            let began = members["session_began"]?.string.flatMap({ UnixTime(rfc3339: $0) })
        else { return nil }
        let limits = SessionLimits(
            limit: members["session_limit"]?.number?.integer.map(TimeSpan.init(seconds:)),
            endsWithIdentity: members["end_with_identity"]?.bool ?? false)
        self.init(
            id: id, account: account, process: ProcessStamp(id: number, start: start), address: members["source_address"]?.string,
            identity: SessionIdentity(members), began: began, limits: limits)
        warned = members["warned"]?.string.flatMap { UnixTime(rfc3339: $0) }
        endedBy = members["ended_by"]?.string.flatMap { EndedBy(rawValue: $0.string) }
        isSeen = members["seen_by_process"]?.bool ?? false
    }

    public var members: JSONObject {
        var members = JSONObject()
        members["session"] = .string(Text(id))
        members["account"] = .string(Text(account))
        members["process"] = .number(JSONNumber(Int64(process.id)))
        members["process_start"] = .string(Text(String(process.start)))
        members["source_address"] = address.map(JSON.string)
        identity.write(to: &members)
        members["session_began"] = .time(began)
        members["session_limit"] = limits.limit.map { .number(JSONNumber($0.seconds)) }
        members["end_with_identity"] = .bool(limits.endsWithIdentity)
        members["warned"] = warned.map(JSON.time)
        members["ended_by"] = endedBy.map { .string(Text($0.rawValue)) }
        if isSeen { members["seen_by_process"] = .bool(true) }
        return members
    }
}

/// Why a session ended: `ended_by` of docs/audit-log.md.
public enum EndedBy: String, Sendable, CaseIterable {
    case limit, identity, revoked, administrator, user
}

/// What config.yml says about the length of sessions.
public struct SessionLimits: Hashable, Sendable {
    public var limit: TimeSpan?
    public var endsWithIdentity: Bool

    public init(limit: TimeSpan? = nil, endsWithIdentity: Bool = false) {
        (self.limit, self.endsWithIdentity) = (limit, endsWithIdentity)
    }

    public init(_ config: ServerConfig) { self.init(limit: config.sessionLimit, endsWithIdentity: config.endsWithIdentity) }
}

/// When a session is over, and why.
public struct SessionEnd: Hashable, Sendable {
    public let time: UnixTime
    public let reason: EndedBy
}

extension SessionRecord {
    /// The earlier of the limit and the identity's end, whatever was said to the session; nil for one that may go on.
    public func end(under limits: SessionLimits) -> SessionEnd? {
        var ends: [SessionEnd] = []
        if let limit = limits.limit { ends.append(SessionEnd(time: began + limit.seconds, reason: .limit)) }
        if limits.endsWithIdentity, let end = identity.identityEnds { ends.append(SessionEnd(time: end, reason: .identity)) }
        return ends.min { $0.time < $1.time }
    }
}
