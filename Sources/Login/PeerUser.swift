import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Whose program is at the other end of a connection on this machine, as Linux tells everybody in /proc/net/tcp and tcp6.
enum PeerUser {
    /// Nil where it cannot be told.
    static func of(peerPort: UInt16, ownPort: UInt16) -> UInt32? {
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let table = read(path), let user = user(in: table, peerPort: peerPort, ownPort: ownPort) else { continue }
            return user
        }
        return nil
    }

    /// The peer's own row: its local port is the peer's and its remote port is ours.
    static func user(in table: [UInt8], peerPort: UInt16, ownPort: UInt16) -> UInt32? {
        for line in table.split(separator: UInt8(ascii: "\n")).dropFirst() {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 7, port(fields[1]) == peerPort, port(fields[2]) == ownPort else { continue }
            return UInt32(String(decoding: fields[7], as: UTF8.self))
        }
        return nil
    }

    private static func port(_ address: ArraySlice<UInt8>) -> UInt16? {
        address.split(separator: UInt8(ascii: ":")).last.flatMap { UInt16(String(decoding: $0, as: UTF8.self), radix: 16) }
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
