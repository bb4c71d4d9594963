import JOSE
import LibCrypto
import MintingKit
import SSHKeys
import Testing
import Vocabulary

@testable import PKToken

@Suite("A refreshed ID token (V62)")
struct RefreshedTokenTests {
    private static let now = MintedLogin.now.seconds

    /// A login whose ID token expired a minute ago, with a refreshed one that has one change.
    private static func fresh(
        _ about: String, _ code: Refusal.Code?, _ change: @escaping @Sendable (inout MintedLogin) throws -> Void = { _ in }
    ) -> LoginCase {
        LoginCase(about, code) { login in
            var fresh = login
            fresh.claims["iat"] = .number(JSONNumber(now - 10))
            fresh.claims["exp"] = .number(JSONNumber(now + 600))
            fresh.claims["nonce"] = .null
            try change(&fresh)
            login.claims["exp"] = .number(JSONNumber(now - 30))
            login.refreshed = try fresh.idToken()
        }
    }

    static let table: [LoginCase] = [
        fresh("a good one", nil), fresh("with a nonce, which nobody looks at", nil) { $0.claims["nonce"] = "x" },
        fresh("without typ", nil) { $0.header["typ"] = nil },
        fresh("issued at the same moment", nil) { $0.claims["iat"] = .number(JSONNumber(now - 60)) },
        fresh("unsigned", .providerSignature) { $0.providerSignature = [] },
        fresh("none", .algorithm) {
            $0.header["alg"] = "none"
            $0.providerSignature = []
        },
        fresh("signed by another key", .providerSignature) { $0.providerKey = TestKeys.otherP256 },
        fresh("of an unknown kid", .noFittingKey) { $0.header["kid"] = "key-9" },
        fresh("of another subject", .refreshedToken) { $0.claims["sub"] = "bob" },
        fresh("of another issuer", .issuerUnknown) { $0.claims["iss"] = "https://other.example" },
        fresh("for another audience", .audience) { $0.claims["aud"] = "other" },
        fresh("for two audiences without azp", .authorizedParty) { $0.claims["aud"] = ["test-client", "other"] },
        fresh("of another azp", .authorizedParty) { $0.claims["azp"] = "other" },
        fresh("older than the ID token", .refreshedToken) { $0.claims["iat"] = .number(JSONNumber(now - 61)) },
        fresh("issued in the future", .issuedInFuture) { $0.claims["iat"] = .number(JSONNumber(now + 61)) },
        fresh("not valid yet", .notYetValid) { $0.claims["nbf"] = .number(JSONNumber(now + 61)) },
        fresh("expired", .expired) { $0.claims["exp"] = .number(JSONNumber(now)) },
        fresh("without exp", .expired) { $0.claims["exp"] = nil }, fresh("exp a string", .timeClaim) { $0.claims["exp"] = "1790000600" },
        fresh("without iat", .timeClaim) { $0.claims["iat"] = nil }, fresh("without sub", .subject) { $0.claims["sub"] = nil },
        fresh("a client's typ", .tokenType) { $0.header["typ"] = "CIC" },
        fresh("an access token", .tokenTypeNotAllowed) { $0.header["typ"] = "at+jwt" },
        fresh("with crit", .criticalHeader) { $0.header["crit"] = ["exp"] },
        fresh("with a member twice", .tokenJSON) {
            $0.claimsText = Array(#"{"iss":"https://issuer.example.com","iss":"https://issuer.example.com"}"#.utf8)
        },
        LoginCase("the expired token itself", .expired) { login in
            login.claims["exp"] = .number(JSONNumber(now - 30))
            login.refreshed = try login.idToken()
        },
        LoginCase("none at all", .expired) { $0.claims["exp"] = .number(JSONNumber(now - 30)) },
        LoginCase("not needed, since the ID token has not expired", nil) { login in
            login.refreshed = try login.with { $0.claims["sub"] = "bob" }.idToken()
        },
    ]

    private func login() throws -> MintedLogin {
        try MintedLogin().with { $0.rows = [row(MintedLogin.issuer, MintedLogin.clientID, .oidcRefreshed)] }
    }

    @Test("It is of the same person, not older, and passes steps 5, 7 and 8 itself (V62)", arguments: table.indices)
    func refreshed(_ index: Int) throws { try check(Self.table, index, try login()) }

    @Test("It does not help under any other policy, nor against a signature of the first that does not hold")
    func otherPolicies() throws {
        let good = Self.table[0]
        for policy in [ExpiryPolicy.oidc, .maximumAge(seconds: 30)] {
            #expect(try good.run(from: try login().with { $0.rows = [row(MintedLogin.issuer, MintedLogin.clientID, policy)] }) == .expired)
        }
        let forged = try login().with { try good.change(&$0) }.with { $0.providerSignature = [UInt8](repeating: 1, count: 64) }
        #expect(try forged.refusal() == .providerSignature)
    }

    @Test("The identity then lasts until the refreshed token's end, with the claims of the first")
    func expiry() throws {
        let identity = try login().with { try Self.table[0].change(&$0) }.verified()
        #expect(identity.expires == UnixTime(seconds: Self.now + 600))
        #expect(identity.claims["nonce"] != nil)
    }
}
