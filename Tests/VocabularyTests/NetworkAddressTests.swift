import Testing

@testable import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("Addresses of the network")
struct NetworkAddressTests {
    @Test(
        "an address is written in one way, however it was written",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("192.0.2.10", "192.0.2.10"), ("::", "::"), ("::1", "::1"),
            ("0:0:0:0:0:0:0:0", "::"), ("2001:DB8::1", "2001:db8::1"), ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("fe80::1%eth0", "fe80::1"), ("fe80::1%3", "fe80::1"), ("fe80::1%br-0.1", "fe80::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:201", "192.0.2.1"), ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1%eth0", "192.0.2.1"), ("::192.0.2.1", "::192.0.2.1"), ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
            ("::ffff:0:192.0.2.1", "::ffff:0:c000:201"), ("1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ("::1:0", "::0.1.0.0"),
        ])
    func good(text: String, written: String) throws {
        let address = try #require(NetworkAddress(Text(text)))
        #expect("\(address)" == written)
        #expect(NetworkAddress(Text(written)) == address)
        #expect(address.isIPv4 == !written.contains(":"))
    }

    @Test(
        "anything else is no address, whatever a C library makes of it",
        arguments: [
            "", "1", "10.1", "10.0.1", "1.2.3.4.5", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "01.2.3.4", "1.2.3.04", "1.2.3.256",
            "0x7f.0.0.1",
            "127.0.0.0x1", "2130706433", "0177.0.0.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\u{0}", "1.2.3.-4", "+1.2.3.4", "1.2.3.4%eth0",
            "1.2.3.4/32",
            "1.2.3.4:22", "[::1]", "[::1]:22", ":", ":::", "1::2::3", "::1::", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:",
            "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:", "1:2:3:4::5:6:7:8", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "12345::", "::00001",
            "g::1", "::-1",
            "::1.2.3", "::1.2.3.4.5", "::01.2.3.4", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::ffff:1.2.3.256", "fe80::1%",
            "%eth0", "::1%a%b",
            "::1%a b", "::/0", "localhost", "*", "１.2.3.4", "::1\n",
        ])
    func bad(text: String) {
        #expect(NetworkAddress(Text(text)) == nil)
    }

    @Test("what is an address and how it is written is what inet_pton and inet_ntop say")
    func differential() {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "0", "0", "0", "1", "a", "ffff", "0db8", "10", "255", "256", "00", ":", ":", ":", "::", ".", ".", "1.2.3.4", "ffff:", "g",
            "12345",
        ]
        var good = 0
        for round in 0..<60_000 {
            var text: String
            if round.isMultiple(of: 2) {
                text = (0..<Int.random(in: 1...16, using: &random)).map { _ in pieces.randomElement() ?? "" }.joined()
            } else {
                text = (0..<8).map { _ in String([0, 0, 0xFFFF, UInt16.random(in: 0...(.max))].randomElement() ?? 0, radix: 16) }.joined(
                    separator: ":")
            }
            let ours = NetworkAddress(Text(text))
            let theirs = system(text)
            #expect(ours.map { "\($0)" } == theirs, "\(text)")
            if theirs != nil { good += 1 }
        }
        #expect(good > 30_000)
    }

    /// Nil where it is no address.
    private func system(_ text: String) -> String? {
        for family in [AF_INET, AF_INET6] {
            var bytes = [UInt8](repeating: 0, count: 16)
            guard inet_pton(family, text, &bytes) == 1 else { continue }
            let isMapped = family == AF_INET6 && bytes[..<12].elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
            if isMapped { bytes = Array(bytes[12...]) }
            var buffer = [CChar](repeating: 0, count: 64)
            return inet_ntop(isMapped ? AF_INET : family, bytes, &buffer, 64).map { String(cString: $0) }
        }
        return nil
    }
}

