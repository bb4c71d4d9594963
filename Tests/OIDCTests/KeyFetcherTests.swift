import ChildProcess
import Foundation
import HTTP
import KeyCache
import TestSupport
import Testing
import Vocabulary

@testable import OIDC

@Suite("Fetching keys into the cache")
final class KeyFetcherTests: Sendable {
    let provider: FakeProvider
    let folder: URL
    let cache: KeyCache

    init() throws {
        provider = try FakeProvider()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-fetch-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        cache = KeyCache(directory: folder.path)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func fetch(unknownKeyID: Bool = false, asked: UnixTime = .now()) throws -> CachedKeys {
        try KeyFetcher(cache: cache).keys(issuer: provider.issuer, unknownKeyID ? .unknownKeyID : .missing, asked: asked).keys
    }

    private var requests: Int { provider.server.requests.count }

    @Test("keeps what it fetched, and says so where it cannot")
    func kept() throws {
        let keys = try fetch()
        #expect(cache.read(issuer: provider.issuer)?.record == keys.record && requests == 2)
        let answer = try KeyFetcher(cache: KeyCache(directory: "/nonexistent")).keys(issuer: provider.issuer, .missing)
        #expect(answer.keys.jwks.keys.count == 1 && answer.warnings.count == 2)
    }

    @Test("C12 for an unknown key id asks at most once in ten seconds, and that after a failure too")
    func throttled() throws {
        _ = try fetch()
        for _ in 0..<20 { _ = try fetch(unknownKeyID: true) }
        #expect(requests == 2)
        try cache.note(.success(at: .now() + -11), issuer: provider.issuer)
        _ = try fetch(unknownKeyID: true)
        #expect(requests == 4)
        for succeeded in [true, false] {
            try cache.note(succeeded ? .success(at: .now() + -9) : .failure(at: .now() + -9, "why", after: nil), issuer: provider.issuer)
            if succeeded {
                _ = try fetch(unknownKeyID: true)
            } else {
                #expect(throws: KeyFetcher.Failure.self) { try fetch(unknownKeyID: true) }
            }
        }
        #expect(requests == 4)
    }

    @Test(
        "C12 on a full disk, where how a fetch ended cannot be kept, that it began is enough for what can wait; a login without keys does not wait"
    )
    func unkept() throws {
        _ = try fetch()
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".attempt") })
        try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        for purpose in [KeyFetcher.Purpose.unknownKeyID, .refresh] {
            #expect(throws: KeyFetcher.Failure.self) { try KeyFetcher(cache: cache).keys(issuer: provider.issuer, purpose) }
        }
        #expect(requests == 2)
        _ = try fetch()
        #expect(requests == 4)
    }

    @Test("C12 is not stopped by a clock that was set back, nor by a damaged note")
    func clock() throws {
        _ = try fetch()
        try cache.note(.failure(at: .now() + 100_000, "why", after: nil), issuer: provider.issuer)
        _ = try fetch(unknownKeyID: true)
        #expect(requests == 4)
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".attempt") })
        try Data("rubbish".utf8).write(to: folder.appendingPathComponent(name))
        _ = try fetch(unknownKeyID: true)
        #expect(requests == 6)
    }

    @Test("C13 leaves good keys alone whatever the provider answers")
    func bad() throws {
        let good = try fetch().record
        for body in ["{\"keys\":[]}", "<html>", "", FakeProvider.keySet + "x"] {
            try cache.note(.success(at: .now() + -60), issuer: provider.issuer)
            let discovery = provider.discovery()
            provider.play { $0.target == "/jwks" ? body : discovery }
            let asked = UnixTime.now()
            #expect(throws: KeyFetcher.Failure.self) { try fetch(asked: asked) }
            #expect(cache.read(issuer: provider.issuer)?.record == good)
        }
        // The failure counts as an attempt: the provider is left alone for a while, longest where there are keys to go on with.
        let before = requests
        #expect(throws: KeyFetcher.Failure.self) { try fetch() }
        #expect(throws: KeyFetcher.Failure.self) { try KeyFetcher(cache: cache).keys(issuer: provider.issuer, .refresh) }
        #expect(requests == before)
    }

    @Test("C14 fetches again where the record was edited or made writable by others")
    func edited() throws {
        _ = try fetch()
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".json") })
        chmod(folder.appendingPathComponent(name).path, 0o666)
        #expect(cache.read(issuer: provider.issuer) == nil)
        _ = try fetch(unknownKeyID: true)
        #expect(cache.read(issuer: provider.issuer) != nil && requests == 4)
    }

    @Test("V69 gives nothing, in time, where the provider does not answer")
    func silent() throws {
        provider.server.play { _, connection in while connection.send("") { Thread.sleep(forTimeInterval: 0.2) } }
        let start = ContinuousClock.now
        let client = HTTPClient(timeout: .milliseconds(700))
        #expect(throws: KeyFetcher.Failure.self) {
            try KeyFetcher(cache: cache, client: client).keys(issuer: provider.issuer, .missing)
        }
        #expect(ContinuousClock.now - start < .seconds(3) && cache.read(issuer: provider.issuer) == nil)
    }

    @Test("C12 fifty opk-fetch at once ask once, and all get the keys")
    func stampede() async throws {
        let discovery = provider.discovery()
        provider.play { request in
            Thread.sleep(forTimeInterval: 0.3)
            return request.target == "/jwks" ? FakeProvider.keySet : discovery
        }
        let outcomes = try await together(50)
        #expect(outcomes.allSatisfy { $0.succeeded && CachedKeys(parsing: $0.output, issuer: provider.issuer) != nil })
        #expect(requests == 2)
    }

    @Test("C12 fifty opk-fetch at once ask once where the provider fails, and all fail soon")
    func failingStampede() async throws {
        provider.server.play { _, connection in
            Thread.sleep(forTimeInterval: 0.3)
            connection.answer(500, "{}")
        }
        let outcomes = try await together(50)
        #expect(outcomes.allSatisfy { $0.ending == .exited(1) && $0.output.isEmpty })
        #expect(outcomes.allSatisfy { $0.errorOutput.filter { $0 == 0x0A }.count == 1 })
        // A straggler that started after the others had failed may have asked once more.
        #expect((1...3).contains(requests))
    }

    private func together(_ count: Int) async throws -> [ChildProcess.Outcome] {
        let arguments = ["--cache-dir", folder.path, "keys", provider.server.url]
        return try await withThrowingTaskGroup(of: ChildProcess.Outcome.self) { group in
            for _ in 0..<count { group.addTask { try await OPKFetch.run(arguments) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

@Suite("The command opk-fetch")
struct OPKFetchTests {
    let provider: FakeProvider

    init() throws { provider = try FakeProvider() }

    @Test("says how it is called, and its version")
    func help() async throws {
        #expect(String(decoding: try await OPKFetch.run(["--help"]).output, as: UTF8.self).hasPrefix("usage: opk-fetch "))
        #expect(try await OPKFetch.run(["--version"]).output == Array("opk-fetch \(Version.text)\n".utf8))
    }

    @Test("called wrongly ends with status 2 and one line")
    func wrongCall() async throws {
        for arguments in [
            [], ["keys"], ["keys", "a", "b"], ["fetch", "a"], ["--cache-dir"], ["--cache-dir", "/tmp"], ["-x", "keys", "a"],
            ["serve", "a"], ["keys", "a", "--unknown-kid"], ["\u{1B}[2J", "a"],
        ] {
            let outcome = try await OPKFetch.run(arguments)
            #expect(outcome.ending == .exited(2) && outcome.output.isEmpty, "\(arguments)")
            #expect(outcome.errorOutput.filter { $0 == 0x0A }.count == 1 && !outcome.errorOutput.contains(0x1B))
        }
    }

    @Test("prints nothing but one line of error where nothing could be fetched")
    func failure() async throws {
        provider.server.play { _, connection in connection.answer(type: "text/html", "<html>") }
        for issuer in [provider.server.url, "http://evil.example", "https://user:hunter2@a.example", "http://127.0.0.1:1"] {
            let outcome = try await OPKFetch.run(["--cache-dir", "/nonexistent", "keys", issuer])
            #expect(outcome.ending == .exited(1) && outcome.output.isEmpty)
            let said = String(decoding: outcome.errorOutput, as: UTF8.self)
            #expect(said.hasPrefix("opk-fetch: ") && said.filter { $0 == "\n" }.count == 1 && !said.contains("hunter2"))
        }
    }

    @Test("C38 asks userinfo with the token from standard input, which appears nowhere else")
    func userinfo() async throws {
        let discovery = provider.discovery()
        provider.play { $0.target == "/me" ? "{\"sub\":\"a\"}" : discovery }
        let arguments = ["--cache-dir", "/nonexistent", "userinfo", provider.server.url]
        let outcome = try await OPKFetch.run(arguments, input: "t0ken\n")
        #expect(outcome.succeeded && outcome.output == Array("{\"sub\":\"a\"}".utf8))
        #expect(provider.server.requests.last?.header("Authorization") == "Bearer t0ken")
        for token in ["", "\n", "t0\r\nX: y", "t0\nken", String(repeating: "t0", count: 1 << 16)] {
            let outcome = try await OPKFetch.run(arguments, input: token)
            #expect(
                outcome.ending == .exited(1) && outcome.output.isEmpty
                    && !String(decoding: outcome.errorOutput, as: UTF8.self).contains("t0"))
        }
    }

    @Test("C06 uses neither .netrc, nor .curlrc, nor a proxy to this machine")
    func surroundings() async throws {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("opk-home-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: home) }
        try Data("machine 127.0.0.1 login me password hunter2\n".utf8).write(to: home.appendingPathComponent(".netrc"))
        try Data("user = me:hunter2\n".utf8).write(to: home.appendingPathComponent(".curlrc"))
        let proxy = "http://127.0.0.1:1"
        let outcome = try await OPKFetch.run(
            ["--cache-dir", "/nonexistent", "keys", provider.server.url],
            environment: ["HOME": home.path, "http_proxy": proxy, "https_proxy": proxy, "all_proxy": proxy])
        #expect(outcome.succeeded && provider.server.requests.count == 2)
        for request in provider.server.requests { #expect(request.header("Authorization") == nil && request.header("Cookie") == nil) }
    }

    @Test("asks through the proxy that the environment names")
    func proxy() async throws {
        let outcome = try await OPKFetch.run(
            ["--cache-dir", "/nonexistent", "keys", "https://idp.example.com"],
            environment: ["https_proxy": provider.server.url, "no_proxy": ""])
        #expect(outcome.ending == .exited(1))
        let request = try #require(provider.server.requests.first)
        #expect(request.method == "CONNECT" && request.target == "idp.example.com:443")
    }

    @Test("C07 trusts the authority that SSL_CERT_FILE names, and not without it", .enabled(if: OpenSSLServer.isThere))
    func privateAuthority() async throws {
        let server = try OpenSSLServer(certificate: .good, connections: 3) { port in
            let issuer = "https://localhost:\(port)"
            return [
                ".well-known/openid-configuration": "{\"issuer\":\"\(issuer)\",\"jwks_uri\":\"\(issuer)/jwks\"}",
                "jwks": FakeProvider.keySet,
            ]
        }
        let arguments = ["--cache-dir", "/nonexistent", "keys", "https://localhost:\(server.port)"]
        // Asked again while the server is not up yet; the refusal of its certificate is the first of its three connections.
        var refused = try await OPKFetch.run(arguments)
        for _ in 0..<100 where String(decoding: refused.errorOutput, as: UTF8.self).contains("no connection") {
            try await Task.sleep(for: .milliseconds(100))
            refused = try await OPKFetch.run(arguments)
        }
        #expect(refused.ending == .exited(1) && String(decoding: refused.errorOutput, as: UTF8.self).contains("TLS certificate"))
        let trusted = try await OPKFetch.run(arguments, environment: ["SSL_CERT_FILE": server.authority])
        #expect(trusted.succeeded && !trusted.output.isEmpty)
    }
}

/// The program that was built with these tests.
enum OPKFetch {
    static let path = BuiltPrograms.path("opk-fetch")

    /// On a thread of its own: fifty of them would take all of the pool's.
    static func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) async throws
        -> ChildProcess.Outcome
    {
        var whole = ProcessEnvironment.inherited()
        for (name, value) in environment { whole[name] = value }
        let environment = whole
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try ChildProcess.run(
                            path, arguments, environment: environment, input: Array(input.utf8), errorOutput: .captured(limit: 4096),
                            deadline: 30_000)
                    })
            }
        }
    }
}
