#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The host of a URL: a name of the DNS, an IPv4 address in dotted decimal, or an IPv6 address in brackets without a zone.
public struct Host: Hashable, Sendable {
    /// As it was given, brackets included.
    public let text: String
    private let address: [UInt8]?

    /// Nil unless every parser would read the same host: what ends in a number is an IPv4 address to some, so it must be one in
    /// the form `192.0.2.1` (`0x7f.1`, `2130706433` and `127.1` are refused); no empty label, no dot at the end.
    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= 253 else { return nil }
        self.text = text
        if text.hasPrefix("[") {
            guard let address = Host.ipv6(text) else { return nil }
            self.address = address
            return
        }
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.allSatisfy(Host.isLabel), let last = labels.last else { return nil }
        if last.allSatisfy(isDigit) || last.starts(with: "0x".utf8) || last.starts(with: "0X".utf8) {
            guard let address = Host.ipv4(labels) else { return nil }
            self.address = address
        } else {
            address = nil
        }
    }

    public var lowercased: String { text.lowercased() }

    /// The whole host is one that means this machine: the only ones that `http` is good for.
    public var isLoopbackByName: Bool { ["localhost", "127.0.0.1", "[::1]"].contains(lowercased) }

    /// Means this machine, or is an address that is not one of the public Internet: nothing a document from elsewhere may
    /// point to (C42). A name that resolves to such an address is not found out here.
    public var isLocal: Bool {
        guard let address else { return lowercased == "localhost" || lowercased.hasSuffix(".localhost") }
        return address.count == 4 ? !Host.isPublic(ipv4: address) : !Host.isPublic(ipv6: address)
    }

    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            && label.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static func ipv4(_ labels: [Substring.UTF8View]) -> [UInt8]? {
        guard labels.count == 4 else { return nil }
        var address: [UInt8] = []
        for label in labels {
            guard label.allSatisfy(isDigit), label.count == 1 || label.first != UInt8(ascii: "0"),
                let byte = UInt8(String(decoding: label, as: UTF8.self))
            else { return nil }
            address.append(byte)
        }
        return address
    }

    private static func ipv6(_ text: String) -> [UInt8]? {
        guard text.hasSuffix("]") else { return nil }
        let inner = text.dropFirst().dropLast()
        guard inner.utf8.allSatisfy({ isHexDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }) else { return nil }
        var address = [UInt8](repeating: 0, count: 16)
        // inet_pton writes exactly 16 bytes for AF_INET6.
        let parsed = unsafe address.withUnsafeMutableBytes { unsafe inet_pton(AF_INET6, String(inner), $0.baseAddress) }
        return parsed == 1 ? address : nil
    }

    /// The IANA registry of special-purpose IPv4 addresses, in ranges.
    private static func isPublic(ipv4 a: [UInt8]) -> Bool {
        switch (a[0], a[1]) {
        case (0, _), (10, _), (127, _), (224..., _), (169, 254), (172, 16...31), (192, 168), (198, 18...19), (100, 64...127): false
        case (192, 0): a[2] != 0 && a[2] != 2
        case (198, 51): a[2] != 100
        case (203, 0): a[2] != 113
        default: true
        }
    }

    /// Global unicast (2000::/3) without Teredo, 6to4 and documentation, which wrap or stand for something else.
    private static func isPublic(ipv6 a: [UInt8]) -> Bool {
        guard a[0] & 0xE0 == 0x20 else { return false }
        if a[0] == 0x20 && a[1] == 0x02 { return false }
        return !(a[0] == 0x20 && a[1] == 0x01 && (a[2] == 0 && a[3] == 0 || a[2] == 0x0D && a[3] == 0xB8))
    }
}
