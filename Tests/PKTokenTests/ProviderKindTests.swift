import JOSE
import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

@testable import PKToken

@Suite("GQ256: the bearer token stays at home")
struct GQTokenTests {
    private func gqLogin() throws -> MintedLogin { try MintedLogin().with { $0.proveGQ() } }

    static let table: [LoginCase] = [
        LoginCase("no kid in the original header, one key", nil) { $0.header["kid"] = nil },
        LoginCase("the original header says PS256", .algorithm) { $0.header["alg"] = "PS256" },
        LoginCase("the original header says GQ256", .algorithm) { $0.header["alg"] = "GQ256" },
        LoginCase("the original header says none", .algorithm) { $0.header["alg"] = "none" },
        LoginCase("V14 the original header has crit", .criticalHeader) { $0.header["crit"] = ["exp"] },
        LoginCase("V27 the original header is a client's", .tokenType) { $0.header["typ"] = "CIC" },
        LoginCase("V28 the original header is an access token's", .tokenTypeNotAllowed) { $0.header["typ"] = "at+jwt" },
        LoginCase("V29 the original header is a key-bound token's", .tokenTypeNotAllowed) { $0.header["typ"] = "dpop+id_token" },
        LoginCase("V15 the original header has alg twice", .tokenJSON) {
            $0.headerText = Array(#"{"alg":"RS256","alg":"RS256","kid":"key-1"}"#.utf8)
        },
        LoginCase("the original header has no typ", nil) { $0.header["typ"] = nil },
        LoginCase("V10 the original kid is unknown", .noFittingKey) { $0.header["kid"] = "key-9" },
        LoginCase("the outer kid is no header", .tokenJSON) { $0.gqHeader = MintedLogin.object(["kid": "AAAA"]) },
        LoginCase("the outer kid is not base64url", .tokenMalformed) { $0.gqHeader = MintedLogin.object(["kid": "key-1"]) },
        LoginCase("V14 the outer header has crit", .criticalHeader) { $0.gqHeader = MintedLogin.object(["crit": ["x"]]) },
        LoginCase("other members in the outer header", nil) { $0.gqHeader = MintedLogin.object(["jkt": "x"]) },
        LoginCase("the outer header says RS256", .noFittingKey) { $0.gqHeader = MintedLogin.object(["alg": "RS256"]) },
        LoginCase("a proof of nothing", .providerSignature) { $0.providerSignature = [UInt8](repeating: 1, count: 32 + 16 * 256) },
        LoginCase("no proof", .providerSignature) { $0.providerSignature = [] },
        LoginCase("the RS256 signature itself", .providerSignature) { login in
            let plain = login.with { $0.gqHeader = nil }
            login.providerSignature = Base64URL.decode(segments(try plain.token())[2])
        },
        LoginCase("the provider's key is another", .providerSignature) {
            $0.keys = [MintedLogin.jwk(TestKeys.otherRSA.publicKey, ["kid": "key-1", "alg": "RS256"])]
        },
        LoginCase("the provider's key is for PS256", .noFittingKey) {
            $0.keys = [MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "key-1", "alg": "PS256"])]
        },
        LoginCase("the provider's key has another exponent", .providerSignature) {
            $0.keys = [MintedLogin.jwk(TestKeys.rsa.publicKey, ["kid": "key-1", "e": "Aw"])]
        },
        LoginCase("V30 another nonce", .commitment) { $0.claims["nonce"] = "x" },
    ]

    @Test("Its original header obeys every rule that a header obeys", arguments: table.indices)
    func rules(_ index: Int) throws { try check(Self.table, index, try gqLogin()) }

    @Test("A proof for one payload is none for another")
    func otherPayload() throws {
        let login = try gqLogin()
        let proof = Base64URL.decode(segments(try login.token())[2])
        #expect(try login.with { $0.providerSignature = proof }.refusal() == nil)
        let other = login.with {
            $0.claims["sub"] = "root"
            $0.providerSignature = proof
        }
        #expect(try other.refusal() == .providerSignature)
    }
}

@Suite("Workload providers commit elsewhere, and only with GQ256")
struct WorkloadProviderTests {
    private static let gitHub: Text = "https://token.actions.githubusercontent.com"

    private func actions(_ issuer: Text) throws -> MintedLogin {
        try MintedLogin().with {
            $0.proveGQ()
            $0.rows = [row(issuer, "not compared")]
            $0.claims["iss"] = .string(issuer)
            $0.claims["aud"] = .string($0.commitment)
            $0.claims["nonce"] = .null
        }
    }

