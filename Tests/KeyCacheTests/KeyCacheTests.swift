import Foundation
import JOSE
import KeyCache
import SafeFiles
import Testing
import Vocabulary

private let keySet = """
    { "keys" : [ {"kty":"oct","k":"AAAA","alg":"HS256"},
      {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"1","alg":"EdDSA","use":"sig"} ] }
    """

private let issuer: Text = "https://idp.example.com"
private let now = UnixTime(seconds: 1_800_000_000)

private func fresh(_ jwks: String) -> CachedKeys? {
    CachedKeys(
        issuer: issuer, keysURI: "https://idp.example.com/jwks", userinfoEndpoint: "https://idp.example.com/me", fetchedAt: now,
        body: Array(jwks.utf8))
}

private func record(_ issuer: Text = issuer, at time: UnixTime = now) throws -> CachedKeys {
    try #require(
        CachedKeys(
            issuer: issuer, keysURI: "https://idp.example.com/jwks", userinfoEndpoint: "https://idp.example.com/me", fetchedAt: time,
            body: Array(keySet.utf8)))
}

@Suite("A record of an issuer's keys")
struct CachedKeysTests {
    @Test("is read as it was written, with the key set verbatim")
    func roundTrip() throws {
        let keys = try #require(CachedKeys(parsing: record().record, issuer: issuer))
        #expect(keys.issuer == issuer && keys.keysURI == "https://idp.example.com/jwks" && keys.fetchedAt == now)
        #expect(keys.userinfoEndpoint == "https://idp.example.com/me" && keys.jwks.keys.count == 1)
        #expect(String(decoding: keys.record, as: UTF8.self).contains(keySet))
    }

    @Test("C11 is of no use to another issuer, not even one that looks the same")
    func otherIssuer() throws {
        let mine = Text("https://\u{E9}.example")
        let raw = try record(mine).record
        #expect(CachedKeys(parsing: raw, issuer: mine) != nil)
        for other in [issuer, Text("https://e\u{301}.example"), Text("https://\u{E9}.example/")] {
            #expect(CachedKeys(parsing: raw, issuer: other) == nil)
        }
    }

    @Test("C13 is not made of a key set without a usable key")
    func noKeys() throws {
        for jwks in [
            "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", "{\"keys\":[1,null,{}]}", "{}", "{\"keys\":{}}", "", "[]",
            "<html>", keySet + "}", keySet + ",\"issuer\":\"x\"", "{\"keys\":[],\"keys\":[]}", "\u{FEFF}" + keySet,
        ] {
            #expect(fresh(jwks) == nil, "\(jwks)")
        }
        let emptied = String(decoding: try record().record, as: UTF8.self).replacingOccurrences(of: keySet, with: "{\"keys\":[]}")
        #expect(CachedKeys(parsing: Array(emptied.utf8), issuer: issuer) == nil)
    }

    @Test("C14 that was truncated anywhere, or edited, is refused and never crashes")
    func damage() throws {
        let raw = try record().record
        for length in raw.indices { #expect(CachedKeys(parsing: Array(raw[..<length]), issuer: issuer) == nil) }
        for index in raw.indices {
            var flipped = raw
            flipped[index] ^= 0x80
            #expect(CachedKeys(parsing: flipped, issuer: issuer) == nil)
        }
        let text = String(decoding: raw, as: UTF8.self)
        for (old, new) in [
            ("\"version\":1", "\"version\":2"), ("\"version\":1", "\"version\":\"1\""), ("\"fetched_at\":1800000000", "\"fetched_at\":-1"),
            ("\"fetched_at\":1800000000", "\"fetched_at\":99999999999999999999"), ("\"fetched_at\":", "\"fetched\":"),
            ("\"version\":1", "\"version\":1,\"version\":1"), ("\"https://idp.example.com/me\"", "7"),
        ] {
            let edited = text.replacingOccurrences(of: old, with: new)
            #expect(edited != text)
            #expect(CachedKeys(parsing: Array(edited.utf8), issuer: issuer) == nil)
        }
        let padded = raw + [UInt8](repeating: 0x20, count: CachedKeys.maximumSize - raw.count)
        #expect(CachedKeys(parsing: padded, issuer: issuer) != nil)
        #expect(CachedKeys(parsing: padded + [0x20], issuer: issuer) == nil)
    }

    @Test("V69 is fresh for an hour, usable for a day; from the future it is not fresh, and usable where a clock set back explains it")
    func age() throws {
        let keys = try record()
        for (seconds, fresh, usable) in [
            (0, true, true), (3599, true, true), (3600, false, true), (86_399, false, true), (86_400, false, false),
            (-1, false, true), (-7200, false, true), (-7201, false, false), (-1_000_000, false, false), (Int64.max, false, false),
        ] as [(Int64, Bool, Bool)] {
            #expect(keys.isFresh(at: now + seconds) == fresh && keys.isUsable(at: now + seconds) == usable, "\(seconds)")
        }
    }
}

@Suite("The folder of keys")
final class KeyCacheTests {
    let folder: URL
    let cache: KeyCache

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("opk-cache-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        cache = KeyCache(directory: folder.path)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private var file: URL {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
            #expect(names.count == 1)
            return folder.appendingPathComponent(try #require(names.first))
        }
    }

