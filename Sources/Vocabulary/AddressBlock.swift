/// The addresses that begin with the same bits: `10.0.0.0/8`, `2001:db8::/32`, or a single one (RFC 4632, RFC 4291 section 2.3).
///
/// One of IPv4 addresses written as IPv6 (`::ffff:10.0.0.0/104`) is the block of IPv4 addresses.
public struct AddressBlock: Hashable, Sendable {
    /// The first address.
    public let base: NetworkAddress
    /// How many bits are the same: 0 to 32, or to 128.
    public let length: Int

    /// An address as `NetworkAddress` reads it but without a scope, and perhaps `/LENGTH`, decimal without leading zeros. Nil for anything
    /// else, and where a bit behind the prefix is not 0: sshd refuses the whole list then ("Inconsistent mask length").
    public init?(_ text: Text) {
        let address = text.utf8.prefix { $0 != UInt8(ascii: "/") }
        guard let base = NetworkAddress(unscoped: address) else { return nil }
        var length = base.width
        if address.count < text.count {
            // As it is written: of an IPv4 address in IPv6's form 96 bits are those before it.
            let before = address.contains(UInt8(ascii: ":")) ? 128 - base.width : 0
            guard let written = NetworkAddress.decimal(text.utf8[(address.count + 1)...], before...(before + base.width)) else {
                return nil
            }
            length = written - before
        }
        guard base.bits & ~AddressBlock.mask(length, base.width) == 0 else { return nil }
        self.base = base
        self.length = length
    }

    /// An IPv4 address is in no block of IPv6 addresses.
    public func contains(_ address: NetworkAddress) -> Bool {
        address.isIPv4 == base.isIPv4 && address.bits & AddressBlock.mask(length, base.width) == base.bits
    }

    public func contains(_ other: AddressBlock) -> Bool { length <= other.length && contains(other.base) }

    /// The addresses that are in both: the smaller of the two, or nil for none.
    public func intersection(_ other: AddressBlock) -> AddressBlock? {
        contains(other) ? other : other.contains(self) ? self : nil
    }

    /// The bits of the prefix.
    private static func mask(_ length: Int, _ width: Int) -> UInt128 {
        // A shift by the whole width gives 0.
        let all: UInt128 = width == 32 ? 0xFFFF_FFFF : .max
        return all & ~(all >> UInt128(length))
    }
}

extension AddressBlock: CustomStringConvertible {
    /// The address alone where the block has no other.
    public var description: String { length == base.width ? "\(base)" : "\(base)/\(length)" }
}
