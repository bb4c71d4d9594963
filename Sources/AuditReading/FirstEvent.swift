import Vocabulary

/// Where a file begins.
struct FirstEvent: LineConsumer {
    private var time: UnixTime?
    private var left = 16

    private init() {}

    /// Nil where none of its first lines is an event, or it cannot be read.
    static func time(in file: LogFile) -> UnixTime? {
        guard var input = try? LogInput(file) else { return nil }
        var lines = LogLines(chunk: 16 << 10)
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
