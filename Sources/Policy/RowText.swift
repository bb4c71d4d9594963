public import Vocabulary

/// The words of a row of `auth_id` or `providers` as its reader cuts them, whatever they mean: for whoever writes rows, to see that what was
/// written is read as what was meant, and nothing else.
public struct RowText: Hashable, Sendable {
    public struct Option: Hashable, Sendable {
        /// In lower case.
        public let name: Text
        /// Nil for an option without `=`.
        public let value: Text?

        public init(name: Text, value: Text?) {
            (self.name, self.value) = (name, value)
        }
    }

    /// The first three columns, without quotes.
    public let words: [Text]
    /// The fourth.
    public let options: [Option]

    /// Nil for a line that is empty, only a comment, or cannot be read.
    ///
    /// - Parameter line: without its end.
    public init?(_ line: Text) {
        guard let columns = try? Columns(line.utf8[...]), let list = try? OptionList(columns.rest) else { return nil }
        words = columns.words
        options = list.options.map { Option(name: $0.name, value: $0.value) }
    }
}
