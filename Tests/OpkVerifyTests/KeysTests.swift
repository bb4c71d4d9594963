import Foundation
import JOSE
import KeyCache
import LibCrypto
import MintingKit
import TestSupport
import Testing
import Vocabulary

@Suite("opk-verify: the provider's keys", .serialized)
struct KeysTests {
    private static let refreshAfter = KeyLimits.standard.refreshAfter
    private static let maximumAge = KeyLimits.standard.maximumAge
    private static let fetch = ["/.well-known/openid-configuration", "/jwks"]

    @Test("Fresh keys are used without a word to the provider")
    func fresh() throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        doorway.serve(login.keys)
        for age: Int64 in [0, Self.refreshAfter - 60] {
            try doorway.keep(login.keys, age: age)
            let run = try doorway.ask(login)
            #expect(run.admitted && !run.terminal.contains("keys:"), "\(run)")
        }
        #expect(doorway.asked == [])
    }

    @Test("Without keys the provider is asked once, and what it says is kept")
    func fetched() throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        doorway.serve(login.keys)
        #expect(try doorway.ask(login).admitted)
        #expect(doorway.asked == Self.fetch)
        #expect(try doorway.ask(login).admitted)
        #expect(doorway.asked == Self.fetch)
    }

    @Test("Keys over an hour old admit at once, with the provider hanging, and are renewed behind the answer")
    func renewedBehind() throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        doorway.serve(login.keys)
        try doorway.keep(login.keys, age: Self.refreshAfter)
        let run = try doorway.ask(login)
        #expect(run.admitted && !run.terminal.contains("keys:"), "\(run)")
        #expect(doorway.eventually { doorway.cache.read(issuer: doorway.issuer)?.isFresh(at: .now()) == true })
        #expect(doorway.asked == Self.fetch)
        #expect(try doorway.ask(login).admitted && doorway.asked == Self.fetch)

        // Nobody waits for it: a provider that never answers holds up the renewal, not the login.
        let hanging = try Doorway()
        hanging.provider.play { _, connection in while connection.send("") { Thread.sleep(forTimeInterval: 0.2) } }
        try hanging.keep(login.keys, age: Self.refreshAfter)
        let other = try hanging.login()
        #expect(try hanging.ask(other).admitted)
        #expect(hanging.eventually { hanging.asked.count == 1 }, "the renewal is under way")
        for _ in 0..<3 { #expect(try hanging.ask(other).admitted) }
        #expect(hanging.asked.count == 1, "and nobody began a second one")
    }

    @Test("A row of providers says when keys are renewed, and until when they are used; config.yml says it for all others")
    func configured() throws {
        let doorway = try Doorway(issuer: "http://127.0.0.1:1")
        let login = try doorway.login()
        let row = "\(doorway.issuer.string) \(MintedLogin.clientID.string) 24h"
        for (options, config, age, admits) in [
            ("max-age=\"5m\"", "", 280, true), ("max-age=\"5m\"", "", 301, false),
            ("max-age=\"3d\"", "keys: {max_age: 2m}\n", 86_400 * 2, true), ("", "keys: {max_age: 2m}\n", 121, false),
            ("", "keys: {max_age: 2d}\n", 86_400 + 60, true), ("refresh-after=\"10m\",max-age=\"2h\"", "", 7201, false),
        ] as [(String, String, Int64, Bool)] {
            try doorway.write("providers", "\(row) \(options)\n")
            try doorway.write("config.yml", config)
            try doorway.keep(login.keys, age: age)
            let run = try doorway.ask(login)
            #expect(admits ? run.admitted : run.refused(1, "reason=keys-unavailable "), "\(options) \(config) \(age): \(run)")
        }
    }

    @Test("The provider's Cache-Control makes the time until the renewal shorter or longer, within bounds")
    func cacheControl() throws {
        for (header, age, isRenewed) in [
            ("max-age=7200", 3700, false), ("max-age=7200", 7300, true), ("no-store", 300, false), ("no-store", 400, true),
            ("max-age=31536000", 21_000, false), ("max-age=31536000", 22_000, true), ("private", 3500, false), ("private", 3700, true),
        ] as [(String, Int64, Bool)] {
            let doorway = try Doorway()
            let login = try doorway.login()
            doorway.serve(login.keys, headers: ["Cache-Control: \(header)"])
            #expect(try doorway.ask(login).admitted && doorway.asked == Self.fetch)
            try doorway.age(by: age)
            #expect(try doorway.ask(login).admitted)
            if isRenewed {
                #expect(doorway.eventually { doorway.asked.count == 4 }, "\(header) \(age)")
            } else {
                Thread.sleep(forTimeInterval: 0.3)
                #expect(doorway.asked == Self.fetch, "\(header) \(age)")
            }
        }
    }

    @Test("V69 Keys over an hour old are used where the provider is dead, and once that is known the log line says so")
    func stale() throws {
        let doorway = try Doorway(issuer: "http://127.0.0.1:1")
        let login = try doorway.login()
        for age in [Self.refreshAfter, Self.maximumAge - 60] {
            try doorway.keep(login.keys, age: age)
            #expect(try doorway.ask(login).admitted)
            #expect(doorway.eventually { doorway.cache.lastAttempt(issuer: doorway.issuer, at: .now())?.succeeded == false })
            let run = try doorway.ask(login)
            #expect(run.admitted && run.terminal.contains("were used") && run.terminal.contains("no connection"), "\(run)")
        }
    }

    @Test("V69 Keys over a day old are used no more: where the provider is dead, that is a refusal")
    func tooOld() throws {
        let doorway = try Doorway(issuer: "http://127.0.0.1:1")
        let login = try doorway.login()
        for age in [Self.maximumAge, Self.maximumAge * 30, -7300] {
            try doorway.keep(login.keys, age: age)
            let run = try doorway.ask(login)
            #expect(run.refused(1, "step=8 reason=keys-unavailable "), "\(age): \(run)")
        }
        // The same where it answers, but with nothing of use.
        let failing = try Doorway()
        try failing.keep(login.keys, age: Self.maximumAge)
        let run = try failing.ask(try failing.login())
        #expect(run.refused(1, "reason=keys-unavailable ", "404"), "\(run)")
        #expect(try Doorway(issuer: "http://127.0.0.1:1").with { try $0.ask(try $0.login()) }.refused(1, "reason=keys-unavailable "))
    }

    @Test("A clock that was set back by an hour keeps nobody out, and the keys are renewed at once")
    func clockSetBack() throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        doorway.serve(login.keys)
        try doorway.keep(login.keys, age: -3600)
        #expect(try doorway.ask(login).admitted)
        #expect(doorway.eventually { doorway.cache.read(issuer: doorway.issuer)?.isFresh(at: .now()) == true })
    }

    @Test("V69 A key that the provider has withdrawn opens nothing once the keys were renewed, or are as old as they may be")
    func withdrawn() throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        doorway.serve([MintedLogin.jwk(TestKeys.otherP256.publicKey, ["kid": "key-2", "alg": "ES256"])])
        try doorway.keep(login.keys, age: Self.refreshAfter)
        _ = try doorway.ask(login)
        #expect(doorway.eventually { doorway.cache.read(issuer: doorway.issuer)?.isFresh(at: .now()) == true })
        #expect(try doorway.ask(login).refused(1, "step=8 reason=no-fitting-key "))
        let other = try Doorway()
        other.serve([MintedLogin.jwk(TestKeys.otherP256.publicKey, ["kid": "key-2", "alg": "ES256"])])
        let late = try other.login()
        try other.keep(late.keys, age: Self.maximumAge)
        #expect(try other.ask(late).refused(1, "step=8 reason=no-fitting-key "))
    }

    @Test("V10 An unknown kid makes the provider be asked once, and its new keys admit")
    func rotated() throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        try doorway.keep(login.keys)
        let newKey = MintedLogin.jwk(TestKeys.otherP256.publicKey, ["kid": "key-2", "alg": "ES256", "use": "sig"])
        doorway.serve(login.keys + [newKey])
        let rotated = login.with {
            $0.header["kid"] = "key-2"
            $0.providerKey = TestKeys.otherP256
        }
        #expect(try doorway.ask(rotated).admitted)
        #expect(doorway.asked == Self.fetch)
        #expect(try doorway.ask(rotated).admitted && doorway.ask(login).admitted)
        #expect(doorway.asked == Self.fetch)
    }

    @Test("V10, C12 An unknown kid that the provider does not know either is refused, and asked for at most once in ten seconds")
    func unknownKeyID() throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        try doorway.keep(login.keys)
        doorway.serve(login.keys)
        for number in 0..<4 {
            let run = try doorway.ask(login.with { $0.header["kid"] = .string(Text("key-\(90 + number)")) })
            #expect(run.refused(1, "step=8 reason=no-fitting-key "), "\(run)")
            #expect(doorway.asked == Self.fetch)
        }
        #expect(try doorway.ask(login).admitted, "the flood did the good key no harm")
        try doorway.cache.note(.success(at: .now() + -11), issuer: doorway.issuer)
        #expect(try !doorway.ask(login.with { $0.header["kid"] = "key-90" }).admitted)
        #expect(doorway.asked == Self.fetch + Self.fetch)
    }

    @Test("V10, V62 A refreshed token that is signed by a new key makes the provider be asked, as the first token does")
    func rotatedForRefreshed() throws {
        let doorway = try Doorway()
        try doorway.write("providers", "\(doorway.issuer.string) \(MintedLogin.clientID.string) oidc-refreshed\n")
        let login = try doorway.login()
        try doorway.keep(login.keys)
        doorway.serve(login.keys + [MintedLogin.jwk(TestKeys.otherP256.publicKey, ["kid": "key-2", "alg": "ES256", "use": "sig"])])
        let now = UnixTime.now().seconds
        let refreshed = try login.with {
            $0.header["kid"] = "key-2"
            $0.providerKey = TestKeys.otherP256
            $0.claims["iat"] = .number(JSONNumber(now - 5))
        }.idToken()
        let run = try doorway.ask(
            login.with {
                $0.claims["exp"] = .number(JSONNumber(now - 5))
                $0.refreshed = refreshed
            })
        #expect(run.admitted && doorway.asked == Self.fetch, "\(run)")
    }

    @Test("V07, V13 Nothing in a token's header makes anybody be asked before all that is local holds")
    func localFirst() throws {
        let doorway = try Doorway()
        let login = try doorway.login()
        doorway.serve(login.keys)
        for change: @Sendable (inout MintedLogin) -> Void in [
            { $0.claims["nonce"] = "x" }, { $0.claims["iat"] = 5 }, { $0.claims["aud"] = "other" }, { $0.header["alg"] = "none" },
            { $0.clientSignature = [UInt8](repeating: 1, count: 64) },
        ] {
            #expect(try doorway.ask(login.with(change)).refused(1))
        }
        #expect(doorway.asked == [])
        let url = doorway.provider.url
        let pointing = login.with {
            $0.header["jku"] = .string(Text(url + "/evil"))
            $0.header["x5u"] = .string(Text(url + "/evil"))
        }
        _ = try doorway.ask(pointing)
        #expect(!doorway.asked.contains("/evil"))
    }

    @Test("C14 A cache record that others may write, or of another issuer, is not believed")
    func unsafeCache() throws {
        let doorway = try Doorway(issuer: "http://127.0.0.1:1")
        let login = try doorway.login()
        try doorway.keep(login.keys)
        #expect(try doorway.ask(login).admitted)
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: doorway.cacheFolder).first { $0.hasSuffix(".json") })
        chmod(doorway.cacheFolder + "/" + name, 0o666)
        let run = try doorway.ask(login)
        #expect(run.refused(1, "reason=keys-unavailable "), "\(run)")
    }

    @Test("A provider that never answers is waited for less than sshd's patience, and refused (V69)")
    func silent() throws {
        let doorway = try Doorway()
        doorway.provider.play { _, connection in while connection.send("") { Thread.sleep(forTimeInterval: 0.2) } }
        let start = ContinuousClock.now
        let run = try doorway.ask(try doorway.login())
        #expect(run.refused(1, "reason=keys-unavailable ") && ContinuousClock.now - start < .seconds(20), "\(run)")
    }
}

