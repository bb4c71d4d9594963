/// Up to 24 bytes of a line as three numbers: what a member's name or a type is compared by, without a byte being copied.
struct EventWords: Equatable {
    var first: UInt64 = 0
    var second: UInt64 = 0
    var third: UInt64 = 0
    var count = 0

    static let longest = 24

    init(_ text: String) {
        for (index, byte) in text.utf8.prefix(EventWords.longest).enumerated() { set(UInt64(byte), at: index) }
        count = text.utf8.count
    }

    /// The bytes of `range`, which has at most `longest`; longer ones are nobody's name. Eight bytes behind it are readable.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        count = range.count
        guard count <= EventWords.longest else { return }
        first = EventWords.load(bytes, range.lowerBound, min(8, count))
        if count > 8 { second = EventWords.load(bytes, range.lowerBound + 8, min(8, count - 8)) }
        if count > 16 { third = EventWords.load(bytes, range.lowerBound + 16, count - 16) }
    }

    /// A slot in a table of 256.
    var slot: Int {
        let mixed = (first ^ (second &* 0x9E37_79B9_7F4A_7C15) ^ (third &* 0xC2B2_AE3D_27D4_EB4F)) &* 0xFF51_AFD7_ED55_8CCD
        return Int(truncatingIfNeeded: (mixed ^ UInt64(truncatingIfNeeded: count) &* 0x9FB2_1C65_1E98_DF25) &>> 56)
    }

    private mutating func set(_ byte: UInt64, at index: Int) {
        switch index {
        case 0..<8: first |= byte << UInt64(8 * index)
        case 8..<16: second |= byte << UInt64(8 * (index - 8))
        default: third |= byte << UInt64(8 * (index - 16))
        }
    }

    /// `count` (1 to 8) bytes from `offset` on, the first of them in the lowest bits, the others 0.
    @inline(__always)
    static func load(_ bytes: Span<UInt8>, _ offset: Int, _ count: Int) -> UInt64 {
        let word = bytes.eight(at: offset)
        return count >= 8 ? word : word & ((1 &<< UInt64(8 * count)) &- 1)
    }
}

extension Span<UInt8> {
    /// Eight bytes, the first of them in the lowest bits.
    func eight(at offset: Int) -> UInt64 {
        // Checked to lie within the span; any eight bytes are an integer.
        unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
