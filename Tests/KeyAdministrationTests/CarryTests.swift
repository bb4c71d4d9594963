import ChildProcess
import Foundation
import JOSE
import KeyCache
import MintingKit
import Testing
import Vocabulary

@testable import KeyAdministration

enum KeyBundleText {
    static func of(_ keys: [CachedKeys]) -> [UInt8] { KeyBundle.text(keys) }

    static func of(_ records: [JSON]) -> [UInt8] { (["version": 1, "records": .array(records)] as JSON).serialized }
}

@Suite("opk keys export, import: to a machine without network", .serialized)
struct CarryTests {
    private static let issuer: Text = "https://idp.example.com"

    private func machine(_ options: String = "") throws -> Machine {
        let machine = try Machine()
        try machine.trust([Self.issuer], options)
        return machine
    }

    private func json(_ keys: CachedKeys) throws -> JSON { try JSON(parsing: keys.record) }

    @Test("What one machine exports another imports, by file and by pipe, and says until when it is good")
    func carried() throws {
        let (from, to) = (try machine(), try machine("max-age=\"30d\""))
        let keys = try Machine.record(Self.issuer, age: 7200, keys: [Machine.key("one"), Machine.key("two")])
        try from.keep(keys)
        let file = from.folder + "/keys.json"
        let export = try from.keys("export", "-o", file)
        #expect(export.status == 0 && export.output.isEmpty && export.errors.isEmpty)
        let piped = try from.keys("export", Self.issuer.string)
        #expect(try Array(Data(contentsOf: URL(fileURLWithPath: file))) == Array(piped.output.utf8))

        let dry = try to.keys("import", "--dry-run", file)
        #expect(dry.status == 0 && dry.output.contains(": would be taken, ") && to.cache.read(issuer: Self.issuer) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: to.cacheFolder).isEmpty)
        let run = try to.keys("import", file)
        #expect(run.status == 0 && run.output.hasPrefix("https://idp.example.com: taken, fetched 2 h ago, used until "), "\(run)")
        #expect(run.output.contains("(in 29 d 2") && run.errors.contains("max-age=\"30d\""))
        let kept = try #require(to.cache.read(issuer: Self.issuer))
        #expect(try json(kept).serialized == json(keys).serialized)
        #expect(try to.entry(Self.issuer)?["keys"]?.array?.count == 2)
        var facts = stat()
        #expect(stat(to.file(Self.issuer), &facts) == 0 && facts.st_mode & 0o777 == 0o644)
        if Machine.isRoot { #expect(facts.st_uid == Machine.nobody) }

        let other = try machine()
        #expect(try other.keys("import", "-", input: Array(piped.output.utf8)).status == 0)
        #expect(other.cache.read(issuer: Self.issuer) != nil)
    }

    @Test("An older record, or one as old, never takes the place of what is here, but by --force; a damaged or future one gives way")
    func older() throws {
        let machine = try machine()
        let new = try Machine.record(Self.issuer, age: 100, keys: [Machine.key("new")])
        try machine.keep(new)
        for age: Int64 in [100, 101, 5000] {
            let old = KeyBundleText.of([try Machine.record(Self.issuer, age: age, keys: [Machine.key("old")])])
            for words in [["--dry-run"], []] {
                let run = try Machine.run(
                    Machine.bin + "/opk",
                    ["keys", "import", "-"] + words + ["--config-dir", machine.config, "--cache-dir", machine.cacheFolder], input: old)
                #expect(run.status == 0 && run.output.contains("left as it is"), "\(run)")
            }
            #expect(machine.cache.read(issuer: Self.issuer)?.record == new.record)
        }
        let old = KeyBundleText.of([try Machine.record(Self.issuer, age: 5000, keys: [Machine.key("old")])])
        #expect(try machine.keys("import", "--force", "-", input: old).status == 0)
        #expect(try machine.entry(Self.issuer)?["keys"]?.array?.first?["kid"]?.string == "old")
        for make: () throws -> Void in [
            { try Data("{".utf8).write(to: URL(fileURLWithPath: machine.file(Self.issuer))) },
            { try machine.keep(Machine.record(Self.issuer, age: -3600, keys: [Machine.key("future")])) },
        ] {
            try make()
            #expect(try machine.keys("import", "-", input: old).output.contains(": taken, "))
            #expect(try machine.entry(Self.issuer)?["keys"]?.array?.first?["kid"]?.string == "old")
        }
        #expect(try machine.keys("import", "-", input: KeyBundleText.of([new])).output.contains(": taken, "), "a newer one is taken")
    }

    @Test("A record from the future is never taken, nor one that is too old to be used unless --force says so")
    func times() throws {
        let machine = try machine()
        let future = KeyBundleText.of([try Machine.record(Self.issuer, age: -120)])
        for run in [try machine.keys("import", "-", input: future), try machine.keys("import", "-", "--force", input: future)] {
            #expect(run.status == 1 && run.errors.contains("in the future") && run.output.isEmpty)
        }
        #expect(try machine.keys("import", "-", input: KeyBundleText.of([Machine.record(Self.issuer, age: -30)])).status == 0)
        try FileManager.default.removeItem(atPath: machine.file(Self.issuer))
        let old = KeyBundleText.of([try Machine.record(Self.issuer, age: 90_000)])
        let run = try machine.keys("import", "-", input: old)
        #expect(run.status == 1 && run.errors.contains("too old to be used (max-age 1d)") && machine.cache.read(issuer: Self.issuer) == nil)
        #expect(try machine.keys("import", "-", "--force", input: old).output.contains("too old to be used"))
        #expect(machine.cache.read(issuer: Self.issuer) != nil)
    }

    @Test("Only issuers that providers names are taken, unless --any-issuer; one that is refused keeps no other from being taken")
    func named() throws {
        let machine = try machine()
        let bundle = KeyBundleText.of([try Machine.record("https://evil.example"), try Machine.record(Self.issuer)])
        let run = try machine.keys("import", "-", input: bundle)
        #expect(run.status == 1 && run.output.hasPrefix("https://idp.example.com: taken"))
        #expect(run.errors.hasPrefix("opk: error: https://evil.example: no row of providers names this issuer"))
        #expect(machine.cache.read(issuer: "https://evil.example") == nil)
        #expect(try machine.keys("import", "--any-issuer", "-", input: bundle).status == 0)
        #expect(machine.cache.read(issuer: "https://evil.example") != nil)
    }

    @Test("C03, C13 A record that could not have been fetched is refused: without a usable key, with an endpoint within our own network")
    func strict() throws {
        let machine = try machine()
        let good = try json(Machine.record(Self.issuer))
        func with(_ name: Text, _ value: JSON?) -> JSON {
            var object = good.object ?? JSONObject()
            object[name] = value
            return .object(object)
        }
        let tiny: JSON = ["keys": [["kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "one"]]]
        let secret: JSON = ["keys": [["kty": "oct", "k": "AAAA"]]]
        for record in [
            with("jwks", tiny), with("jwks", secret), with("jwks", ["keys": []]), with("jwks", nil), with("version", 2),
            with("version", nil),
            with("fetched_at", "yesterday"), with("fetched_at", -5), with("cache_seconds", -1), with("jwks_uri", nil),
            with("jwks_uri", "http://idp.example.com/jwks"), with("jwks_uri", "file:///etc/passwd"),
            with("userinfo_endpoint", "https://127.0.0.1/me"), with("userinfo_endpoint", "https://10.0.0.1/me"),
            with("userinfo_endpoint", 5),
            with("issuer", nil), with("issuer", 7), [], "record", 1, nil, [:],
        ] as [JSON] {
            let run = try machine.keys("import", "--any-issuer", "--force", "-", input: KeyBundleText.of([record]))
            #expect(run.status == 1 && run.output.isEmpty && run.errors.hasPrefix("opk: error: "), "\(record): \(run)")
            #expect(machine.cache.read(issuer: Self.issuer) == nil)
        }
        #expect(try machine.keys("import", "-", input: KeyBundleText.of([good])).status == 0)
    }

    @Test("What is no export is refused whole, with one line: half of one, another version, an issuer twice, too much, nothing")
    func hostile() throws {
        let machine = try machine()
        let good = KeyBundleText.of([try Machine.record(Self.issuer)])
        let twice = KeyBundleText.of([try Machine.record(Self.issuer), try Machine.record(Self.issuer, age: 5)])
        let texts: [[UInt8]] = [
            [], Array("[]".utf8), Array("{}".utf8), Array("{\"version\":1}".utf8), Array("{\"version\":2,\"records\":[]}".utf8),
            Array("{\"version\":1,\"records\":{}}".utf8), Array("\u{1B}[31m<html>".utf8), good + Array("x".utf8), twice,
            Array("{\"version\":1,\"version\":1,\"records\":[]}".utf8), [UInt8](repeating: UInt8(ascii: "["), count: 100_000),
            [UInt8](repeating: UInt8(ascii: " "), count: KeyBundle.maximumSize + 1), [0xFF, 0xFE, 0],
            Array("{\"version\":1,\"records\":[\(Array(repeating: "1", count: 10_001).joined(separator: ","))]}".utf8),
        ]
        let halves = stride(from: 1, to: good.count - 1, by: 41).map { Array(good.prefix($0)) }
        for text in texts + halves {
            let run = try machine.keys("import", "-", input: text)
            #expect(run.status == 1 && run.output.isEmpty && run.errors.hasPrefix("opk: error: "), "\(text.count) bytes: \(run)")
            #expect(!run.errors.contains("\u{1B}"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: machine.cacheFolder).isEmpty)
        let missing = try machine.keys("import", machine.folder + "/none")
        #expect(missing.status == 1 && missing.errors.contains("No such file"))
        #expect(try machine.keys("import", machine.folder).status == 1)
    }

    @Test("Export leaves out what is unusable or missing, says so, and ends with 1")
    func incomplete() throws {
        let machine = try Machine()
        try machine.trust([Self.issuer, machine.issuer, "https://third.example", "https://fourth.example"])
        try machine.keep(Machine.record(Self.issuer))
        try machine.keep(Machine.record("https://fourth.example", age: -500))
        try Data("{".utf8).write(to: URL(fileURLWithPath: machine.file(machine.issuer)))
        let run = try machine.keys("export")
        #expect(run.status == 1 && run.errors.split(separator: "\n").count == 3)
        for word in ["is damaged", "https://third.example: the cache has none", "https://fourth.example: they were fetched in the future"] {
            #expect(run.errors.contains(word))
        }
        #expect(try KeyBundle(parsing: Array(run.output.utf8)).records.map { $0["issuer"]?.string } == [Self.issuer])
        #expect(try machine.keys("export", Self.issuer.string).status == 0)
        let nothing = try machine.keys("export", machine.provider.url)
        #expect(nothing.status == 1 && nothing.output.isEmpty && nothing.errors.contains("opk: error: there are no keys to export"))
        #expect(try machine.keys("export", "https://stranger.example").errors.contains("no row of providers names"))
        let unwritable = try machine.keys("export", Self.issuer.string, "-o", machine.folder + "/no/such/file")
        #expect(unwritable.status == 1 && unwritable.errors.contains("cannot be written"))
    }

    @Test("Killed at any moment, an import leaves the old record or the new one, and the next one finishes it")
    func killed() throws {
        let machine = try machine()
        let old = try Machine.record(Self.issuer, age: 600, keys: [Machine.key("old")])
        let new = try Machine.record(Self.issuer, age: 300, keys: [Machine.key("new")] + (0..<200).map { Machine.key("more \($0)") })
        try machine.write("bundle.json", String(decoding: KeyBundleText.of([new]), as: UTF8.self))
        let text = try json(new).serialized
        var survivors = Set<String>()
        for pause in 0..<40 {
            try machine.keep(old)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: Machine.bin + "/opk")
            process.arguments = [
                "keys", "import", machine.folder + "/bundle.json", "--config-dir", machine.config, "--cache-dir", machine.cacheFolder,
            ]
            (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
            try process.run()
            usleep(useconds_t(pause * 2000))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            let kept = try #require(machine.cache.read(issuer: Self.issuer), "after \(pause * 2) ms")
            survivors.insert(kept.record == old.record ? "old" : kept.record == text ? "new" : "another")
        }
        #expect(survivors.contains("old") && !survivors.contains("another"), "\(survivors)")
        #expect(try machine.keys("import", machine.folder + "/bundle.json").status == 0)
        #expect(machine.cache.read(issuer: Self.issuer)?.record == text)
    }

    @Test("A fetch that is under way is waited for, and an import does not go over it")
    func locked() throws {
        let machine = try machine("timeout=\"1s\"")
        try machine.cache.withLock(issuer: Self.issuer, waitingAtMost: 0) { state in
            #expect(state == .held(before: nil))
            if Machine.isRoot {
                for name in try FileManager.default.contentsOfDirectory(atPath: machine.cacheFolder) {
                    chown(machine.cacheFolder + "/" + name, Machine.nobody, Machine.nobody)
                }
            }
            let run = try machine.keys("import", "-", input: KeyBundleText.of([Machine.record(Self.issuer)]))
            #expect(run.status == 1 && run.errors.contains("has not ended yet") && machine.cache.read(issuer: Self.issuer) == nil)
        }
    }
}
