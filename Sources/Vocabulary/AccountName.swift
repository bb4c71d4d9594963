/// Which names of accounts may be written between quotes, onto a command line and into a path: `[A-Za-z0-9_][A-Za-z0-9._+@-]{0,127}\$?`, whole
/// (PROTOCOL section 6).
public enum AccountName {
    public static func isSafe(_ name: [UInt8]) -> Bool {
        var bytes = name[...]
        if bytes.last == UInt8(ascii: "$") { bytes.removeLast() }
        guard let first = bytes.first, bytes.count <= 128, isWord(first) else { return false }
        return bytes.dropFirst().allSatisfy { isWord($0) || punctuation.contains($0) }
    }

    private static let punctuation = Array(".+@-".utf8)

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
