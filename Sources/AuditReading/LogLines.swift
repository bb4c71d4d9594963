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

    private var buffer = [UInt8](repeating: 0, count: chunk + AuditEvent.longestLine + EventScanner.margin)
    /// The beginning of a line whose end has not been read stands at the buffer's front.
    private var kept = 0
    private var isSkipping = false

    /// All that is there now; false where the consumer wants no more.
    mutating func read(_ input: inout LogInput, _ consumer: inout some LineConsumer) throws(LogError) -> Bool {
        while true {
            let count = try input.read(into: &buffer, at: kept, count: LogLines.chunk)
            if count == 0 { return true }
            if !cut(kept + count, &consumer) { return false }
        }
    }

    /// The file has ended: what is left is a line without its end.
    mutating func finish(_ consumer: inout some LineConsumer) {
        if kept > 0 || isSkipping { consumer.takeBroken() }
        (kept, isSkipping) = (0, false)
    }

    private mutating func cut(_ end: Int, _ consumer: inout some LineConsumer) -> Bool {
        var start = 0
        var goesOn = true
        var isSkipping = isSkipping
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
        kept = end - start
        self.isSkipping = isSkipping
        if isSkipping || kept >= AuditEvent.longestLine { (self.isSkipping, kept) = (true, 0) }
        if kept > 0 && start > 0 {
            // Both ranges lie within the buffer.
            unsafe buffer.withUnsafeMutableBytes { bytes in
                if let base = bytes.baseAddress { _ = unsafe memmove(base, base.advanced(by: start), kept) }
            }
        }
        return goesOn
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
