import Foundation
import JOSE
import KeyCache
import PolicyExplanation
import RecentRefusals
import TestSupport
import Testing
import Verifier
import Vocabulary

@testable import PolicyExplanation

/// A library that shows a program another time.
enum FakeClock {
    static let preload: String? = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }.first {
        FileManager.default.fileExists(atPath: $0)
    }
}

@Suite(
    "opk explain: the shared vectors", .serialized,
    .enabled(if: FakeClock.preload != nil && SharedData.isThere, "no libfaketime, or no shared data"))
struct VectorTests {
    @Test("explain and opk-verify agree on every vector, on the outcome and on the reason, and the steps say the same as the verdict")
    func agreement() throws {
        let place = try Place()
        let folder = SharedData.root.appendingPathComponent("opkssh-vectors")
        for name in ["providers", "auth_id", "config.yml"] {
            try place.write(name, try String(contentsOf: folder.appendingPathComponent("etc/\(name)"), encoding: .utf8))
        }
        let vectors = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appendingPathComponent("vectors.json"))) as? [[String: Any]])
        #expect(vectors.count == 141)
        var (wrong, open) = (0, 0)
        for vector in vectors {
            let word = { (name: String) throws in try #require(vector[name] as? String) }
            let name = try word("name")
            let time = try #require((vector["at"] as? Int) ?? Int(vector["at"] as? String ?? ""))
            let now = UnixTime(seconds: Int64(time))
            try cacheKeys(from: folder, in: place, now)
            try place.put(RecentRefusals.path(in: place.stateFolder), [UInt8](repeating: 0, count: RecentRefusals.size), 0o600)
            let (user, cert, type) = (try word("user"), try word("cert"), try word("key_type"))
            let run = try Place.run(
                "opk-verify",
                ["--config-dir", place.config, "--cache-dir", place.cacheFolder, "--state-dir", place.stateFolder, "--", user, cert, type],
                preload: FakeClock.preload, time: now.seconds)
            let kept = try RecentRefusals.read(in: place.stateFolder).compactMap { KeptRefusal(parsing: $0.text) }
            let explanation = Examination(place.policy, Outside(), at: now, from: nil)
                .explain(LoginRequest(account: Array(user.utf8), key: Array(cert.utf8), type: Array(type.utf8)))
            switch explanation.verdict {
            case .notOurs: #expect(run.status == 0 && run.output.isEmpty && kept.isEmpty, "\(name)")
            case .admitted:
                #expect(run.status == 0 && !run.output.isEmpty && kept.isEmpty, "\(name): \(run) \(kept)")
                #expect(explanation.steps.allSatisfy { $0.state == .holds }, "\(name): \(explanation.steps)")
                #expect(explanation.changes.isEmpty)
                #expect(explanation.lines.count == run.output.split(separator: "\n").count)
            case .refused(let refusal):
                #expect(run.status == 1 && run.output.isEmpty, "\(name): \(run), \(refusal)")
                // It asks for keys, of a provider that is not there, and an explanation says that it would.
                if kept.map(\.reason) == ["keys-unavailable"], refusal.code == .noFittingKey {
                    #expect(explanation.isOpen && explanation.lacksFetch, "\(name)")
                    open += 1
                } else {
                    #expect(kept.map(\.reason) == [refusal.code.rawValue], "\(name): \(kept), \(refusal)")
                    #expect(kept.first?.detail == refusal.detail || refusal.code == .keysUnavailable, "\(name): \(kept), \(refusal)")
                }
                let failed = explanation.steps.compactMap { step in if case .fails(let code) = step.state { code } else { nil } }
                #expect(failed.first == refusal.code || refusal.step == .policy || refusal.step == .answer, "\(name): \(failed) \(refusal)")
                // What cannot be read at all is nobody's certificate.
                #expect(!explanation.changes.isEmpty, "\(name): \(refusal)")
                wrong += 1
            }
        }
        #expect(wrong > 60 && open <= 1)
    }

    /// The keys of every issuer that has any, as the vectors' own server would give them.
    private func cacheKeys(from folder: URL, in place: Place, _ now: UnixTime) throws {
        let base = "http://localhost:18391"
        let names = ["single", "dupkid", "empty", "unkkty", "mixed", "useenc", "bareset", "onekey", "junk"]
        let issuers =
            ["", "/p12h", "/p48h", "/p1week", "/poidc", "/prefr", "/pnever"].map { ($0, "base") } + names.map { ("/" + $0, $0) }
        for (path, file) in issuers {
            let body = Array(try Data(contentsOf: folder.appendingPathComponent("jwks/\(file).json")))
            let record = CachedKeys(
                issuer: Text(base + path), keysURI: Text(base + path + "/jwks"), userinfoEndpoint: nil, fetchedAt: now, body: body)
            if let record { try place.policy.cache.write(record) }
        }
    }
}
