public import Vocabulary

/// An account name, or a principal of a certificate, that may be written between quotes into a line for sshd and onto a command line:
/// `[A-Za-z0-9_][A-Za-z0-9._+@-]{0,127}\$?`, whole (PROTOCOL section 6).
///
/// Nothing of it can end a quote, begin an option, add a second principal or be taken for a flag.
public struct Principal: Hashable, Sendable, CustomStringConvertible {
    public let text: Text

    /// The one that opkssh writes into a certificate which is not restricted to accounts.
    public static let wildcard = Principal(unchecked: "opkssh-wildcard")

    public init?(_ text: Text) {
        guard AccountName.isSafe(text.utf8) else { return nil }
        self.text = text
    }

    private init(unchecked text: Text) { self.text = text }

    public var description: String { text.string }
}
