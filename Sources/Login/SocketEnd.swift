#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One end of a TCP connection: an address and a port. An IPv4 address that is written as an IPv6 one (RFC 4291 section 2.5.5.2) is the IPv4 address.
struct SocketEnd: Equatable, Sendable {
    /// Each 32 bits of the address, the first first, as numbers: one or four.
    let address: [UInt32]
    let port: UInt16

    init(address: [UInt32], port: UInt16) {
        let isMapped = address.count == 4 && address.prefix(3).elementsEqual([0, 0, 0xFFFF])
        self.address = isMapped ? Array(address.suffix(1)) : address
        self.port = port
    }

    /// As /proc/net/tcp and tcp6 write it (proc_net_tcp): `0100007F:0BB8` is port 3000 of 127.0.0.1 on a little-endian machine: each 32 bits of the
    /// address are printed as the machine's own number. Nil for anything else.
    init?(inTable text: ArraySlice<UInt8>) {
        let halves = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard halves.count == 2, [8, 32].contains(halves[0].count), halves[1].count == 4,
            let port = UInt16(String(decoding: halves[1], as: UTF8.self), radix: 16)
        else { return nil }
        var address: [UInt32] = []
        var rest = halves[0]
        while !rest.isEmpty {
            guard let word = UInt32(String(decoding: rest.prefix(8), as: UTF8.self), radix: 16) else { return nil }
            address.append(UInt32(bigEndian: word))
            rest = rest.dropFirst(8)
        }
        self.init(address: address, port: port)
    }

    /// What `getsockname` or `getpeername` says of `descriptor`; nil if it says nothing, or of another family.
    init?(_ ask: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32, of descriptor: Int32) {
        // Large enough for either family.
        var end = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = unsafe withUnsafeMutablePointer(to: &end) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe ask(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        // The port lies at the same place in both; the address of IPv4 where IPv6 has its flow.
        let port = UInt16(bigEndian: end.sin6_port)
        switch Int32(end.sin6_family) {
        case AF_INET: self.init(address: [UInt32(bigEndian: end.sin6_flowinfo)], port: port)
        case AF_INET6:
            let bytes = unsafe withUnsafeBytes(of: end.sin6_addr) { unsafe Array($0) }
            let words = stride(from: 0, to: 16, by: 4).map { start in bytes[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) } }
            self.init(address: words, port: port)
        default: return nil
        }
    }
}