    @Test(
        "GitHub's and Forgejo's aud is the commitment, and the row's client id is not compared",
        arguments: ["https://token.actions.githubusercontent.com", "https://codeberg.example/api/actions"] as [Text])
    func audience(_ issuer: Text) throws {
        let login = try actions(issuer)
        #expect(try login.refusal() == nil)
        let list = login.with { $0.claims["aud"] = [.string($0.commitment)] }
        #expect(try list.refusal() == nil)
        let two = login.with { $0.claims["aud"] = [.string($0.commitment), "other"] }
        #expect(try two.refusal() == .commitment, "aud is the commitment and nothing else")
        let wrong = login.with { $0.claims["aud"] = "not compared" }
        #expect(try wrong.refusal() == .commitment)
        let nonce = login.with {
            $0.claims["aud"] = "x"
            $0.claims["nonce"] = .string($0.commitment)
        }
        #expect(try nonce.refusal() == .commitment, "the nonce is no place for it there")
        let plain = login.with { $0.gqHeader = nil }
        #expect(try plain.refusal() == .algorithm, "the bearer token itself is refused")
    }

    @Test(
        "An issuer that only resembles them is an ordinary one",
        arguments: [
            "https://token.actions.githubusercontent.com/", "https://token.actions.githubusercontent.com.evil.example",
            "https://codeberg.example/api/actions/", "https://api/actionsx", "https://codeberg.example/xapi/actions",
        ]
            as [Text])
    func lookalikes(_ issuer: Text) throws {
        #expect(try actions(issuer).refusal() == .audience)
    }

    @Test("A client id that only resembles GitLab CI's is an ordinary one, whose nonce commits")
    func clientLookalikes() throws {
        for client in ["OPENPUBKEY-PKTOKEN", "OPENPUBKEY-PKTOKEN-1", "openpubkey-pktoken:1", "x-OPENPUBKEY-PKTOKEN:1"] as [Text] {
            let login = try MintedLogin().with {
                $0.rows = [row(MintedLogin.issuer, client)]
                $0.claims["aud"] = .string(client)
            }
            #expect(try login.refusal() == nil, "\(client)")
        }
    }

    @Test("GitLab CI's commitment is in the GQ256 header, and its aud is the client id")
    func gitLab() throws {
        let client: Text = "OPENPUBKEY-PKTOKEN:1234"
        let login = try MintedLogin().with {
            $0.proveGQ(["cic": .string($0.commitment)])
            $0.rows = [row(MintedLogin.issuer, client)]
            $0.claims["aud"] = .string(client)
            $0.claims["nonce"] = .null
        }
        #expect(try login.refusal() == nil)
        #expect(try login.with { $0.gqHeader = JSONObject() }.refusal() == .commitment)
        #expect(try login.with { $0.gqHeader = MintedLogin.object(["cic": "x"]) }.refusal() == .commitment)
        #expect(try login.with { $0.claims["aud"] = "OPENPUBKEY-PKTOKEN:5678" }.refusal() == .audience)
        #expect(try login.with { $0.gqHeader = nil }.refusal() == .algorithm, "the bearer token itself is refused")
        let inOriginal = login.with {
            $0.gqHeader = JSONObject()
            $0.header["cic"] = .string($0.commitment)
        }
        #expect(try inOriginal.refusal() == .commitment, "the original header is the provider's: it is no place for it")
        let inNonce = login.with {
            $0.gqHeader = JSONObject()
            $0.claims["nonce"] = .string($0.commitment)
        }
        #expect(try inNonce.refusal() == .commitment)
    }
}

@Suite("Key-bound ID tokens")
struct KeyBindingTests {
    private func bound() throws -> MintedLogin {
        try MintedLogin().with {
            $0.rows = [row(MintedLogin.issuer, MintedLogin.clientID, .oidcRefreshed, .keyBinding)]
            $0.header["typ"] = "dpop+id_token"
            $0.claims["nonce"] = "of the provider's own"
            $0.claims["cnf"] = ["jwk": .object($0.userKey.publicKey.jwk)]
        }
    }

    private static func confirmation(_ about: String, _ code: Refusal.Code?, _ value: JSON?) -> LoginCase {
        LoginCase(about, code) { $0.claims["cnf"] = value }
    }

