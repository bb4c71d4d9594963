import AuditTrail

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What is done with each line. They lie in a buffer that is readable for `EventScanner.margin` bytes behind them.
protocol LineConsumer {
    /// False to stop.
    mutating func take(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Bool
    /// A line that is longer than any event, or that has no end.
    mutating func takeBroken()
}

/// Cuts a log into lines. Holds one chunk, whatever the log's size is.
struct LogLines {
    /// Bytes that are read at once: they stay in a processor's own cache.
    static let chunk = 256 << 10

    private let chunk: Int
    private var buffer: [UInt8]
    /// Of what was read, the part that was not handed on yet.
    private var start = 0
    private var end = 0
    private var isSkipping = false

    init(chunk: Int = LogLines.chunk) {
        self.chunk = chunk
        buffer = [UInt8](repeating: 0, count: chunk + AuditEvent.longestLine + EventScanner.margin)
    }

    /// All that is there now; false where the consumer wants no more, and then the next call goes on behind that line.
    mutating func read(_ input: inout LogInput, _ consumer: inout some LineConsumer) throws(LogError) -> Bool {
        while true {
            if !cut(&consumer) { return false }
            let count = try input.read(into: &buffer, at: end, count: chunk)
            if count == 0 { return true }
            end += count
        }
    }

    /// The file has ended: what is left is a line without its end.
    mutating func finish(_ consumer: inout some LineConsumer) {
        if end > start || isSkipping { consumer.takeBroken() }
        (start, end, isSkipping) = (0, 0, false)
    }

    /// Hands on the whole lines, and moves the beginning of the next one to the buffer's front.
    private mutating func cut(_ consumer: inout some LineConsumer) -> Bool {
        var (start, isSkipping, goesOn) = (start, isSkipping, true)
        do {
            let bytes = buffer.span
            while goesOn, let length = bytes.extracting(start..<end).offsetOfLineFeed {
                if isSkipping {
                    isSkipping = false
                    consumer.takeBroken()
                } else {
                    goesOn = consumer.take(bytes, start..<(start + length))
                }
                start += length + 1
            }
        }
        (self.start, self.isSkipping) = (start, isSkipping)
        if goesOn { moveToFront() }
        return goesOn
    }

    private mutating func moveToFront() {
        let kept = isSkipping || end - start >= AuditEvent.longestLine ? 0 : end - start
        if kept < end - start { isSkipping = true }
        if kept > 0 && start > 0 {
            // Both ranges lie within the buffer.
            unsafe buffer.withUnsafeMutableBytes { bytes in
                if let base = bytes.baseAddress { _ = unsafe memmove(base, base.advanced(by: start), kept) }
            }
        }
        (start, end) = (0, kept)
    }
}

extension Span<UInt8> {
    /// memchr: a million lines are looked through at once.
    fileprivate var offsetOfLineFeed: Int? {
        // The pointer found lies inside the buffer, which is not kept.
        unsafe withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, let found = unsafe memchr(base, 0x0A, buffer.count) else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }
}
