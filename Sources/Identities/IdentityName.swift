public import Vocabulary

/// The name of a login on this laptop: the provider's alias, or what a person calls it (`work`). A file name and a word of ssh_config by
/// construction: 1 to 64 characters `[A-Za-z0-9._@-]`, the first a letter or a digit.
public struct IdentityName: Hashable, Sendable, Comparable {
    public let text: String

    public init?(_ text: Text) {
        guard (1...64).contains(text.count), let first = text.utf8.first, IdentityName.isAlphanumeric(first),
            text.utf8.allSatisfy({ IdentityName.isAlphanumeric($0) || "._@-".utf8.contains($0) })
        else { return nil }
        self.text = text.string
    }

    public static func < (left: IdentityName, right: IdentityName) -> Bool { Text(left.text) < Text(right.text) }
    public static func == (left: IdentityName, right: IdentityName) -> Bool { Text(left.text) == Text(right.text) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}

extension IdentityName: CustomStringConvertible {
    public var description: String { text }
}
