import Foundation
import JOSE
import LibCrypto
import MintingKit
import TestSupport
import Testing
import Vocabulary

/// Verification as a provider's token gets it: the header's algorithm, a key of the set that fits, a payload that can be decoded.
func holds(_ text: [UInt8], _ keys: JWKSet) -> Bool {
    guard let jws = try? JWS(parsing: text), let algorithm = try? jws.header.algorithm(), Base64URL.decode(jws.encodedPayload) != nil,
        case .keys(let candidates) = keys.select(keyID: jws.header.keyID, algorithm: algorithm)
    else { return false }
    return candidates.contains { jws.verifies(with: $0, algorithm) }
}

/// A JSON object of Foundation's as a key set of one or all of its keys.
func keySet(_ object: [String: Any]) throws -> JWKSet {
    let keys = object["keys"] as? [Any] ?? [object]
    return try JWKSet(parsing: Array(try JSONSerialization.data(withJSONObject: ["keys": keys])))
}

@Suite("Published JSON Web Signatures", .enabled(if: SharedData.isThere, SharedData.absence))
struct PublishedJWSTests {
    @Test(
        "Wycheproof's signatures hold where it says so; but never with HMAC, an algorithm off the list, or illegal base64url (V01, V05, V17, V36, V37)"
    )
    func wycheproof() throws {
        let file = try Wycheproof("json_web_signature_test")
        #expect(file.count == 401)
        var accepted = 0
        for group in file.groups {
            let keys = try keySet(group.members["public"] as? [String: Any] ?? group.object("private"))
            for test in group.cases {
                guard let jws = test.string("jws") else { continue }
                let header = try? JWS(parsing: Array(jws.utf8)).header.algorithm()
                let expected = test.result == .valid && header != nil && ![372, 373].contains(test.id)
                let accepts = holds(Array(jws.utf8), keys)
                #expect(accepts == expected, "\(test)")
                if accepts { accepted += 1 }
            }
        }
        // es256 1, rs256 1 + 5, ps256 6, rfc7520 2 (RS256 with use and with key_ops), SpecialCaseEs256 1.
        #expect(accepted == 16)
    }

    @Test("Wycheproof's key sets work where it says so, but for HMAC (V11, V33, V34, V35, C10)")
    func wycheproofKeys() throws {
        let file = try Wycheproof("json_web_key_test")
        #expect(file.count == 26)
        for group in file.groups {
            let keys = try keySet(group.members["public"] as? [String: Any] ?? group.object("private"))
            for test in group.cases {
                let jws = Array((test.string("jws") ?? "").utf8)
                let isHMAC = (try? JWS(parsing: jws).header.algorithm()) == nil
                let accepts = holds(jws, keys)
                #expect(accepts == (test.result == .valid && !isHMAC), "\(group.comment), \(test)")
            }
        }
    }

    @Test("No token that jwt_tool made of a good one holds (V02, V03, V04, V06, V07, V12, V13)")
    func attacks() throws {
        let root = try #require(try SharedData.json("jwt-attacks/jwt_tool_generated.json") as? [String: Any])
        let key = try #require(root["public_key"] as? [String: Any])
        let keys = try keySet(key)
        let original = try #require(root["original"] as? String)
        #expect(holds(Array(original.utf8), keys), "the token that they were made of")
        let tests = try #require(root["tests"] as? [[String: Any]])
        #expect(tests.count == 17)
        for test in tests {
            let jws = try #require(test["jws"] as? String)
            let accepts = holds(Array(jws.utf8), keys)
            #expect(!accepts, "\(test["id"] ?? "")")
        }
    }

