import Foundation
import JOSE
import KeyCache
import LibCrypto
import MintingKit
import Testing
import Vocabulary

@Suite("opk keys: what is there", .serialized)
struct ListTests {
    @Test("A row says whose keys there are, how many, how old, from where, and what is configured, for people and for scripts")
    func row() throws {
        let machine = try Machine()
        try machine.trust([machine.issuer], "max-age=\"3d\",timeout=\"7s\"")
        try machine.keep(Machine.record(machine.issuer, age: 120, keys: [Machine.key("one"), Machine.key("two")]))
        let run = try machine.keys()
        #expect(run.status == 0 && run.errors.isEmpty)
        #expect(run.lines[0].hasPrefix("ISSUER ") && run.lines[1].hasPrefix(machine.provider.url + "  fresh  2     "))
        for part in ["(2 min ago)  1 h ", " 3 d ", " 7 s"] { #expect(run.lines[1].contains(part), "\(run.output)") }
        #expect(run.lines[2...3] == ["    keys one (EdDSA), two (EdDSA)", "    from \(machine.provider.url)/jwks"])
        #expect(machine.asked == 0, "nothing is fetched for it")

        let entry = try #require(try machine.entry())
        #expect(entry["state"]?.string == "fresh" && entry["named"]?.bool == true)
        #expect(entry["keys"]?.array == [["kid": "one", "alg": "EdDSA"], ["kid": "two", "alg": "EdDSA"]])
        #expect(entry["jwks_uri"]?.string == Text(machine.provider.url + "/jwks") && entry["max_age"] == 259_200 && entry["timeout"] == 7)
        #expect([120, 121, 122].contains(entry["age"]?.number?.integer) && entry["refresh_after"] == 3600)
    }

    @Test("Keys are fresh, to be renewed, too old, from the future or not there, by what is configured and by the provider's Cache-Control")
    func states() throws {
        let machine = try Machine()
        #expect(try machine.entry()?["state"]?.string == "none")
        #expect(try machine.keys().lines[1].contains(" none "))
        for (age, wish, state, word) in [
            (3000, nil, "fresh", "fresh"), (3700, nil, "stale", "will be renewed"), (3700, 7200, "fresh", "fresh"),
            (3000, 0, "stale", "will be renewed"), (86_300, nil, "stale", "will be renewed"), (86_500, nil, "too-old", "too old"),
            (-3600, nil, "stale", "will be renewed"), (-9000, nil, "from-future", "from the future"),
        ] as [(Int64, Int64?, String, String)] {
            try machine.keep(Machine.record(machine.issuer, age: age, cacheSeconds: wish))
            #expect(try machine.entry()?["state"]?.string == Text(state), "\(age)")
            #expect(try machine.keys().lines[1].contains("  \(word)  "), "\(age)")
        }
        try machine.keep(Machine.record(machine.issuer, age: 10, cacheSeconds: 7200))
        #expect(try machine.keys().output.contains("kept for 2 h (Cache-Control); 1 h is set"))
        #expect(try machine.entry()?["refresh_after"] == 7200)
    }

    @Test("How the last fetch ended is shown, with the count of those that failed since one succeeded")
    func attempt() throws {
        let machine = try Machine()
        try machine.trust([machine.issuer, "http://127.0.0.1:1"])
        #expect(try machine.keys("refresh").status == 1)
        #expect(try machine.keys("refresh").status == 1)
        let run = try machine.keys()
        #expect(run.output.contains("    last fetch: succeeded ") && run.output.contains("    last fetch: failed 2 times, last "))
        let entry = try #require(try machine.entry("http://127.0.0.1:1"))
        #expect(entry["last_attempt"]?["failures"] == 2 && entry["last_attempt"]?["succeeded"]?.bool == false)
        #expect(entry["last_attempt"]?["reason"]?.string?.string.contains("no connection") == true)
        #expect(try machine.entry()?["last_attempt"]?["succeeded"]?.bool == true)
    }

    @Test("C14 What is damaged, half, another issuer's, a link, a second name, or writable by others is shown as unusable, and why")
    func unusable() throws {
        let machine = try Machine()
        let other = try machine.keep(Machine.record("https://other.example"))
        let good = try Machine.record(machine.issuer).record
        let path = machine.file(machine.issuer)
        let cases: [(String, () throws -> Void)] = [
            ("damaged", { try Data(good.dropLast(20)).write(to: URL(fileURLWithPath: path)) }),
            ("another issuer's", { try FileManager.default.copyItem(atPath: other, toPath: path) }),
            ("symbolic link", { symlink(other, path) }), ("hard links", { link(other, path) }),
            (
                "may be written",
                {
                    try Data(good).write(to: URL(fileURLWithPath: path)); chmod(path, 0o666)
                }
            ),
            ("not a regular file", { mkdir(path, 0o755) }),
            ("over ", { try Data(count: CachedKeys.maximumSize + 1).write(to: URL(fileURLWithPath: path)) }),
        ]
        for (word, make) in cases {
            try? FileManager.default.removeItem(atPath: path)
            try make()
            if Machine.isRoot { lchown(path, Machine.nobody, Machine.nobody) }
            let run = try machine.keys()
            #expect(
                run.status == 0 && run.lines[1].contains("  unusable  -     -  ") && run.lines[2].contains(word), "\(word): \(run.output)")
            let entry = try #require(try machine.entry())
            #expect(entry["state"]?.string == "unusable" && entry["why"]?.string?.string.contains(word) == true && entry["keys"] == [])
        }
        try? FileManager.default.removeItem(atPath: path)
        try machine.keep(Machine.record(machine.issuer))
        chmod(machine.cacheFolder, 0o777)
        #expect(try machine.keys().lines[2].contains("the folder of"))
    }

