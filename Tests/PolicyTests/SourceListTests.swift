import Testing
import Vocabulary

@testable import Policy

@Suite("Where a login may come from")
struct SourceListTests {
    @Test(
        "a list is written as sshd wants it",
        arguments: [
            ("10.0.0.0/8", "10.0.0.0/8"), ("10.0.0.0/8,2001:DB8::/32", "10.0.0.0/8,2001:db8::/32"), ("192.0.2.1/32", "192.0.2.1"),
            ("!10.1.0.0/16,10.0.0.0/8", "!10.1.0.0/16,10.0.0.0/8"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("*.Example.com,!Bad.example.com", "*.example.com,!bad.example.com"), ("192.168.*", "192.168.*"), ("2001:DB8:*", "2001:db8:*"),
            ("*", "*"), ("**", "*"),
            ("bastion", "bastion"), ("my_host-1.example", "my_host-1.example"), ("10.0.0.?", "10.0.0.?"),
            ("1.2.3.4.example", "1.2.3.4.example"),
            ("host.4a", "host.4a"), ("xn--bcher-kva.example.", "xn--bcher-kva.example."),
        ])
    func good(text: String, written: String) throws {
        let list = try SourceList(Text(text))
        #expect("\(list)" == written)
        #expect(try SourceList(Text(written)) == list)
    }

    @Test(
        "anything else is a fault: a limit that cannot be read is not one without limit (V61)",
        arguments: [
            "", ",", "10.0.0.0/8,", ",10.0.0.0/8", "10.0.0.0/8,,::1", "!", "!,10.0.0.0/8", "!10.0.0.0/8", "!10.0.0.0/8,!*.example.com",
            "!!10.0.0.0/8,::1",
            "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/08", "2001:db8::1/32", "::ffff:10.0.0.0/8", "*.example.com/24", "10.*/8", "10/8", "/8",
            "fe80::1%eth0", "fe80::%eth0/10",
            "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/8, ::1", "10.0.0.0/8\t", "a\"b", "a\\b", "a\u{0}b", "a\nb", "a\u{7F}", "bücher.example",
            "a'b", "a;b", "a$b", "a@b", "a#b",
            "(a)", "[::1]", "a=b", "10", "10.1", "10.0.1", "010.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.0.0.0x1", "2130706433",
            "1.2.3.256", "1.2.3.4.5", "host.10", "12345::",
            "1:2", "::1:", "!10.1,10.0.0.0/8", String(repeating: "a", count: 256),
            Array(repeating: "10.0.0.0/8", count: 800).joined(separator: ","),
        ])
    func bad(text: String) {
        #expect(throws: RowFault.self) { try SourceList(Text(text)) }
    }

    @Test(
        "a client is admitted as sshd would: by an entry that matches, unless one with ! does; nil where a host's name decides",
        arguments: [
            ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::1", false),
            ("10.0.0.0/8,!10.1.0.0/16", "10.1.2.3", false), ("!10.1.0.0/16,10.0.0.0/8", "10.1.2.3", false),
            ("!10.1.0.0/16,10.0.0.0/8", "10.2.2.3", true),
            ("!10.1.0.0/16,10.0.0.0/8", "192.0.2.1", false), ("2001:db8::/32", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("0.0.0.0/0", "::1", false), ("::/0", "10.0.0.1", false), ("fe80::/10", "fe80::1%eth0", true),
            ("*.example.com", "10.1.2.3", nil), ("*.example.com,10.0.0.0/8", "10.1.2.3", true),
            ("*.example.com,10.0.0.0/8", "11.1.2.3", nil),
            ("!*.example.com,10.0.0.0/8", "10.1.2.3", nil), ("!*.example.com,10.0.0.0/8", "11.1.2.3", false),
            ("!10.1.0.0/16,*.example.com", "10.1.2.3", false),
            ("192.168.*", "192.168.7.8", true), ("192.168.*", "192.169.7.8", nil), ("!192.168.*,0.0.0.0/0", "192.168.7.8", false),
            ("!192.168.*,0.0.0.0/0", "10.0.0.1", nil), ("10.0.0.?", "10.0.0.7", true), ("10.0.0.?", "10.0.0.77", nil),
            ("*", "10.0.0.1", true), ("*", "::1", true),
            ("!*,10.0.0.0/8", "10.0.0.1", false), ("2001:db8:*", "2001:db8::1", true), ("2001:DB8:*", "2001:db9::1", false),
            ("!2001:db8:*,::/0", "2001:db9::1", true),
            ("!2001:db8:*,::/0", "2001:db8::1", false), ("bastion", "10.0.0.1", nil),
        ])
    func admits(list: String, address: String, expected: Bool?) throws {
        #expect(try SourceList(Text(list)).admits(#require(NetworkAddress(Text(address)))) == expected)
    }

    @Test("many stars take no exponential time")
    func stars() throws {
        let list = try SourceList(Text(String(repeating: "*1", count: 120) + "x"))
        #expect(list.admits(try #require(NetworkAddress("1111:1111:1111:1111:1111:1111:1111:1111"))) == nil)
    }

    @Test("a list of no blocks admits nobody, and says so to sshd")
    func none() throws {
        let list = SourceList(blocks: [])
        #expect(list.admits(try #require(NetworkAddress("10.0.0.1"))) == false && "\(list)" == "!*")
        #expect(list.intersection(with: try SourceList("*")) == .empty)
    }

    @Test(
        "two lists have in common what both admit and neither refuses",
        arguments: [
            ("10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16"), ("10.1.0.0/16", "10.0.0.0/8,2001:db8::/32", "10.1.0.0/16"),
            ("10.0.0.0/8", "11.0.0.0/8", nil),
            ("10.0.0.0/8", "2001:db8::/32", nil),
            ("10.0.0.0/8,192.0.2.0/24", "10.1.0.0/16,10.2.0.0/16,192.0.2.7", "10.1.0.0/16,10.2.0.0/16,192.0.2.7"),
            ("!10.1.0.0/16,10.0.0.0/8", "10.0.0.0/9", "!10.1.0.0/16,10.0.0.0/9"), ("!10.1.0.0/16,10.0.0.0/8", "10.1.7.0/24", nil),
            ("10.1.0.0/16,10.0.0.0/8", "10.0.0.0/7,10.0.0.0/8", "10.0.0.0/8"), ("*", "10.0.0.0/8", "10.0.0.0/8"),
            ("!*.example.com,10.0.0.0/8", "10.1.0.0/16", "!*.example.com,10.1.0.0/16"),
            ("*.example.com", "10.0.0.0/8", "?"), ("*.example.com,10.0.0.0/8", "10.0.0.0/8", "?"), ("192.168.*", "192.168.0.0/16", "?"),
            ("10.0.0.0/8", "!10.1.0.0/16,10.0.0.0/8", "!10.1.0.0/16,10.0.0.0/8"),
            ("*,!192.168.*", "*.example.com", "!192.168.*,*.example.com"),
            ("!*,10.0.0.0/8", "10.0.0.0/8", nil), ("::ffff:10.0.0.0/104", "10.1.0.0/16", "10.1.0.0/16"),
        ])
    func intersection(one: String, other: String, both: String?) throws {
        let (one, other) = (try SourceList(Text(one)), try SourceList(Text(other)))
        let expected: SourceList.Intersection =
            switch both {
            case nil: .empty
            case "?": .inexpressible
            case let text?: .list(try SourceList(Text(text)))
            }
        #expect(one.intersection(with: other) == expected)
        if let blocks = other.onlyBlocks { #expect(one.intersection(with: blocks) == expected) }
    }

    @Test("what two lists have in common admits exactly whom both admit")
    func property() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let (one, other) = (try RandomSources.list(&random), try RandomSources.list(&random))
            let common = one.intersection(with: other)
            if common == .inexpressible { continue }
            for _ in 0..<10 {
                let address = try RandomSources.address(&random)
                let (first, second) = (one.admits(address), other.admits(address))
                let both: Bool? = first == false || second == false ? false : first == true && second == true ? true : nil
                switch common {
                case .list(let list): #expect(list.admits(address) == both || both == nil, "\(one) and \(other): \(list) of \(address)")
                case .empty: #expect(both != true, "\(one) and \(other): none of \(address)")
                case .inexpressible: break
                }
            }
        }
    }
}

extension SourceList {
    fileprivate var onlyBlocks: [AddressBlock]? {
        var blocks: [AddressBlock] = []
        for entry in entries {
            guard case .block(let block) = entry.what, !entry.isNegated else { return nil }
            blocks.append(block)
        }
        return blocks
    }
}

/// Addresses and lists that have much in common.
enum RandomSources {
    static let addresses = [
        "10.0.0.1", "10.0.0.2", "10.1.0.1", "10.1.128.7", "10.128.0.1", "11.0.0.1", "192.168.0.1", "192.168.1.1", "192.0.2.255", "0.0.0.0",
        "255.255.255.255", "::", "::1", "::2",
        "2001:db8::1", "2001:db8:0:1::1", "2001:db8:8000::", "2001:db9::", "fe80::1", "ffff::", "::192.0.2.1", "::ffff:10.0.0.1",
        "::ffff:192.168.1.1",
    ]
    private static let entries = [
        "10.0.0.0/8", "10.0.0.0/9", "10.1.0.0/16", "10.1.128.0/17", "10.0.0.1", "10.0.0.0/30", "10.0.0.0/7", "0.0.0.0/0", "0.0.0.0/1",
        "192.168.0.0/16", "192.0.2.254/31",
        "::/0", "::/127", "::1", "2001:db8::/32", "2001:db8::/33", "2001:db8::/31", "fe80::/10", "::ffff:10.0.0.0/104", "::ffff:0:0/96",
        "8000::/1", "::/96",
        "10.*", "10.?.0.1", "192.168.*", "2001:db8:*", "2001:DB8:*", "*:1", "*", "?::*", "*.example.com", "bastion", "*.1", "1*.*.?.1",
    ]

    static func list(_ random: inout SystemRandomNumberGenerator) throws -> SourceList {
        let some = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            (Int.random(in: 0...2, using: &random) == 0 ? "!" : "") + (entries.randomElement(using: &random) ?? "")
        }
        return try SourceList(Text((some + [entries.randomElement(using: &random) ?? ""]).shuffled(using: &random).joined(separator: ",")))
    }

    static func address(_ random: inout SystemRandomNumberGenerator) throws -> NetworkAddress {
        try #require(addresses.randomElement(using: &random).flatMap { NetworkAddress(Text($0)) })
    }
}
