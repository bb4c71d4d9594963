#if canImport(Glibc)
    import Glibc
    private let stream = Int32(SOCK_STREAM.rawValue)
    private let noSignal = Int32(MSG_NOSIGNAL)
    private let writing = Int32(SHUT_WR)
#elseif canImport(Darwin)
    import Darwin
    private let stream = SOCK_STREAM
    private let noSignal: Int32 = 0
    private let writing = SHUT_WR
#endif

/// A TCP socket on a literal loopback address. Non-blocking, closed on exec, closed with the last reference.
final class Socket: Sendable {
    enum Family: Sendable {
        case ipv4, ipv6
    }

    enum BindFailure: Error, Equatable {
        /// Somebody else has the port.
        case taken
        /// This machine does not have the family.
        case noSuchFamily
        case other(errno: Int32)
    }

    enum Received: Equatable {
        case bytes([UInt8])
        case nothingYet
        case end
    }

    let descriptor: Int32

    private init(owning descriptor: Int32) {
        self.descriptor = descriptor
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { _ = close(descriptor) }

    /// Listens on 127.0.0.1 or ::1, never elsewhere (C18). Port 0 lets the system choose.
    convenience init(listeningOn family: Family, port: UInt16) throws(BindFailure) {
        let descriptor = socket(family == .ipv4 ? AF_INET : AF_INET6, stream, 0)
        guard descriptor >= 0 else { throw Socket.bindFailure(errno) }
        self.init(owning: descriptor)
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        #if os(Linux)
            // Only past connections in TIME_WAIT: Linux never lets two sockets listen on one port by this option. Others do.
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        #else
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, size)
        #endif
        if family == .ipv6 { unsafe setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size) }
        let bound = family == .ipv4 ? Socket.bindIPv4(descriptor, port) : Socket.bindIPv6(descriptor, port)
        guard bound == 0, listen(descriptor, 128) == 0 else { throw Socket.bindFailure(errno) }
    }

    /// The port that was bound; 0 if the system does not say.
    var port: UInt16 { ownEnd?.port ?? 0 }

    /// This end; nil if the system does not say.
    var ownEnd: SocketEnd? { unsafe SocketEnd(getsockname, of: descriptor) }

    /// The end of who connected; nil if the system does not say.
    var peerEnd: SocketEnd? { unsafe SocketEnd(getpeername, of: descriptor) }

    /// The next waiting connection; nil if none is.
    func accept() -> Socket? {
        let connection = systemAccept(descriptor)
        return connection >= 0 ? Socket(owning: connection) : nil
    }

    func receive() -> Received {
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { return .bytes(Array(buffer[..<count])) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothingYet : .end
    }

    /// Sends one small page and says that nothing follows. The socket's buffer takes it whole; who does not read it, loses it.
    func send(_ bytes: [UInt8]) {
        _ = unsafe bytes.withUnsafeBytes { buffer in unsafe systemSend(descriptor, buffer.baseAddress, buffer.count, noSignal) }
        _ = shutdown(descriptor, writing)
    }

    private static func bindIPv4(_ descriptor: Int32, _ port: UInt16) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe systemBind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func bindIPv6(_ descriptor: Int32, _ port: UInt16) -> Int32 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_addr = in6addr_loopback
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe systemBind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }

    static func bindFailure(_ number: Int32) -> BindFailure {
        switch number {
        case EADDRINUSE: .taken
        case EAFNOSUPPORT, EADDRNOTAVAIL, EPROTONOSUPPORT: .noSuchFamily
        default: .other(errno: number)
        }
    }
}

// The names of these calls are also names of methods here.
private func systemAccept(_ socket: Int32) -> Int32 {
    accept(socket, nil, nil)
}

private func systemSend(_ socket: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    unsafe send(socket, bytes, count, flags)
}

private func systemBind(_ socket: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    unsafe bind(socket, address, length)
}
