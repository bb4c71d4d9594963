import Foundation
import JOSE
import KeyCache
import MintingKit
import TestSupport
import Testing
import Vocabulary

/// What is in the cache when the provider fails.
enum CacheState: CaseIterable {
    case none, fresh, stale, tooOld, unknownKeyID

    /// Whether a login could be decided without the provider.
    var decides: Bool { self == .fresh || self == .stale }

    /// The cache is made so, and a login comes that finds it so.
    func arrange(_ doorway: Doorway) throws -> MintedLogin {
        let login = try doorway.login()
        switch self {
        case .none: return login
        case .fresh: try doorway.keep(login.keys)
        case .stale: try doorway.keep(login.keys, age: KeyLimits.standard.refreshAfter)
        case .tooOld: try doorway.keep(login.keys, age: KeyLimits.standard.maximumAge)
        case .unknownKeyID:
            try doorway.keep(login.keys)
            return login.with {
                $0.header["kid"] = "key-2"
                $0.providerKey = TestKeys.otherP256
                $0.keys.append(MintedLogin.jwk(TestKeys.otherP256.publicKey, ["kid": "key-2", "alg": "ES256", "use": "sig"]))
            }
        }
        return login
    }
}

/// Seconds in which every login is decided; two to spare for a machine that does much else.
private let bound = 8.0 + 2

@Suite("opk-verify: the provider fails", .serialized)
struct OutageTests {
    private struct Case: Sendable {
        let fault: ProviderFault
        let state: CacheState
        var name: String { "\(fault) with \(state) keys" }
    }

    @Test(
        "V69 Whatever a provider does: who could be admitted is; others are told why and what to look at, in time; and then all is well again"
    )
    func table() async throws {
        let cases = ProviderFault.all.flatMap { fault in CacheState.allCases.map { Case(fault: fault, state: $0) } }
        try await atOnce(cases) { try check($0) }
    }

    private func check(_ test: Case) throws {
        let doorway = try Doorway()
        try doorway.writeRow()
        let login = try test.state.arrange(doorway)
        let record = doorway.record
        doorway.provider.play(test.fault.script(doorway, Doorway.keySet(login.keys)))
        let (run, seconds) = try doorway.timed(login)
        #expect(seconds < bound, "\(test.name): \(run)")
        if test.state.decides {
            #expect(run.admitted, "\(test.name): \(run)")
        } else {
            #expect(
                run.refused(1, "step=8 reason=keys-unavailable ", "opk keys refresh \(doorway.issuer.string)"),
                "\(test.name): \(run)")
            for word in test.fault.words { #expect(run.terminal.contains(word), "\(test.name): \(word) is missing: \(run)") }
        }
        if test.state == .stale {
            // Nobody waited for it.
            #expect(doorway.eventually { doorway.lastAttempt?.succeeded == false }, "\(test.name)")
            let next = try doorway.ask(login)
            #expect(next.admitted && next.terminal.contains("were used"), "\(test.name): \(next)")
            for word in test.fault.words { #expect(next.terminal.contains(word), "\(test.name): \(word) is missing: \(next)") }
        }
        #expect(doorway.record == record, "\(test.name): a failure changed the cache")
        #expect(test.state == .fresh ? doorway.asked.isEmpty : doorway.lastAttempt?.failures == 1, "\(test.name): \(doorway.asked)")

        doorway.serve(login.keys)
        try doorway.forgetFailure()
        let last = try doorway.ask(login)
        #expect(last.admitted, "\(test.name), when it was over: \(last)")
        #expect(doorway.eventually { doorway.cache.read(issuer: doorway.issuer)?.isFresh(at: .now()) == true }, "\(test.name)")
    }

    @Test("A provider that went away is not asked again for a moment, and who comes then hears at once what the one before heard")
    func resting() throws {
        let doorway = try Doorway()
        doorway.provider.play { _, connection in connection.answer(503, "{}") }
        let login = try doorway.login()
        try doorway.cache.note(.failure(at: .now(), "x", after: nil), issuer: doorway.issuer)
        let run = try doorway.ask(login)
        #expect(run.refused(1, "reason=keys-unavailable ", "not asked for again yet: x"), "\(run)")
        #expect(doorway.asked == [])
        #expect(doorway.eventually { (try? doorway.ask(login).terminal.contains("status 503")) == true }, "a second later it is")
    }

    @Test("A port that takes connections and never accepts them, and one that never ends its TLS handshake, are waited for no longer")
    func neverAccepted() async throws {
        let full = try SilentPort(backlogIsFull: true)
        let silent = try SilentPort()
        try await atOnce(["http://127.0.0.1:\(full.port)", "http://127.0.0.1:\(silent.port)", "https://localhost:\(silent.port)"]) {
            issuer in
            for state in CacheState.allCases {
                let doorway = try Doorway(issuer: Text(issuer))
                try doorway.writeRow()
                let (run, seconds) = try doorway.timed(try state.arrange(doorway))
                #expect(
                    state.decides ? run.admitted : run.refused(1, "reason=keys-unavailable ", "in time", "timeout in providers"), "\(run)")
                #expect(seconds < bound, "\(issuer) \(state): \(run)")
            }
        }
    }
}

/// A port of this machine where nothing is ever said.
private final class SilentPort: Sendable {
    let port: UInt16
    private let listener: Int32
    private let fillers: [Int32]

    /// - Parameter backlogIsFull: not even the system answers whoever knocks.
    init(backlogIsFull: Bool = false) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var fillers: [Int32] = []
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(listener, address, length) == 0, listen(listener, backlogIsFull ? 0 : 128) == 0,
                    getsockname(listener, address, &length) == 0
                else { return false }
                for _ in 0..<(backlogIsFull ? 4 : 0) {
                    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
                    fillers.append(socket(AF_INET, kind, 0))
                    _ = connect(fillers[fillers.count - 1], address, length)
                }
                return true
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        self.fillers = fillers
        guard bound else { throw POSIXError(.EADDRINUSE) }
    }

    deinit { for descriptor in fillers + [listener] { close(descriptor) } }
}

extension Doorway {
    /// The cache's record of the issuer, byte for byte.
    var record: [UInt8]? { cache.read(issuer: issuer)?.record }

    var lastAttempt: FetchAttempt? { cache.lastAttempt(issuer: issuer, at: .now()) }

    /// As if the last fetch that failed had been long ago.
    func forgetFailure() throws { try cache.note(.failure(at: .now() + -3600, "long ago", after: nil), issuer: issuer) }

    func timed(_ login: MintedLogin, surroundings: String? = nil) throws -> (Run, seconds: Double) {
        let start = ContinuousClock.now
        let run = try ask(login, surroundings: surroundings)
        return (run, (ContinuousClock.now - start) / .seconds(1))
    }
}
