import Foundation
import JOSE
import LibCrypto
import MintingKit
import TestSupport
import Testing
import Vocabulary

@testable import PKToken

@Suite("Published commitments", .enabled(if: SharedData.isThere, SharedData.absence))
struct PublishedCommitmentTests {
    @Test("Each comes out of its header, however the header's members are ordered (V31, V32)")
    func positives() throws {
        let root = try #require(try SharedData.json("openpubkey/cic_commitment.json") as? [String: Any])
        let cases = try #require(root["cases"] as? [[String: Any]])
        #expect(cases.count == 6)
        var positives = 0
        for entry in cases {
            let header = try #require(entry["cic_protected"] as? [String: Any])
            // Foundation orders the members as it likes.
            let object = try JSONObject(parsing: Array(try JSONSerialization.data(withJSONObject: header)))
            let claims = try ClientInstanceClaims(object)
            #expect(claims.commitment == Text(try #require(entry["sha3_256_b64url"] as? String)))
            let canonical = try #require(entry["cic_canonical_json"] as? String)
            #expect(JSON.object(object).serialized == Array(canonical.utf8))
            let place = entry["commitment_found_in"] as? String
            if place == "nonce" { #expect(entry["payload_nonce"] as? String == claims.commitment.string) }
            if place == "aud" { #expect(entry["payload_aud"] as? String == claims.commitment.string) }
            if place == "op-header cic" { #expect((entry["op_header"] as? [String: Any])?["cic"] as? String == claims.commitment.string) }
            if place != nil { positives += 1 }
            if place == nil {
                #expect(entry["payload_nonce"] as? String != claims.commitment.string, "Hello's token is bound by cnf alone (V29)")
            }
            // Other digests of the same header, and this digest of other spellings (V31).
            let wrong = [
                Digest.sha256(Array(canonical.utf8)), Digest.sha512(Array(canonical.utf8)),
                Digest.sha3_256(Base64URL.encodeBytes(Array(canonical.utf8))),
                Digest.shake256(Array(canonical.utf8), length: 32),
            ]
            for digest in wrong { #expect(Text(Base64URL.encode(digest)) != claims.commitment) }
        }
        #expect(positives == 5)
    }
}

@Suite("Client instance claims")
struct ClientInstanceClaimsTests {
    @Test(
        "New ones for each kind of key say what PROTOCOL section 1 says",
        arguments: [TestKeys.rsa, TestKeys.p256, TestKeys.ed25519].indices)
    func new(_ index: Int) throws {
        let key = [TestKeys.rsa, TestKeys.p256, TestKeys.ed25519][index].publicKey
        let claims = try ClientInstanceClaims(for: key)
        let name: JSON = ["RS256", "ES256", "EdDSA"][index]
        #expect(claims.key == key)
        #expect(claims.header["alg"] == name && claims.header["typ"] == "CIC" && claims.header["upk"]?["alg"] == name)
        #expect(claims.header.members.map(\.name) == ["alg", "rz", "typ", "upk"])
        let random = try #require(claims.header["rz"]?.string)
        #expect(random.count == 64 && random.utf8.allSatisfy { Array("0123456789abcdef".utf8).contains($0) })
        #expect(claims.commitment == Text(Base64URL.encode(Digest.sha3_256(JSON.object(claims.header).serialized))))
        #expect(claims.commitment.count == 43)
        let another = try ClientInstanceClaims(for: key)
        #expect(another.commitment != claims.commitment, "fresh randomness every time")
    }

    @Test("The order of members makes no difference, any other change does (V30)")
    func order() throws {
        let claims = try ClientInstanceClaims(for: TestKeys.p256.publicKey)
        let reversed = try #require(JSONObject(claims.header.members.reversed()))
        #expect(try ClientInstanceClaims(reversed).commitment == claims.commitment)
        var changed = claims.header
        changed["rz"] = "x"
        #expect(try ClientInstanceClaims(changed).commitment != claims.commitment)
    }

    @Test("Escapes of <, >, & and U+2028 are those of Go, not of RFC 8785 (V32)")
    func escapes() throws {
        let upk = String(decoding: JSON.object(try upkHeader()).serialized, as: UTF8.self)
        let claims = try ClientInstanceClaims(
            JSONObject(parsing: Array(#"{"z":"<a>&\#u{2028}","alg":"EdDSA","upk":\#(upk),"typ":"CIC","rz":"1","A":2}"#.utf8)))
        let canonical = #"{"A":2,"alg":"EdDSA","rz":"1","typ":"CIC","upk":\#(upk),"z":"\u003ca\u003e\u0026\u2028"}"#
        #expect(claims.commitment == Text(Base64URL.encode(Digest.sha3_256(Array(canonical.utf8)))))
    }

    private func upkHeader() throws -> JSONObject {
        try #require(try ClientInstanceClaims(for: TestKeys.ed25519.publicKey).header["upk"]?.object)
    }

    /// As Go's encoding/json reads a number into a float64 and writes it again.
    static let numbers: [(read: String, written: String)] = [
        ("0", "0"), ("-0", "-0"), ("1.0", "1"), ("1e3", "1000"), ("1.5", "1.5"), ("-12", "-12"), ("9007199254740991", "9007199254740991"),
        ("9007199254740993", "9007199254740992"), ("1e20", "100000000000000000000"), ("1e21", "1e+21"), ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("1e-400", "0"), ("5e-324", "5e-324"), ("1.7976931348623157e308", "1.7976931348623157e+308"), ("0.1", "0.1"), ("100", "100"),
        ("123456789.125", "123456789.125"),
    ]

    @Test("A number is hashed the way Go writes it", arguments: numbers.indices)
    func number(_ index: Int) throws {
        let (read, written) = Self.numbers[index]
        let upk = String(decoding: JSON.object(try upkHeader()).serialized, as: UTF8.self)
        let header = #"{"a":\#(read),"alg":"EdDSA","rz":"1","typ":"CIC","upk":\#(upk)}"#
        let canonical = #"{"a":\#(written),"alg":"EdDSA","rz":"1","typ":"CIC","upk":\#(upk)}"#
        let claims = try ClientInstanceClaims(JSONObject(parsing: Array(header.utf8)))
        #expect(claims.commitment == Text(Base64URL.encode(Digest.sha3_256(Array(canonical.utf8)))), "\(read)")
    }

    @Test("A number beyond a float64 is refused, as Go refuses it", arguments: ["1e309", "-1e400"])
    func hugeNumber(_ text: String) throws {
        var header = try ClientInstanceClaims(for: TestKeys.ed25519.publicKey).header
        header["extra"] = ["deep": [try JSON(parsing: Array(text.utf8))]]
        #expect(throws: Refusal(.clientClaims)) { try ClientInstanceClaims(header) }
    }
}

@Suite("The shapes of OpenPubkey's own tests", .enabled(if: SharedData.isThere, SharedData.absence))
struct OpenPubkeyShapeTests {
    @Test("Only an aud that is a string or a list of strings is one, and a list is never joined (V57)")
    func audience() throws {
        let root = try #require(try SharedData.json("openpubkey/aud_parsing.json") as? [String: Any])
        let cases = try #require(root["cases"] as? [[String: Any]])
        #expect(cases.count == 8)
        for entry in cases {
            let name = entry["name"] as? String ?? ""
            let payload = Array((entry["payload"] as? String ?? "").utf8)
            let names = (try? JSONObject(parsing: payload)).flatMap { try? Audience($0).names }
            let joined = entry["aud"] as? String ?? ""
            // Upstream's empty audiences are no error there; here nobody's login has none.
            let expected = joined.isEmpty ? nil : joined.split(separator: ",").map { Text(String($0)) }
            #expect(names == expected, "\(name)")
        }
    }

    @Test("What OpenPubkey cannot split is malformed; what it can, is at least taken apart (V20)")
    func split() throws {
        let root = try #require(try SharedData.json("openpubkey/compact_split.json") as? [String: Any])
        let cases = try #require(root["cases"] as? [[String: Any]])
        #expect(cases.count == 5)
        for entry in cases {
            let token = try #require(entry["pktCom"] as? String)
            // Their parts are no JSON, so that all end in a refusal; the number of parts decides which.
            let isSplit = token.split(separator: ".")[0].split(separator: ":").count % 2 == 1
            #expect(throws: Refusal(isSplit ? .tokenJSON : .tokenMalformed), "\(entry["name"] ?? "")") {
                try CompactToken(parsing: Array(token.utf8))
            }
        }
    }

    @Test("The ID tokens of real providers have a shape that is understood")
    func zoo() throws {
        let zoo = try #require(try SharedData.json("openpubkey/zoo_idtokens.json") as? [[String: Any]])
        var seen = 0
        for entry in zoo {
            guard let data = entry["data"] as? [String: Any], let payload = data["payload"] as? [String: Any],
                let protected = data["protected"] as? [String: Any]
            else { continue }
            let claims = try JSONObject(parsing: Array(try JSONSerialization.data(withJSONObject: payload)))
            let header = try JWSHeader(parsing: Array(try JSONSerialization.data(withJSONObject: protected)))
            let audience = try Audience(claims)
            #expect(try header.algorithm() == .rs256)
            let row = ProviderRow(issuer: try #require(claims["iss"]?.string), clientID: audience.names[0], expiry: .never)
            #expect(audience.fits(row))
            #expect(claims["sub"]?.string?.isEmpty == false)
            #expect(claims["iat"]?.number?.time != nil && claims["exp"]?.number?.time != nil)
            seen += 1
        }
        #expect(seen >= 9)
    }
}
