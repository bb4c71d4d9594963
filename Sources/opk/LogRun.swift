import AuditReading
import Vocabulary

/// One reading of the log, to its end or for as long as it grows.
struct LogRun {
    private let query: LogQuery
    private let view: LogView

    init(_ query: LogQuery, _ view: LogView) { (self.query, self.view) = (query, view) }

    /// False where a file could not be read: what is shown is not all.
    func show(_ paths: [String], isWholeFile: Bool) throws(LogError) -> Bool {
        var reader = LogReader(query)
        let output = LogOutput()
        let folding = view.format == .text && view.showsEvents ? LogFolder(view) : nil
        if let folding {
            try reader.read(paths) { output.write(folding.add($0)) }
            _ = output.write(folding.finish())
        } else if view.showsEvents {
            let view = view
            try reader.read(paths) { output.write(view.line($0)) }
        } else {
            try reader.read(paths, nil)
        }
        output.write(view.lines(reader.summary, query).map { $0 + "\n" }.joined())
        output.flush()
        if let number = output.error { throw .output(errno: number) }
        LogRun.warn(reader.failures)
        if reader.summary.events == 0, reader.summary.torn == 0, view.format == .text, !isWholeFile { tellNothing() }
        return reader.failures.isEmpty
    }

    private static func warn(_ failures: [LogError]) {
        for failure in failures {
            Terminal.note("opk: \(Style.onErrors.warning("warning:")) \(failure); what is in it is not shown")
            if let hint = failure.hint { Terminal.note("opk: hint: \(hint)") }
        }
    }

    private func tellNothing() {
        Terminal.note("opk: there is no such event in the log")
        if query.since != nil {
            Terminal.note(
                "opk: hint: --since 30d looks further back; an event is written when somebody shows a certificate, or opk changes something"
            )
        }
    }

    func follow(_ paths: [String], backwards: Bool) throws(LogError) -> Bool {
        let path = paths.first ?? ""
        let output = LogOutput()
        let folder = view.format == .text ? LogFolder(view) : nil
        let view = view
        let began = UnixTime.now()
        var recent = query
        if !backwards { recent.since = began }
        var follower = try LogFollower(path, recent)
        Terminal.note("opk: following \(Text(path).escaped(limit: 200)); Ctrl-C ends it")
        try follower.follow { record in
            output.write(folder.map { $0.add(record) } ?? view.line(record))
        } warn: {
            LogRun.warn($0)
        } rest: {
            if let folder { output.write(folder.ready(before: .now() + -LogRun.patience)) }
            output.flush()
            return output.error == nil
        }
        if let folder { output.write(folder.finish()) }
        output.write(view.lines(follower.summary, recent).map { $0 + "\n" }.joined())
        output.flush()
        if let number = output.error { throw .output(errno: number) }
        return follower.failures.isEmpty
    }

    /// Seconds that an admitted key waits for its login before it is shown alone.
    private static let patience: Int64 = 5
}

/// Folds events and writes them as lines.
private final class LogFolder {
    private var folding = LoginFolding()
    private var clock = LocalTime()
    private let view: LogView

    init(_ view: LogView) { self.view = view }

    func add(_ record: AuditRecord) -> [UInt8] { lines(folding.add(record)) }
    func ready(before time: UnixTime) -> [UInt8] { lines(folding.ready(before: time)) }
    func finish() -> [UInt8] { lines(folding.finish()) }

    private func lines(_ entries: [LogEntry]) -> [UInt8] {
        var lines: [UInt8] = []
        for entry in entries { view.append(LogLine(entry), to: &lines, &clock) }
        return lines
    }
}

/// Standard output, in pieces of 64 KiB.
private final class LogOutput {
    private var bytes: [UInt8] = []
    /// Why nothing more is written.
    private(set) var error: Int32?

    /// False where nothing more can be written.
    @discardableResult
    func write(_ more: [UInt8]) -> Bool {
        bytes += more
        if bytes.count >= 64 << 10 { flush() }
        return error == nil
    }

    func write(_ text: String) { write(Array(text.utf8)) }

    func flush() {
        if error == nil, !bytes.isEmpty { error = Terminal.failure(writing: bytes) }
        bytes.removeAll(keepingCapacity: true)
    }
}