    @Test("C14 A record of another user's is unusable, and so are all in a cache that is one", .enabled(if: Machine.isRoot, "needs root"))
    func foreign() throws {
        let machine = try Machine()
        let path = try machine.keep(Machine.record(machine.issuer))
        chown(path, 1234, 1234)
        #expect(try machine.keys().lines[2].contains("belongs to user id 1234"))
        chown(path, 0, 0)
        #expect(try machine.entry()?["state"]?.string == "fresh", "root's own is believed")
        // Where the folder above may be written by others, nobody vouches for the cache's owner.
        chmod(machine.folder, 0o777)
        let run = try machine.keys()
        #expect(run.lines[2].contains("the folder of") && run.output.contains("The fetcher has no user of its own"))
    }

    @Test(
        "Records of issuers that no row names are shown after the others and marked; files that are nobody's are shown with what is wrong")
    func strays() throws {
        let machine = try Machine()
        try machine.keep(Machine.record("https://gone.example"))
        try machine.write("cache/" + String(repeating: "a", count: 64) + ".json", "{")
        try machine.write("cache/" + String(repeating: "b", count: 64) + ".json", "x", mode: 0o666)
        try machine.write("cache/notes.json", "{}")
        // In a file of another name it is not found, and so it is nobody's.
        try machine.write(
            "cache/" + String(repeating: "c", count: 64) + ".json",
            String(decoding: Machine.record("https://c.example").record, as: UTF8.self))
        let run = try machine.keys()
        let rows = run.lines.dropFirst().filter { $0.first != " " }
        #expect(rows[rows.startIndex].hasPrefix(machine.provider.url))
        #expect(rows.contains { $0.hasPrefix("https://gone.example ") && $0.contains(" fresh ") })
        #expect(run.output.contains("no row of providers names this issuer"))
        for letter in ["a", "b", "c"] {
            #expect(rows.contains { $0.hasPrefix(String(repeating: letter, count: 64)) && $0.contains(" unusable ") }, "\(run.output)")
        }
        #expect(!run.output.contains("notes"))
        #expect(try machine.entry("https://gone.example")?["named"]?.bool == false)
    }

    @Test("C35 Nothing that a provider wrote can move the cursor, turn the writing round or break a row")
    func hostile() throws {
        let machine = try Machine()
        let nasty = "k\u{1B}[31m\n\u{202E}\"\\"
        let path = Text(machine.provider.url + "/\u{1B}]0;x\u{7}")
        try machine.keep(Machine.record(machine.issuer, keys: [Machine.key(nasty)], uri: path))
        try machine.cache.note(.failure(at: .now(), "bad\u{1B}[2J\nline", after: nil), issuer: machine.issuer)
        for run in [try machine.keys(), try machine.keys("--json")] {
            #expect(run.status == 0)
            #expect(!run.output.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x7F || $0.value == 0x202E })
        }
        #expect(try machine.keys().lines.filter { $0.hasPrefix("    ") }.count == 3)
        #expect(try machine.entry()?["keys"]?.array?.first?["kid"]?.string == Text(nasty), "scripts get it whole")
    }

    @Test("Without an issuer, and without a cache, that is said; a row of providers that cannot be read too")
    func empty() throws {
        let machine = try Machine()
        try machine.write("etc/providers", "# nobody\nhttps://a.example\n")
        try FileManager.default.removeItem(atPath: machine.cacheFolder)
        let run = try machine.keys()
        #expect(run.status == 0 && run.lines[0].contains("No row of providers names an issuer"))
        #expect(run.output.contains("There is no \(machine.cacheFolder)") && run.output.contains("    line 2: a row has three columns"))
    }

    @Test("Who may not read the configuration or the cache is told to use sudo", .enabled(if: Machine.canBecomeOthers, "needs root"))
    func forbidden() throws {
        let machine = try Machine()
        chmod(machine.cacheFolder, 0o700)
        for user: UInt32 in [1, Machine.nobody] {
            let run = try machine.keys(as: user)
            #expect(
                user == Machine.nobody ? run.status == 0 : run.status == 1 && run.errors.contains("Permission denied\nopk: hint: "),
                "\(run)")
        }
        try machine.write("etc/providers", "", mode: 0o600)
        let run = try machine.keys(as: Machine.nobody)
        #expect(run.status == 1 && run.output.isEmpty && run.errors.contains("providers cannot be read: Permission denied\nopk: hint: "))
        #expect(run.errors.contains("sudo"))
    }

    @Test("A configuration that nobody may be admitted by is an error here too; a folder that is no path is a wrong call")
    func wrongConfiguration() throws {
        let machine = try Machine()
        try machine.write("etc/config.yml", "no_such_key: 1\n")
        let run = try machine.keys()
        #expect(run.status == 1 && run.errors.contains("config.yml, line 1"))
        #expect(try Machine.run(Machine.bin + "/opk", ["keys", "--cache-dir", "here"]).status == 64)
    }
}
