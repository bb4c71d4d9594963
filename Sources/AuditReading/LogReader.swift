import AuditTrail
import Vocabulary

/// Reads the log and what was rotated away of it, the oldest file first: counts what a query wants, and hands it on where somebody looks at it.
///
/// Memory does not grow with the log: a chunk, a line, and the summary.
public struct LogReader {
    /// Rotated files that could not be read, and why; the others were.
    public private(set) var failures: [LogError] = []
    private var sieve: LogSieve
    private let query: LogQuery

    public var summary: LogSummary { sieve.summary }

    public init(_ query: LogQuery) {
        self.query = query
        sieve = LogSieve(query)
    }

    /// The log at `path` and its rotated files, or, where there are several paths, these files and no others.
    ///
    /// - Parameter body: what is done with an event, false to stop; nil where only the summary is wanted.
    public mutating func read(_ paths: [String], _ body: ((AuditRecord) -> Bool)?) throws(LogError) {
        sieve.body = body
        defer { sieve.body = nil }
        var files: [LogFile] = []
        for path in paths {
            if path == "-" {
                guard try read("-") else { return }
            } else if paths.count == 1, LogFile.Packing(path) == .none {
                files += try LogFile.all(of: path)
            } else {
                files.append(try LogFile(path))
            }
        }
        for file in order(files) {
            do throws(LogError) {
                guard try read(file.path) else { return }
            } catch {
                // One that is named is wanted; one that was found may be gone by now.
                if paths.contains(file.path) { throw error }
                if case .absent = error { continue }
                failures.append(error)
            }
        }
    }

    /// Those that can hold events of the wanted time, by the time of their first event.
    private func order(_ files: [LogFile]) -> [LogFile] {
        var dated: [(UnixTime, LogFile)] = []
        for file in files {
            // Its last event is no later than its last change; a second for file systems that count in them.
            if let since = query.since, file.changed + 1 < since { continue }
            let first = FirstEvent.time(in: file)
            if let until = query.until, let first, first >= until { continue }
            dated.append((first ?? file.changed, file))
        }
        return dated.sorted { $0.0 < $1.0 }.map(\.1)
    }

    private mutating func read(_ path: String) throws(LogError) -> Bool {
        var input = try LogInput(path)
        var lines = LogLines()
        guard try lines.read(&input, &sieve) else { return false }
        lines.finish(&sieve)
        return true
    }

    mutating func read(_ lines: inout LogLines, _ input: inout LogInput, _ body: @escaping (AuditRecord) -> Bool) throws(LogError) {
        sieve.body = body
        defer { sieve.body = nil }
        _ = try lines.read(&input, &sieve)
    }

    mutating func finish(_ lines: inout LogLines) { lines.finish(&sieve) }
}

/// Where a file begins.
private struct FirstEvent: LineConsumer {
    private var time: UnixTime?
    private var left = 16

    /// Nil where none of its first lines is an event, or it cannot be read.
    static func time(in file: LogFile) -> UnixTime? {
        guard var input = try? LogInput(file.path) else { return nil }
        var lines = LogLines()
        var first = FirstEvent()
        _ = try? lines.read(&input, &first)
        return first.time
    }

    mutating func take(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Bool {
        left -= 1
        if EventTime.hasPlace(bytes, line), EventTime(bytes, line) != nil {
            let start = line.lowerBound + EventTime.offset
            time = Text(validating: bytes.copy(start..<(start + EventTime.length))).flatMap { UnixTime(rfc3339: $0) }
        }
        return time == nil && left > 0
    }

    mutating func takeBroken() { left -= 1 }
}

/// Lines go in; what the query wants is counted and handed on.
struct LogSieve: LineConsumer {
    private let filter: LogFilter
    private var scanner = EventScanner()
    private(set) var summary = LogSummary()
    var body: ((AuditRecord) -> Bool)?

    init(_ query: LogQuery) { filter = LogFilter(query) }

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
        guard let body, let record = AuditRecord(scanner, bytes, line) else { return true }
        return body(record)
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
