/// A file among several that are read at once, with its next event.
final class OpenLog {
    let isNamed: Bool
    /// Its place in the order of those that were asked for.
    let place: Int
    private(set) var head: AuditRecord?
    private var lines = LogLines(chunk: chunk)
    private var input: LogInput

    /// Bytes that are read at once.
    private static let chunk = 64 << 10

    init(_ source: LogSource, place: Int) throws(LogError) {
        (isNamed, self.place) = (source.isNamed, place)
        input = try source.open()
    }

    /// Moves on to the next event that the sieve lets through; none at the end.
    func advance(_ sieve: inout LogSieve) throws(LogError) {
        head = nil
        head = try sieve.next(&lines, &input)
        if head == nil { lines.finish(&sieve) }
    }

    /// Both have an event.
    static func isEarlier(_ left: OpenLog, _ right: OpenLog) -> Bool {
        guard let first = left.head?.time, let second = right.head?.time else { return left.head != nil }
        return (first, left.place) < (second, right.place)
    }
}