    static let table: [LoginCase] = [
        confirmation("V29 cnf missing", .commitment, nil), confirmation("V29 cnf empty", .commitment, [:]),
        confirmation("V29 cnf null", .commitment, .null),
        confirmation("V29 another key", .commitment, ["jwk": .object(TestKeys.otherEd25519.publicKey.jwk)]),
        confirmation("V29 a key of another kind", .commitment, ["jwk": .object(TestKeys.p256.publicKey.jwk)]),
        confirmation("V29 only a thumbprint", .commitment, ["jkt": .string(TestKeys.ed25519.publicKey.jwkThumbprint)]),
        confirmation("V29 cnf a list", .commitment, [["jwk": .object(TestKeys.ed25519.publicKey.jwk)]]),
        confirmation(
            "other members beside the key", nil, ["jwk": MintedLogin.jwk(TestKeys.ed25519.publicKey, ["alg": "EdDSA", "kid": "x"])]),
        confirmation("V33 the key with its private part", .commitment, ["jwk": MintedLogin.jwk(TestKeys.ed25519.publicKey, ["d": "AA"])]),
        LoginCase("V29 an ordinary ID token", .tokenTypeNotAllowed) { $0.header["typ"] = "JWT" },
        LoginCase("V29 an ordinary ID token with the nonce", .tokenTypeNotAllowed) {
            $0.header["typ"] = nil
            $0.claims["nonce"] = .string($0.commitment)
        },
        LoginCase("V28 an access token", .tokenTypeNotAllowed) { $0.header["typ"] = "at+jwt" },
        LoginCase("V28 an access token, where the row allows those too", .tokenTypeNotAllowed) {
            $0.rows = [row(MintedLogin.issuer, MintedLogin.clientID, .never, [.keyBinding, .accessTokenType])]
            $0.header["typ"] = "at+jwt"
        },
        LoginCase("a refreshed token bound to the same key", nil) { login in
            login.refreshed = try login.with { $0.claims["exp"] = .number(JSONNumber($0.now.seconds + 60)) }.idToken()
            login.claims["exp"] = .number(JSONNumber(login.now.seconds - 1))
        },
        LoginCase("a refreshed token bound to another key", .refreshedToken) { login in
            login.refreshed = try login.with { $0.claims["cnf"] = ["jwk": .object(TestKeys.otherEd25519.publicKey.jwk)] }.idToken()
            login.claims["exp"] = .number(JSONNumber(login.now.seconds - 1))
        },
        LoginCase("a refreshed token that is not bound", .refreshedToken) { login in
            login.refreshed = try login.with { $0.claims["cnf"] = nil }.idToken()
            login.claims["exp"] = .number(JSONNumber(login.now.seconds - 1))
        },
        LoginCase("a refreshed token that is an ordinary one", .tokenTypeNotAllowed) { login in
            login.refreshed = try login.with { $0.header["typ"] = "JWT" }.idToken()
            login.claims["exp"] = .number(JSONNumber(login.now.seconds - 1))
        },
    ]

    @Test("cnf.jwk is the user's key, and no other kind of token will do (V29)", arguments: table.indices)
    func binding(_ index: Int) throws { try check(Self.table, index, try bound()) }

    @Test("Without the option a key-bound token is refused, even with a nonce that commits (V29)")
    func withoutOption() throws {
        let login = try bound().with {
            $0.rows = [row()]
            $0.claims["nonce"] = .string($0.commitment)
        }
        #expect(try login.refusal() == .tokenTypeNotAllowed)
    }
}

@Suite("Access tokens in an ID token's place")
struct AccessTokenTypeTests {
    @Test(
        "at+jwt is accepted only where the row says so, and commits all the same (V28)",
        arguments: ["at+jwt", "AT+JWT", "At+Jwt"] as [Text])
    func optIn(_ type: Text) throws {
        let login = try MintedLogin().with {
            $0.header["typ"] = .string(type)
            $0.rows = [row(MintedLogin.issuer, MintedLogin.clientID, .never, .accessTokenType)]
        }
        #expect(try login.refusal() == nil)
        #expect(try login.with { $0.rows = [row()] }.refusal() == .tokenTypeNotAllowed)
        #expect(try login.with { $0.claims["nonce"] = "x" }.refusal() == .commitment)
        #expect(try login.with { $0.header["typ"] = "JWT" }.refusal() == nil, "ID tokens stay welcome")
        #expect(try login.with { $0.header["typ"] = "application/at+jwt" }.refusal() == .tokenType)
    }
}
