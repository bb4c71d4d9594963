/// An IPv4 or IPv6 address. One that is IPv4 written as IPv6 (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) is the IPv4 address, as sshd has it.
public struct NetworkAddress: Hashable, Sendable {
    public let isIPv4: Bool
    /// In the order of the network; of an IPv4 address the lower 32 bits.
    let bits: UInt128

    /// How many bits an address of its kind has: 32 or 128.
    var width: Int { isIPv4 ? 32 : 128 }

    /// Four decimal numbers without leading zeros, or what RFC 4291 section 2.2 allows; a scope behind an IPv6 address (`%eth0`) is left out.
    /// Nil for anything else: no shorthand (`10.1`), no octal, no hexadecimal IPv4, no brackets, no port, no blank.
    public init?(_ text: Text) {
        guard let percent = text.utf8.firstIndex(of: UInt8(ascii: "%")) else {
            self.init(unscoped: text.utf8[...])
            return
        }
        let scope = text.utf8[(percent + 1)...]
        guard (1...64).contains(scope.count), scope.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "%") }) else { return nil }
        let address = text.utf8[..<percent]
        guard address.contains(UInt8(ascii: ":")) else { return nil }
        self.init(unscoped: address)
    }

    init?(unscoped text: ArraySlice<UInt8>) {
        // The longest is six groups of four digits and an IPv4 address.
        guard text.count <= 45 else { return nil }
        if !text.contains(UInt8(ascii: ":")) {
            guard let address = NetworkAddress.parseIPv4(text) else { return nil }
            self.init(isIPv4: true, bits: UInt128(address))
        } else {
            guard let bits = NetworkAddress.parseIPv6(text) else { return nil }
            let isMapped = bits >> 32 == 0xFFFF
            self.init(isIPv4: isMapped, bits: isMapped ? bits & 0xFFFF_FFFF : bits)
        }
    }

    init(isIPv4: Bool, bits: UInt128) {
        self.isIPv4 = isIPv4
        self.bits = bits
    }

    private static func parseIPv4(_ text: ArraySlice<UInt8>) -> UInt32? {
        var address: UInt32 = 0
        var octets = 0
        var rest = text
        while true {
            let digits = rest.prefix { $0 != UInt8(ascii: ".") }
            guard octets < 4, let octet = decimal(digits, 0...255) else { return nil }
            address = address << 8 | UInt32(octet)
            octets += 1
            rest = rest.dropFirst(digits.count)
            if rest.isEmpty { return octets == 4 ? address : nil }
            rest = rest.dropFirst()
        }
    }

    private static func parseIPv6(_ text: ArraySlice<UInt8>) -> UInt128? {
        var groups: [UInt16] = []
        /// How many groups stand before the `::`.
        var gap: Int?
        var rest = text
        if rest.starts(with: [colon, colon]) {
            gap = 0
            rest = rest.dropFirst(2)
            if rest.isEmpty { return 0 }
        }
        while groups.count < 8 {
            let word = rest.prefix { $0 != colon }
            rest = rest.dropFirst(word.count)
            if rest.isEmpty, word.contains(UInt8(ascii: ".")) {
                guard let address = parseIPv4(word) else { return nil }
                groups += [UInt16(address >> 16), UInt16(truncatingIfNeeded: address)]
                break
            }
            guard let group = hexadecimal(word) else { return nil }
            groups.append(group)
            if rest.isEmpty { break }
            rest = rest.dropFirst()
            if rest.first == colon {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
                if rest.isEmpty { break }
            } else if rest.isEmpty {
                return nil
            }
        }
        guard rest.isEmpty, gap == nil ? groups.count == 8 : groups.count < 8 else { return nil }
        let zeros = [UInt16](repeating: 0, count: 8 - groups.count)
        groups.insert(contentsOf: zeros, at: gap ?? 8)
        return groups.reduce(0) { $0 << 16 | UInt128($1) }
    }

    private static let colon = UInt8(ascii: ":")

    /// A number without leading zeros.
    static func decimal(_ digits: ArraySlice<UInt8>, _ bounds: ClosedRange<Int>) -> Int? {
        guard (1...3).contains(digits.count), digits.count == 1 || digits.first != 0x30 else { return nil }
        var number = 0
        for byte in digits {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            number = number * 10 + Int(byte - 0x30)
        }
        return bounds.contains(number) ? number : nil
    }

    /// 1 to 4 digits.
    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(digits.count) else { return nil }
        var number: UInt16 = 0
        for byte in digits {
            let lower = byte | 0x20
            if byte >= 0x30 && byte <= 0x39 {
                number = number << 4 | UInt16(byte - 0x30)
            } else if lower >= 0x61 && lower <= 0x66 {
                number = number << 4 | UInt16(lower - 0x57)
            } else {
                return nil
            }
        }
        return number
    }
}

extension NetworkAddress: CustomStringConvertible {
    /// As the system writes it, and sshd's logs: RFC 5952, and IPv4's form for the last 32 bits where all before them are zero
    /// (`::192.0.2.1`), which its section 5 leaves open.
    public var description: String {
        if isIPv4 { return NetworkAddress.dotted(UInt32(truncatingIfNeeded: bits)) }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
        let zeros = NetworkAddress.longestZeros(groups)
        if zeros == 0..<6 { return "::" + NetworkAddress.dotted(UInt32(truncatingIfNeeded: bits)) }
        guard let zeros else { return NetworkAddress.joined(groups[...]) }
        return NetworkAddress.joined(groups[..<zeros.lowerBound]) + "::" + NetworkAddress.joined(groups[zeros.upperBound...])
    }

    private static func dotted(_ address: UInt32) -> String {
        "\(address >> 24).\(address >> 16 & 0xFF).\(address >> 8 & 0xFF).\(address & 0xFF)"
    }

    private static func joined(_ groups: ArraySlice<UInt16>) -> String {
        var out = ""
        for group in groups { out += (out.isEmpty ? "" : ":") + String(group, radix: 16) }
        return out
    }

    /// The first of the longest runs of two zeros or more.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
        var longest: Range<Int>?
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start >= 2 && index - start > longest?.count ?? 0 { longest = start..<index }
            start = index + 1
        }
        return longest
    }
}
