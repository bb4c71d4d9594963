import Foundation
import JOSE
import LibCrypto
import MintingKit
import TestSupport
import Testing
import Vocabulary

@Suite("Published keys", .enabled(if: SharedData.isThere, SharedData.absence))
struct PublishedKeyTests {
    @Test("Every provider's key set is read, with every key usable")
    func zoo() throws {
        let zoo = try #require(try SharedData.json("openpubkey/zoo_jwks.json") as? [[String: Any]])
        #expect(zoo.count == 6)
        for entry in zoo {
            let data = try #require(entry["data"] as? [String: Any])
            let keys = try keySet(data)
            #expect(keys.keys.count == (data["keys"] as? [Any])?.count, "\(entry["op"] ?? "")")
            #expect(keys.keys.allSatisfy { $0.publicKey() != nil && $0.algorithm == .rs256 && $0.keyID != nil })
        }
    }

    @Test("OpenPubkey's keys count unless they are private or their algorithm is unknown (C10)")
    func openPubkey() throws {
        let root = try #require(try SharedData.json("openpubkey/op_jwk.json") as? [String: Any])
        let cases = try #require(root["cases"] as? [[String: Any]])
        #expect(cases.count == 7)
        for entry in cases {
            let name = try #require(entry["name"] as? String)
            let jwk = try #require(entry["jwk"] as? [String: Any])
            let keys = try keySet(jwk)
            let expected = entry["upstream_expect"] as? String == "accept" && jwk["d"] == nil
            #expect(keys.hasUsableKey == expected, "\(name)")
            if name == "alg=PS256" { #expect(keys.keys.first?.algorithm == .ps256) }
            if name == "alg is missing" { #expect(keys.keys.first?.algorithm == .rs256) }
        }
    }

    @Test("Keys of RFC 7517 and RFC 8037: thumbprints come out, encryption keys, private and symmetric ones do not count (C10)")
    func rfc() throws {
        let root = try #require(try SharedData.json("jose/rfc7517_rfc8037_keys.json") as? [String: Any])
        for name in ["rfc7517_public", "rfc8037_public"] {
            let set = try #require(root[name] as? [String: Any])
            let thumbprints = try #require(set["thumbprints"] as? [String])
            for (key, thumbprint) in zip(set["keys"] as? [[String: Any]] ?? [], thumbprints) {
                let object = try JSONObject(parsing: Array(try JSONSerialization.data(withJSONObject: key)))
                let publicKey = try #require(PublicKey(jwkMembers: object))
                #expect(publicKey.jwkThumbprint == Text(thumbprint))
                #expect(try keySet(key).hasUsableKey == (key["use"] as? String != "enc"))
            }
        }
        for name in ["rfc7517_private", "rfc8037_private", "rfc7517_symmetric"] {
            let set = try #require(root[name] as? [String: Any])
            #expect(try keySet(set).keys.isEmpty, "\(name)")
        }
        #expect(try keySet(try #require(root["rfc7517_x5c"] as? [String: Any])).hasUsableKey)
    }

    @Test("Known answers of RFC 7636, OpenID Connect, RFC 9449 and RFC 7638 (C20, C26)")
    func knownAnswers() throws {
        let answers = try #require(try SharedData.json("jose/oauth_oidc_kats.json") as? [[String: Any]])
        #expect(answers.count == 7)
        for answer in answers {
            let id = try #require(answer["id"] as? String)
            let input = Array((answer["input"] as? String ?? "").utf8)
            let digest = Digest.sha256(input)
            let isHalf = id.contains("at_hash") || id.contains("c_hash")
            #expect(Base64URL.encode(isHalf ? Array(digest.prefix(16)) : digest) == answer["expected"] as? String, "\(id)")
            // A thumbprint's input is a key, which must give it by itself.
            if let object = try? JSONObject(parsing: input) {
                let key = try #require(PublicKey(jwkMembers: object))
                #expect(key.jwkThumbprint.string == answer["expected"] as? String, "\(id)")
            }
        }
    }
}

@Suite("A JSON Web Key")
struct JWKTests {
    private static let rsa = TestKeys.rsa.publicKey
    private static let p256 = TestKeys.p256.publicKey
    private static let ed25519 = TestKeys.ed25519.publicKey

    static let table: [(about: String, key: PublicKey, members: JSON, algorithm: JWSAlgorithm?)] = [
        ("plain RSA", rsa, [:], .rs256), ("plain P-256", p256, [:], .es256), ("plain Ed25519", ed25519, [:], .edDSA),
        ("RS256", rsa, ["alg": "RS256"], .rs256), ("PS256", rsa, ["alg": "PS256"], .ps256), ("ES256", p256, ["alg": "ES256"], .es256),
        ("EdDSA", ed25519, ["alg": "EdDSA"], .edDSA), ("use sig", rsa, ["use": "sig"], .rs256),
        ("key_ops", rsa, ["key_ops": ["sign", "verify"]], .rs256),
        ("extra members", rsa, ["x5c": ["AA"], "x5t": "a", "issuer": "b"], .rs256), ("kid", rsa, ["kid": "a"], .rs256),
        ("use enc", rsa, ["use": "enc"], nil), ("use null", rsa, ["use": nil], nil), ("use SIG", rsa, ["use": "SIG"], nil),
        ("key_ops encrypt", rsa, ["key_ops": ["encrypt"]], nil), ("key_ops empty", rsa, ["key_ops": []], nil),
        ("key_ops a string", rsa, ["key_ops": "verify"], nil),
        ("alg RS512", rsa, ["alg": "RS512"], nil), ("alg HS256", rsa, ["alg": "HS256"], nil), ("alg none", rsa, ["alg": "none"], nil),
        ("alg ES256 of RSA", rsa, ["alg": "ES256"], nil), ("alg RS256 of P-256", p256, ["alg": "RS256"], nil),
        ("alg GQ256", rsa, ["alg": "GQ256"], nil),
        ("alg a number", rsa, ["alg": 1], nil), ("alg empty", rsa, ["alg": ""], nil), ("private d", rsa, ["d": "AQAB"], nil),
        ("private p", rsa, ["p": "AQAB"], nil),
        ("private q", rsa, ["q": "AQAB"], nil), ("private dp", rsa, ["dp": "AQAB"], nil), ("private dq", rsa, ["dq": "AQAB"], nil),
        ("private qi", rsa, ["qi": "AQAB"], nil), ("private oth", rsa, ["oth": []], nil),
        ("oct member", rsa, ["k": "AQAB"], nil), ("private d of P-256", p256, ["d": "AQAB"], nil),
        ("private null", ed25519, ["d": nil], nil),
        ("kid a number", rsa, ["kid": 1], nil), ("kty oct", rsa, ["kty": "oct"], nil), ("kty rsa", rsa, ["kty": "rsa"], nil),
        ("kty EC of RSA", rsa, ["kty": "EC"], nil),
        ("kty missing", rsa, ["kty": nil], nil), ("crv P-384", p256, ["crv": "P-384"], nil),
        ("crv secp256k1", p256, ["crv": "secp256k1"], nil),
        ("crv X25519", ed25519, ["crv": "X25519"], nil), ("n padded", rsa, ["n": "AQAB="], nil), ("n missing", rsa, ["n": nil], nil),
    ]

    @Test(
        "It counts if its type and algorithm are known and fit, it is for signatures and has no private member (V33, C10)",
        arguments: table.indices)
    func counts(_ index: Int) throws {
        let (about, key, members, algorithm) = Self.table[index]
        let jwk = JWK(MintedLogin.object(MintedLogin.jwk(key, members)))
        #expect(jwk?.algorithm == algorithm, "\(about)")
        if algorithm != nil { #expect(jwk?.publicKey() == key) }
        let set = try JWKSet(["keys": [MintedLogin.jwk(key, members), MintedLogin.jwk(TestKeys.otherP256.publicKey, ["kid": "good"])]])
        #expect(set.keys.last?.keyID == "good", "the good key beside it stays")
        #expect(set.keys.count == (algorithm == nil ? 1 : 2))
    }

    static let badNumbers: [(about: String, key: PublicKey, members: JSON)] = [
        ("x with a leading zero (33 bytes)", p256, ["x": .string(Text(Base64URL.encode([0] + [UInt8](repeating: 1, count: 32))))]),
        ("x too short", p256, ["x": "AQAB"]),
        ("off the curve", p256, ["y": .string(Text(Base64URL.encode([UInt8](repeating: 1, count: 32))))]),
        ("e = 1", rsa, ["e": "AQ"]), ("e even", rsa, ["e": "AQAA"]), ("n with a leading zero", rsa, ["n": .string(Text("AAEA"))]),
        ("n of 1024 bits", rsa, ["n": .string(Text(Base64URL.encode([UInt8](repeating: 0xFF, count: 128))))]),
        ("Ed25519 of small order", ed25519, ["x": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]),
    ]

    @Test("Numbers that make no usable key make none (V34, V35, V40)", arguments: badNumbers.indices)
    func badNumber(_ index: Int) throws {
        let (about, key, members) = Self.badNumbers[index]
        let jwk = MintedLogin.jwk(key, members)
        #expect(PublicKey(jwkMembers: MintedLogin.object(jwk)) == nil, "\(about)")
        #expect(try !JWKSet(["keys": [jwk]]).hasUsableKey, "\(about)")
    }

    @Test("A key is written with the members that make it, and read as the same key", arguments: [rsa, p256, ed25519])
    func roundTrip(_ key: PublicKey) {
        #expect(PublicKey(jwkMembers: key.jwk) == key)
        #expect(!key.jwk.members.contains { ["d", "alg", "kid"].contains($0.name) })
    }

    @Test(
        "A set is an object with an array of keys, and nothing else (C09)",
        arguments: ["[]", "{}", #"{"keys":{}}"#, #"{"Keys":[]}"#, "null", #"{"keys":[],"keys":[]}"#, ""])
    func notASet(_ text: String) {
        #expect(throws: JSONError.self) { try JWKSet(parsing: Array(text.utf8)) }
    }

    @Test("Elements of a set that are no keys are passed over (C10)")
    func junkInASet() throws {
        let set = try JWKSet(["keys": [1, nil, "a", [], [:], MintedLogin.jwk(Self.rsa, [:])]])
        #expect(set.keys.count == 1)
        #expect(try !JWKSet(["keys": []]).hasUsableKey)
    }
}

@Suite("Choosing among a provider's keys")
struct KeySelectionTests {
    private static let a = MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "a", "alg": "RS256"])
    private static let b = MintedLogin.jwk(TestKeys.otherRSA.publicKey, ["kid": "b", "alg": "RS256"])
    private static let plain = MintedLogin.jwk(TestKeys.rsa.publicKey, [:])
    private static let ec = MintedLogin.jwk(TestKeys.p256.publicKey, ["kid": "a"])

    private func select(_ keys: [JSON], _ keyID: Text?, _ algorithm: JWSAlgorithm) throws -> JWKSet.Selection {
        try JWKSet(["keys": .array(keys)]).select(keyID: keyID, algorithm: algorithm)
    }

    private func keys(_ selection: JWKSet.Selection) -> [PublicKey]? {
        if case .keys(let keys) = selection { keys } else { nil }
    }

    private func isNone(_ selection: JWKSet.Selection) -> Bool { if case .none = selection { true } else { false } }
    private func isAmbiguous(_ selection: JWKSet.Selection) -> Bool { if case .ambiguous = selection { true } else { false } }

    @Test("With a kid, the key of that kid")
    func byID() throws {
        #expect(keys(try select([Self.a, Self.b], "b", .rs256)) == [TestKeys.otherRSA.publicKey])
    }

    @Test("An unknown kid finds no key, never the last or the only one (V10)")
    func unknownID() throws {
        #expect(isNone(try select([Self.a, Self.b], "c", .rs256)))
        #expect(isNone(try select([Self.a], "A", .rs256)))
        #expect(isNone(try select([Self.plain], "a", .rs256)), "a key without kid is not the key of that kid")
        #expect(isNone(try select([], nil, .rs256)))
    }

    @Test("Without a kid, the one key that fits (V09)")
    func onlyOne() throws {
        #expect(keys(try select([Self.a, Self.ec], nil, .rs256)) == [TestKeys.rsa.publicKey])
        #expect(keys(try select([Self.a, Self.ec], nil, .es256)) == [TestKeys.p256.publicKey])
    }

    @Test("Without a kid, several keys that fit are refused (V08)")
    func ambiguous() throws {
        #expect(isAmbiguous(try select([Self.a, Self.b], nil, .rs256)))
        #expect(isAmbiguous(try select([Self.a, Self.a], nil, .rs256)), "even the same key twice")
    }

    @Test("Keys that share a kid are told apart by type, and at most four are tried (V11)")
    func sharedID() throws {
        #expect(keys(try select([Self.a, Self.ec], "a", .es256)) == [TestKeys.p256.publicKey])
        let five = try (0..<5).map { _ in MintedLogin.jwk(try PrivateKey(generating: .p256).publicKey, ["kid": "a"]) }
        #expect(keys(try select(five, "a", .es256))?.count == 4)
    }

    @Test("A key serves one algorithm: what says RS256 does not check PS256, nor the other way round, nor HMAC (V03, V04, V05)")
    func oneAlgorithm() throws {
        let pss = MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "a", "alg": "PS256"])
        #expect(isNone(try select([Self.a], "a", .ps256)))
        #expect(isNone(try select([pss], "a", .rs256)))
        #expect(isNone(try select([Self.plain], nil, .ps256)), "without alg an RSA key is RS256 only")
        #expect(keys(try select([pss], "a", .ps256)) == [TestKeys.rsa.publicKey])
        #expect(isNone(try select([Self.a], "a", .gq256)), "GQ256 is asked for as RS256")
    }

    @Test("A bad key of the same kid does not hide the good one (C10)")
    func badBesideGood() throws {
        let bad = MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "a", "e": "AQ"])
        #expect(keys(try select([bad, bad, bad, bad, bad, Self.a], "a", .rs256)) == [TestKeys.rsa.publicKey])
        #expect(keys(try select([bad, Self.b], nil, .rs256)) == [TestKeys.otherRSA.publicKey])
    }
}
