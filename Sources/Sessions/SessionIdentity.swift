public import JOSE
public import Vocabulary

/// Who is behind a session, in the members that the audit log has for it (docs/audit-log.md): as a decision recorded it, or as the certificate says by
/// itself.
public struct SessionIdentity: Hashable, Sendable {
    public var issuer: Text?
    public var subject: Text?
    public var email: Text?
    public var groups: [Text] = []
    /// Those that the decision had no room for.
    public var groupsMore: Int64?
    /// Whether a decision of opk-verify that admitted says so; else it is what the certificate claims, and sshd let it in for a reason of its own.
    public var isVerified = false
    public var decidedBy: [Decider] = []
    public var grantReason: Text?
    public var isBreakGlass = false
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    public var keyFingerprint: Text?
    public var keyID: Text?
    /// `SHA256:…` of the ID token's bytes.
    public var tokenFingerprint: Text?
    /// `amr`, `acr` and `auth_time`, as the ID token had them.
    public var authenticationMethods: [Text] = []
    public var contextClass: Text?
    public var authenticatedAt: UnixTime?
    /// The client's port in the connection that was decided about; nil where that was another one.
    public var sourcePort: Int64?
    public var issuedAt: UnixTime?
    /// When the identity ends under its provider's row; nil for never, or not known.
    public var identityEnds: UnixTime?
    public var certificateEnds: UnixTime?

    public init() {}

    /// One row, file or plugin that decided.
    public struct Decider: Hashable, Sendable {
        public var file: Text?
        public var line: Int64?
        public var kind: Text?
        public var name: Text?
    }

    /// Elements of a list that are kept.
    static let mostElements = 64
    /// Bytes of a text that are kept; a longer one is not taken.
    static let longestText = 4 << 10

    /// What these members say; those of another type count as absent.
    public init(_ members: JSONObject) {
        func text(_ name: Text) -> Text? { members[name]?.string.flatMap { $0.count <= SessionIdentity.longestText ? $0 : nil } }
        (issuer, subject, email) = (text("issuer"), text("subject"), text("email"))
        func texts(_ name: Text) -> [Text] { (members[name]?.array ?? []).prefix(SessionIdentity.mostElements).compactMap(\.string) }
        func number(_ name: Text, _ range: ClosedRange<Int64>) -> Int64? {
            members[name]?.number?.integer.flatMap { range.contains($0) ? $0 : nil }
        }
        groups = texts("groups")
        groupsMore = number("groups_more", 1...1_000_000_000)
        isVerified = members["verified"]?.bool ?? false
        decidedBy = (members["decided_by"]?.array ?? []).prefix(SessionIdentity.mostElements).compactMap { $0.object.map(Decider.init) }
        grantReason = text("grant_reason")
        isBreakGlass = members["break_glass"]?.bool ?? false
        (keyFingerprint, keyID) = (text("key_fingerprint"), text("key_id"))
        tokenFingerprint = text("token_fingerprint")
        (authenticationMethods, contextClass) = (texts("amr"), text("acr"))
        authenticatedAt = text("auth_time").flatMap { UnixTime(rfc3339: $0) }
        sourcePort = number("source_port", 0...65_535)
        issuedAt = text("issued_at").flatMap { UnixTime(rfc3339: $0) }
        identityEnds = text("identity_ends").flatMap { UnixTime(rfc3339: $0) }
        certificateEnds = text("certificate_ends").flatMap { UnixTime(rfc3339: $0) }
    }

    public func write(to members: inout JSONObject) {
        members["issuer"] = issuer.map(JSON.string)
        members["subject"] = subject.map(JSON.string)
        members["email"] = email.map(JSON.string)
        members["verified"] = .bool(isVerified)
        members["groups"] = groups.isEmpty ? nil : .array(groups.map(JSON.string))
        members["groups_more"] = groupsMore.map { .number(JSONNumber($0)) }
        members["decided_by"] = decidedBy.isEmpty ? nil : .array(decidedBy.map { .object($0.members) })
        members["grant_reason"] = grantReason.map(JSON.string)
        members["break_glass"] = .bool(isBreakGlass)
        members["key_fingerprint"] = keyFingerprint.map(JSON.string)
        members["key_id"] = keyID.map(JSON.string)
        members["token_fingerprint"] = tokenFingerprint.map(JSON.string)
        members["amr"] = authenticationMethods.isEmpty ? nil : .array(authenticationMethods.map(JSON.string))
        members["acr"] = contextClass.map(JSON.string)
        members["auth_time"] = authenticatedAt.map(JSON.time)
        members["source_port"] = sourcePort.map { .number(JSONNumber($0)) }
        members["issued_at"] = issuedAt.map(JSON.time)
        members["identity_ends"] = identityEnds.map(JSON.time)
        members["certificate_ends"] = certificateEnds.map(JSON.time)
    }

    /// What a person reads: the email, else the subject and its issuer; escaped.
    public var shown: String {
        if let email { return email.escaped(limit: 128) }
        guard let subject else { return "?" }
        return subject.escaped(limit: 128) + (issuer.map { "@" + $0.escaped(limit: 128) } ?? "")
    }
}

extension SessionIdentity.Decider {
    init(_ members: JSONObject) {
        (file, kind, name) = (members["file"]?.string, members["kind"]?.string, members["name"]?.string)
        line = members["line"]?.number?.integer
    }

    var members: JSONObject {
        var object = JSONObject()
        object["file"] = file.map(JSON.string)
        object["line"] = line.map { .number(JSONNumber($0)) }
        object["kind"] = kind.map(JSON.string)
        object["name"] = name.map(JSON.string)
        return object
    }
}

extension JSON {
    static func time(_ time: UnixTime) -> JSON { .string(Text(time.description)) }
}
