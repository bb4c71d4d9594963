import Foundation
import Synchronization

/// What syslog is to a program: a datagram socket that `/dev/log` of a root or of the copied machine leads to. What came is kept in order.
final class LogSocket: Sendable {
    let path: String
    private let descriptor: Int32
    private let heard: Mutex<[String]> = Mutex([])

    /// - Parameter path: at most 107 bytes; everybody may write there.
    init(_ path: String) throws {
        self.path = path
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { throw HarnessError("\(path) is too long for a socket") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        unlink(path)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard bound, chmod(path, 0o666) == 0 else { throw HarnessError("no log at \(path): error \(errno)") }
        Thread.detachNewThread { [self] in listen() }
    }

    private func listen() {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            let line = String(decoding: buffer[..<count], as: UTF8.self)
            heard.withLock { $0.append(line) }
        }
        close(descriptor)
    }

    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// What has come so far is over and done with.
    func clear() { heard.withLock { $0 = [] } }

    /// What has come since `clear`.
    var lines: [String] { heard.withLock { $0 } }

    /// The first line of opk-verify's with all these words; fails after ten seconds.
    func line(_ words: String...) async throws -> String {
        for _ in 0..<500 {
            if let line = lines.first(where: { line in line.contains("opk-verify[") && words.allSatisfy { line.contains($0) } }) {
                return line
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw HarnessError("the log has no line with \(words): \(lines.joined(separator: "\n"))")
    }
}
