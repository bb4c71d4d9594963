import LibCrypto
public import PKToken
public import Policy
import SSHKeys
public import Vocabulary

/// One decision: what was decided, at which step and why, about whom. In its line for the log everything that came from outside is escaped and cut; no token
/// is ever in that.
public struct DecisionRecord: Sendable {
    /// By which this decision is found again: no two have the same. Empty for none.
    public let id: String
    /// Whether the audit log is to have it, so that what only that says is looked for.
    private let isAudited: Bool
    public internal(set) var outcome: DecisionOutcome = .undecided
    public internal(set) var account: [UInt8] = []
    /// Nil until a token was read; only what it says of itself until the provider's signature held. As the token has it.
    public private(set) var identity: (issuer: String, subject: String?, email: String?)?
    /// Once the provider's signature held.
    public var verified: VerifiedIdentity? { vouchedFor.first }
    public private(set) var userinfo: UserinfoAnswer = .notAsked
    /// One, or none: behind a reference, since a record is copied as a whole.
    private var vouchedFor: [VerifiedIdentity] = []
    /// Of the certificate's key, as `ssh-keygen -l` prints it.
    public private(set) var fingerprint: String?
    /// Bytes of any kind.
    public private(set) var keyID: [UInt8] = []
    /// Seconds since 1970.
    public private(set) var certificateEnd: UInt64?
    /// Of the provider's token, where this is audited.
    public private(set) var tokenFingerprint: String?
    /// What admitted.
    public private(set) var grants: [Grant] = []
    /// Beside the decision, for the administrator. Escaped already.
    public var notes: [String] = []

    public init(id: String = "", isAudited: Bool = false) {
        self.id = id
        self.isAudited = isAudited
    }

    public enum DecisionOutcome: Sendable {
        case undecided
        case admitted
        case refused(Refusal)
    }

    /// Characters of any one field.
    static let fieldLimit = 256

    mutating func note(_ certificate: SSHCertificate) {
        keyID = certificate.keyID
        fingerprint = certificate.key?.sshFingerprint
        certificateEnd = certificate.validBefore
    }

    mutating func note(_ identity: VerifiedIdentity) {
        self.identity = (identity.issuer.string, identity.subject.string, identity.email?.string)
        vouchedFor = [identity]
    }

    mutating func note(_ userinfo: UserinfoAnswer) { self.userinfo = userinfo }

    /// - Parameter grants: those behind the lines that are printed.
    mutating func note(_ grants: [Grant]) { self.grants = grants }

    /// sshd went before it had the answer: what was decided lets nobody in.
    public mutating func loseAnswer() {
        if case .admitted = outcome { outcome = .refused(Refusal(.answerLost)) }
    }

    mutating func note(_ token: borrowing BoundToken) {
        let hearsay = token.hearsay()
        identity = (hearsay.issuer, hearsay.subject, hearsay.email)
        if isAudited { tokenFingerprint = token.tokenFingerprint() }
    }

    private static func shown(_ text: String) -> String { Text(text).escaped(limit: fieldLimit) }

    /// `admitted account="root" issuer="https://…" …`: words and quoted values, one line, no line break.
    public var line: String {
        var parts: [String] = []
        func add(_ name: String, _ value: String) { parts.append("\(name)=\"\(value)\"") }
        switch outcome {
        case .undecided: parts.append("undecided")
        case .admitted: parts.append("admitted")
        case .refused: parts.append("refused")
        }
        if !id.isEmpty { parts.append("id=" + id) }
        if case .refused(let refusal) = outcome { parts += ["step=\(refusal.step.rawValue)", "reason=\(refusal.code.rawValue)"] }
        add("account", escaped(account, limit: DecisionRecord.fieldLimit))
        if let identity {
            if verified == nil { parts.append("unverified") }
            add("issuer", DecisionRecord.shown(identity.issuer))
            if let subject = identity.subject { add("subject", DecisionRecord.shown(subject)) }
            if let email = identity.email { add("email", DecisionRecord.shown(email)) }
        }
        if let fingerprint { parts.append("key=\(fingerprint)") }
        if fingerprint != nil || !keyID.isEmpty { add("key-id", escaped(keyID, limit: DecisionRecord.fieldLimit)) }
        addGrants(to: &parts)
        if case .refused(let refusal) = outcome { parts.append("| \(refusal)") }
        for note in notes { parts.append("| \(note)") }
        var line = ""
        for part in parts { line += line.isEmpty ? part : " " + part }
        return DecisionRecord.cut(line)
    }

    /// Bytes of a line: a log may drop a longer one whole, and what decides stands at its beginning.
    static let longestLine = 4000

    private static func cut(_ line: String) -> String {
        guard line.utf8.count > longestLine else { return line }
        // Not through the middle of a character: three bytes at most are of one that was cut.
        var bytes = Array(line.utf8.prefix(longestLine))
        while Text(validating: bytes) == nil { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self) + "…"
    }

    /// What is kept of a refusal, with its detail; nil for any other outcome.
    public var kept: KeptRefusal? {
        guard case .refused(let refusal) = outcome else { return nil }
        var kept = KeptRefusal()
        (kept.id, kept.step, kept.reason) = (id, refusal.step.rawValue, refusal.code.rawValue)
        kept.account = escaped(account, limit: DecisionRecord.fieldLimit)
        kept.issuer = DecisionRecord.shown(identity?.issuer ?? "")
        kept.subject = DecisionRecord.shown(identity?.subject ?? "")
        kept.email = DecisionRecord.shown(identity?.email ?? "")
        kept.isVerified = verified != nil
        kept.detail = refusal.detail
        return kept
    }

    /// What admitted: `rows=` of auth_id, `home-rows=`, `plugin=`; the first reason that a row gives; and that a glass was broken.
    private func addGrants(to parts: inout [String]) {
        var (rows, homeRows) = ("", "")
        var reason: Text?
        for grant in grants {
            switch grant.source {
            case .row(let line): rows += (rows.isEmpty ? "rows=" : ",") + String(line)
            case .home(let line): homeRows += (homeRows.isEmpty ? "home-rows=" : ",") + String(line)
            case .plugin(let name): parts.append("plugin=\"\(Text(name).escaped(limit: DecisionRecord.fieldLimit))\"")
            }
            reason = reason ?? grant.reason
        }
        if !rows.isEmpty { parts.append(rows) }
        if !homeRows.isEmpty { parts.append(homeRows) }
        if let reason { parts.append("grant-reason=\"\(reason.escaped(limit: DecisionRecord.fieldLimit))\"") }
        if grants.contains(where: \.isBreakGlass) { parts.append("break-glass") }
    }
}
