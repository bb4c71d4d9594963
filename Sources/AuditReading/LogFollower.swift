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
    /// Rotated files that could not be read.
    public var failures: [LogError] { reader.failures }

    /// Opened first, so that nothing is read twice or left out when the log is rotated before the rotated files are listed.
    public init(_ path: String, _ query: LogQuery) throws(LogError) {
        self.path = path
        reader = LogReader(query)
        do throws(LogError) {
            input = try LogInput(path)
        } catch .absent where ((try? LogFile.all(of: path)) ?? []).isEmpty == false {
            // Between a rotation and the next event.
            input = nil
        }
    }

    /// Hands on each event of the query's time: those that were rotated away, then what is in the log, then what comes. Calls `rest` after each look, whether or
    /// not there was one; ends with a signal, or where `body` or `rest` answers false.
    ///
    /// - Parameter warn: is told which rotated files could not be read.
    public mutating func follow(
        _ body: @escaping (AuditRecord) -> Bool, warn: ([LogError]) -> Void, rest: () -> Bool
    ) throws(LogError) {
        opk_follow_begin()
        defer { opk_follow_end() }
        var goesOn = true
        try catchUp { record in
            goesOn = opk_follow_noted() == 0 && body(record)
            return goesOn
        }
        warn(reader.failures)
        while goesOn {
            try look { record in
                goesOn = goesOn && body(record)
                return goesOn
            }
            goesOn = goesOn && rest()
            if !goesOn || opk_follow_wait(LogFollower.pause) != 0 { return }
        }
    }

    /// The rotated files that can hold events of the query's time.
    mutating func catchUp(_ body: @escaping (AuditRecord) -> Bool) throws(LogError) {
        try reader.readRotated(of: path, except: input?.facts().map(LogFile.ID.init), body)
    }

    /// One look: all that is there now.
    public mutating func look(_ body: (AuditRecord) -> Bool) throws(LogError) {
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

    private mutating func readOpen(_ body: (AuditRecord) -> Bool) throws(LogError) {
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
