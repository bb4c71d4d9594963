import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whose program is at the other end of a connection on this machine, as Linux tells everybody in /proc/net/tcp and tcp6.
enum PeerUser {
    /// Nil where this system tells nobody: it has no such tables, or hides them. Where it has them and no row is this connection's, it is `nobody`'s:
    /// whoever is there is not known to be this user.
    static func of(_ socket: Socket) -> UInt32? {
        of(from: socket.peerEnd, to: socket.ownEnd, isUnderWindows: Browser().isUnderWindows, table: read)
    }

    /// - Parameter isUnderWindows: programs of Windows may reach this machine's loopback addresses (WSL), and no table here has them.
    static func of(
        from peer: SocketEnd?, to own: SocketEnd?, isUnderWindows: Bool, table: (String) -> [UInt8]?
    ) -> UInt32? {
        guard let first = table("/proc/net/tcp") else { return nil }
        // A program that speaks IPv6 may reach an IPv4 address and has its row in the other table, which a machine without IPv6 does not have.
        if let peer, let own {
            for rows in [first, table("/proc/net/tcp6")].compactMap(\.self) {
                if let user = user(in: rows, from: peer, to: own) { return user }
            }
        }
        return isUnderWindows ? nil : nobody
    }

    /// No user has this number.
    static let nobody = UInt32.max

    /// The peer's own row, which leads from its end to ours. The whole addresses count: somebody else may have, or have had, the same port at another
    /// address of this machine. A connection that is over (TIME_WAIT) is nobody's, and its row says root.
    static func user(in table: [UInt8], from peer: SocketEnd, to own: SocketEnd) -> UInt32? {
        for line in table.split(separator: UInt8(ascii: "\n")).dropFirst() {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 9, !fields[3].elementsEqual("06".utf8), SocketEnd(inTable: fields[1]) == peer,
                SocketEnd(inTable: fields[2]) == own
            else { continue }
            // Whoever has closed it already cannot be told any more, and the kernel then says root: a browser waits for the answer.
            guard !fields[9].elementsEqual("0".utf8) else { return nobody }
            return UInt32(String(decoding: fields[7], as: UTF8.self))
        }
        return nil
    }

    /// 16 MiB at most: some hundred thousand connections.
    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while all.count < 16 << 20 {
            let count = unsafe systemRead(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            all += buffer[..<count]
        }
        return all
    }
}

// The name of the call is also the name of a method here.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    unsafe read(descriptor, buffer, count)
}
