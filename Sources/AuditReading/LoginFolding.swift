import AuditTrail
public import Vocabulary

/// What belongs together of one connection: sshd asks twice for a login, then there is the login, and in the end the logout.
public struct LogEntry: Sendable {
    /// The decision, or what else there was.
    public let first: AuditRecord
    public fileprivate(set) var login: AuditRecord?
    public fileprivate(set) var logout: AuditRecord?

    public init(_ first: AuditRecord) {
        self.first = first
        if first.kind == .login { login = first }
        if first.kind == .logout { logout = first }
    }

    public var time: UnixTime { first.time }
}

/// Folds events into entries, in the order of their times. Holds at most `window` of them: a logout that comes later stands for itself.
public struct LoginFolding {
    /// Entries that are held: some eight megabytes.
    public static let window = 4096

    private final class Held {
        /// Nil once it has left: its place in the list is freed later.
        private(set) var entry: LogEntry?
        let time: UnixTime
        let key: String?
        init(_ entry: LogEntry, _ key: String?) { (self.entry, time, self.key) = (entry, entry.time, key) }

        func fold(_ record: AuditRecord) -> Bool {
            guard var entry = leave() else { return false }
            defer { self.entry = entry }
            return LoginFolding.fold(record, into: &entry)
        }

        func leave() -> LogEntry? {
            defer { entry = nil }
            return entry
        }
    }

    /// The newest last.
    private var held: [Held] = []
    /// How many of the first of `held` have left.
    private var gone = 0
    private var byKey: [String: Held] = [:]

    public init() {}

    /// Adds an event; answers what is complete by now.
    public mutating func add(_ record: AuditRecord) -> [LogEntry] {
        let key = LoginFolding.key(of: record)
        if let key, let known = byKey[key], known.fold(record) { return [] }
        let new = Held(LogEntry(record), key)
        var place = held.count
        while place > gone, held[place - 1].time > record.time { place -= 1 }
        held.insert(new, at: place)
        if let key { byKey[key] = new }
        return held.count - gone > LoginFolding.window ? release(1) : []
    }

    /// All that is left.
    public mutating func finish() -> [LogEntry] { release(held.count - gone) }

    /// Those that wait for nothing, or have waited until `time`: a login that is followed, where an admitted key is shown once it is clear whether a login
    /// comes of it.
    public mutating func ready(before time: UnixTime) -> [LogEntry] {
        var count = 0
        for held in held[gone...] {
            guard let entry = held.entry, entry.login != nil || entry.first.flag(.granted) != true || entry.time < time else { break }
            count += 1
        }
        return release(count)
    }

    private mutating func release(_ count: Int) -> [LogEntry] {
        let leaving = held[gone..<(gone + count)]
        gone += count
        let entries = leaving.compactMap { $0.leave() }
        for one in leaving { if let key = one.key, byKey[key] === one { byKey[key] = nil } }
        if gone > LoginFolding.window || gone == held.count {
            held.removeFirst(gone)
            gone = 0
        }
        return entries
    }

    /// By which the events of one login find each other; nil for what stands for itself.
    private static func key(of record: AuditRecord) -> String? {
        guard let attempt = record.text(.attempt) else { return nil }
        switch record.kind {
        case .login, .logout: return attempt
        case .decision where record.flag(.granted) == true: return attempt
        // One connection may show several keys.
        case .decision:
            return "\(attempt) \(record.text(.reason) ?? "") \(record.text(.keyFingerprint) ?? "") \(record.text(.account) ?? "")"
        default: return nil
        }
    }

    private static func fold(_ record: AuditRecord, into entry: inout LogEntry) -> Bool {
        switch record.kind {
        case .decision: return entry.login == nil && entry.logout == nil
        case .login where entry.login == nil && entry.logout == nil:
            entry.login = record
            return true
        case .logout where entry.logout == nil:
            entry.logout = record
            return true
        default: return false
        }
    }
}
