public import AuditTrail
import JOSE
public import Vocabulary

/// Which events are wanted. All that is asked must hold.
public struct LogQuery: Sendable {
    /// From that moment on.
    public var since: UnixTime?
    /// Before that moment.
    public var until: UnixTime?
    /// An email address (whatever the case of its letters), `@DOMAIN`, a subject, or the name of who changed something.
    public var who: Text?
    public var account: Text?
    /// Refused decisions only.
    public var isDenied = false
    /// Of these types; empty for all.
    public var kinds: [AuditKind] = []
    /// The one that has this id.
    public var id: Text?

    public init() {}
}

/// A query as a scanned line is held against it.
struct LogFilter {
    private let query: LogQuery
    private let since: EventTime?
    private let until: EventTime?
    private let kinds: UInt64

    private static let id = AuditField.id.index
    private static let granted = AuditField.granted.index
    private static let account = AuditField.account.index
    private static let email = AuditField.email.index
    private static let subject = AuditField.subject.index
    private static let actor = AuditField.actor.index

    init(_ query: LogQuery) {
        self.query = query
        // An event is written to the microsecond, cut off: what is before the first whole one belongs to it.
        since = query.since.map(EventTime.init)
        until = query.until.map(EventTime.init)
        kinds = query.kinds.reduce(0) { $0 | 1 << LogFilter.bit($1) }
    }

    private static func bit(_ kind: AuditKind) -> UInt64 { UInt64(AuditKind.allCases.firstIndex(of: kind) ?? 0) }

    @inline(__always)
    func wants(_ time: EventTime) -> Bool {
        if let since, time < since { return false }
        if let until, !(time < until) { return false }
        return true
    }

    /// Of the line that was scanned last.
    func wants(_ scanner: EventScanner, _ bytes: Span<UInt8>) -> Bool {
        if let id = query.id, !scanner.has(LogFilter.id, bytes, id.utf8) { return false }
        if kinds != 0, kinds & 1 << LogFilter.bit(scanner.kind) == 0 { return false }
        if query.isDenied, scanner.kind != .decision || scanner.isTrue(LogFilter.granted, bytes) != false { return false }
        if let account = query.account, !scanner.text(LogFilter.account, bytes, { Text($0) == account }) { return false }
        if let who = query.who, !isAbout(who, scanner, bytes) { return false }
        return true
    }

    private func isAbout(_ who: Text, _ scanner: EventScanner, _ bytes: Span<UInt8>) -> Bool {
        let isDomain = who.utf8.first == UInt8(ascii: "@")
        if scanner.text(
            LogFilter.email, bytes,
            { isDomain ? Text($0).lowercasedASCII.hasSuffix(who.lowercasedASCII) : Text($0).equalsIgnoringASCIICase(who) })
        {
            return true
        }
        if scanner.text(LogFilter.subject, bytes, { Text($0) == who }) { return true }
        guard let actor = scanner.range(LogFilter.actor), let object = try? JSONObject(parsing: bytes.copy(actor)) else { return false }
        return object.members.contains { $0.value.string == who }
    }
}

extension EventScanner {
    /// A flag of the line; nil where it has none.
    func isTrue(_ index: Int, _ bytes: Span<UInt8>) -> Bool? { range(index).map { bytes[$0.lowerBound] == UInt8(ascii: "t") } }

    /// Whether the line has these bytes there.
    func has(_ index: Int, _ bytes: Span<UInt8>, _ wanted: [UInt8]) -> Bool {
        guard let range = range(index), range.count == wanted.count else { return false }
        for offset in wanted.indices where bytes[range.lowerBound + offset] != wanted[offset] { return false }
        return true
    }

    /// Whether the line has the text, and it is one that `fits`.
    func text(_ index: Int, _ bytes: Span<UInt8>, _ fits: (String) -> Bool) -> Bool {
        guard let range = range(index) else { return false }
        let value = bytes.copy(range)
        if !value.contains(UInt8(ascii: "\\")) { return fits(String(decoding: value, as: UTF8.self)) }
        guard let decoded = try? JSON(parsing: [UInt8(ascii: "\"")] + value + [UInt8(ascii: "\"")]) else { return false }
        return fits(decoded.string?.string ?? "")
    }
}
