/// Text compared byte by byte.
///
/// Swift's `String` calls two texts equal when Unicode says that they look the same ("é" as one scalar or as two).
/// An issuer, a claim or an account name must not be equal to anything but itself, so everything that decides
/// who comes in is a `Text`.
public struct Text: Hashable, Sendable {
    /// The bytes, always valid UTF-8.
    public let utf8: [UInt8]

    /// Nil unless `bytes` are valid UTF-8 (RFC 3629: no surrogates, no overlong forms).
    public init?(validating bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard Text.isUTF8(bytes) else { return nil }
        utf8 = bytes
    }

    // The same of the two kinds that a login has a hundred of: a generic one is not specialised outside of this module, and asks for types by name.

    public init?(validating bytes: [UInt8]) {
        guard Text.isUTF8(bytes) else { return nil }
        utf8 = bytes
    }

    public init?(validating bytes: ArraySlice<UInt8>) { self.init(validating: [UInt8](bytes)) }

    public init(_ string: String) {
        utf8 = Array(string.utf8)
    }

    /// For showing and for file names; never for comparing.
    public var string: String { String(decoding: utf8, as: UTF8.self) }

    public var isEmpty: Bool { utf8.isEmpty }

    /// The length in bytes.
    public var count: Int { utf8.count }

    public func contains(_ byte: UInt8) -> Bool { utf8.contains(byte) }

    public func hasPrefix(_ prefix: Text) -> Bool { utf8.starts(with: prefix.utf8) }

    public func hasSuffix(_ suffix: Text) -> Bool {
        utf8.count >= suffix.utf8.count && utf8[(utf8.count - suffix.utf8.count)...].elementsEqual(suffix.utf8)
    }

    /// What is left after the first `count` bytes; nil where that would cut a character.
    public func dropFirst(_ count: Int) -> Text? {
        Text(validating: utf8.dropFirst(count))
    }

    /// Equal but for the case of A to Z. Nothing else is folded (V63: U+212A is not k).
    public func equalsIgnoringASCIICase(_ other: Text) -> Bool {
        utf8.count == other.utf8.count
            && zip(utf8, other.utf8).allSatisfy { Text.lowercased($0) == Text.lowercased($1) }
    }

    public var lowercasedASCII: Text {
        Text(trusted: utf8.map(Text.lowercased))
    }

    private init(trusted: [UInt8]) {
        utf8 = trusted
    }

    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte + 32 : byte
    }

    /// RFC 3629 section 4, as a walk over the bytes.
    static func isUTF8(_ bytes: [UInt8]) -> Bool {
        var index = 0
        while index < bytes.count {
            let lead = bytes[index]
            if lead < 0x80 {
                index += 1
                continue
            }
            let length: Int
            let second: ClosedRange<UInt8>
            switch lead {
            case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
            case 0xE0: (length, second) = (3, 0xA0...0xBF)
            case 0xED: (length, second) = (3, 0x80...0x9F)
            case 0xE1...0xEC, 0xEE...0xEF: (length, second) = (3, 0x80...0xBF)
            case 0xF0: (length, second) = (4, 0x90...0xBF)
            case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
            case 0xF4: (length, second) = (4, 0x80...0x8F)
            default: return false
            }
            guard index + length <= bytes.count, second.contains(bytes[index + 1]) else { return false }
            for trailing in (index + 2)..<(index + length) where length > 2 {
                guard (0x80...0xBF).contains(bytes[trailing]) else { return false }
            }
            index += length
        }
        return true
    }
}

extension Text: Comparable {
    /// By bytes, which for UTF-8 is by code point.
    public static func < (left: Text, right: Text) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}

extension Text: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) {
        self.init(value)
    }
}

extension Text: CustomStringConvertible {
    /// Escaped: a `Text` may be interpolated into a message without harm.
    public var description: String { escaped }
}
