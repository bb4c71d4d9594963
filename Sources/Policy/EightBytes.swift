/// Eight bytes of a line at once, the first of them in the lowest bits: what is asked of each of some million bytes costs a few instructions
/// for eight. Every answer has the highest bit of each byte of which it holds, and only that one.
struct EightBytes {
    let bits: UInt64

    /// Those from `offset` on, of which there must be eight.
    init(_ line: Span<UInt8>, _ offset: Int) {
        // Checked to lie within the span; any eight bytes are an integer.
        bits = unsafe UInt64(littleEndian: line.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The text's first eight bytes, as `bits` has them.
    static let email: UInt64 = 0x3A_6C69_616D_65  // "email:"
    static let sub: UInt64 = 0x3A62_7573  // "sub:"
    static let keySHA2: UInt64 = 0x3241_4853_3A79_656B  // "key:SHA2"
    static let colonSHA256: UInt64 = 0x3A36_3532_4148_533A  // ":SHA256:"
    static let issuer: UInt64 = 0x3A_7265_7573_7369  // "issuer:"
    static let https: UInt64 = 0x2F2F_3A73_7074_7468  // "https://"

    /// Whether the first `count` bytes, 1 to 8, are those of `text`.
    func begin(_ count: UInt64, _ text: UInt64) -> Bool { (bits ^ text) &<< (64 &- 8 &* count) == 0 }

    /// Bytes that mean something in a line, or that an email must not have: everything but ! to ~, quotes, backslash, # and *.
    var special: UInt64 {
        let ascii = bits & ~EightBytes.high
        let special =
            bits | ~atLeast(0x21, ascii) | atLeast(0x7F, ascii) | within(0x22, 0x23, ascii) | within(0x27, 0x27, ascii)
            | within(0x2A, 0x2A, ascii) | within(0x5C, 0x5C, ascii)
        return special & EightBytes.high
    }

    // For bytes that are known to be ASCII.

    /// A to Z, a to z, 0 to 9, + and /.
    var base64: UInt64 { (letters | within(0x2F, 0x39, bits) | within(0x2B, 0x2B, bits)) & EightBytes.high }

    /// A to Z, a to z, 0 to 9, - . / and _.
    var pathCharacters: UInt64 { (letters | within(0x2D, 0x39, bits) | within(0x5F, 0x5F, bits)) & EightBytes.high }

    /// Each `@`.
    var ats: UInt64 { within(0x40, 0x40, bits) & EightBytes.high }

    /// Full stops with a slash right before them.
    var slashDots: UInt64 { within(0x2F, 0x2F, bits) &<< 8 & within(0x2E, 0x2E, bits) & EightBytes.high }

    static let high: UInt64 = 0x8080_8080_8080_8080

    private static let each: UInt64 = 0x0101_0101_0101_0101

    private var letters: UInt64 { within(0x61, 0x7A, bits | 0x20 &* EightBytes.each) }

    /// No sum reaches the next byte: both addends are below 0x80.
    private func atLeast(_ lowest: UInt64, _ ascii: UInt64) -> UInt64 { ascii &+ (0x80 &- lowest) &* EightBytes.each }

    private func within(_ lowest: UInt64, _ highest: UInt64, _ ascii: UInt64) -> UInt64 {
        atLeast(lowest, ascii) & ~atLeast(highest &+ 1, ascii)
    }
}
