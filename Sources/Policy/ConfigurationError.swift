/// A file that cannot be used as a whole: nobody is admitted (exit status 2, reason `configuration`).
public struct ConfigurationError: Error, Hashable, Sendable {
    /// Counted from 1; 0 where the fault is the whole file's.
    public let line: Int
    /// What was quoted from the file is escaped.
    public let text: String

    init(_ line: Int, _ text: String) {
        self.line = line
        self.text = text
    }
}

extension ConfigurationError: CustomStringConvertible {
    public var description: String { line == 0 ? text : "line \(line): \(text)" }
}
