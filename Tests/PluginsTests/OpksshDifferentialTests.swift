import Foundation
import JOSE
import LibCrypto
import MintingKit
import PKToken
import SSHKeys
import TestSupport
import Testing
import Verifier
import Vocabulary

@testable import Policy

private let base = "http://localhost:18391"

/// Every variable as the real opkssh hands it to the same plugin for the same certificate.
@Suite("Beside Debian's own opkssh", .serialized, .enabled(if: OpksshPeer.isThere, OpksshPeer.absence))
struct OpksshDifferentialTests {
    struct Vector: Decodable {
        let name: String
        let user: String
        let cert: String
        let key_type: String
        let issuer: String
        let at: Int64
        let want: String
        let opkssh: String
    }

    /// The identity that we see in a certificate, whatever its age; nil where we refuse it.
    func identity(_ key: String, _ type: String, issuer: String, clientID: String, keys: JWKSet, at: UnixTime) -> VerifiedIdentity? {
        let request = LoginRequest(account: Array("testuser".utf8), key: Array(key.utf8), type: Array(type.utf8))
        let row = ProviderRow(issuer: Text(issuer), clientID: Text(clientID), expiry: .never)
        guard let certificate = try? request.certificate(), let own = try? certificate.selfSigned(at: at), let token = try? own.token(),
            let timely = try? token.checked(against: row, at: at)
        else { return nil }
        return try? timely.verify(with: keys)
    }

    func question(_ the: OpksshPeer.Case, _ identity: VerifiedIdentity, userinfo: Data?) throws -> PluginQuestion {
        let answer = userinfo.flatMap { try? VerifiedUserinfo(answer: Array($0), for: identity) }
        return PluginQuestion(
            account: try #require(Principal(Text(the.user))), key: Array(the.key.utf8), type: Array(the.type.utf8),
            extra: the.extra.map { Array($0.utf8) }, identity: identity, userinfo: answer)
    }

    /// Ours without the three that are no opkssh's.
    func variables(_ question: PluginQuestion, _ plugin: String) throws -> [String: String] {
        let plugin = try Plugin(file: "dump.yml", parsing: Array(plugin.utf8))
        var all = Dictionary(uniqueKeysWithValues: question.environment(for: plugin).map(variable))
        #expect(all.removeValue(forKey: "PATH") != nil && all.removeValue(forKey: "LANG") == "C.UTF-8")
        return all
    }

    /// - Parameter except: what differs on purpose, with what ours is.
    func compare(_ ours: [String: String], _ theirs: [String: String], _ name: String, except: [String: String] = [:]) throws {
        #expect(Set(ours.keys) == Set(theirs.keys), "\(name)")
        for key in theirs.keys.sorted() {
            guard let mine = ours[key], let other = theirs[key] else { continue }
            if key == "UPK" {
                try comparePublicKey(mine, other, name)
            } else if let wanted = except[key] {
                #expect(mine == wanted && other != wanted, "\(name), \(key): ours \(mine), theirs \(other)")
            } else {
                #expect(mine == other, "\(name), \(key)")
            }
        }
    }