@Suite("Blocks of addresses")
struct AddressBlockTests {
    @Test(
        "a block has the addresses that begin as it does, and no others",
        arguments: [
            (
                "10.0.0.0/8", "10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
                ["9.255.255.255", "11.0.0.0", "::a00:0", "::"]
            ),
            ("0.0.0.0/0", "0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1", "2001:db8::1"]),
            ("192.0.2.1", "192.0.2.1", ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.2.0", "192.0.2.2"]),
            ("192.0.2.1/32", "192.0.2.1", ["192.0.2.1"], ["192.0.2.0"]),
            ("192.0.2.2/31", "192.0.2.2/31", ["192.0.2.3"], ["192.0.2.1", "192.0.2.4"]),
            ("128.0.0.0/1", "128.0.0.0/1", ["128.0.0.0", "255.0.0.1"], ["127.255.255.255"]),
            ("::/0", "::/0", ["::", "ffff::", "2001:db8::1"], ["0.0.0.0", "10.0.0.1", "::ffff:10.0.0.1"]),
            (
                "2001:DB8::/32", "2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1", "2001:db8::1%eth0"],
                ["2001:db7:ffff::", "2001:db9::", "32.1.13.184"]
            ),
            ("2001:db8::8/125", "2001:db8::8/125", ["2001:db8::f"], ["2001:db8::7", "2001:db8::10"]),
            ("::1/128", "::1", ["::1"], ["::2"]), ("fe80::/10", "fe80::/10", ["fe80::1%eth0", "febf::1"], ["fec0::1"]),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.0.0.0"]),
            ("::ffff:0:0/96", "0.0.0.0/0", ["1.2.3.4"], ["::1"]),
            ("::ffff:1.2.3.4", "1.2.3.4", ["1.2.3.4"], ["1.2.3.5"]), ("::ffff:1.2.3.4/128", "1.2.3.4", ["1.2.3.4"], ["1.2.3.5"]),
        ])
    func contains(text: String, written: String, inside: [String], outside: [String]) throws {
        let block = try #require(AddressBlock(Text(text)))
        #expect("\(block)" == written && AddressBlock(Text(written)) == block)
        for address in inside { #expect(block.contains(try #require(NetworkAddress(Text(address)))), "\(address)") }
        for address in outside { #expect(!block.contains(try #require(NetworkAddress(Text(address)))), "\(address)") }
    }

    @Test(
        "anything else is no block",
        arguments: [
            "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0",
            "10.0.0.0/ 8",
            "10.0.0.1/8", "10.0.0.0/6", "10/8", "10.0/16", "010.0.0.0/8", "10.0.0.0/8 ", "::/129", "::1/64", "2001:db8::1/32",
            "fe80::1%eth0", "fe80::%eth0/10",
            "::ffff:10.0.0.0/95", "::ffff:10.0.0.0/8", "::ffff:10.0.0.1/104", "::ffff:0:0/95", "2001:db8::/032", "10.0.0.0/8,",
            "!10.0.0.0/8", "*", "10.*", "::/1000",
            "10.0.0.0/99999999999999999999", "example.com", "[::1]/128",
        ])
    func bad(text: String) {
        #expect(AddressBlock(Text(text)) == nil)
    }

    @Test(
        "what two blocks have in common is the smaller one, or nothing",
        arguments: [
            ("10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16"), ("10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8"), ("10.0.0.0/8", "11.0.0.0/8", nil),
            ("0.0.0.0/0", "::/0", nil), ("::/0", "2001:db8::1", "2001:db8::1"), ("0.0.0.0/0", "::ffff:1.2.3.4", "1.2.3.4"),
            ("10.0.0.0/9", "10.128.0.0/9", nil),
            ("1.2.3.4", "1.2.3.4/32", "1.2.3.4"), ("1.2.3.4", "1.2.3.5", nil),
        ])
    func intersection(one: String, other: String, both: String?) throws {
        let (one, other) = (try #require(AddressBlock(Text(one))), try #require(AddressBlock(Text(other))))
        #expect(one.intersection(other) == both.flatMap { AddressBlock(Text($0)) })
        #expect(other.intersection(one) == one.intersection(other))
    }
}