@Suite("opk-verify: env_vars of config.yml", .serialized)
struct VariableTests {
    @Test("SSL_CERT_FILE there names the authority that opk-fetch trusts", .enabled(if: OpenSSLServer.isThere, "no openssl"))
    func privateAuthority() throws {
        let keys = try MintedLogin().keys
        let server = try OpenSSLServer(certificate: .good, connections: 3) { port in
            let issuer = "https://localhost:\(port)"
            return [
                ".well-known/openid-configuration": "{\"issuer\":\"\(issuer)\",\"jwks_uri\":\"\(issuer)/jwks\"}",
                "jwks": String(decoding: Doorway.keySet(keys), as: UTF8.self),
            ]
        }
        let doorway = try Doorway(issuer: Text("https://localhost:\(server.port)"))
        let login = try doorway.login()
        // Asked again while the server is not up yet; the refusal of its certificate is the first of its three connections.
        var untrusted = try doorway.ask(login)
        for _ in 0..<100 where !untrusted.terminal.contains("TLS certificate") {
            Thread.sleep(forTimeInterval: 0.1)
            try doorway.cache.note(.success(at: .now() + -60), issuer: doorway.issuer)
            untrusted = try doorway.ask(login)
        }
        #expect(untrusted.refused(1, "reason=keys-unavailable ", "TLS certificate"), "\(untrusted)")
        // Not where the server has it: opk-fetch, started by opk-verify, reads nothing in /tmp.
        let authority = doorway.config + "/ca.pem"
        try FileManager.default.copyItem(atPath: server.authority, toPath: authority)
        try doorway.write("config.yml", "env_vars:\n  SSL_CERT_FILE: \(authority)\n")
        try doorway.cache.note(.success(at: .now() + -60), issuer: doorway.issuer)
        let run = try doorway.ask(login)
        #expect(run.admitted, "\(run)")
    }

