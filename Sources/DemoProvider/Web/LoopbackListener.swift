import FlyingFox
import FlyingSocks
import Foundation
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Two HTTP servers on one port: 127.0.0.1, and [::1] where this machine has IPv6.
final class LoopbackListener: Sendable {
    let port: UInt16
    private let servers: [HTTPServer]
    private let tasks: [Task<Void, Never>]
    private let gate: Gate

    /// Requests that come before the provider is ready wait here.
    private actor Gate {
        private var core: ProviderCore?
        private var waiting: [CheckedContinuation<ProviderCore, Never>] = []

        func open(_ core: ProviderCore) {
            self.core = core
            for continuation in waiting { continuation.resume(returning: core) }
            waiting = []
        }

        func wait() async -> ProviderCore {
            if let core { return core }
            return await withCheckedContinuation { waiting.append($0) }
        }
    }

    /// Longer than any `slow` fault, in seconds.
    private static let handlerTimeout: TimeInterval = 4000
    /// How often to look for a port that is free on both addresses.
    private static let attempts = 20

    static func open(port: UInt16) async throws(DemoProviderError) -> LoopbackListener {
        for _ in 0..<(port == 0 ? attempts : 1) {
            if let listener = await LoopbackListener(port: port) { return listener }
        }
        throw .portTaken(port)
    }

    private init?(port: UInt16) async {
        let gate = Gate()
        guard let address = try? sockaddr_in.inet(ip4: "127.0.0.1", port: port),
            let first = await LoopbackListener.run(address, gate), case .ip4(_, let taken)? = await first.server.listeningAddress
        else { return nil }
        var running = [first]
        if LoopbackListener.hasIPv6 {
            guard let address = try? sockaddr_in6.inet6(ip6: "::1", port: taken), let second = await LoopbackListener.run(address, gate)
            else {
                await first.server.stop()
                return nil
            }
            running.append(second)
        }
        self.port = taken
        self.gate = gate
        servers = running.map(\.server)
        tasks = running.map(\.task)
    }

    func serve(_ core: ProviderCore) async {
        await gate.open(core)
    }

    func stop() async {
        for server in servers { await server.stop() }
        for task in tasks { await task.value }
    }

    /// Nil where that address cannot be listened on.
    private static func run(_ address: some SocketAddress, _ gate: Gate) async -> (server: HTTPServer, task: Task<Void, Never>)? {
        let server = HTTPServer(
            address: address, timeout: handlerTimeout, logger: .disabled,
            handler: ClosureHTTPHandler { request in
                guard let request = try await Request(request) else {
                    return Answer.plain("This request cannot be read.", status: .badRequest)
                }
                return await gate.wait().respond(to: request)
            })
        // Whichever comes first: it listens, or run() has failed.
        let (outcomes, outcome) = AsyncStream<Bool>.makeStream()
        let task = Task {
            _ = try? await server.run()
            outcome.yield(false)
        }
        Task { outcome.yield((try? await server.waitUntilListening(timeout: 5)) != nil) }
        guard await outcomes.first(where: { _ in true }) == true else { return nil }
        return (server, task)
    }

    /// Whether a socket can be bound to ::1 at all.
    private static let hasIPv6: Bool = {
        guard let address = try? sockaddr_in6.inet6(ip6: "::1", port: 0), let socket = try? Socket(domain: Int32(AF_INET6)) else {
            return false
        }
        defer { try? socket.close() }
        return (try? socket.bind(to: address)) != nil
    }()
}
