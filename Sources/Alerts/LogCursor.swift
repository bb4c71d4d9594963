public import AuditReading
import JOSE
public import Vocabulary

/// A place in the audit log up to which every event has been dealt with: which file, how many of its bytes, and what stands before that place. The file is found again
/// where it was renamed, packed, or both, so nothing is dealt with twice and nothing is left out however often the log was rotated. What stands there is
/// compared, since a new file may have an old one's number, and somebody may have written the log anew.
public struct LogCursor: Hashable, Sendable {
    /// 0 before anything was read.
    var inode: UInt64 = 0
    var offset: Int64 = 0
    /// Nil where nobody wrote it down.
    var mark: String?
    /// When the last event was written that was dealt with.
    var last = UnixTime(seconds: 0)
    /// When the log was read last: what was written to since then is to be read.
    var seen = UnixTime(seconds: 0)

    public init() {}

    init?(_ json: JSON?) {
        guard let inode = json?["inode"]?.number?.integer, let offset = json?["offset"]?.number?.integer, inode >= 0, offset >= 0 else {
            return nil
        }
        (self.inode, self.offset, mark) = (UInt64(inode), offset, json?["mark"]?.string?.string)
        (last, seen) = (LogCursor.time(json?["last"]), LogCursor.time(json?["seen"]))
    }

    var json: JSON {
        var object = JSONObject()
        object["inode"] = .number(JSONNumber(Int64(clamping: inode)))
        object["offset"] = .number(JSONNumber(offset))
        if let mark { object["mark"] = .string(Text(mark)) }
        object["last"] = LogCursor.json(last)
        object["seen"] = LogCursor.json(seen)
        return .object(object)
    }

    /// In microseconds, as events have it.
    private static func json(_ time: UnixTime) -> JSON {
        let bounded = min(max(time, UnixTime(seconds: 0)), UnixTime.endOfYear9999)
        return .number(JSONNumber(bounded.seconds * 1_000_000 + Int64(bounded.nanoseconds / 1000)))
    }

    private static func time(_ json: JSON?) -> UnixTime {
        let micros = max(0, json?.number?.integer ?? 0)
        return UnixTime(seconds: micros / 1_000_000, nanoseconds: Int32(micros % 1_000_000) * 1000)
    }

    /// What was found on the way.
    public struct Findings: Hashable, Sendable {
        /// Lines that are no events.
        public internal(set) var torn = 0
        /// What was read last is not where it was, nor in a rotated file: events may be gone.
        public internal(set) var damage: LogDamage?
    }

    /// Moves to the end: what is there by now is of no interest.
    public mutating func skip(in path: String, at now: UnixTime) throws(AlertError) {
        self = LogCursor()
        (last, seen) = (now, now)
        guard let file = try LogPiece(path) else { return }
        (inode, offset, mark) = (file.inode, file.size, try file.mark(at: file.size))
    }

    /// Each event behind the cursor, the oldest first, and moves over it. A line without its end is left for the next time.
    public mutating func read(_ path: String, at now: UnixTime, _ body: (AuditRecord) -> Void) throws(AlertError) -> Findings {
        var findings = Findings()
        guard let current = try LogPiece(path) else { return findings }
        var newest = last
        func take(_ record: AuditRecord) {
            // Nobody's clock but ours: an event that claims to be of next year would hide what comes until then.
            newest = max(newest, min(record.time, now))
            body(record)
        }
        let isThere = try isPlace(in: current)
        var isAnew = false
        if inode != 0, !isThere || offset == 0 {
            findings.damage = try readRotated(path, wasNamed: inode == current.inode, at: now, &findings.torn, take)
            // Perhaps a part of what was there before is there again.
            if findings.damage != nil, inode == current.inode { isAnew = true }
        }
        var lines = EventLines(from: isThere ? offset : 0)
        try current.read(from: lines.place) { piece in
            lines.take(piece) { record in if !isAnew || record.time > last { take(record) } }
        }
        findings.torn += lines.torn
        (inode, offset, mark) = (current.inode, lines.end, try current.mark(at: lines.end))
        (last, seen) = (newest, now)
        return findings
    }

    private func isPlace(in file: borrowing LogPiece) throws(AlertError) -> Bool {
        guard inode == file.inode, offset <= file.size else { return false }
        guard let mark, offset > 0 else { return true }
        return try file.mark(at: offset) == mark
    }

    /// What rotated files have that was not dealt with. Where the place is in none of them, that is what is later than the last event.
    ///
    /// - Parameter wasNamed: the log is still the file that was read.
    /// - Returns: what is wrong, where the place should be in one of them and is not.
    private func readRotated(
        _ path: String, wasNamed: Bool, at now: UnixTime, _ torn: inout Int, _ take: (AuditRecord) -> Void
    ) throws(AlertError) -> LogDamage? {
        if offset > 0, mark == nil { return LogDamage(wasNamed ? .shortened : .vanished, path) }
        let files = RotatedLog.all(of: path, since: seen > now ? nil : seen)
        var failure: String?
        var start: Int?
        // Before anything was read of a file there is no place in it to be found.
        if offset > 0 {
            for (index, file) in files.enumerated() where start == nil {
                try LogCursor.reading(&failure) { () throws(LogError) in if try isPlace(in: file) { start = index } }
            }
        }
        for (index, file) in files.enumerated() where index >= start ?? 0 {
            var skipped = index == start ? offset : 0
            var lines = EventLines()
            try LogCursor.reading(&failure) { () throws(LogError) in
                try file.read { piece in
                    let rest = piece.dropFirst(Int(min(skipped, Int64(piece.count))))
                    skipped -= Int64(piece.count - rest.count)
                    lines.take(rest) { if start != nil || $0.time > last { take($0) } }
                    return true
                }
            }
            if start != nil { torn += lines.torn }
        }
        guard offset > 0, start == nil else { return nil }
        return LogDamage(wasNamed ? .shortened : .vanished, path, failure)
    }

    private func isPlace(in file: RotatedLog) throws(LogError) -> Bool {
        guard let mark else { return false }
        var place: Int64 = 0
        var tail: [UInt8] = []
        try file.read { piece in
            let part = piece.prefix(Int(min(offset - place, Int64(piece.count))))
            tail = Array((tail + part.suffix(LogPiece.marked)).suffix(LogPiece.marked))
            place += Int64(part.count)
            return place < offset
        }
        return place == offset && LogPiece.mark(tail) == mark
    }

    /// One that is gone was renamed a moment ago: then all is read again in a minute. Another one that cannot be read is passed over.
    private static func reading(_ failure: inout String?, _ body: () throws(LogError) -> Void) throws(AlertError) {
        do throws(LogError) {
            try body()
        } catch {
            if case .absent(let path) = error { throw .rotated(path: path) }
            failure = "\(error)"
        }
    }
}