    /// opkssh's manual says JWK, and so is ours. What opkssh 0.16 writes is the inside of Go's key: no JWK, but the same key.
    func comparePublicKey(_ ours: String, _ theirs: String, _ name: String) throws {
        let jwk = try JSON(parsing: try decoded(ours))
        let encoded = try #require((jwk["x"] ?? jwk["n"])?.string)
        let x = Data(try #require(Base64URL.decode(encoded.utf8)))
        // Numbers that no JSON reader takes whole: {"Curve":{},"X":779…,"Y":…}, {"N":…,"E":65537}, or a string.
        let inside = String(decoding: try decoded(theirs), as: UTF8.self)
        if inside.hasPrefix("\"") {
            #expect(Data(base64Encoded: inside.trimmingCharacters(in: ["\""])) == x, "\(name), UPK")
        } else {
            #expect(inside.contains("\"X\":\(decimal(x)),") || inside.contains("\"N\":\(decimal(x)),"), "\(name), UPK")
        }
    }

    func decoded(_ base64: String) throws -> [UInt8] { Array(try #require(Data(base64Encoded: base64))) }

    /// The number in these bytes, the highest first.
    func decimal(_ bytes: Data) -> String {
        var digits: [Int] = [0]
        for byte in bytes {
            var carry = Int(byte)
            for index in digits.indices {
                let sum = digits[index] * 256 + carry
                (digits[index], carry) = (sum % 10, sum / 10)
            }
            while carry > 0 {
                digits.append(carry % 10)
                carry /= 10
            }
        }
        return digits.reversed().map(String.init).joined()
    }

    @Test("each of the shared vectors that both admit gives a plugin the same twenty variables")
    func vectors() throws {
        let folder = SharedData.root.appendingPathComponent("opkssh-vectors")
        let vectors = try JSONDecoder().decode([Vector].self, from: Data(contentsOf: folder.appendingPathComponent("vectors.json")))
        let keys = try JWKSet(parsing: Array(Data(contentsOf: folder.appendingPathComponent("jwks/base.json"))))
        var request = OpksshPeer.Request(
            providers: Set(vectors.map(\.issuer)).sorted().map { "\($0) client-1 never" },
            serve: folder.appendingPathComponent("serve.py").path)
        var identities: [String: VerifiedIdentity] = [:]
        for vector in vectors where vector.opkssh == "accept" {
            let at = UnixTime(seconds: vector.at)
            guard let mine = identity(vector.cert, vector.key_type, issuer: vector.issuer, clientID: "client-1", keys: keys, at: at) else {
                continue
            }
            identities[vector.name] = mine
            request.cases.append(
                OpksshPeer.Case(
                    name: vector.name, user: vector.user, key: vector.cert, type: vector.key_type,
                    extra: ["10.0.0.1 22 10.0.0.2 51000", "<&>\u{e9}\"\\\t"],
                    token: mine.accessToken.map { String(decoding: $0.exposed, as: UTF8.self) }, issuer: vector.issuer))
        }
        let answers = try OpksshPeer.ask(request)
        var compared = 0
        for one in request.cases {
            guard let answer = answers[one.name], let theirs = answer.variables, let mine = identities[one.name] else {
                // Under another policy than the vectors', which says nothing here.
                continue
            }
            // Go matches the names of members without regard to case.
            let except = one.name == "email-member-case" ? ["EMAIL": ""] : [:]
            try compare(try variables(try question(one, mine, userinfo: answer.userinfo), request.plugin), theirs, one.name, except: except)
            compared += 1
        }
        #expect(compared >= 45)
    }

    /// Logins of our own making, with claims that the vectors have not.
    func minted(
        _ changes: [(String, JSON)], plugin: String = OpksshPeer.Request(providers: []).plugin, script: String? = nil, extra: [String] = []
    ) throws
        -> [(name: String, ours: PluginQuestion, theirs: OpksshPeer.Answer)]
    {
        var request = OpksshPeer.Request(providers: ["\(base) test-client never"], plugin: plugin, script: script)
        var identities: [VerifiedIdentity] = []
        for (name, change) in changes {
            var login = try MintedLogin()
            login.claims["iss"] = .string(Text(base))
            for member in change.object?.members ?? [] { login.claims[member.name] = member.value }
            let (key, type) = (Base64.encode(try login.certificate()), "ssh-ed25519-cert-v01@openssh.com")
            let mine = identity(key, type, issuer: base, clientID: "test-client", keys: try login.keySet, at: login.now)
            identities.append(try #require(mine, "\(name)"))
            request.pages = [
                "/.well-known/openid-configuration": """
                {"issuer":"\(base)","jwks_uri":"\(base)/jwks","authorization_endpoint":"\(base)/a","token_endpoint":"\(base)/t",
                "userinfo_endpoint":"\(base)/userinfo","response_types_supported":["code"],"subject_types_supported":["public"],
                "id_token_signing_alg_values_supported":["ES256"]}
                """,
                "/jwks": String(decoding: JSON.object(MintedLogin.object(["keys": .array(login.keys)])).serialized, as: UTF8.self),
            ]
            request.cases.append(
                OpksshPeer.Case(name: name, user: "testuser", key: key, type: type, extra: extra, issuer: base))
        }
        let answers = try OpksshPeer.ask(request)
        return try zip(request.cases, identities).map { one, identity in
            (one.name, try question(one, identity, userinfo: nil), try #require(answers[one.name]))
        }
    }

    @Test("claims of every shape: the same, or on purpose another, or no plugin is asked where opkssh asks none")
    func claims() throws {
        let cases: [(String, JSON, differing: [String: String])] = [
            ("plain", [:], [:]),
            ("groups", ["groups": ["dev", "ops team", "ü<&>", ""]], [:]),
            ("groups null", ["groups": .null], [:]),
            ("no email", ["email": .null, "jti": "j-1", "nbf": 1_700_000_000], [:]),
            ("audience of one in an array", ["aud": ["test-client"]], [:]),
            ("several audiences", ["aud": ["test-client", "other"], "azp": "test-client"], [:]),
            ("not verified", ["email_verified": false], [:]),
            ("strange texts", ["jti": "a=b\nc\\\"'$(id)", "sub": "ü\u{202E}"], [:]),
            // Ours is the list that it is: in nobody's group, instead of in one without a name.
            ("no groups", ["groups": []], ["GROUPS": "[]"]),
            // Ours stays one group.
            ("a group that is two to opkssh", ["groups": ["dev\",\"admin"]], ["GROUPS": #"["dev\",\"admin"]"#]),
            ("a backslash in a group", ["groups": [#"ACME\dev"#]], ["GROUPS": #"["ACME\\dev"]"#]),
        ]
        let results = try minted(cases.map { ($0.0, $0.1) }, extra: ["one two three four"])
        for (one, result) in zip(cases, results) {
            let theirs = try #require(result.theirs.variables, "\(one.0): \(result.theirs.log)")
            try compare(
                try variables(result.ours, OpksshPeer.Request(providers: []).plugin), theirs, one.0, except: one.differing)
        }
    }

    @Test("what costs opkssh all plugins, costs them ours too")
    func unreadable() throws {
        let cases: [(String, JSON)] = [
            ("groups a string", ["groups": "dev"]), ("groups of numbers", ["groups": [1]]), ("email a number", ["email": 5]),
            ("jti a number", ["jti": 5]), ("email_verified a number", ["email_verified": 1]), ("a NUL in jti", ["jti": "a\0b"]),
        ]
        for result in try minted(cases) {
            #expect(result.theirs.environment == nil && result.theirs.status != 0, "\(result.name)")
            #expect(result.ours.impossibility != nil, "\(result.name)")
        }
    }

    @Test(
        "the plugin's configuration is written as yaml.v3 writes it",
        arguments: [
            "Plain", "Two words", "it's", "a: b", "a:b", "#x", "x #y", "- x", "-x", "true", "No", "null", "12", "1.5", "0x1F", "2026-01-02",
            "*a", "&a", "!a", "[a", "{a", "%a", "@a", "`a", "'a'", "\"a\"", "a\\b", " a", "a ", "ü", "a\tb", "a, b", "~", "?x", "? x", "=",
            "a#b",
            "tab\there's", "a -- b", "---", "<<", "1 2",
        ])
    func configuration(name: String) throws {
        let quoted = String(decoding: JSON.string(Text(name)).serialized, as: UTF8.self)
        let plugin = "name: \(quoted)\ncommand: \"/etc/opk/dump.sh 'a b' \\\"c\\\"\"\n"
        let results = try minted([("one", [:])], plugin: plugin)
        let result = try #require(results.first)
        let theirs = try #require(result.theirs.variables, "\(result.theirs.log)")
        let mine = try variables(result.ours, plugin)
        let (ours, other) = (try #require(mine["CONFIG"]), try #require(theirs["CONFIG"]))
        #expect(String(decoding: try decoded(ours), as: UTF8.self) == String(decoding: try decoded(other), as: UTF8.self))
    }

    @Test(
        "what we take for a yes opkssh takes for one too, but for a plugin that also complains, of which opkssh reads both outputs together",
        arguments: [
            ("echo allow", true, true), ("printf allow", true, true), ("echo allow; exit 1", false, false), ("echo ALLOW", false, false),
            ("echo deny", false, false), ("printf 'allow '", false, true), ("printf '\\n\\tallow\\r\\n'", false, true),
            ("echo allow >&2", false, true),
            ("echo warning >&2; echo allow", true, false), ("sleep 3; echo allow", false, true),
        ])
    func answers(script: String, ours: Bool, theirs: Bool) throws {
        let scratch = Scratch()
        scratch.script("a", script)
        let results = try minted([("one", [:])], script: "#!/bin/sh\n\(script)\n")
        let result = try #require(results.first)
        #expect((result.theirs.status == 0) == theirs, "\(result.theirs.log)")
        let mine = try scratch.ask(result.ours)
        #expect(mine != .none && !mine.isRefused == ours, "\(mine)")
    }
}
