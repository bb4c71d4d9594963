import LibCrypto
import PKToken
import Policy
import SSHKeys
import Vocabulary

/// One decision, as one line for the log: what was decided, at which step and why, about whom. Everything that came from outside is
/// escaped and cut; no token is ever in it.
public struct DecisionRecord: Sendable {
    /// By which this decision is found again: no two have the same. Empty for none.
    public let id: String
    var outcome: DecisionOutcome = .undecided
    var account: [UInt8] = []
    /// Nil until a token was read; only what it says of itself until the provider's signature held.
    private var identity: (issuer: String, subject: String?, email: String?)?
    private var isVerified = false
    private var fingerprint: String?
    private var keyID: [UInt8] = []
    private var grants: [Grant] = []
    /// Beside the decision, for the administrator. Escaped already.
    public var notes: [String] = []

    public init(id: String = "") { self.id = id }

    enum DecisionOutcome: Sendable {
        case undecided
        case admitted
        case refused(Refusal)
    }

    /// Characters of any one field.
    static let fieldLimit = 256

    mutating func note(_ certificate: SSHCertificate) {
        keyID = certificate.keyID
        fingerprint = certificate.key?.sshFingerprint
    }

    mutating func note(_ identity: VerifiedIdentity) {
        self.identity = (
            identity.issuer.escaped(limit: DecisionRecord.fieldLimit), identity.subject.escaped(limit: DecisionRecord.fieldLimit),
            identity.email?.escaped(limit: DecisionRecord.fieldLimit)
        )
        isVerified = true
    }

    /// - Parameter grants: those behind the lines that are printed.
    mutating func note(_ grants: [Grant]) { self.grants = grants }

    mutating func note(_ token: borrowing BoundToken) {
        let hearsay = token.hearsay(limit: DecisionRecord.fieldLimit)
        identity = (hearsay.issuer, hearsay.subject, hearsay.email)
    }

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
            if !isVerified { parts.append("unverified") }
            add("issuer", identity.issuer)
            if let subject = identity.subject { add("subject", subject) }
            if let email = identity.email { add("email", email) }
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
        kept.issuer = identity?.issuer ?? ""
        kept.subject = identity?.subject ?? ""
        kept.email = identity?.email ?? ""
        kept.isVerified = isVerified
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
