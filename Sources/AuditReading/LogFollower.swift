internal import CSystem
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads the log as it grows, over rotations, until Ctrl-C or SIGTERM.
public struct LogFollower: ~Copyable {
    private let path: String
    private var reader: LogReader
    private var input: LogInput?
    private var lines = LogLines()
    /// Looks that found the file of this name to be another one: what is renamed away may still get what was being written.
    private var looksAtOther = 0
    /// Between two looks, in milliseconds.
    private static let pause: Int32 = 250

    public var summary: LogSummary { reader.summary }

    /// From the log's end on, or with what it has of the query's time.
    ///
    /// - Parameter reader: has read the rotated files, if they are wanted.
    public init(_ path: String, _ query: LogQuery) throws(LogError) {
        self.path = path
        reader = LogReader(query)
        input = try LogInput(path)
    }

    /// Hands on each event, and calls `rest` after each look, whether or not there was one; ends with a signal, or where `body` or `rest` answers false.
    public mutating func follow(_ body: @escaping (AuditRecord) -> Bool, rest: () -> Bool) throws(LogError) {
        opk_follow_begin()
        defer { opk_follow_end() }
        var goesOn = true
        while goesOn {
            try look { record in
                goesOn = goesOn && body(record)
                return goesOn
            }
            goesOn = goesOn && rest()
            if !goesOn || opk_follow_wait(LogFollower.pause) != 0 { return }
        }
    }

    /// One look: all that is there now.
    public mutating func look(_ body: @escaping (AuditRecord) -> Bool) throws(LogError) {
        try readOpen(body)
        var named = stat()
        // No file: between the rename and the next event.
        guard unsafe stat(path, &named) == 0 else { return }
        guard let open = input?.facts() else {
            input = try? LogInput(path)
            return try readOpen(body)
        }
        if open.st_ino == named.st_ino && open.st_dev == named.st_dev {
            looksAtOther = 0
            if let offset = input?.offset, Int(open.st_size) < offset {
                reader.finish(&lines)
                input?.rewind()
            }
            return
        }
        looksAtOther += 1
        guard looksAtOther > 1 else { return }
        try readOpen(body)
        reader.finish(&lines)
        looksAtOther = 0
        input = try LogInput(path)
        try readOpen(body)
    }

    private mutating func readOpen(_ body: @escaping (AuditRecord) -> Bool) throws(LogError) {
        guard var open = input.take() else { return }
        do throws(LogError) {
            try reader.read(&lines, &open, body)
        } catch {
            input = consume open
            throw error
        }
        input = consume open
    }
}

extension LogInput {
    borrowing func facts() -> stat? {
        var facts = stat()
        return unsafe fstat(descriptor, &facts) == 0 ? facts : nil
    }
}
