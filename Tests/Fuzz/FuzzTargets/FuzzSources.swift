import JOSE
import LibCrypto
import MintingKit
import PKToken
import Policy
import SSHKeys
import Verifier
import Vocabulary

/// The server of a fuzzed login: files that are the same in every run, keys, and what of it was asked for.
struct FuzzSources: VerifierSources {
    final class Log {
        var asked: [String] = []
        /// How many questions had been put when a token was shown to have passed every local check.
        var token: TimelyToken?
    }

    static let provider = MintedLogin.issuer
    static let clientID = MintedLogin.clientID
    /// The provider of the certificates in the published data, and its keys where `useSharedKeys` was told them.
    static let sharedProvider: Text = "http://localhost:18391"

    static let providersText = Array(
        """
        https://issuer.example.com test-client 24h
        https://issuer.example.com other-client oidc-refreshed
        https://token.actions.githubusercontent.com ci oidc
        https://gitlab.example.com OPENPUBKEY-PKTOKEN:1234 24h
        http://localhost:18391 client-1 24h
        http://localhost:18391/poidc client-1 oidc
        http://localhost:18391/prefr client-1 oidc_refreshed
        http://localhost:18391/pnever client-1 never
        https://bad.example.com client 24H
        """.utf8)

    static let authIDText = Array(
        """
        alice alice@example.com https://issuer.example.com
        alice alice-1 https://issuer.example.com
        dev oidc:groups:admins https://issuer.example.com
        dev 'oidc:"https://example.com/roles":dev' https://issuer.example.com
        guest oidc-match-end:email:@example.com https://issuer.example.com
        ci repo:acme/*:ref:refs/heads/ma?n https://token.actions.githubusercontent.com
        testuser alice@example.com http://localhost:18391
        testuser alice@example.com http://localhost:18391/poidc
        testuser alice@example.com http://localhost:18391/prefr
        testuser alice@example.com http://localhost:18391/pnever
        root alice@example.com https://issuer.example.com option
        denied alice@example.com https://issuer.example.com
        """.utf8)

    static let configText = Array(
        """
        deny_users: [denied]
        deny_emails: [mallory@example.com]
        """.utf8)

    static let providers = Providers(parsing: providersText)

    static let keys: JWKSet = makeKeys(nil) ?? LoginVariant.keys

    /// The keys of every provider here. Without the published data there is our own alone.
    static func makeKeys(_ shared: [UInt8]?) -> JWKSet? {
        let own = MintedLogin.jwk(FixedKeys.provider.publicKey, ["kid": "key-1", "alg": "EdDSA", "use": "sig"])
        let others = shared.flatMap { try? JSON(parsing: $0) }?["keys"]?.array ?? []
        return try? JWKSet(["keys": .array([own] + others)])
    }

    let keySet: JWKSet
    /// What the provider says about whoever shows an access token; nil where it does not answer.
    let userinfoAnswer: [UInt8]?
    let log = Log()
    var notes: [String] { [] }

    func serverConfig() throws(Refusal) -> ServerConfig {
        log.asked.append("config")
        do {
            return try ServerConfig(parsing: FuzzSources.configText)
        } catch {
            throw Refusal(.configuration)
        }
    }

    func providers() throws(Refusal) -> Providers {
        log.asked.append("providers")
        return FuzzSources.providers
    }

    func keys(for token: TimelyToken) throws(Refusal) -> JWKSet {
        log.asked.append("keys")
        log.token = token
        return keySet
    }

    func authID(for account: Principal, naming identity: VerifiedIdentity, _ userinfo: UserinfoAnswer) throws(Refusal) -> AuthID {
        log.asked.append("authID")
        return AuthID(parsing: FuzzSources.authIDText, for: account, of: identity.issuer)
    }

    var clientAddress: NetworkAddress? { nil }

    func revocations(about subject: RevocationSubject) throws(Refusal) -> Revocations {
        log.asked.append("revoked")
        return Revocations()
    }

    func userID(of account: Principal) -> UserIDAnswer { .unknown }

    func home(of account: Principal, naming identity: VerifiedIdentity) -> HomeAnswer { .absent }

    var hasPlugins: Bool { false }

    func askPlugins(about identity: VerifiedIdentity, as account: Principal, _ userinfo: UserinfoAnswer) -> PluginAnswer { .none }

    func userinfo(for identity: VerifiedIdentity, accessToken: Secret) -> [UInt8]? {
        log.asked.append("userinfo")
        return userinfoAnswer
    }
}