    @Test("A proxy there is the one that is asked, whatever sshd's environment says")
    func proxy() throws {
        let doorway = try Doorway(issuer: "https://idp.example.com")
        let proxy = doorway.provider
        try doorway.write("config.yml", "env_vars: {https_proxy: \"\(proxy.url)\", no_proxy: \"\"}\n")
        var environment = Doorway.environment
        environment["https_proxy"] = "http://127.0.0.1:1"
        let run = try doorway.ask(try doorway.login(), environment: environment)
        #expect(run.refused(1, "reason=keys-unavailable "), "\(run)")
        let request = try #require(proxy.requests.first)
        #expect(request.method == "CONNECT" && request.target == "idp.example.com:443")
    }

    @Test("opk-fetch gets sshd's environment as it is; what config.yml adds it reads for itself")
    func environment() throws {
        let doorway = try Doorway()
        let program = try doorway.program(withFetcher: "cat /proc/$$/environ >$here/environment; exit 1")
        try doorway.write("config.yml", "env_vars: {SSL_CERT_FILE: /etc/ca.pem, LANG: C.UTF-8, EMPTY: \"\"}\n")
        #expect(try doorway.ask(try doorway.login(), program: program).refused(1, "reason=keys-unavailable "))
        let entries = try #require(doorway.note("environment")).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        #expect(entries.sorted() == Doorway.environment.map { "\($0)=\($1)" }.sorted())
    }
}

extension Doorway {
    func with<Result>(_ work: (Doorway) throws -> Result) rethrows -> Result { try work(self) }
}