    @Test("The examples of RFC 7515 hold if their algorithm is ours and they are compact (V02, V14, V19)")
    func rfc7515() throws {
        let examples = try #require(try SharedData.json("jose/rfc7515_appendix.json") as? [[String: Any]])
        var seen: [String: Bool] = [:]
        for example in examples {
            let id = try #require(example["id"] as? String)
            var key = example["key"] as? [String: Any] ?? (example["keys"] as? [String: Any])?["key1"] as? [String: Any] ?? [:]
            // The examples show private keys, which a provider's set must not hold.
            for name in ["d", "p", "q", "dp", "dq", "qi"] { key[name] = nil }
            let text: [UInt8]
            if let jws = example["jws"] as? String {
                text = Array(jws.utf8)
            } else {
                text = Array(try JSONSerialization.data(withJSONObject: example["jws_json"] ?? [:]))
            }
            seen[id] = holds(text, try keySet(key))
        }
        #expect(
            seen == [
                "RFC7515-A.1": false, "RFC7515-A.2": true, "RFC7515-A.3": true, "RFC7515-A.4": false, "RFC7515-A.5": false,
                "RFC7515-A.6": false,
                "RFC7515-A.7": false, "RFC7515-E-negative-crit": false,
            ])
    }
}

@Suite("A JWS of our own making")
struct JWSTests {
    static let signers: [(key: PrivateKey, algorithm: JWSAlgorithm)] = [
        (TestKeys.rsa, .rs256), (TestKeys.rsa, .ps256), (TestKeys.p256, .es256), (TestKeys.ed25519, .edDSA),
    ]

