import Confinement
import JOSE
import KeyCache
import PKToken
import Policy
import SSHKeys
import SafeFiles
import Verifier
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a decision needs, from `/etc/opk` and the key cache.
struct ServerSources: VerifierSources {
    private let configFolder: String
    private let trust: FileTrust
    private let cache: KeyCache
    private let fetcher: Fetcher
    private let enclosure: Enclosure
    private let now: UnixTime
    private var environment: [ServerConfig.Variable] = []
    private(set) var notes: [String] = []

    init(_ arguments: Arguments, _ enclosure: Enclosure, at now: UnixTime) {
        configFolder = arguments.configFolder
        trust = arguments.isOwnConfiguration ? .rootOrUser(geteuid()) : .rootOnly
        cache = KeyCache(directory: arguments.cacheFolder)
        fetcher = Fetcher(cacheFolder: arguments.cacheFolder)
        self.enclosure = enclosure
        self.now = now
    }

    /// What is waited for from here on belongs to this step, should it take too long.
    private func begin(_ step: Refusal.Step) { LastWords.note(step: step.rawValue) }

    mutating func serverConfig() throws(Refusal) -> ServerConfig {
        begin(.providerRow)
        do {
            let config = try ServerConfig.read(configFolder + "/config.yml", trust: trust)
            environment = config.environment
            return config
        } catch {
            throw Refusal(error)
        }
    }

    func providers() throws(Refusal) -> Providers {
        do {
            return try Providers.read(configFolder + "/providers", trust: trust)
        } catch {
            throw Refusal(.unsafeFile, "\(error)", step: .providerRow)
        }
    }

    func authID(for account: Principal, naming identity: VerifiedIdentity) throws(Refusal) -> AuthID {
        // Only userinfo could still need a helper, and only where there is an access token.
        if identity.accessToken == nil { try enclosure.afterLastHelper() }
        begin(.policy)
        do {
            return try AuthID(for: account, naming: identity, at: configFolder + "/auth_id", trust: trust)
        } catch {
            throw Refusal(.unsafeFile, "\(error)")
        }
    }

    /// The cache while it is fresh and has a key of the token's `kid`; else one fetch; else, where that fails, a cache that is not too old.
    mutating func keys(for token: TimelyToken) throws(Refusal) -> JWKSet {
        begin(.providerSignature)
        let issuer = token.row.issuer
        let cached = cachedKeys(of: issuer)
        let fits = cached.map { token.fitsSome(of: $0.jwks) } ?? false
        if let cached, fits, cached.isFresh(at: now) { return cached.jwks }
        do {
            let fetched = try fetcher.keys(of: issuer, unknownKeyID: cached != nil && !fits, environment: environment)
            if let warning = fetched.warning { notes.append("keys: \(warning)") }
            return fetched.keys.jwks
        } catch {
            guard let cached, cached.isUsable(at: now) else { throw Refusal(.keysUnavailable, "\(error)") }
            notes.append("keys: those of \(cached.fetchedAt) were used, since \(error)")
            return cached.jwks
        }
    }

    private mutating func cachedKeys(of issuer: Text) -> CachedKeys? {
        switch cache.lookUp(issuer: issuer) {
        case .found(let keys): return keys
        case .absent: return nil
        case .unusable(let reason):
            notes.append("keys: \(reason)")
            return nil
        }
    }

    mutating func userinfo(for identity: VerifiedIdentity, accessToken: Secret) -> [UInt8]? {
        let answer: [UInt8]?
        do {
            answer = try fetcher.userinfo(of: identity.issuer, accessToken: accessToken, environment: environment)
        } catch {
            notes.append("userinfo: \(error)")
            answer = nil
        }
        do {
            try enclosure.afterLastHelper()
        } catch {
            notes.append("userinfo is not looked at: \(error)")
            return nil
        }
        return answer
    }
}

extension Refusal {
    init(_ failure: ServerConfig.Failure) {
        switch failure {
        case .unsafe(let file): self.init(.unsafeFile, "\(file)")
        case .malformed(let path, let error): self.init(.configuration, "\(path): \(error)")
        }
    }
}
