import JOSE
import KeyCache
import MintingKit
import Testing
import Vocabulary

/// Jobs of a CI system, and tokens bound to a key, as an administrator configures them: the rows of `providers` and `auth_id` as they would be
/// written, the program as sshd calls it.
@Suite("opk-verify: identities of CI systems, and key-bound tokens", .serialized)
struct CIIdentityTests {
    private static let subject = "repo:acme/app:ref:refs/heads/main"

    /// A job's login at this issuer, with its keys in the cache.
    private func job(_ issuer: Text, provider: String, auth: String, _ change: (inout MintedLogin) -> Void) throws -> (Doorway, MintedLogin)
    {
        let doorway = try Doorway(issuer: issuer)
        try doorway.write("providers", provider + "\n")
        try doorway.write("auth_id", auth + "\n")
        let login = try doorway.login().with {
            $0.proveGQ()
            $0.claims["sub"] = .string(Text(Self.subject))
            $0.claims["email"] = nil
            $0.claims["email_verified"] = nil
            $0.claims["nonce"] = .null
            change(&$0)
        }
        try doorway.keep(login.keys)
        return (doorway, login)
    }

    @Test(
        "GitHub's and Forgejo's jobs come in by their subject, where aud commits to the key; the bearer token itself does not, nor another key's",
        arguments: ["https://token.actions.githubusercontent.com", "https://forge.example.com/api/actions"] as [Text])
    func actions(_ issuer: Text) throws {
        let (doorway, login) = try job(
            issuer, provider: "\(issuer.string) github 1h", auth: "guest repo:acme/app:ref:refs/heads/* \(issuer.string)"
        ) { $0.claims["aud"] = .string($0.commitment) }
        #expect(try doorway.ask(login).admitted)
        #expect(try doorway.ask(login.with { $0.gqHeader = nil }).refused(1, "reason=algorithm ", "GQ256"))
        #expect(try doorway.ask(login.with { $0.claims["aud"] = "github" }).refused(1, "step=6 reason=commitment "))
        #expect(try doorway.ask(login.with { $0.userKey = TestKeys.otherEd25519 }).output.isEmpty)
        let elsewhere = login.with { $0.claims["sub"] = "repo:evil/app:ref:refs/heads/main" }
        #expect(try doorway.ask(elsewhere).refused(1, "step=9 reason=no-row-admits "))
    }

    @Test("GitLab's jobs come in where the GQ256 header commits to the key and aud is the client id with its prefix")
    func gitLab() throws {
        let issuer: Text = "https://gitlab.example.com"
        let client = "OPENPUBKEY-PKTOKEN:1234"
        let (doorway, login) = try job(
            issuer, provider: "\(issuer.string) \(client) 1h", auth: "guest oidc:project_path:acme/app \(issuer.string)"
        ) {
            $0.gqHeader = MintedLogin.object(["cic": .string($0.commitment)])
            $0.claims["aud"] = .string(Text(client))
            $0.claims["project_path"] = "acme/app"
        }
        #expect(try doorway.ask(login).admitted)
        #expect(try doorway.ask(login.with { $0.gqHeader = nil }).refused(1, "reason=algorithm "))
        #expect(try doorway.ask(login.with { $0.gqHeader = JSONObject() }).refused(1, "reason=commitment "))
        #expect(try doorway.ask(login.with { $0.claims["aud"] = "1234" }).refused(1, "reason=audience "))
    }

    @Test("V29 A row with key-binding takes tokens that the provider bound to the key, and no others; a row without it takes none of those")
    func keyBinding() throws {
        let doorway = try Doorway(issuer: "https://idp.example.com")
        let row = "\(doorway.issuer.string) \(MintedLogin.clientID.string) 24h"
        try doorway.write("providers", "\(row) key-binding\n")
        let plain = try doorway.login()
        let bound = plain.with {
            $0.header["typ"] = "dpop+id_token"
            $0.claims["nonce"] = "of the provider's own"
            $0.claims["cnf"] = ["jwk": .object($0.userKey.publicKey.jwk)]
        }
        try doorway.keep(plain.keys)
        #expect(try doorway.ask(bound).admitted)
        let other = bound.with { $0.claims["cnf"] = ["jwk": .object(TestKeys.otherEd25519.publicKey.jwk)] }
        #expect(try doorway.ask(other).refused(1, "step=6 reason=commitment "))
        #expect(try doorway.ask(bound.with { $0.claims["cnf"] = nil }).refused(1, "reason=commitment "))
        #expect(try doorway.ask(plain).refused(1, "step=5 reason=token-type-not-allowed "))
        try doorway.write("providers", "\(row)\n")
        #expect(try doorway.ask(bound).refused(1, "reason=token-type-not-allowed "))
        #expect(try doorway.ask(plain).admitted)
    }

    @Test("V28, V63 access-token-type and the two options about emails do at the door what they say")
    func otherOptions() throws {
        let doorway = try Doorway(issuer: "https://idp.example.com")
        let row = "\(doorway.issuer.string) \(MintedLogin.clientID.string) 24h"
        let login = try doorway.login()
        try doorway.keep(login.keys)
        let accessToken = login.with { $0.header["typ"] = "at+jwt" }
        let unverified = login.with { $0.claims["email_verified"] = false }
        let silent = login.with { $0.claims["email_verified"] = nil }
        for (options, admitted) in [
            ("", [false, false, true]), ("access-token-type", [true, false, true]), ("trust-unverified-email", [false, true, true]),
            ("require-verified-email", [false, false, false]),
        ] {
            try doorway.write("providers", "\(row) \(options)\n")
            let runs = try [accessToken, unverified, silent].map { try doorway.ask($0) }
            #expect(runs.map(\.admitted) == admitted, "\(options): \(runs)")
            #expect(try doorway.ask(login).admitted)
        }
    }
}
