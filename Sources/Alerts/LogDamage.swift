import AuditTrail

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What is wrong with the audit log itself: what somebody did who wants something not to be seen, or what keeps events from being written.
public struct LogDamage: Hashable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// It is the same file, and what was read of it is not in it any more.
        case shortened
        /// It is another file, and what was read is in no rotated one.
        case vanished
        /// There is a folder for it and no file.
        case absent
        /// Nothing is written to it: its owner, its mode, what kind of file it is.
        case unsafe
    }

    public let kind: Kind
    let path: String
    /// A sentence about it, without the file.
    private let why: String?

    init(_ kind: Kind, _ path: String, _ why: String? = nil) { (self.kind, self.path, self.why) = (kind, path, why) }

    /// The same is told once an hour.
    static func subject(_ kind: Kind?) -> String { "audit-log \(kind?.rawValue ?? "")" }

    /// What is wrong with it now, and stays so until somebody mends it.
    static func standing(_ trail: AuditTrail) -> LogDamage? {
        do throws(AuditTrail.Failure) {
            let file = try trail.open()
            defer { file.close() }
            var facts = stat()
            guard unsafe fstat(file.descriptor, &facts) == 0 else { return nil }
            // Root may write whatever the mode says; opk-verify, as whoever the file belongs to, may not.
            return facts.st_mode & 0o600 == 0o600 ? nil : LogDamage(.unsafe, trail.path, "its owner may not read and write it")
        } catch .notInstalled {
            return nil
        } catch .absent {
            return LogDamage(.absent, trail.path)
        } catch {
            return LogDamage(.unsafe, trail.path, "\(error)")
        }
    }

    /// Of a closed list of words, but for the file's name: what an event says of itself is not shown.
    static func sentence(_ kind: Kind?) -> String {
        switch kind {
        case .shortened: "it became shorter in its place, or was written anew, so events may be gone"
        case .vanished: "what was read of it last is gone, and in no rotated file, so events may be gone"
        case .absent: "it is not there, so nothing is recorded"
        case .unsafe: "nothing is written to it, as its owner, mode or kind is not what it must be"
        case nil: "something is wrong with it"
        }
    }

    public var description: String { LogDamage.sentence(kind) + (why.map { ": \($0)" } ?? "") }

    func event(_ id: String) -> AuditEvent {
        var event = AuditEvent(.damaged, id: id, program: "opk")
        var change = AuditObject()
        change.set(.file, path)
        change.set(.action, kind.rawValue)
        event.set(.change, change)
        event.set(.detail, description)
        return event
    }
}
