import Foundation
import JOSE
import KeyCache
import MintingKit
import TestSupport
import Testing
import Vocabulary

@Suite("opk keys refresh", .serialized)
struct RefreshTests {
    @Test("Renews what is there, however fresh, and says so; --quiet says nothing")
    func renews() throws {
        let machine = try Machine()
        for (count, words) in [(2, []), (4, ["--quiet"])] as [(Int, [String])] {
            let run = try Machine.run(
                Machine.bin + "/opk", ["keys", "refresh"] + words + ["--config-dir", machine.config, "--cache-dir", machine.cacheFolder])
            #expect(run.status == 0 && run.errors.isEmpty && machine.asked == count)
            #expect(run.output == (words.isEmpty ? "\(machine.provider.url): renewed, 1 key\n" : ""))
        }
        #expect(machine.cache.read(issuer: machine.issuer)?.isFresh(at: .now()) == true)
    }

    @Test("--if-older-than leaves those that are younger and fresh; not what is stale, damaged or from the future")
    func olderThan() throws {
        let machine = try Machine()
        var asked = 0
        func refreshes(_ span: String = "20m") throws -> Bool {
            let run = try machine.keys("refresh", "--if-older-than", span)
            #expect(run.status == 0)
            defer { asked = machine.asked }
            #expect(run.output.contains(machine.asked == asked ? "left as it is" : "renewed"))
            return machine.asked > asked
        }
        for (age, wish, isRenewed) in [
            (60, nil, false), (1190, nil, false), (1210, nil, true), (500, 0, true), (-120, nil, true),
        ] as [(Int64, Int64?, Bool)] {
            try machine.keep(Machine.record(machine.issuer, age: age, cacheSeconds: wish))
            #expect(try refreshes() == isRenewed, "\(age)")
        }
        try Data("{".utf8).write(to: URL(fileURLWithPath: machine.file(machine.issuer)))
        #expect(try refreshes())
        let wrong = try machine.keys("refresh", "--if-older-than", "soon")
        #expect(wrong.status == 64 && wrong.errors.contains("opk: hint: for example"))
    }

    @Test("One that fails keeps no other from being renewed, leaves what is there, and makes the exit status 1")
    func failure() throws {
        let machine = try Machine()
        let dead: Text = "http://127.0.0.1:1"
        try machine.trust([dead, machine.issuer])
        try machine.keep(Machine.record(dead, age: 100))
        let before = try Data(contentsOf: URL(fileURLWithPath: machine.file(dead)))
        let run = try machine.keys("refresh")
        #expect(run.status == 1 && run.lines == ["\(machine.provider.url): renewed, 1 key"])
        #expect(run.errors.hasPrefix("opk: error: http://127.0.0.1:1: ") && run.errors.split(separator: "\n").count == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: machine.file(dead))) == before)
        #expect(try machine.keys("refresh", machine.provider.url).status == 0, "only the named ones are asked")
    }

    @Test("An issuer that no row names is not asked; without any there is nothing to do and nothing wrong")
    func unnamed() throws {
        let machine = try Machine()
        try machine.trust(["https://other.example"])
        let run = try machine.keys("refresh", machine.provider.url)
        #expect(run.status == 1 && run.errors.contains("no row of providers names \(machine.provider.url)") && machine.asked == 0)
        try machine.write("etc/providers", "")
        #expect(try machine.keys("refresh").status == 0)
        #expect(try machine.keys("refresh", "--quiet").output.isEmpty)
    }

    @Test("Whatever kind of thing lies in the record's place, a good record takes it, or the failure is said")
    func replaced() throws {
        let machine = try Machine()
        let path = machine.file(machine.issuer)
        let other = try machine.keep(Machine.record("https://other.example"))
        let before = try Data(contentsOf: URL(fileURLWithPath: other))
        symlink(other, path)
        #expect(try machine.keys("refresh").status == 0)
        #expect(machine.cache.read(issuer: machine.issuer) != nil)
        #expect(try Data(contentsOf: URL(fileURLWithPath: other)) == before, "nothing is written through a link")
        unlink(path)
        mkdir(path, 0o755)
        let run = try machine.keys("refresh")
        #expect(run.status == 1 && run.errors.contains("they were fetched, but") && run.errors.contains("not a regular file"))
        // Fetched is not enough: what opk-verify would not use is a failure.
        rmdir(path)
        chmod(machine.cacheFolder, 0o777)
        let useless = try machine.keys("refresh")
        #expect(useless.status == 1 && useless.errors.contains("the folder of"))
    }

    @Test(
        "Started by root it writes as the cache's owner, whom the configuration need not be readable for",
        .enabled(if: Machine.isRoot, "needs root"))
    func becomesOwner() throws {
        let machine = try Machine()
        try machine.write("etc/config.yml", "keys: {timeout: 4s}\n", mode: 0o600)
        chmod(machine.config, 0o700)
        #expect(try machine.keys("refresh").status == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: machine.cacheFolder)
        #expect(names.count == 3)
        for name in names {
            var facts = stat()
            #expect(stat(machine.cacheFolder + "/" + name, &facts) == 0 && facts.st_uid == Machine.nobody && facts.st_gid == Machine.nobody)
        }
    }

    @Test("Who may not write the cache fetches nothing and is told to use sudo", .enabled(if: Machine.canBecomeOthers, "needs root"))
    func forbidden() throws {
        let machine = try Machine()
        for command in [["refresh"], ["import", "-"]] {
            let run = try Machine.run(
                "/usr/bin/setpriv",
                Machine.becoming(1) + [Machine.bin + "/opk", "keys"] + command
                    + ["--config-dir", machine.config, "--cache-dir", machine.cacheFolder],
                input: KeyBundleText.of([Machine.record(machine.issuer)]))
            #expect(run.status == 1 && run.errors.contains("cannot be written: Permission denied\nopk: hint: ") && machine.asked == 0)
        }
        try FileManager.default.removeItem(atPath: machine.cacheFolder)
        #expect(try machine.keys("refresh").errors.contains("make install"))
    }

    @Test("env_vars of config.yml and ca= of a row are heeded", .enabled(if: OpenSSLServer.isThere, "no openssl"))
    func authorities() throws {
        let machine = try Machine()
        for isEnvironment in [false, true] {
            let server = try OpenSSLServer(certificate: .good, connections: 3) { port in
                [
                    ".well-known/openid-configuration":
                        "{\"issuer\":\"https://localhost:\(port)\",\"jwks_uri\":\"https://localhost:\(port)/jwks\"}",
                    "jwks": String(decoding: Machine.keySet([Machine.key("one")]), as: UTF8.self),
                ]
            }
            chmod((server.authority as NSString).deletingLastPathComponent, 0o755)
            let issuer = Text("https://localhost:\(server.port)")
            if isEnvironment {
                try machine.trust([issuer])
                try machine.write("etc/config.yml", "env_vars: {SSL_CERT_FILE: \(server.authority)}\n")
            } else {
                try machine.trust([issuer], "ca=\"\(server.authority)\"")
            }
            var run = try machine.keys("refresh")
            // The server may need a moment to listen.
            for _ in 0..<100 where run.errors.contains("no connection") {
                Thread.sleep(forTimeInterval: 0.1)
                run = try machine.keys("refresh")
            }
            #expect(run.status == 0, "\(run.errors)")
        }
    }
}
