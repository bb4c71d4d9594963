import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A server on 127.0.0.1 that says exactly the bytes a test wants, as slowly and as brokenly as the test wants. A thread for each
/// connection; every request is kept.
public final class ScriptedServer: Sendable {
    public struct Request: Sendable {
        public let method: String
        /// Path and query.
        public let target: String
        public let head: String
        public let body: String

        public func header(_ name: String) -> String? {
            head.components(separatedBy: "\r\n").dropFirst().first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
                .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    /// The open connection, for the script.
    public struct Connection: Sendable {
        let socket: Int32

        /// False once the other side has gone.
        @discardableResult
        public func send(_ bytes: [UInt8]) -> Bool {
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes { sendQuietly(socket, $0.baseAddress, $0.count) }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }

        @discardableResult
        public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

        /// A whole answer.
        public func answer(
            _ status: Int = 200, type: String? = "application/json", headers: [String] = [], _ body: [UInt8] = []
        ) {
            let lines =
                ["HTTP/1.1 \(status) X", "Content-Length: \(body.count)", "Connection: close"]
                + (type.map { ["Content-Type: \($0)"] } ?? []) + headers
            send(lines.joined(separator: "\r\n") + "\r\n\r\n")
            send(body)
        }

        public func answer(_ status: Int = 200, type: String? = "application/json", headers: [String] = [], _ body: String) {
            answer(status, type: type, headers: headers, Array(body.utf8))
        }

        /// Says nothing more, until the other side has gone.
        public func hang() {
            var byte: UInt8 = 0
            while recv(socket, &byte, 1, 0) > 0 {}
        }

        /// A good head, and then a byte now and then.
        public func drip() {
            send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            while send(" ") { Thread.sleep(forTimeInterval: 0.1) }
        }

        /// In chunks where wanted.
        public func answerWithoutEnd(chunked: Bool = false) {
            send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + (chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n"))
            let spaces = [UInt8](repeating: 0x20, count: 1 << 16)
            while (!chunked || send("10000\r\n")) && send(spaces) && (!chunked || send("\r\n")) {}
        }

        public func answer(_ body: [UInt8]) { answer(200, body) }
        public func answer(_ body: String) { answer(200, body) }
    }

    public typealias Script = @Sendable (Request, Connection) -> Void

    public let port: UInt16
    private let listener: Int32
    private let script: Mutex<Script>
    private let seen = Mutex<[Request]>([])

    public var requests: [Request] { seen.withLock { $0 } }
    public var url: String { "http://127.0.0.1:\(port)" }

    public func forget() { seen.withLock { $0 = [] } }
    public func play(_ script: @escaping Script) { self.script.withLock { $0 = script } }

    public init(_ script: @escaping Script = { _, connection in connection.answer(404, "{}") }) throws {
        self.script = Mutex(script)
        let listener = tcpSocket()
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 128) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard bound else { throw POSIXError(.EADDRINUSE) }
        signal(SIGPIPE, SIG_IGN)
        let accepting = Thread { [weak self] in
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else {
                    // Only this thread closes it, so that it never accepts from a number that has become somebody else's.
                    close(listener)
                    return
                }
                let serving = Thread { [weak self] in
                    self?.serve(socket)
                    close(socket)
                }
                serving.start()
            }
        }
        accepting.start()
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func serve(_ socket: Int32) {
        guard let request = read(socket) else { return }
        seen.withLock { $0.append(request) }
        let script = script.withLock { $0 }
        script(request, Connection(socket: socket))
        // Let the other side read all before the reset that closing with unread input would cause.
        shutdown(socket, Int32(SHUT_WR))
    }

    private func read(_ socket: Int32) -> Request? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        let separator = Array("\r\n\r\n".utf8)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = bytes.indices.first(where: { bytes[$0...].starts(with: separator) }) {
                let head = String(decoding: bytes[..<end], as: UTF8.self)
                let body = bytes[(end + 4)...]
                let words = head.prefix { $0 != "\r\n" }.split(separator: " ").map(String.init)
                guard words.count == 3 else { return nil }
                let request = Request(method: words[0], target: words[1], head: head, body: String(decoding: body, as: UTF8.self))
                if body.count >= Int(request.header("Content-Length") ?? "0") ?? 0 { return request }
            }
            guard text.utf8.count < 1 << 20 else { return nil }
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }
}

private func tcpSocket() -> Int32 {
    #if canImport(Glibc)
        socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    #else
        socket(AF_INET, SOCK_STREAM, 0)
    #endif
}

private func sendQuietly(_ socket: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
        send(socket, bytes, count, Int32(MSG_NOSIGNAL))
    #else
        send(socket, bytes, count, 0)
    #endif
}
