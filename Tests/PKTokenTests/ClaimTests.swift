import JOSE
import LibCrypto
import MintingKit
@testable import PKToken
import Testing
import Vocabulary

private let now = MintedLogin.now.seconds

private func number(_ seconds: Int64) -> JSON { .number(JSONNumber(seconds)) }

private func raw(_ text: String) -> JSON {
    (try? JSON(parsing: Array(text.utf8))) ?? nil
}

private func claim(_ about: String, _ code: Refusal.Code?, _ name: Text, _ value: JSON?) -> LoginCase {
    LoginCase(about, code) { $0.claims[name] = value }
}

private func rewritten(_ about: String, _ code: Refusal.Code?, _ old: String, _ new: String) -> LoginCase {
    LoginCase(about, code) { login in
        let text = String(decoding: login.claimsBytes, as: UTF8.self)
        login.claimsText = Array(text.replacing(old, with: new).utf8)
    }
}

/// Runs a table, and makes sure that the login which it changes is good.
private func check(_ table: [LoginCase], _ index: Int, _ login: MintedLogin) throws {
    #expect(try login.refusal() == nil, "the unchanged login")
    let code = try table[index].run(from: login)
    #expect(code == table[index].code, "\(table[index])")
}

@Suite("Step 5: the provider's row")
struct ProviderRowTests {
    static let issuers: [LoginCase] = [
        claim("V58 a slash at the end", .issuerUnknown, "iss", "https://issuer.example.com/"),
        claim("V58 upper case", .issuerUnknown, "iss", "https://ISSUER.example.com"),
        claim("V58 a port", .issuerUnknown, "iss", "https://issuer.example.com:443"),
        claim("V58 http", .issuerUnknown, "iss", "http://issuer.example.com"),
        claim("V58 a prefix", .issuerUnknown, "iss", "https://issuer.example.co"),
        claim("V58 a longer one", .issuerUnknown, "iss", "https://issuer.example.com.evil.example"),
        claim("V58 a list", .issuerUnknown, "iss", ["https://evil.example", "https://issuer.example.com"]),
        claim("V58 a NUL", .issuerUnknown, "iss", "https://issuer.example.com\0"),
        claim("V58 a blank", .issuerUnknown, "iss", " https://issuer.example.com"),
        claim("V58 missing", .issuerUnknown, "iss", nil), claim("V58 empty", .issuerUnknown, "iss", ""), claim("V58 null", .issuerUnknown, "iss", .null),
        claim("V58 another tenant", .issuerUnknown, "iss", "https://issuer.example.com/tenant2"),
        rewritten("V15 iss twice", .tokenJSON, "{", #"{"iss":"https://evil.example","#),
        rewritten("V15 sub twice by an escape", .tokenJSON, "{", #"{"\u0073ub":"root","#),
        rewritten("V16 Email beside email", nil, "{", #"{"Email":"root@example.com","#),
        rewritten("V70 something after the claims", .tokenJSON, "}", "}}"),
        LoginCase("an issuer that looks the same", .issuerUnknown) {
            $0.rows = [ProviderRow(issuer: "https://caf\u{E9}.example", clientID: MintedLogin.clientID, expiry: .never)]
            $0.claims["iss"] = "https://cafe\u{301}.example"
        },
        LoginCase("no row at all", .issuerUnknown) { $0.rows = [] },
    ]

    @Test("iss is the row's, byte for byte (V58)", arguments: issuers.indices)
    func issuer(_ index: Int) throws { try check(Self.issuers, index, try MintedLogin()) }

    static let audiences: [LoginCase] = [
        claim("V57 a list of the one", nil, "aud", ["test-client"]),
        claim("V57 the one twice", nil, "aud", ["test-client", "test-client"]),
        claim("V57 two without azp", .authorizedParty, "aud", ["other", "test-client"]),
        LoginCase("V57 two with azp", nil) {
            $0.claims["aud"] = ["other", "test-client"]
            $0.claims["azp"] = "test-client"
        },
        LoginCase("V57 two with another azp", .authorizedParty) {
            $0.claims["aud"] = ["other", "test-client"]
            $0.claims["azp"] = "other"
        },
        claim("V57 azp as well", nil, "azp", "test-client"), claim("V57 another azp", .authorizedParty, "azp", "other"),
        claim("V57 azp null", .authorizedParty, "azp", .null), claim("V57 azp a list", .authorizedParty, "azp", ["test-client"]),
        claim("V57 joined by a comma", .audience, "aud", "x,test-client"), claim("V57 joined in a list", .audience, "aud", ["x,test-client"]),
        claim("V57 empty list", .audience, "aud", []), claim("V57 empty string", .audience, "aud", ""), claim("V57 list of nothing", .audience, "aud", [""]),
        claim("V57 a number", .audience, "aud", 1), claim("V57 nested", .audience, "aud", [["test-client"]]), claim("V57 an object", .audience, "aud", ["test-client": 1]),
        claim("V57 null", .audience, "aud", .null), claim("V57 missing", .audience, "aud", nil), claim("V57 with a number", .audience, "aud", ["test-client", 1]),
        claim("V57 with null", .audience, "aud", ["test-client", nil]), claim("V57 in other letters", .audience, "aud", "Test-Client"),
        claim("V57 another", .audience, "aud", "other"), claim("V57 a blank", .audience, "aud", "test-client "),
    ]

    @Test("aud is the client id or a list that has it, and azp says so where there are several (V57)", arguments: audiences.indices)
    func audience(_ index: Int) throws { try check(Self.audiences, index, try MintedLogin()) }

    static let subjects: [LoginCase] = [
        claim("missing", .subject, "sub", nil), claim("empty", .subject, "sub", ""), claim("a number", .subject, "sub", 1), claim("a list", .subject, "sub", ["a"]),
        claim("null", .subject, "sub", .null), claim("a long one", nil, "sub", .string(Text(String(repeating: "a", count: 300)))),
    ]

    @Test("sub is a string that is not empty", arguments: subjects.indices)
    func subject(_ index: Int) throws { try check(Self.subjects, index, try MintedLogin()) }

    @Test("Of several rows of one issuer the first that fits decides")
    func severalRows() throws {
        func row(_ client: Text, _ line: Int, _ issuer: Text = MintedLogin.issuer) -> ProviderRow {
            ProviderRow(issuer: issuer, clientID: client, expiry: .never, line: line)
        }
        let login = try MintedLogin().with {
            $0.rows = [row("test-client", 1, "https://other.example"), row("other", 2), row("test-client", 3), row("test-client", 4)]
        }
        #expect(try login.verified().row.line == 3)
        #expect(try login.with { $0.rows.removeSubrange(2...3) }.refusal() == .audience)
    }
}

@Suite("Step 6: the commitment")
struct CommitmentStepTests {
    static let nonces: [LoginCase] = [
        claim("V30 missing", .commitment, "nonce", .null), rewritten("V30 null", .commitment, #""nonce":""#, #""nonce":null,"was":""#),
        rewritten("V30 a list", .commitment, #""nonce":""#, #""nonce":[],"was":""#), claim("V30 a number", .commitment, "nonce", 1), claim("V30 empty", .commitment, "nonce", ""),
        LoginCase("V30 of another client's claims", .commitment) { login in
            login.claims["nonce"] = .string(try ClientInstanceClaims(for: login.userKey.publicKey).commitment)
        },
        LoginCase("V30 a prefix of it", .commitment) { $0.claims["nonce"] = .string(Text(String($0.commitment.string.dropLast()))) },
        LoginCase("V30 it with padding", .commitment) { $0.claims["nonce"] = .string(Text($0.commitment.string + "=")) },
        LoginCase("V30 it in a list", .commitment) { $0.claims["nonce"] = [.string($0.commitment)] },
        LoginCase("V31 SHA-256", .commitment) { $0.claims["nonce"] = .string(Text(Base64URL.encode(Digest.sha256(JSON.object($0.clientHeader).serialized)))) },
        LoginCase("V31 SHA-512", .commitment) { $0.claims["nonce"] = .string(Text(Base64URL.encode(Digest.sha512(JSON.object($0.clientHeader).serialized)))) },
        LoginCase("V31 of the header's base64url", .commitment) {
            $0.claims["nonce"] = .string(Text(Base64URL.encode(Digest.sha3_256(Base64URL.encodeBytes(JSON.object($0.clientHeader).serialized)))))
        },
        LoginCase("it in aud is no commitment of an ordinary provider", .commitment) {
            $0.claims["azp"] = .string(MintedLogin.clientID)
            $0.claims["aud"] = [.string($0.commitment), .string(MintedLogin.clientID)]
            $0.claims["nonce"] = "x"
        },
        LoginCase("V32 the header's members in another order", nil) { login in
            let members = login.clientHeader.members.reversed().map { member in
                "\"\(member.name.string)\":" + String(decoding: member.value.serialized, as: UTF8.self)
            }
            login.claims["nonce"] = .string(login.commitment)
            login.clientHeaderText = Array(("{ " + members.joined(separator: " ,\n") + " }").utf8)
        },
        LoginCase("V30 the header as it was sent, where that is not how it is written", .commitment) { login in
            login.clientHeaderText = Array((" " + String(decoding: JSON.object(login.clientHeader).serialized, as: UTF8.self)).utf8)
        },
    ]

    @Test("nonce is SHA3-256 of the client's header, written in the one way (V30, V31, V32)", arguments: nonces.indices)
    func nonce(_ index: Int) throws { try check(Self.nonces, index, try MintedLogin()) }
}

@Suite("Step 7: times")
struct TimeTests {
    private static let shapes = ["1e400", "1e18", "9223372036854775807", "-1", "\"1790000000\"", "null", "true", "{}", "[]", "253402300800", "1e400", "\"\""]

    /// A time claim that is there and cannot be read is a refusal, whatever the policy.
    static let unreadable: [LoginCase] = ["iat", "exp", "nbf"].flatMap { (name: Text) in
        shapes.map { shape in claim("V60 \(name) \(shape)", .timeClaim, name, raw(shape)) }
    }

    @Test("A time that is no number from 0 to the year 9999 is refused, under every policy (V59, V60)", arguments: unreadable.indices)
    func unreadableTime(_ index: Int) throws {
        for policy in [ExpiryPolicy.never, .oidc, .oidcRefreshed, .maximumAge(seconds: 86_400)] {
            let login = try MintedLogin().with { $0.rows = [ProviderRow(issuer: MintedLogin.issuer, clientID: MintedLogin.clientID, expiry: policy)] }
            try check(Self.unreadable, index, login)
        }
    }

    private static let day = ExpiryPolicy.maximumAge(seconds: 86_400)

    /// iat, nbf, exp, the policy, and how it ends.
    static let table: [(about: String, iat: JSON?, nbf: JSON?, exp: JSON?, policy: ExpiryPolicy, code: Refusal.Code?)] = [
        ("just issued", number(now), nil, nil, day, nil), ("V59 missing", nil, nil, number(now + 60), day, .timeClaim), ("V59 missing", nil, nil, number(now + 60), .oidc, .timeClaim),
        ("V59 missing", nil, nil, nil, .never, .timeClaim), ("V59 zero", 0, nil, nil, day, .expired), ("zero, never", 0, nil, nil, .never, nil),
        ("V59 within the skew", number(now + 60), nil, nil, day, nil), ("V59 beyond the skew", number(now + 61), nil, nil, day, .issuedInFuture),
        ("V59 a fraction beyond", raw("\(now + 60).000000001"), nil, nil, day, .issuedInFuture), ("V59 far ahead", raw("253402300799"), nil, nil, day, .issuedInFuture),
        ("V59 far ahead, never", raw("253402300799"), nil, nil, .never, .issuedInFuture), ("V60 a fraction", raw("\(now - 1).5"), nil, nil, day, nil),
        ("the last second", number(now - 86_399), nil, nil, day, nil), ("a nanosecond left", raw("\(now - 86_400).000000001"), nil, nil, day, nil),
        ("the age reached", number(now - 86_400), nil, nil, day, .expired), ("long ago", number(now - 1_000_000), nil, nil, day, .expired),
        ("nbf now", number(now), number(now), nil, day, nil), ("nbf within the skew", number(now), number(now + 60), nil, day, nil),
        ("nbf beyond", number(now), number(now + 61), nil, day, .notYetValid), ("nbf beyond, never", number(now), number(now + 61), nil, .never, .notYetValid),
        ("exp past does not matter under an age", number(now), nil, number(now - 5), day, nil), ("exp ahead does not help an old one", number(now - 90_000), nil, number(now + 5), day, .expired),
        ("oidc, ahead", number(now - 90_000), nil, number(now + 1), .oidc, nil), ("oidc, now (no skew)", number(now), nil, number(now), .oidc, .expired),
        ("oidc, a nanosecond ahead", number(now), nil, raw("\(now).000000001"), .oidc, nil), ("oidc, past", number(now), nil, number(now - 1), .oidc, .expired),
        ("V60 oidc, no exp", number(now), nil, nil, .oidc, .expired), ("oidc-refreshed, no exp", number(now), nil, nil, .oidcRefreshed, .expired),
        ("oidc-refreshed, ahead", number(now), nil, number(now + 1), .oidcRefreshed, nil), ("oidc-refreshed, past and no other", number(now), nil, number(now), .oidcRefreshed, .expired),
        ("never, past", number(now - 100_000_000), nil, number(now - 50_000_000), .never, nil),
    ]

    @Test("iat and nbf are not later than now plus 60 s; the age or exp lies ahead (V59, V60)", arguments: table.indices)
    func times(_ index: Int) throws {
        let (about, iat, nbf, exp, policy, code) = Self.table[index]
        let login = try MintedLogin().with {
            $0.claims["iat"] = iat
            $0.claims["nbf"] = nbf
            $0.claims["exp"] = exp
            $0.rows = [ProviderRow(issuer: MintedLogin.issuer, clientID: MintedLogin.clientID, expiry: policy)]
        }
        #expect(try login.refusal() == code, "\(about)")
    }

    static let policies: [(text: Text, policy: ExpiryPolicy?)] = [
        ("12h", .maximumAge(seconds: 43_200)), ("24h", day), ("48h", .maximumAge(seconds: 172_800)), ("1week", .maximumAge(seconds: 604_800)), ("oidc", .oidc),
        ("oidc-refreshed", .oidcRefreshed), ("oidc_refreshed", .oidcRefreshed), ("never", .never), ("1s", .maximumAge(seconds: 1)), ("90m", .maximumAge(seconds: 5400)),
        ("7d", .maximumAge(seconds: 604_800)), ("9999999d", .maximumAge(seconds: 9_999_999 * 86_400)),
        ("", nil), ("24H", nil), (" 24h", nil), ("24h ", nil), ("24", nil), ("h", nil), ("0h", nil), ("024h", nil), ("-1h", nil), ("+1h", nil), ("1.5h", nil), ("1e9h", nil),
        ("10000000d", nil), ("99999999999999999999h", nil), ("1 week", nil), ("2week", nil), ("1weeks", nil), ("1w", nil), ("1y", nil), ("24hours", nil), ("Never", nil), ("OIDC", nil),
        ("oidc refreshed", nil), ("12h24h", nil), ("１h", nil), ("never\u{0}", nil), ("0x10h", nil),
    ]

    @Test("An expiry policy that cannot be read is none, and never one without limit (V61)", arguments: policies.indices)
    func policy(_ index: Int) {
        let (text, policy) = Self.policies[index]
        #expect(ExpiryPolicy(text) == policy, "\(text)")
    }

    @Test("An identity knows when it ends")
    func expiry() throws {
        func ends(_ policy: ExpiryPolicy) throws -> UnixTime? {
            try MintedLogin().with { $0.rows = [ProviderRow(issuer: MintedLogin.issuer, clientID: MintedLogin.clientID, expiry: policy)] }.verified().expires
        }
        #expect(try ends(.never) == nil)
        #expect(try ends(.oidc) == UnixTime(seconds: now + 3600))
        #expect(try ends(.oidcRefreshed) == UnixTime(seconds: now + 3600))
        #expect(try ends(.maximumAge(seconds: 100)) == UnixTime(seconds: now + 40))
    }
}

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
        LoginCase("V11 two keys of that kid", nil) { $0.keys = [MintedLogin.jwk(TestKeys.otherP256.publicKey, ["kid": "key-1"])] + $0.keys },
        LoginCase("V11 the right key as the fifth of that kid", .providerSignature) {
            $0.keys = [JSON](repeating: MintedLogin.jwk(TestKeys.otherP256.publicKey, ["kid": "key-1"]), count: 4) + $0.keys
        },
        LoginCase("V11 two keys of that kid and of two kinds", nil) { $0.keys = [MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "key-1"])] + $0.keys },
        LoginCase("V07 a kid that is a path", .noFittingKey) { $0.header["kid"] = "../../../../dev/null" },
        LoginCase("V07 a kid of 8 KiB", .noFittingKey) { $0.header["kid"] = .string(Text(String(repeating: "a", count: 8192))) },
        LoginCase("V07 a kid that is a number", .tokenMalformed) { $0.header["kid"] = 1 },
        LoginCase("signed by another key", .providerSignature) { $0.providerKey = TestKeys.otherP256 },
        LoginCase("V06 not signed", .providerSignature) { $0.providerSignature = [] },
        LoginCase("V37 r and s of zero", .providerSignature) { $0.providerSignature = [UInt8](repeating: 0, count: 64) },
        LoginCase("no key at all", .noFittingKey) { $0.keys = [] },
        LoginCase("C10 the key is for encryption", .noFittingKey) { $0.keys = [MintedLogin.jwk(TestKeys.p256.publicKey, ["kid": "key-1", "use": "enc"])] },
        LoginCase("C10 the key is shown with its private part", .noFittingKey) { $0.keys = [MintedLogin.jwk(TestKeys.p256.publicKey, ["kid": "key-1", "d": "AA"])] },
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
}
