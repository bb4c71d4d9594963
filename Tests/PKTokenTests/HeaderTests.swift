import JOSE
import LibCrypto
import MintingKit
import Testing
import Vocabulary

@testable import PKToken

private func text(_ json: String) -> [UInt8] { Array(json.utf8) }

@Suite("Steps 3 and 4: headers, and the client's key")
struct HeaderTests {
    static let provider: [LoginCase] = [
        LoginCase("no typ (Okta)", nil) { $0.header["typ"] = nil },
        LoginCase("typ in other letters", nil) { $0.header["typ"] = "jwt" },
        LoginCase("V27 typ CIC", .tokenType) { $0.header["typ"] = "CIC" },
        LoginCase("V27 typ COS", .tokenType) { $0.header["typ"] = "COS" },
        LoginCase("V27 an unknown typ", .tokenType) { $0.header["typ"] = "logout+jwt" },
        LoginCase("V27 an empty typ", .tokenType) { $0.header["typ"] = "" },
        LoginCase("V27 typ null", .tokenMalformed) { $0.header["typ"] = .null },
        LoginCase("V27 typ a list", .tokenMalformed) { $0.header["typ"] = ["JWT"] },
        LoginCase("V28 an access token", .tokenTypeNotAllowed) { $0.header["typ"] = "at+jwt" },
        LoginCase("V28 an access token in other letters", .tokenTypeNotAllowed) { $0.header["typ"] = "AT+JWT" },
        LoginCase("V29 a key-bound token", .tokenTypeNotAllowed) { $0.header["typ"] = "dpop+id_token" },
        LoginCase("V29 a key-bound token in other letters", .tokenType) { $0.header["typ"] = "DPoP+ID_Token" },
        LoginCase("V01 RS512", .algorithm) { $0.header["alg"] = "RS512" },
        LoginCase("V01 ES384", .algorithm) { $0.header["alg"] = "ES384" },
        LoginCase("V01 foo", .algorithm) { $0.header["alg"] = "foo" },
        LoginCase("V01 empty", .algorithm) { $0.header["alg"] = "" },
        LoginCase("V01 null", .algorithm) { $0.header["alg"] = .null },
        LoginCase("V01 a number", .algorithm) { $0.header["alg"] = 256 },
        LoginCase("V01 missing", .algorithm) { $0.headerText = text(#"{"kid":"key-1","typ":"JWT"}"#) },
        LoginCase("V02 none, with no signature", .algorithm) {
            $0.header["alg"] = "none"
            $0.providerSignature = []
        },
        LoginCase("V02 nOnE", .algorithm) { $0.header["alg"] = "nOnE" },
        LoginCase("V03 HS256", .algorithm) { $0.header["alg"] = "HS256" },
        LoginCase("V01 another algorithm of the list than the key's", .noFittingKey) { $0.header["alg"] = "RS256" },
        LoginCase("V14 crit and b64", .criticalHeader) {
            $0.header["crit"] = ["b64"]
            $0.header["b64"] = false
        },
        LoginCase("V14 crit empty", .criticalHeader) { $0.header["crit"] = [] },
        LoginCase("V14 crit unknown", .criticalHeader) { $0.header["crit"] = ["exp"] },
        LoginCase("V14 crit no list", .criticalHeader) { $0.header["crit"] = "exp" },
        LoginCase("V14 crit null", .criticalHeader) { $0.header["crit"] = .null },
        LoginCase("V14 b64 alone", .criticalHeader) { $0.header["b64"] = true },
        LoginCase("V15 alg twice", .tokenJSON) { $0.headerText = text(#"{"alg":"ES256","alg":"ES256","kid":"key-1"}"#) },
        LoginCase("V15 alg twice by an escape", .tokenJSON) { $0.headerText = text(#"{"alg":"ES256","\u0061lg":"none","kid":"key-1"}"#) },
        LoginCase("V70 a header of two texts", .tokenJSON) { $0.headerText = text(#"{"alg":"ES256","kid":"key-1"}{}"#) },
        LoginCase("V70 a header with a byte order mark", .tokenJSON) {
            $0.headerText = [0xEF, 0xBB, 0xBF] + text(#"{"alg":"ES256","kid":"key-1"}"#)
        },
        LoginCase("V70 a header that is a list", .tokenJSON) { $0.headerText = text(#"[{"alg":"ES256"}]"#) },
        LoginCase("V12 its own key in the header, which nobody looks at", nil) {
            $0.header["jwk"] = .object(TestKeys.otherP256.publicKey.jwk)
        },
        LoginCase("V13 jku, x5u, x5c, which nobody follows", nil) {
            $0.header["jku"] = "https://evil.example/jwks"
            $0.header["x5u"] = "https://evil.example/c"
            $0.header["x5c"] = ["AA"]
        },
        LoginCase("V12 signed by the key in the header", .providerSignature) {
            $0.header["jwk"] = .object(TestKeys.otherP256.publicKey.jwk)
            $0.providerKey = TestKeys.otherP256
        },
    ]

    @Test("The provider's header", arguments: provider.indices)
    func providerHeader(_ index: Int) throws {
        #expect(try MintedLogin().refusal() == nil, "the unchanged login")
        #expect(try Self.provider[index].run(from: try MintedLogin()) == Self.provider[index].code, "\(Self.provider[index])")
    }

    private static func upk(_ about: String, _ code: Refusal.Code?, _ change: @escaping @Sendable (inout JSONObject) -> Void) -> LoginCase {
        LoginCase(about, code) { login in
            guard var upk = login.clientHeader["upk"]?.object else { return }
            change(&upk)
            login.clientHeader["upk"] = .object(upk)
        }
    }

    static let client: [LoginCase] = [
        LoginCase("other members", nil) { $0.clientHeader["extra"] = ["a": [1, "<\u{2028}"]] },
        upk("other members in upk", nil) { $0["use"] = "sig" },
        LoginCase("V33 rz missing", .clientClaims) { $0.clientHeader["rz"] = nil },
        LoginCase("V33 rz empty", .clientClaims) { $0.clientHeader["rz"] = "" },
        LoginCase("rz of 128 characters", nil) { $0.clientHeader["rz"] = .string(Text(String(repeating: "\u{E9}", count: 128))) },
        LoginCase("rz of 129 characters", .clientClaims) { $0.clientHeader["rz"] = .string(Text(String(repeating: "a", count: 129))) },
        LoginCase("rz a number", .clientClaims) { $0.clientHeader["rz"] = 1 },
        LoginCase("V33 upk missing", .clientClaims) { $0.clientHeader["upk"] = nil },
        LoginCase("V33 upk a string", .clientClaims) { $0.clientHeader["upk"] = "x" },
        upk("V33 upk with a private member", .clientClaims) { $0["d"] = "AQAB" },
        upk("V33 upk with a private member that is null", .clientClaims) { $0["d"] = .null },
        upk("V33 upk of kty oct", .clientClaims) { $0["kty"] = "oct" },
        upk("V33 upk of another alg", .clientClaims) { $0["alg"] = "ES256" },
        upk("V33 upk without alg", .clientClaims) { $0["alg"] = nil },
        upk("V40 upk of small order", .clientClaims) { $0["x"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
        upk("upk of an unknown curve", .clientClaims) { $0["crv"] = "Ed448" },
        upk("V17 upk with padding", .clientClaims) { $0["x"] = $0["x"].flatMap(\.string).map { .string(Text($0.string + "=")) } },
        LoginCase("V01 alg of another kind of key", .clientClaims) { $0.clientHeader["alg"] = "ES256" },
        LoginCase("V01 alg and upk.alg of another kind of key", .clientClaims) { login in
            guard var upk = login.clientHeader["upk"]?.object else { return }
            upk["alg"] = "ES256"
            login.clientHeader["alg"] = "ES256"
            login.clientHeader["upk"] = .object(upk)
        },
        LoginCase("V01 alg PS256", .algorithm) { $0.clientHeader["alg"] = "PS256" },
        LoginCase("V02 alg none", .algorithm) { $0.clientHeader["alg"] = "none" },
        LoginCase("V03 alg HS256", .algorithm) { $0.clientHeader["alg"] = "HS256" },
        LoginCase("alg GQ256", .algorithm) { $0.clientHeader["alg"] = "GQ256" },
        LoginCase("V01 alg missing", .algorithm) { $0.clientHeader["alg"] = nil },
        LoginCase("V14 crit", .criticalHeader) { $0.clientHeader["crit"] = ["rz"] },
        LoginCase("V14 b64", .criticalHeader) { $0.clientHeader["b64"] = false },
        LoginCase("V27 typ JWT", .tokenType) { $0.clientHeader["typ"] = "JWT" },
        LoginCase("V27 typ cic", .tokenType) { $0.clientHeader["typ"] = "cic" },
        LoginCase("V27 no typ", .tokenType) { $0.clientHeader["typ"] = nil },
        LoginCase("a number beyond a float64", .clientClaims) {
            $0.clientHeaderText = text("{\"a\":1e999," + textOf($0.clientHeader).dropFirst())
        },
        LoginCase("V15 upk twice", .tokenJSON) { $0.clientHeaderText = text("{\"upk\":{}," + textOf($0.clientHeader).dropFirst()) },
        LoginCase("V15 rz twice by an escape", .tokenJSON) {
            $0.clientHeaderText = text("{\"\\u0072z\":\"0\"," + textOf($0.clientHeader).dropFirst())
        },
        LoginCase("V41 upk is another key", .keyMismatch) {
            $0.clientHeader = try ClientInstanceClaims(for: TestKeys.otherEd25519.publicKey).header
        },
        LoginCase("V41 upk is a key of another kind", .keyMismatch) {
            $0.clientHeader = try ClientInstanceClaims(for: TestKeys.p256.publicKey).header
        },
        LoginCase("the client's signature is by another key", .clientSignature) { login in
            let forged = login.with { $0.userKey = TestKeys.otherEd25519 }
            let signature = segments(try forged.token())[4]
            login.clientSignature = Base64URL.decode(signature)
        },
        LoginCase("the client's signature is over another payload", .clientSignature) { login in
            let other = login.with { $0.claims["sub"] = "bob" }
            login.clientSignature = Base64URL.decode(segments(try other.token())[4])
        },
    ]

    private static func textOf(_ object: JSONObject) -> String { String(decoding: JSON.object(object).serialized, as: UTF8.self) }

    @Test("The client's header and signature", arguments: client.indices)
    func clientHeader(_ index: Int) throws {
        #expect(try Self.client[index].run(from: try MintedLogin()) == Self.client[index].code, "\(Self.client[index])")
    }

    @Test("Each kind of key logs in, at a provider of each algorithm")
    func everyKind() throws {
        for user in [TestKeys.rsa, TestKeys.p256, TestKeys.ed25519] {
            let providers: [(PrivateKey, JWSAlgorithm)] = [
                (TestKeys.otherRSA, .rs256), (TestKeys.otherRSA, .ps256), (TestKeys.otherP256, .es256), (TestKeys.otherEd25519, .edDSA),
            ]
            for (key, algorithm) in providers {
                let login = try MintedLogin(userKey: user).with { $0.sign(with: key, algorithm) }
                #expect(try login.refusal() == nil, "\(algorithm)")
            }
            #expect(try MintedLogin(userKey: user).with { $0.proveGQ() }.refusal() == nil)
        }
    }

    @Test("An RSA key with the same modulus and another exponent is another key (V41)")
    func sameModulus() throws {
        let login = try MintedLogin(userKey: TestKeys.rsa)
        #expect(try login.refusal() == nil)
        #expect(try Self.upkExponent.run(from: login) == .keyMismatch)
    }

    private static let upkExponent = upk("the same n, another e", .keyMismatch) { $0["e"] = "Aw" }

    @Test("A P-256 key with the same x and another y is another key, or none (V34, V41)")
    func sameX() throws {
        let login = try MintedLogin(userKey: TestKeys.p256)
        #expect(try login.refusal() == nil)
        let swapped = Self.upk("y of another key", .clientClaims) { $0["y"] = $0["x"] }
        #expect(try swapped.run(from: login) == .clientClaims)
    }
}
