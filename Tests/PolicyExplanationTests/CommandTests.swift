import Foundation
import JOSE
import KeyCache
import MintingKit
import SSHKeys
import TestSupport
import Testing
import Vocabulary

@Suite("opk explain: the command") struct CommandTests {
    @Test("a certificate comes as a file, on standard input, as a line, as base64 alone, and beside a private key")
    func sources() throws {
        let place = try Place()
        try place.write("auth_id", "root alice@example.com \(Place.issuer.string)\n")
        let login = try MintedLogin()
        try place.keep(login.keys)
        let words = try place.request(login, as: "root")
        let line = "\(words.type) \(words.key) openpubkey\n"
        try place.put(place.folder + "/id-cert.pub", Array(line.utf8), 0o644)
        try place.put(place.folder + "/id", Array("-----BEGIN OPENSSH PRIVATE KEY-----\n".utf8), 0o600)
        let time = "\(Place.now)"
        for (word, input) in [
            (place.folder + "/id-cert.pub", ""), (place.folder + "/id", ""), ("-", line), (line, ""), (words.key, ""), ("-", words.key),
        ] {
            let run = try place.opk("explain", "root", word, "--at", time, input: input)
            #expect(run.status == 0 && run.output.contains("Verdict: admitted"), "\(word.prefix(40)): \(run)")
        }
        let refused = try place.opk("explain", "guest", place.folder + "/id", "--at", time, "--json")
        #expect(refused.status == 1)
        #expect(try JSON(parsing: Array(refused.output.utf8))["verdict"]?["reason"] == "no-row-admits")
    }

    @Test(
        "a wrong call ends with 64",
        arguments: [
            ["explain"], ["explain", "root"], ["explain", "root", "x", "--email", "a@b"],
            ["explain", "../x", "--email", "a@b", "--issuer", "google"],
            ["explain", "root", "--email", "a@b", "--at", "noon"], ["explain", "root", "--email", "a@b", "--from", "here"],
            ["explain", "root", "--email", "a@b", "--issuer", "https://issuer.example.com", "--claim", "x"], ["explain", "--last", "x"],
            ["explain", "--last", "--id", "x"],
        ])
    func wrong(_ words: [String]) throws {
        let place = try Place()
        let run = try Place.run(
            "opk", words + ["--config-dir", place.config, "--cache-dir", place.cacheFolder, "--state-dir", place.stateFolder])
        #expect(run.status == 64 && run.output.isEmpty && run.errors.hasPrefix("opk: error: "), "\(run)")
    }

    @Test("nothing is fetched unless --fetch asks for it; then keys and userinfo are")
    func fetching() throws {
        let place = try Place()
        let provider = try ScriptedServer()
        let issuer = Text(provider.url)
        let now = UnixTime.now()
        let login = try MintedLogin().with {
            $0.claims["iss"] = .string(issuer)
            $0.claims["iat"] = .number(.init(now.seconds - 60))
            $0.claims["exp"] = .number(.init(now.seconds + 3600))
            $0.now = now
            $0.rewriteCertificate = { $0.extensions.insert(.init("openpubkey-act", value: Array("the-access-token".utf8)), at: 0) }
        }
        let keySet = (["keys": .array(login.keys)] as JSON).serialized
        let url = provider.url
        provider.play { request, connection in
            switch request.target {
            case "/.well-known/openid-configuration":
                connection.answer("{\"issuer\":\"\(url)\",\"jwks_uri\":\"\(url)/jwks\",\"userinfo_endpoint\":\"\(url)/userinfo\"}")
            case "/jwks": connection.answer(keySet)
            case "/userinfo": connection.answer("{\"sub\":\"alice-1\",\"groups\":[\"release\"]}")
            default: connection.answer(404, "{}")
            }
        }
        try place.write("providers", "\(issuer.string) \(MintedLogin.clientID.string) 24h\n")
        try place.write("auth_id", "deploy oidc:groups:release \(issuer.string)\n")
        let words = try place.request(login, as: "deploy")
        let line = "\(words.type) \(words.key)"
        let without = try place.opk("explain", "deploy", line)
        #expect(without.status == 1 && without.output.contains("keys-unavailable") && without.output.contains("--fetch"), "\(without)")
        #expect(provider.requests.isEmpty)
        try place.keep(login.keys, of: issuer, at: now)
        let cached = try place.opk("explain", "deploy", line)
        #expect(cached.status == 1 && cached.output.contains("userinfo") && cached.output.contains("not everything was asked"), "\(cached)")
        #expect(provider.requests.isEmpty && !cached.output.contains("the-access-token"))
        let fetched = try place.opk("explain", "deploy", line, "--fetch")
        #expect(fetched.status == 0 && fetched.output.contains("Verdict: admitted"), "\(fetched)")
        #expect(provider.requests.map(\.target).contains("/userinfo"))
    }

    @Test("plugins are named and not run, unless --run-plugins says so", .enabled(if: Place.isRoot, "a plugin below /tmp is not run"))
    func plugins() throws {
        let place = try Place()
        try place.write("auth_id", "guest alice@example.com \(Place.issuer.string)\n")
        let login = try MintedLogin()
        try place.keep(login.keys)
        try FileManager.default.createDirectory(
            atPath: place.config + "/policy.d", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        let marker = place.folder + "/ran"
        try place.put(place.folder + "/plugin", Array("#!/bin/sh\ntouch \(marker)\necho allow\n".utf8), 0o755)
        try place.put(place.config + "/policy.d/x.yml", Array("name: doorman\ncommand: \(place.folder)/plugin\n".utf8), 0o640)
        let words = try place.request(login, as: "root")
        let named = try place.opk("explain", "root", "\(words.type) \(words.key)", "--at", "\(Place.now)")
        #expect(named.status == 1 && named.output.contains("doorman") && named.output.contains("not run"), "\(named)")
        #expect(!FileManager.default.fileExists(atPath: marker))
        let run = try place.opk("explain", "root", "\(words.type) \(words.key)", "--at", "\(Place.now)", "--run-plugins")
        #expect(run.status == 0 && run.output.contains("one of them admits (doorman)"), "\(run)")
        #expect(FileManager.default.fileExists(atPath: marker))
    }
}
