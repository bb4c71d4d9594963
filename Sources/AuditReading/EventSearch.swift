public import Vocabulary

/// Looks for one event by its id, in the log and in what was rotated away of it, the newest file first.
public struct EventSearch: Sendable {
    /// Nil where no file that could be read has it.
    public private(set) var event: AuditRecord?
    /// The file that has it.
    public private(set) var path: String?
    /// Files that could not be read.
    public private(set) var failures: [LogError] = []

    /// - Parameter id: without `id=`. What is no id is not found.
    public init(_ id: Text, in log: String) throws(LogError) {
        var query = LogQuery()
        query.id = id
        var sources: [LogSource] = []
        for file in try LogFile.all(of: log) {
            var source = LogSource(file, of: log)
            if source.canHold(query) { sources.append(source) }
        }
        for source in sources.sorted(by: { $0.first > $1.first }) {
            do throws(LogError) {
                var input = try source.open()
                var (lines, sieve) = (LogLines(), LogSieve(query))
                guard let found = try sieve.next(&lines, &input) else { continue }
                (event, path) = (found, input.path)
                return
            } catch { failures.append(error) }
        }
    }
}
