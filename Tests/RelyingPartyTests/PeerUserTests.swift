import Testing
import Vocabulary

@testable import Login

#if canImport(Glibc)
    import Glibc
#endif

#if os(Linux)
    /// Another user of this machine who reads the browser's arguments must not be led to the provider in its place.
    @Suite("Adversaries: whose program asks")
    struct PeerUserTests {
        static let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

        private func row(_ local: String, _ remote: String, _ state: String, _ user: Int, inode: Int = 1) -> String {
            "   0: \(local) \(remote) \(state) 00000000:00000000 00:00000000 00000000 \(user)        0 \(inode)\n"
        }

        private func user(_ rows: [String], from peer: SocketEnd, to own: SocketEnd) -> UInt32? {
            let table: String = Self.head + rows.joined()
            return PeerUser.user(in: Array(table.utf8), from: peer, to: own)
        }

        private let ours = SocketEnd(address: [0x7F00_0001], port: 3000)
        private let oursV6 = SocketEnd(address: [0, 0, 0, 1], port: 3000)

        @Test("C38: who asks for the start address is told by both ends of the connection, not by the port of one")
        func bothEnds() throws {
            let peer = SocketEnd(address: [0x7F00_0001], port: 0xABCD)
            let peerV6 = SocketEnd(address: [0, 0, 0, 1], port: 0xABCD)
            // The same port at another address, to another address, to another port; a connection that is over; our own end of it.
            let others: [String] = [
                row("0200007F:ABCD", "0100007F:0BB8", "01", 1), row("0100007F:ABCD", "0200007F:0BB8", "01", 2),
                row("0100007F:ABCD", "0100007F:0BB9", "01", 3), row("0100007F:ABCD", "0100007F:0BB8", "06", 0),
                row("0100007F:0BB8", "0100007F:ABCD", "01", 4),
            ]
            #expect(user(others, from: peer, to: ours) == nil)
            for state in ["01", "04", "05", "08"] {
                let theirs: [String] = others + [row("0100007F:ABCD", "0100007F:0BB8", state, 1000)]
                #expect(user(theirs, from: peer, to: ours) == 1000)
            }
            // Closed before it was answered: the kernel says root, and nobody is to be led.
            for state in ["01", "05"] {
                let orphan: [String] = others + [row("0100007F:ABCD", "0100007F:0BB8", state, 0, inode: 0)]
                #expect(user(orphan, from: peer, to: ours) == PeerUser.nobody)
            }
            let mapped = row("0000000000000000FFFF00000100007F:ABCD", "0000000000000000FFFF00000100007F:0BB8", "01", 1001)
            #expect(user([mapped], from: peer, to: ours) == 1001)
            // ::1 with the same ports is somebody else again.
            let six = row("00000000000000000000000001000000:ABCD", "00000000000000000000000001000000:0BB8", "01", 1002)
            #expect(user([six], from: peer, to: ours) == nil)
            #expect(user([six], from: peerV6, to: oursV6) == 1002)
        }

        @Test("C38: whose connection no table has is nobody's, unless the system hides its tables, or Windows is around it")
        func notFound() throws {
            let peer = SocketEnd(address: [0x7F00_0001], port: 0xABCD)
            let found = Self.head + row("0100007F:ABCD", "0100007F:0BB8", "01", 1000)
            func answer(_ tables: [String: String], _ peer: SocketEnd?, isUnderWindows: Bool = false) -> UInt32? {
                PeerUser.of(from: peer, to: ours, isUnderWindows: isUnderWindows) { tables[$0].map { Array($0.utf8) } }
            }
            #expect(answer(["/proc/net/tcp": found], peer) == 1000)
            #expect(answer(["/proc/net/tcp": Self.head, "/proc/net/tcp6": found], peer) == 1000)
            #expect(answer(["/proc/net/tcp": Self.head], peer) == PeerUser.nobody)
            #expect(answer(["/proc/net/tcp": found], nil) == PeerUser.nobody)
            #expect(answer(["/proc/net/tcp": Self.head], peer, isUnderWindows: true) == nil)
            #expect(answer([:], peer) == nil)
        }

        @Test("C38: this program itself is found at the other end of its own connections, over IPv4 and IPv6", arguments: [false, true])
        func ourselves(ipv6: Bool) throws {
            // A machine may be without IPv6.
            guard let listener = try? Socket(listeningOn: ipv6 ? .ipv6 : .ipv4, port: 0) else { return #expect(ipv6) }
            let wire = try #require(Wire(port: listener.port, ipv6: ipv6))
            var accepted: Socket?
            for _ in 0..<200 where accepted == nil {
                accepted = listener.accept()
                usleep(10_000)
            }
            let socket = try #require(accepted)
            #expect(socket.ownEnd?.port == listener.port && socket.ownEnd?.address.count == (ipv6 ? 4 : 1))
            #expect(PeerUser.of(socket) == geteuid())
            withExtendedLifetime(wire) {}
        }
    }
#endif
