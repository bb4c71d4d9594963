import LibCrypto
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Waits on loopback for the one answer of the provider that belongs to this login.
///
/// Whoever else connects, says something else or says nothing gets a page or is dropped, and the wait goes on (C16, C17): nobody who can
/// reach the port can end the login. An answer without this login's `state` does not count (C15). Only who knows the start address, which
/// was meant for the browser alone, ends the login by using it a second time.
final class CallbackListener {
    /// With the port that is bound.
    let redirectURI: RedirectURI
    private let sockets: [Socket]
    private var connections: [Connection] = []
    /// What came instead of the answer, each kind once: told to the person if the wait is in vain.
    private(set) var strays: [StrayRequest] = []

    /// Whether the start address has led somebody to the provider.
    private var isStarted = false

    /// More than a browser opens; the oldest goes when another comes.
    static let mostConnections = 32
    /// How long a connection may take to say what it wants.
    static let patience: Int64 = 20

    private struct Connection {
        let socket: Socket
        let since: UnixTime
        var received: [UInt8] = []
    }

    /// Binds the first of `candidates` that is free on every loopback address it stands for (C18).
    init(firstFreeOf candidates: [RedirectURI]) throws(LoginError) {
        for candidate in candidates {
            if let sockets = try CallbackListener.bind(candidate), let port = sockets.first?.port {
                self.sockets = sockets
                redirectURI = candidate.with(port: port)
                return
            }
        }
        throw .noFreePort(candidates)
    }

    /// Nil where somebody else has the port on any of the addresses: a browser might go to him.
    private static func bind(_ candidate: RedirectURI) throws(LoginError) -> [Socket]? {
        let families: [Socket.Family] =
            switch candidate.host {
            case .localhost: [.ipv4, .ipv6]
            case .ipv4: [.ipv4]
            case .ipv6: [.ipv6]
            }
        // The system's choice for one family may be taken in the other.
        for _ in 0..<(candidate.port == 0 ? 8 : 1) {
            var sockets: [Socket] = []
            var isTaken = false
            for family in families where !isTaken {
                do throws(Socket.BindFailure) {
                    sockets.append(try Socket(listeningOn: family, port: sockets.first?.port ?? candidate.port))
                } catch {
                    switch error {
                    case .taken: isTaken = true
                    case .noSuchFamily: continue
                    case .other(let number): throw .listening(candidate, errno: number)
                    }
                }
            }
            if !isTaken, !sockets.isEmpty { return sockets }
        }
        return nil
    }

    /// Returns with the answer, whose page is still owed, or throws when `deadline` has passed. `start`: where a browser was sent first.
    func answer(withState state: Text, start: StartAddress? = nil, before deadline: UnixTime) throws(LoginError) -> ProviderAnswer {
        while true {
            let now = UnixTime.now()
            guard now < deadline else { throw .noAnswer(strays) }
            connections.removeAll { now - $0.since >= CallbackListener.patience }
            wait(atMost: min(1000, max(1, (deadline - now) * 1000)))
            acceptAll(at: now)
            for index in connections.indices.reversed() {
                if let query = try advance(index, state: state, start: start) {
                    return ProviderAnswer(query, on: connections.remove(at: index).socket)
                }
            }
        }
    }

    private func wait(atMost milliseconds: Int64) {
        var polled = (sockets + connections.map(\.socket)).map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        _ = unsafe poll(&polled, nfds_t(polled.count), Int32(milliseconds))
    }

    private func acceptAll(at now: UnixTime) {
        for socket in sockets {
            for _ in 0..<CallbackListener.mostConnections {
                guard let connection = socket.accept() else { break }
                if connections.count == CallbackListener.mostConnections { connections.removeFirst() }
                connections.append(Connection(socket: connection, since: now))
            }
        }
    }

    /// Reads what one connection has to say; nil if it is not (yet) the answer. A connection that is done with is removed.
    private func advance(_ index: Int, state: Text, start: StartAddress?) throws(LoginError) -> CallbackQuery? {
        switch connections[index].socket.receive() {
        case .nothingYet: return nil
        case .end:
            connections.remove(at: index)
            return nil
        case .bytes(let bytes): connections[index].received += bytes
        }
        let asked: CallbackRequest.Asked
        do throws(StrayRequest) {
            guard let read = try CallbackRequest.read(connections[index].received, for: redirectURI, start: start?.path) else { return nil }
            if case .start = read, isForeign(connections[index].socket) { throw .otherUser }
            if case .answer(let query) = read, !equalInConstantTime(query.state, state) { throw .otherState }
            asked = read
        } catch {
            let connection = connections.remove(at: index)
            if !strays.contains(error) { strays.append(error) }
            let page = CallbackPage.stray(error).response(withoutBody: CallbackRequest.isHead(connection.received))
            connection.socket.sendAndDrain(page)
            return nil
        }
        if case .answer(let query) = asked { return query }
        if let start { try lead(connections.remove(at: index).socket, to: start) }
        return nil
    }

    /// Whether another user than root or this one is known to be at the other end.
    private func isForeign(_ socket: Socket) -> Bool {
        guard let user = PeerUser.of(socket) else { return false }
        return user != 0 && user != UInt32(geteuid())
    }

    /// The first one who asks for the start address is sent on; a second one should not know it.
    private func lead(_ socket: Socket, to start: StartAddress) throws(LoginError) {
        guard !isStarted else {
            socket.sendAndDrain(CallbackPage.startUsed.response())
            throw .startAddressUsedTwice
        }
        isStarted = true
        socket.sendAndDrain(CallbackPage.start(start.destination).response())
    }
}

/// The provider's answer, and the browser's connection, kept open until it is known how the login ended: so the page tells the truth.
struct ProviderAnswer: ~Copyable {
    let query: CallbackQuery
    private let socket: Socket

    fileprivate init(_ query: CallbackQuery, on socket: Socket) {
        self.query = query
        self.socket = socket
    }

    consuming func show(_ page: CallbackPage) {
        socket.sendAndDrain(page.response())
    }
}

extension Socket {
    /// To close with unread bytes would reset the connection and lose the page.
    fileprivate func sendAndDrain(_ response: [UInt8]) {
        send(response)
        var rest = 64
        while rest > 0, case .bytes = receive() { rest -= 1 }
    }
}

/// Takes the same time wherever the two differ.
func equalInConstantTime(_ left: Text, _ right: Text) -> Bool {
    LibCrypto.equalInConstantTime(left.utf8, right.utf8)
}