    private func isUnusable(_ sourceLocation: SourceLocation = #_sourceLocation) {
        guard case .unusable(let reason) = cache.lookUp(issuer: issuer) else {
            Issue.record("was used or is absent", sourceLocation: sourceLocation)
            return
        }
        #expect(!reason.isEmpty && cache.read(issuer: issuer) == nil, sourceLocation: sourceLocation)
    }

    @Test("C11 keeps each issuer's record under a name of its own")
    func names() throws {
        guard case .absent = cache.lookUp(issuer: issuer) else { throw CocoaError(.fileReadUnknown) }
        try cache.write(record())
        #expect(try file.lastPathComponent.utf8.count == 64 + 5)
        #expect(cache.read(issuer: issuer)?.fetchedAt == now)
        try cache.write(record(at: now + 1))
        #expect(cache.read(issuer: issuer)?.fetchedAt == now + 1)
        #expect(cache.read(issuer: "https://idp.example.com/") == nil)
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
        #expect(mode == 0o644)
    }

    @Test("C11 does not believe a record that lies under another issuer's name")
    func moved() throws {
        try cache.write(record())
        let mine = try file
        try cache.write(record("https://evil.example"))
        let other = try #require(
            FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".json") && $0 != mine.lastPathComponent })
        try FileManager.default.removeItem(at: mine)
        try FileManager.default.moveItem(at: folder.appendingPathComponent(other), to: mine)
        isUnusable()
    }

    @Test("C14 does not believe a record that others can write, that is a link, that has two names, or that is damaged")
    func unsafe() throws {
        try cache.write(record())
        let path = try file.path
        for mode in [0o664, 0o646, 0o666] {
            chmod(path, mode_t(mode))
            isUnusable()
        }
        chmod(path, 0o644)
        #expect(cache.read(issuer: issuer) != nil)
        chmod(folder.path, 0o777)
        isUnusable()
        chmod(folder.path, 0o755)

        link(path, path + ".second")
        isUnusable()
        unlink(path)
        symlink(path + ".second", path)
        isUnusable()
        unlink(path)
        mkfifo(path, 0o644)
        isUnusable()
        unlink(path)
        try Data(record().record.dropLast(10)).write(to: URL(fileURLWithPath: path))
        isUnusable()
        // And is whole again after the next fetch.
        try cache.write(record())
        #expect(cache.read(issuer: issuer) != nil)
    }

    @Test("C14 does not believe a record of another user", .enabled(if: geteuid() == 0, "only root can give files away"))
    func owner() throws {
        try cache.write(record())
        let path = try file.path
        chown(path, 65_534, 65_534)
        isUnusable()
        #expect(KeyCache(directory: folder.path, trust: .rootOrUser(65_534)).read(issuer: issuer) != nil)
        chown(path, 0, 0)
        chown(folder.path, 65_534, 65_534)
        isUnusable()
    }

    @Test("C12 remembers when the last fetch ended, and forgets it when the clock was set back")
    func attempts() throws {
        #expect(cache.lastAttempt(issuer: issuer, at: now) == nil)
        let attempt = FetchAttempt.failure(at: UnixTime(seconds: now.seconds, nanoseconds: 5), "no \"connection\"", after: nil)
        try cache.note(attempt, issuer: issuer)
        #expect(cache.lastAttempt(issuer: issuer, at: now + 1) == attempt)
        #expect(cache.lastAttempt(issuer: issuer, at: now) == nil)
        #expect(cache.lastAttempt(issuer: "https://other.example", at: now + 1) == nil)
        let path = try #require(FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".attempt") })
        for text in [
            "", "{}", "1 0 ok\n", "{\"version\":2,\"ended\":1,\"failures\":0,\"reason\":\"\"}",
            "{\"version\":1,\"ended\":-1,\"failures\":0,\"reason\":\"\"}", "{\"version\":1,\"ended\":1,\"failures\":-1,\"reason\":\"\"}",
            "{\"version\":1,\"ended\":1,\"failures\":1e9,\"reason\":\"\"}", "{\"version\":1,\"ended\":1,\"failures\":0}",
        ] {
            try Data(text.utf8).write(to: folder.appendingPathComponent(path))
            #expect(cache.lastAttempt(issuer: issuer, at: now + 1) == nil)
        }
    }

    @Test("lets one fetch at a time through, for each issuer")
    func lock() throws {
        func state(_ issuer: Text, _ cache: KeyCache, waiting: Int = 30) -> FileLock.State {
            cache.withLock(issuer: issuer, waitingAtMost: waiting) { $0 }
        }
        cache.withLock(issuer: issuer, waitingAtMost: 0) { mine in
            #expect(mine == .held(before: nil) && state(issuer, cache) == .busy)
            #expect(state("https://other.example", cache) == .held(before: nil))
        }
        guard case .held(.some) = state(issuer, cache) else {
            Issue.record("it is not free again, or not known to have been held")
            return
        }
        guard case .unavailable = state(issuer, KeyCache(directory: "/nonexistent")) else {
            Issue.record("a folder that is not there has no locks")
            return
        }
    }
}
