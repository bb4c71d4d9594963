import Vocabulary

/// Reads the log and what was rotated away of it, or several logs, in the order of time: counts what a query wants, and hands it on where somebody looks at it.
///
/// Memory does not grow with the logs: a chunk and an event of each file that is open, and the summary.
public struct LogReader {
    /// Rotated files that could not be read, and why; the others were.
    public private(set) var failures: [LogError] = []
    private var sieve: LogSieve
    private let query: LogQuery

    /// Files that are open at once. A file is opened when its first event's turn comes, so of a log and its rotated files there are one or two.
    static let mostOpen = 128

    public var summary: LogSummary { sieve.summary }

    public init(_ query: LogQuery) {
        self.query = query
        sieve = LogSieve(query)
    }

    /// The log at `path` and its rotated files, or, where there are several paths, these files and no others.
    ///
    /// - Parameter body: what is done with an event, false to stop; nil where only the summary is wanted.
    public mutating func read(_ paths: [String], _ body: ((AuditRecord) -> Bool)?) throws(LogError) {
        var sources: [LogSource] = []
        for path in paths {
            if path == "-" {
                sources.append(LogSource(nil))
            } else if paths.count == 1, LogFile.Packing(path) == .none {
                for file in try LogFile.all(of: path) { sources.append(LogSource(file, of: path)) }
            } else {
                sources.append(LogSource(try LogFile(path)))
            }
        }
        try read(sources, body)
    }

    /// What was rotated away of the log, but for the file that is `open` already, whatever its name is by now.
    mutating func readRotated(of path: String, except open: LogFile.ID?, _ body: @escaping (AuditRecord) -> Bool) throws(LogError) {
        guard LogFile.Packing(path) == .none else { return }
        let files = (try? LogFile.all(of: path)) ?? []
        try read(files.filter { $0.path != path && $0.id != open }.map { LogSource($0, of: path) }, body)
    }

    private mutating func read(_ all: [LogSource], _ body: ((AuditRecord) -> Bool)?) throws(LogError) {
        var sources: [(place: Int, source: LogSource)] = []
        for (place, source) in all.enumerated() {
            var source = source
            if source.canHold(query) { sources.append((place, source)) }
        }
        sources.sort { ($0.source.first, $0.place) < ($1.source.first, $1.place) }
        guard let body else {
            for (_, source) in sources { try count(source) }
            return
        }
        try merge(sources, body)
    }

    /// Counts have no order.
    private mutating func count(_ source: LogSource) throws(LogError) {
        do throws(LogError) {
            var input = try source.open()
            var lines = LogLines()
            _ = try lines.read(&input, &sieve)
            lines.finish(&sieve)
        } catch { try note(error, isNamed: source.isNamed) }
    }

    /// The earliest of the next events of all files, again and again; of two of the same time, the one of the file that was named first. Within a file events
    /// keep their order.
    private mutating func merge(_ sources: [(place: Int, source: LogSource)], _ body: (AuditRecord) -> Bool) throws(LogError) {
        var waiting = sources[...]
        var open: [OpenLog] = []
        while true {
            var earliest = open.min(by: OpenLog.isEarlier)
            while let next = waiting.first, open.count < LogReader.mostOpen {
                if let time = earliest?.head?.time, time < next.source.first { break }
                waiting.removeFirst()
                if let log = try begin(next.source, next.place) { open.append(log) }
                earliest = open.min(by: OpenLog.isEarlier)
            }
            guard let log = earliest, let event = log.head else { return }
            guard body(event) else { return }
            try advance(log)
            if log.head == nil { open.removeAll { $0 === log } }
        }
    }

    private mutating func begin(_ source: LogSource, _ place: Int) throws(LogError) -> OpenLog? {
        do throws(LogError) {
            let log = try OpenLog(source, place: place)
            try advance(log)
            return log.head == nil ? nil : log
        } catch {
            try note(error, isNamed: source.isNamed)
            return nil
        }
    }

    private mutating func advance(_ log: OpenLog) throws(LogError) {
        do throws(LogError) { try log.advance(&sieve) } catch { try note(error, isNamed: log.isNamed) }
    }

    /// One that is named is wanted; of those that were found the others are read.
    private mutating func note(_ error: LogError, isNamed: Bool) throws(LogError) {
        if isNamed { throw error }
        failures.append(error)
    }

    // MARK: A log that grows

    /// All that is there now.
    mutating func read(_ lines: inout LogLines, _ input: inout LogInput, _ body: (AuditRecord) -> Bool) throws(LogError) {
        while let event = try sieve.next(&lines, &input) { if !body(event) { return } }
    }

    mutating func finish(_ lines: inout LogLines) { lines.finish(&sieve) }
}
