import Testing
import Vocabulary

@testable import opk_verify

/// Two addresses: a server that listens on 192.0.2.1 and a client at 198.51.100.7, so that one cannot pass for the other.
@Suite("The client's address from sshd's %C")
struct ConnectionWordsTests {
    private func address(_ extra: String...) -> String? {
        ConnectionWords.clientAddress(in: extra.map { Array($0.utf8) })?.description
    }

    @Test("it is the third word, as sshd 10.0 and 10.6 write it: server, its port, client, its port")
    func third() {
        #expect(address("192.0.2.1 22 198.51.100.7 50123") == "198.51.100.7")
        #expect(address("198.51.100.7 50123 192.0.2.1 22") == "192.0.2.1", "whatever the manual says")
        #expect(address("2001:db8::1 22 2001:db8::7 50123") == "2001:db8::7")
        #expect(address("::ffff:192.0.2.1 22 ::ffff:198.51.100.7 1") == "198.51.100.7")
        #expect(address("fe80::1%eth0 22 fe80::7%eth0 50123") == "fe80::7")
    }

    @Test(
        "what is not of that form says nothing",
        arguments: [
            "", " ", "192.0.2.1", "192.0.2.1 22 198.51.100.7", "192.0.2.1 22 198.51.100.7 50123 x", "192.0.2.1  22 198.51.100.7 50123",
            " 192.0.2.1 22 198.51.100.7 50123", "192.0.2.1 22 198.51.100.7 50123 ", "192.0.2.1\t22\t198.51.100.7\t50123",
            "192.0.2.1 22 198.51.100.7 50123\n", "192.0.2.1 x 198.51.100.7 50123", "192.0.2.1 22 198.51.100.7 x",
            "192.0.2.1 22 198.51.100.7 ", "192.0.2.1 -1 198.51.100.7 50123", "192.0.2.1 222222 198.51.100.7 50123",
            "server 22 198.51.100.7 50123", "192.0.2.1 22 client 50123", "192.0.2.1 22 198.51.100 50123",
            "192.0.2.1 22 198.51.100.07 50123",
            "UNKNOWN 65535 UNKNOWN 65535", "192.0.2.1 22 UNKNOWN 65535", "198.51.100.7 50123 22", "22 192.0.2.1 50123 198.51.100.7",
            "%C", "192.0.2.1 22 [2001:db8::7] 50123", "192.0.2.1 22 198.51.100.0/24 50123",
        ])
    func malformed(words: String) {
        #expect(address(words) == nil)
    }

    @Test("bytes that are no UTF-8 say nothing")
    func bytes() {
        #expect(ConnectionWords.clientAddress(in: [Array("192.0.2.1 22 ".utf8) + [0xFF] + Array(" 50123".utf8)]) == nil)
    }

    @Test("other words around it do not matter, and the first that is of the form counts")
    func others() {
        #expect(address() == nil)
        #expect(address("prod", "192.0.2.1 22 198.51.100.7 50123", "x y") == "198.51.100.7")
        #expect(address("a b c d", "192.0.2.1 22 198.51.100.7 50123") == "198.51.100.7")
        #expect(address("192.0.2.1 22 nonsense 50123", "192.0.2.1 22 198.51.100.7 50123") == "198.51.100.7")
        #expect(address("192.0.2.1 22 198.51.100.7 50123", "192.0.2.1 22 203.0.113.9 50123") == "198.51.100.7")
        #expect(address("192.0.2.1", "22", "198.51.100.7", "50123") == nil, "four arguments are not one of four words")
    }
}
