import Foundation

/// A TCP port of 127.0.0.1 that this process listens on.
final class LoopbackPort: Sendable {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        port = try Machine.freePort()
        descriptor = try LoopbackConnection.socket()
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard LoopbackConnection.withAddress(port, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 8) == 0 else {
            close(descriptor)
            throw HarnessError("port \(port) cannot be listened on: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// The next one who comes.
    func accept(seconds: Double = 10) async throws -> LoopbackConnection {
        guard try await LoopbackConnection.becomesReadable(descriptor, seconds) else { throw HarnessError("nobody comes to port \(port)") }
        let connection = Glibc.accept(descriptor, nil, nil)
        guard connection >= 0 else { throw HarnessError("accept: \(String(cString: strerror(errno)))") }
        return LoopbackConnection(connection)
    }
}

/// A TCP connection on 127.0.0.1.
final class LoopbackConnection: Sendable {
    private let descriptor: Int32

    fileprivate init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Nil where nobody listens there.
    init?(to port: UInt16) throws {
        let descriptor = try LoopbackConnection.socket()
        guard LoopbackConnection.withAddress(port, { connect(descriptor, $0, $1) }) == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// What comes next, at most 4 KiB; nil where the other side has closed. Fails where nothing comes.
    func next(seconds: Double = 15) async throws -> String? {
        guard try await LoopbackConnection.becomesReadable(descriptor, seconds) else {
            throw HarnessError("a connection stays, and is silent")
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        // One that was reset is closed as well.
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    fileprivate static func socket() throws -> Int32 {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw HarnessError("no socket") }
        return descriptor
    }

    fileprivate static func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    fileprivate static func becomesReadable(_ descriptor: Int32, _ seconds: Double) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            var question = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&question, 1, 0) > 0 { return true }
            if ContinuousClock.now > end { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
