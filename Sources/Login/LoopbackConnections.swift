import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Listens on loopback, and keeps everybody who connects until he has said what he wants.
///
/// Who says nothing, or goes away, costs nothing and blocks nobody (C17).
final class LoopbackConnections {
    /// The same on every address.
    let port: UInt16
    private let sockets: [Socket]
    private var connections: [Connection] = []

    /// More than a browser opens; the oldest goes when another comes.
    static let mostConnections = 32
    /// How many seconds a connection may take to say what it wants.
    static let patience: Int64 = 20

    private struct Connection {
        let socket: Socket
        let since: UnixTime
        var received: [UInt8] = []
    }

    /// What is to become of a connection, after all that it has said so far.
    enum Heard<Value> {
        /// It has not said everything.
        case notYet
        /// It has been answered.
        case dealtWith
        /// It is what was waited for; whoever says so has its socket.
        case awaited(Value)
    }

    /// Nil where somebody else has the port on any of the addresses that the host stands for: a browser might go to him (C18).
    init?(on address: RedirectURI) throws(LoginError) {
        guard let sockets = try LoopbackConnections.bind(address), let port = sockets.first?.port else { return nil }
        self.sockets = sockets
        self.port = port
    }

    private static func bind(_ address: RedirectURI) throws(LoginError) -> [Socket]? {
        let families: [Socket.Family] =
            switch address.host {
            case .localhost: [.ipv4, .ipv6]
            case .ipv4: [.ipv4]
            case .ipv6: [.ipv6]
            }
        // The system's choice for one family may be taken in the other.
        for _ in 0..<(address.port == 0 ? 8 : 1) {
            var sockets: [Socket] = []
            var isTaken = false
            for family in families where !isTaken {
                do throws(Socket.BindFailure) {
                    sockets.append(try Socket(listeningOn: family, port: sockets.first?.port ?? address.port))
                } catch {
                    switch error {
                    case .taken: isTaken = true
                    case .noSuchFamily: continue
                    case .other(let number): throw .listening(address, errno: number)
                    }
                }
            }
            if !isTaken, !sockets.isEmpty { return sockets }
        }
        return nil
    }

    /// Waits until something happens, `milliseconds` at most, and asks `hear` about every connection that has said something new: it is
    /// given the socket and all the bytes so far.
    func turn<Value>(
        atMost milliseconds: Int64, _ hear: (Socket, [UInt8]) throws(LoginError) -> Heard<Value>
    ) throws(LoginError) -> Value? {
        let now = UnixTime.now()
        connections.removeAll { now - $0.since >= LoopbackConnections.patience }
        wait(atMost: milliseconds)
        acceptAll(at: now)
        for index in connections.indices.reversed() {
            switch connections[index].socket.receive() {
            case .nothingYet: continue
            case .end: connections.remove(at: index)
            case .bytes(let bytes):
                connections[index].received += bytes
                switch try hear(connections[index].socket, connections[index].received) {
                case .notYet: continue
                case .dealtWith: connections.remove(at: index)
                case .awaited(let value):
                    connections.remove(at: index)
                    return value
                }
            }
        }
        return nil
    }

    private func wait(atMost milliseconds: Int64) {
        var polled = (sockets + connections.map(\.socket)).map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        _ = unsafe poll(&polled, nfds_t(polled.count), Int32(milliseconds))
    }

    private func acceptAll(at now: UnixTime) {
        for socket in sockets {
            for _ in 0..<LoopbackConnections.mostConnections {
                guard let connection = socket.accept() else { break }
                if connections.count == LoopbackConnections.mostConnections { connections.removeFirst() }
                connections.append(Connection(socket: connection, since: now))
            }
        }
    }

    /// Whether another user than root or this one is at the other end, or nobody knows who though the system says so of everybody.
    func isForeign(_ socket: Socket) -> Bool {
        guard let user = PeerUser.of(socket) else { return false }
        return user != 0 && user != UInt32(geteuid())
    }
}

extension Socket {
    /// To close with unread bytes would reset the connection and lose the page.
    func sendAndDrain(_ response: [UInt8]) {
        send(response)
        var rest = 64
        while rest > 0, case .bytes = receive() { rest -= 1 }
    }
}
