import CSystem
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A socket where opk-verify's log goes, in a folder that opk-verify sees as /dev.
final class SystemLogger: Sendable {
    let folder: String
    private let socket: Int32
    private let isStream: Bool
    /// Connections and datagrams that were sent to fill its queue.
    private let fillers = Mutex<[Int32]>([])

    init(in folder: String, stream: Bool = false) throws {
        self.folder = folder + "/dev"
        isStream = stream
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: false)
        // A child's standard input. A plain file will do.
        try Data().write(to: URL(fileURLWithPath: self.folder + "/null"))
        let type = stream ? SOCK_STREAM : SOCK_DGRAM
        socket = Glibc.socket(AF_UNIX, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard act(on: socket, bind) == 0, !stream || listen(socket, 0) == 0 else { throw POSIXError(.EADDRINUSE) }
    }

    deinit {
        close(socket)
        fillers.withLock { for filler in $0 { close(filler) } }
    }

    private func act(on socket: Int32, _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array((folder + "/log").utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return -1 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }

    /// What has come since this was asked last. A datagram is here when its sender goes on. A stream's lines end with NUL.
    func messages() -> [String] {
        isStream ? streamed() : datagrams()
    }

    private func datagrams() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(socket, &buffer, buffer.count, Int32(truncatingIfNeeded: MSG_DONTWAIT))
            guard count >= 0 else { return messages }
            messages.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }

    private func streamed() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let connection = accept(socket, nil, nil)
            guard connection >= 0 else { return messages }
            var bytes: [UInt8] = []
            while case let count = recv(connection, &buffer, buffer.count, Int32(truncatingIfNeeded: MSG_DONTWAIT)), count > 0 {
                bytes += buffer[..<count]
            }
            close(connection)
            messages += bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// From here on nothing more goes in, as where a log server has been stopped.
    func fill() {
        while true {
            let type = isStream ? SOCK_STREAM : SOCK_DGRAM
            let filler = Glibc.socket(AF_UNIX, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            fillers.withLock { $0.append(filler) }
            guard act(on: filler, connect) == 0, isStream || send(filler, "x", 1, 0) == 1 else { return }
        }
    }

    /// Runs `body`, and takes what comes in the meantime, as a log server does.
    func listening<Result>(_ body: () throws -> Result) throws -> (result: Result, messages: [String]) {
        let isOver = Atomic(false)
        let heard = Mutex<[String]>([])
        let reader = Thread {
            while !isOver.load(ordering: .acquiring) {
                let messages = self.datagrams()
                heard.withLock { $0 += messages }
                if messages.isEmpty { usleep(1000) }
            }
            heard.withLock { $0.append("over") }
        }
        reader.start()
        defer { isOver.store(true, ordering: .releasing) }
        let result = try body()
        isOver.store(true, ordering: .releasing)
        while heard.withLock({ $0.last != "over" }) { usleep(1000) }
        return (result, heard.withLock { $0.dropLast() } + datagrams())
    }
}
