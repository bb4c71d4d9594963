import AuditTrail

/// Lines go in; what the query wants is counted, and kept one by one where somebody looks at it.
struct LogSieve: LineConsumer {
    private let filter: LogFilter
    private var scanner = EventScanner()
    private(set) var summary = LogSummary()
    /// Whether each event is kept, and lines end with it.
    private var keeps = false
    private var kept: AuditRecord?

    init(_ query: LogQuery) { filter = LogFilter(query) }

    /// The next event that is wanted; nil where there is none (so far).
    mutating func next(_ lines: inout LogLines, _ input: inout LogInput) throws(LogError) -> AuditRecord? {
        keeps = true
        defer { keeps = false }
        _ = try lines.read(&input, &self)
        return kept.take()
    }

    mutating func take(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Bool {
        guard EventTime.hasPlace(bytes, line), let time = EventTime(bytes, line) else { return takeTorn(bytes, line) }
        guard filter.wants(time) else { return true }
        guard scanner.scan(bytes, line) else { return takeTorn(bytes, line) }
        return consider(bytes, line)
    }

    mutating func takeBroken() { summary.torn += 1 }

    private mutating func consider(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Bool {
        guard filter.wants(scanner, bytes) else { return true }
        summary.add(scanner, bytes)
        if keeps { kept = AuditRecord(scanner, bytes, line) }
        return kept == nil
    }

    /// A line of which the beginning is of an event that was cut off, and the end perhaps a whole one that was written behind it: what begins an event
    /// cannot stand inside of one, since its quotes would be escaped.
    private mutating func takeTorn(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Bool {
        summary.torn += 1
        guard line.count < 2 * AuditEvent.longestLine else { return true }
        var start = line.upperBound - EventTime.offset - EventTime.length
        while start > line.lowerBound {
            let rest = start..<line.upperBound
            if bytes[start] == UInt8(ascii: "{"), EventTime.hasPlace(bytes, rest), let time = EventTime(bytes, rest) {
                guard filter.wants(time), scanner.scan(bytes, rest) else { return true }
                return consider(bytes, rest)
            }
            start -= 1
        }
        return true
    }
}
