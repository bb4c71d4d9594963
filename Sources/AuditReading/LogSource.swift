import Vocabulary

/// A file that is to be read.
struct LogSource {
    /// Nil is standard input.
    let file: LogFile?
    /// The log that this file is, or was before it was rotated; nil for a file that stands for itself.
    let log: String?
    /// When its first event was written; before all times where that is not known.
    private(set) var first = UnixTime(seconds: .min)

    init(_ file: LogFile?, of log: String? = nil) { (self.file, self.log) = (file, log) }

    /// Whether the command names it: then it is wanted, and it is an error where it cannot be read.
    var isNamed: Bool { log == nil || log == file?.path }

    /// Whether it can hold events of the wanted time. Looks for the first one.
    mutating func canHold(_ query: LogQuery) -> Bool {
        guard let file else { return true }
        // Its last event is no later than its last change; a second for file systems that count in them.
        if let since = query.since, file.changed + 1 < since { return false }
        guard let time = FirstEvent.time(in: file) else { return true }
        first = time
        if let until = query.until, time >= until { return false }
        return true
    }

    /// The file that was found, wherever it was renamed to since.
    func open() throws(LogError) -> LogInput {
        guard let file else { return try LogInput("-") }
        do throws(LogError) {
            return try LogInput(file)
        } catch {
            guard let log, error.isRotation else { throw error }
            let files = (try? LogFile.all(of: log)) ?? []
            guard let moved = files.first(where: { $0.id == file.id }) else { throw .rotated(path: file.path) }
            return try LogInput(moved)
        }
    }
}

extension LogError {
    /// Whether it is what a rotation does to a file that was just found.
    fileprivate var isRotation: Bool {
        switch self {
        case .absent, .rotated: true
        default: false
        }
    }
}
