public import Vocabulary

/// One pattern of ssh_config(5), PATTERNS: a host's name with `*` and `?`; with `!` in front, what is not meant.
///
/// 1 to 255 bytes of what names and addresses are made of, so that it is one word of ssh_config whatever version reads it: no space, comma,
/// quote, backslash, `#` or `=`; and no `-` in front, which would be an option where a program is given the name.
public struct HostPattern: Hashable, Sendable {
    public let text: Text
    let isNegated: Bool
    /// Without `!`, in lower case: ssh compares so.
    private let glob: [UInt8]

    public init?(_ text: Text) {
        guard (1...255).contains(text.count) else { return nil }
        isNegated = text.utf8.first == UInt8(ascii: "!")
        let rest = text.utf8.dropFirst(isNegated ? 1 : 0)
        guard !rest.isEmpty, rest.first != UInt8(ascii: "-"), rest.allSatisfy(HostPattern.isAllowed) else { return nil }
        self.text = text
        glob = Text(String(decoding: rest, as: UTF8.self)).lowercasedASCII.utf8
    }

    /// Whether a name fits, `!` aside (match_pattern of OpenSSH's match.c).
    func fits(_ name: Text) -> Bool {
        let name = name.lowercasedASCII.utf8
        var (inName, inGlob) = (0, 0)
        // Where the last star was, and what it has taken so far: a later star never needs an earlier one's choice again.
        var star: (glob: Int, name: Int)?
        while inName < name.count {
            if inGlob < glob.count, glob[inGlob] == UInt8(ascii: "*") {
                star = (inGlob, inName)
                inGlob += 1
            } else if inGlob < glob.count, glob[inGlob] == name[inName] || glob[inGlob] == UInt8(ascii: "?") {
                (inName, inGlob) = (inName + 1, inGlob + 1)
            } else if let last = star {
                star = (last.glob, last.name + 1)
                (inName, inGlob) = (last.name + 1, last.glob + 1)
            } else {
                return false
            }
        }
        return glob[inGlob...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// A name that fits.
    var example: Text {
        Text(String(decoding: glob, as: UTF8.self).split(separator: "*", omittingEmptySubsequences: false).joined(separator: "opk-check"))
            .replacingQuestionMarks
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: ".-_:%*?/+~".utf8.contains(byte)
        }
    }
}

extension Text {
    fileprivate var replacingQuestionMarks: Text {
        Text(String(decoding: utf8.map { $0 == UInt8(ascii: "?") ? UInt8(ascii: "x") : $0 }, as: UTF8.self))
    }
}
