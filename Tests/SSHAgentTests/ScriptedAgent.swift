import ChildProcess
import Foundation

#if canImport(Glibc)
    import Glibc
    private let stream = Int32(SOCK_STREAM.rawValue)
#elseif canImport(Darwin)
    import Darwin
    private let stream = SOCK_STREAM
#endif

/// An agent that answers whatever a test says.
final class ScriptedAgent: @unchecked Sendable {
    enum Behaviour: Sendable {
        /// These bytes as they are, then the end of the connection.
        case bytes([UInt8])
        /// These bytes, and then nothing until the client has gone.
        case bytesThenSilence([UInt8])
        /// Nothing is read either.
        case deaf
    }

    let path: String
    private let descriptor: Int32
    private let lock = NSLock()
    private var heard: [[UInt8]] = []
    private var isOver = false

    /// What was asked of it, without the length.
    var requests: [[UInt8]] { lock.withLock { heard } }

    /// - Parameter answer: for each request by its number, from 0.
    init(listens: Bool = true, _ answer: @escaping @Sendable (Int, [UInt8]) -> Behaviour) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("opk-agent-" + UUID().uuidString.prefix(8)).path
        let made = socket(AF_UNIX, stream, 0)
        descriptor = made
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(made, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard bound == 0, !listens || listen(descriptor, 0) == 0 else { throw POSIXError(.EADDRINUSE) }
        guard listens else { return }
        let listener = descriptor
        // The socket is the thread's to close: its number must not become another's while the thread still accepts.
        Thread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0, !lock.withLock({ isOver }) else { break }
                serve(connection, answer)
                close(connection)
            }
            close(listener)
        }.start()
    }

    /// Answers every request with one frame of these bytes.
    convenience init(answering frame: [UInt8]) throws {
        try self.init { _, _ in .bytes(ScriptedAgent.framed(frame)) }
    }

    /// To be deferred: it also keeps the agent until then.
    func end() {
        lock.withLock { isOver = true }
        shutdown(descriptor, Int32(SHUT_RDWR))
        unlink(path)
    }

    static func framed(_ bytes: [UInt8]) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (24 - 8 * $0)) } + bytes
    }

    var environment: ProcessEnvironment { ProcessEnvironment(entries: [Array("SSH_AUTH_SOCK=\(path)".utf8)]) }

    private func serve(_ connection: Int32, _ answer: (Int, [UInt8]) -> Behaviour) {
        if case .deaf = answer(-1, []) {
            usleep(3_000_000)
            return
        }
        // One that only looks whether the agent is there asks nothing.
        guard let header = ScriptedAgent.read(connection, 4) else { return }
        guard let request = ScriptedAgent.read(connection, header.reduce(0) { $0 << 8 | Int($1) }) else { return }
        let number = lock.withLock {
            heard.append(request)
            return heard.count - 1
        }
        switch answer(number, request) {
        case .bytes(let bytes): ScriptedAgent.write(connection, bytes)
        case .bytesThenSilence(let bytes):
            ScriptedAgent.write(connection, bytes)
            _ = ScriptedAgent.read(connection, 1)
        case .deaf: break
        }
    }

    private static func write(_ connection: Int32, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func read(_ connection: Int32, _ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < count {
            let got = recv(connection, &buffer, min(buffer.count, count - bytes.count), 0)
            if got <= 0 { return nil }
            bytes += buffer[..<got]
        }
        return bytes
    }
}