    @Test("What is signed holds, with its own key and algorithm only (V01, V05)", arguments: signers.indices)
    func roundTrip(_ index: Int) throws {
        let (key, algorithm) = Self.signers[index]
        let payload = Array(#"{"a":1}"#.utf8)
        let text = try JWS.sign(payload, header: MintedLogin.object(["kid": "k"]), with: key, algorithm)
        let jws = try JWS(parsing: text)
        #expect(try jws.header.algorithm() == algorithm)
        #expect(jws.header.keyID == "k")
        #expect(try jws.payload() == JSONObject(parsing: payload))
        #expect(jws.verifies(with: key.publicKey, algorithm))
        for other in JWSAlgorithm.allCases where other != algorithm { #expect(!jws.verifies(with: key.publicKey, other)) }
        for (other, _) in Self.signers where other.publicKey != key.publicKey { #expect(!jws.verifies(with: other.publicKey, algorithm)) }
    }

    @Test("A key does not sign by an algorithm that does not fit it")
    func misfit() {
        #expect(throws: KeyError.scheme) { try JWS.sign([], header: JSONObject(), with: TestKeys.p256, .rs256) }
        #expect(throws: KeyError.scheme) { try JWS.sign([], header: JSONObject(), with: TestKeys.rsa, .gq256) }
    }

    static let badHeaders: [(json: String, error: JWSError)] = [
        (#"{"alg":"RS256","crit":["b64"],"b64":false}"#, .extensionRequired), (#"{"alg":"RS256","crit":[]}"#, .extensionRequired),
        (#"{"alg":"RS256","crit":["exp"]}"#, .extensionRequired), (#"{"alg":"RS256","crit":["a","a"]}"#, .extensionRequired),
        (#"{"alg":"RS256","crit":null}"#, .extensionRequired), (#"{"alg":"RS256","crit":"exp"}"#, .extensionRequired),
        (#"{"alg":"RS256","b64":true}"#, .extensionRequired), (#"{"alg":"RS256","kid":1}"#, .headerMember),
        (#"{"alg":"RS256","kid":null}"#, .headerMember),
        (#"{"alg":"RS256","kid":["a"]}"#, .headerMember), (#"{"alg":"RS256","typ":1}"#, .headerMember),
        (#"{"alg":"RS256","typ":null}"#, .headerMember),
        (#"{"alg":"RS256","alg":"RS256"}"#, .json(JSONError(.duplicateMember, at: 0))),
        (#"["RS256"]"#, .json(JSONError(.notAnObject, at: 0))),
    ]

    @Test(
        "A header that asks for extensions, or has a member of another kind or twice, is refused (V14, V15)", arguments: badHeaders.indices)
    func badHeader(_ index: Int) {
        let (json, error) = Self.badHeaders[index]
        #expect(throws: error, "\(json)") { try JWSHeader(parsing: Array(json.utf8)) }
    }

    @Test(
        "An algorithm is one of the list, byte for byte (V01, V02, V03)",
        arguments: [
            "none", "None", "NONE", "nOnE", "", "HS256", "HS512", "RS384", "RS512", "PS384", "ES384", "ES512", "ES256K", "EdDSA ", "eddsa",
            "rs256", "Ed25519", "foo",
            "RS256\u{0}", "GQ512",
        ])
    func unknownAlgorithm(_ name: String) throws {
        let header = try JWSHeader(parsing: JSON.object(MintedLogin.object(["alg": .string(Text(name))])).serialized)
        #expect(throws: JWSError.algorithmUnknown) { try header.algorithm() }
    }

    @Test(
        "An algorithm that is missing or no string is refused (V01)",
        arguments: ["{}", #"{"alg":null}"#, #"{"alg":["RS256"]}"#, #"{"Alg":"RS256"}"#, #"{"alg":1}"#])
    func missingAlgorithm(_ json: String) throws {
        let header = try JWSHeader(parsing: Array(json.utf8))
        #expect(throws: JWSError.algorithmMissing) { try header.algorithm() }
    }

    @Test("The compact form has three parts of strict base64url (V17, V18, V19)")
    func compactForm() throws {
        let good = String(decoding: try JWS.sign(Array("{}".utf8), header: JSONObject(), with: TestKeys.ed25519, .edDSA), as: UTF8.self)
        #expect(throws: Never.self) { try JWS(parsing: Array(good.utf8)) }
        let parts = good.split(separator: ".").map(String.init)
        for bad in ["", ".", "..", "a.b", parts[0] + "." + parts[1], good + ".", good + "." + parts[2], "." + good] {
            #expect(throws: (any Error).self, "\(bad)") { try JWS(parsing: Array(bad.utf8)) }
        }
        for (index, character) in [(0, "="), (0, "+"), (0, " "), (0, "\n"), (2, "="), (2, "/"), (2, " "), (2, "?"), (2, "\r\n")] {
            var damaged = parts
            damaged[index] += character
            #expect(throws: JWSError.base64) { try JWS(parsing: Array(damaged.joined(separator: ".").utf8)) }
        }
        var noPayload = try JWS(parsing: Array((parts[0] + ".." + parts[2]).utf8))
        #expect(throws: (any Error).self, "an empty payload is no object") { try noPayload.payload() }
        noPayload = try JWS(parsing: Array((parts[0] + ".e30=." + parts[2]).utf8))
        #expect(throws: JWSError.base64) { try noPayload.payload() }
    }

    @Test(
        "A kid of any text is only an index: it is kept as it is (V07)",
        arguments: ["../../dev/null", "' OR 1=1 --", "http://evil/", "\0", ""])
    func keyID(_ text: String) throws {
        let header = try JWSHeader(parsing: JSON.object(MintedLogin.object(["alg": "RS256", "kid": .string(Text(text))])).serialized)
        #expect(header.keyID == Text(text))
    }

    @Test("A key in the header is nobody's: the attacker's own is not looked at (V12, V13)")
    func keyInHeader() throws {
        let attacker = TestKeys.otherEd25519
        let header: JSON = [
            "kid": "key-1", "jwk": .object(attacker.publicKey.jwk), "jku": "https://evil.example/jwks", "x5u": "https://evil.example/c",
        ]
        let text = try JWS.sign(Array("{}".utf8), header: MintedLogin.object(header), with: attacker, .edDSA)
        let keys = try JWKSet(["keys": [MintedLogin.jwk(TestKeys.ed25519.publicKey, ["kid": "key-1"])]])
        #expect(!holds(text, keys))
        #expect(holds(text, try JWKSet(["keys": [MintedLogin.jwk(attacker.publicKey, ["kid": "key-1"])]])), "it would hold with that key")
    }
}
