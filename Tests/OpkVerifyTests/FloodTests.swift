import Foundation
import KeyCache
import MintingKit
import Testing
import Vocabulary

/// Many opk-verify at once, as many clients at one sshd cause them.
@Suite("opk-verify: many at once", .serialized)
struct FloodTests {
    @Test("V10, V68, C12 Two hundred certificates with an unknown kid, at once, make one request of the provider; all are refused")
    func unknownKeyIDs() async throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        try doorway.keep(login.keys)
        doorway.serve(login.keys)
        let bad = (0..<200).map { number in login.with { $0.header["kid"] = .string(Text("key-\(1000 + number)")) } }
        let runs = try await doorway.askAtOnce(bad)
        #expect(runs.allSatisfy { $0.ending == .exited(1) && $0.output.isEmpty })
        #expect(doorway.asked == ["/.well-known/openid-configuration", "/jwks"])
        #expect(try doorway.ask(login).admitted, "and the good key still is one")
    }

    @Test("Sixty-four logins at once without cached keys wait for one fetch, and all come in")
    func cold() async throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        doorway.serve(login.keys, pause: 0.3)
        let runs = try await doorway.askAtOnce(Array(repeating: login, count: 64))
        #expect(runs.filter(\.admitted).count == 64, "\(runs.first { !$0.admitted }.map(\.description) ?? "")")
        #expect(doorway.asked.filter { $0 == "/jwks" }.count == 1)
    }

    @Test("V69 Sixty-four logins at once whose provider is down are all refused, having asked it few times")
    func down() async throws {
        let doorway = try Doorway()
        doorway.provider.play { _, connection in
            Thread.sleep(forTimeInterval: 0.3)
            connection.answer(500, "{}")
        }
        let runs = try await doorway.askAtOnce(Array(repeating: doorway.login(), count: 64))
        #expect(runs.allSatisfy { $0.refused(1, "reason=keys-unavailable ", "500") })
        // A straggler that began a second after the first had failed may have asked again.
        #expect((1...3).contains(doorway.asked.count))
    }
}

extension Doorway {
    func askAtOnce(_ logins: [MintedLogin]) async throws -> [Run] {
        let calls = try logins.map { try words($0) }
        return try await withThrowingTaskGroup(of: Run.self) { group in
            for words in calls {
                group.addTask {
                    // On a thread of its own: so many would take all of the pool's.
                    try await withCheckedThrowingContinuation { continuation in
                        Thread.detachNewThread {
                            continuation.resume(
                                with: Result { try Program.run(Program.verify, words, environment: Doorway.environment) })
                        }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
