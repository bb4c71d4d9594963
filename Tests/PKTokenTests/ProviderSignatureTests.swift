import JOSE
import LibCrypto
import MintingKit
import Testing
import Vocabulary

@testable import PKToken

@Suite("Step 8: the provider's signature")
struct ProviderSignatureTests {
    private static let other = MintedLogin.jwk(TestKeys.otherP256.publicKey, ["kid": "key-2", "alg": "ES256"])

    static let table: [LoginCase] = [
        LoginCase("V09 no kid and one key", nil) { $0.header["kid"] = nil },
        LoginCase("V08 no kid and two keys", .ambiguousKey) {
            $0.header["kid"] = nil
            $0.keys.append(other)
        },
        LoginCase("V08 no kid and keys of two kinds", nil) {
            $0.header["kid"] = nil
            $0.keys.append(MintedLogin.jwk(TestKeys.rsa.publicKey, [:]))
        },
        LoginCase("V10 an unknown kid", .noFittingKey) { $0.header["kid"] = "key-9" },
        LoginCase("V10 an unknown kid, though the last key would do", .noFittingKey) {
            $0.header["kid"] = "key-9"
            $0.keys = [other] + $0.keys
        },
        LoginCase("V10 an empty kid is a kid", .noFittingKey) { $0.header["kid"] = "" },
        LoginCase("V11 two keys of that kid", nil) {
            $0.keys = [MintedLogin.jwk(TestKeys.otherP256.publicKey, ["kid": "key-1"])] + $0.keys
        },
        LoginCase("V11 the right key as the fifth of that kid", .providerSignature) {
            $0.keys = [JSON](repeating: MintedLogin.jwk(TestKeys.otherP256.publicKey, ["kid": "key-1"]), count: 4) + $0.keys
        },
        LoginCase("V11 two keys of that kid and of two kinds", nil) {
            $0.keys = [MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "key-1"])] + $0.keys
        },
        LoginCase("V07 a kid that is a path", .noFittingKey) { $0.header["kid"] = "../../../../dev/null" },
        LoginCase("V07 a kid of 8 KiB", .noFittingKey) { $0.header["kid"] = .string(Text(String(repeating: "a", count: 8192))) },
        LoginCase("V07 a kid that is a number", .tokenMalformed) { $0.header["kid"] = 1 },
        LoginCase("signed by another key", .providerSignature) { $0.providerKey = TestKeys.otherP256 },
        LoginCase("V06 not signed", .providerSignature) { $0.providerSignature = [] },
        LoginCase("V37 r and s of zero", .providerSignature) { $0.providerSignature = [UInt8](repeating: 0, count: 64) },
        LoginCase("no key at all", .noFittingKey) { $0.keys = [] },
        LoginCase("C10 the key is for encryption", .noFittingKey) {
            $0.keys = [MintedLogin.jwk(TestKeys.p256.publicKey, ["kid": "key-1", "use": "enc"])]
        },
        LoginCase("C10 the key is shown with its private part", .noFittingKey) {
            $0.keys = [MintedLogin.jwk(TestKeys.p256.publicKey, ["kid": "key-1", "d": "AA"])]
        },
        LoginCase("V05 PS256 with a key for RS256", .noFittingKey) {
            $0.sign(with: TestKeys.rsa, .ps256)
            $0.keys = [MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "key-1", "alg": "RS256"])]
        },
        LoginCase("V05 RS256 with a key for PS256", .noFittingKey) {
            $0.sign(with: TestKeys.rsa, .rs256)
            $0.keys = [MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "key-1", "alg": "PS256"])]
        },
        LoginCase("V05 PS256 with a key that says nothing", .noFittingKey) {
            $0.sign(with: TestKeys.rsa, .ps256)
            $0.keys = [MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "key-1"])]
        },
        LoginCase("a header that says RS256 over a PS256 signature", .providerSignature) {
            $0.sign(with: TestKeys.rsa, .ps256)
            $0.header["alg"] = "RS256"
            $0.keys = [MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "key-1"])]
        },
        LoginCase("V36 a signature in DER", .providerSignature) { login in
            guard let raw = Base64URL.decode(segments(try login.token())[2]) else { return }
            func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
                let digits = Array(bytes.drop { $0 == 0 })
                return digits[0] >= 0x80 ? [2, UInt8(digits.count + 1), 0] + digits : [2, UInt8(digits.count)] + digits
            }
            let content = integer(raw.prefix(32)) + integer(raw.suffix(32))
            login.providerSignature = [0x30, UInt8(content.count)] + content
        },
        LoginCase("V04 HMAC with an empty key", .algorithm) {
            $0.header["alg"] = "HS256"
            $0.keys = [MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "key-1"])]
        },
    ]

    @Test("It holds with a key of that kid and algorithm, and no other", arguments: table.indices)
    func signature(_ index: Int) throws { try check(Self.table, index, try MintedLogin()) }

    @Test("A token says before the network is asked whether a set can have its key (V10)")
    func fitsSome() throws {
        let login = try MintedLogin()
        func fits(_ login: MintedLogin) throws -> Bool {
            let token = try SSHCertificateReader.boundToken(login)
            let row = try token.row(in: login.rows)
            return try token.checked(against: row, at: login.now).fitsSome(of: try login.keySet)
        }
        #expect(try fits(login))
        #expect(try !fits(login.with { $0.header["kid"] = "key-9" }))
        #expect(try !fits(login.with { $0.keys = [] }))
    }

    @Test("A refreshed token that is signed by a key which a set lacks makes that set out of date, too (V10, V62)")
    func fitsSomeRefreshed() throws {
        let now = MintedLogin.now.seconds
        func fits(keyID: JSON, expires: Int64) throws -> Bool {
            let refreshed = try MintedLogin().with {
                $0.header["kid"] = keyID
                $0.claims["iat"] = number(now - 10)
            }.idToken()
            let login = try MintedLogin().with {
                $0.rows = [row(MintedLogin.issuer, MintedLogin.clientID, .oidcRefreshed)]
                $0.claims["exp"] = number(expires)
                $0.refreshed = refreshed
            }
            let token = try SSHCertificateReader.boundToken(login)
            let fitting = try token.row(in: login.rows)
            return try token.checked(against: fitting, at: login.now).fitsSome(of: try login.keySet)
        }
        #expect(try fits(keyID: "key-1", expires: now - 5))
        #expect(try !fits(keyID: "key-2", expires: now - 5))
        #expect(try fits(keyID: "key-2", expires: now + 5), "which is not looked at while the first has not expired")
    }
}
