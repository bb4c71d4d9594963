public import JOSE
public import Policy
public import Vocabulary

/// A line of a file of rows, as it stands there.
public struct NumberedRow: Hashable, Sendable {
    public let line: Int
    /// Without its end.
    public let text: Text

    public init(line: Int, text: Text) {
        (self.line, self.text) = (line, text)
    }

    /// The line of that number in a text.
    init(_ line: Int, of text: [UInt8]) {
        self.init(line: line, text: PolicyText.line(line, of: text) ?? "")
    }

    static func rows(_ lines: [Int], of text: [UInt8]) -> [NumberedRow] {
        let texts = PolicyText.lines(Set(lines), of: text)
        return lines.map { NumberedRow(line: $0, text: texts[$0] ?? "") }
    }

    /// `FILE:LINE: ROW`, as compilers name places; characters that cannot be seen are escaped.
    public func described(in path: String) -> String { "\(Text(path).escaped):\(line): \(text.escapedOnce(limit: 2000))" }

    public var json: JSON { ["line": .number(JSONNumber(Int64(line))), "row": .string(text)] }
}

extension Identity {
    /// Whether a row of this identity is the one that somebody means by that word: letter by letter, but for the case of email addresses.
    func isWritten(_ who: Text) -> Bool {
        switch self {
        case .subject(let subject): subject == who
        case .emailOrSubject(let address): address.equalsIgnoringASCIICase(who)
        case .claim(let name, let value):
            who == Text("oidc:\(name.string):\(value.string)") || who == Text("oidc:\"\(name.string)\":\(value.string)")
        case .emailDomain(let domain): Text("oidc-match-end:email:\(domain.string)").equalsIgnoringASCIICase(who)
        case .repository(let glob): glob.pattern == who
        }
    }

    /// Who that is, in words.
    public var inWords: String {
        switch self {
        case .subject(let subject): "the subject \(subject)"
        case .emailOrSubject(let address): "the email address \(address)"
        case .claim(let name, let value): "everybody with \(value) in the claim \(name)"
        case .emailDomain(let domain): "everybody with an email address that ends with \(domain)"
        case .repository(let glob): "subjects that match \(glob.pattern)"
        }
    }
}
