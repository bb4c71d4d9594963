/// A row of `providers` or `auth_id` that counts for nothing, and why. The rest of the file is not touched by it (POLICY.md).
///
/// Also what is wrong with a row that is only to be written: that has no line yet.
public struct RowProblem: Error, Hashable, Sendable {
    /// Counted from 1; 0 where the row is in no file.
    public let line: Int
    /// One line for the administrator; what was quoted from the file is escaped.
    public let text: String
}

extension RowProblem: CustomStringConvertible {
    public var description: String { line == 0 ? text : "line \(line): \(text)" }
}

/// Why one row cannot be used; becomes a `RowProblem` where the line number is known.
struct RowFault: Error, Hashable {
    let text: String

    init(_ text: String) { self.text = text }
}
