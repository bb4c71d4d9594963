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
    private let now: UnixTime
    private var config = ServerConfig()
    private(set) var notes: [String] = []

    init(_ arguments: Arguments, at now: UnixTime) {
        configFolder = arguments.configFolder
        trust = arguments.isOwnConfiguration ? .rootOrUser(geteuid()) : .rootOnly
        cache = KeyCache(directory: arguments.cacheFolder)
        fetcher = Fetcher(
            mode: FetchMode(cacheFolder: arguments.cacheFolder), configFolder: arguments.configFolder, cacheFolder: arguments.cacheFolder)
        self.now = now
    }

    mutating func serverConfig() throws(Refusal) -> ServerConfig {
        do {
            config = try ServerConfig.read(configFolder + "/config.yml", trust: trust)
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
        do {
            return try AuthID(for: account, naming: identity, at: configFolder + "/auth_id", trust: trust)
        } catch {
            throw Refusal(.unsafeFile, "\(error)")
        }
    }

    /// The cache while it may be used, renewed behind the answer where it is not fresh; else one fetch.
    mutating func keys(for token: TimelyToken) throws(Refusal) -> JWKSet {
        let issuer = token.row.issuer
        let settings = KeySettings(for: token.row, config)
        let limits = KeyLimits(refreshAfter: settings.refreshAfter.seconds, maximumAge: settings.maximumAge.seconds)
        let cached = cachedKeys(of: issuer)
        let hasKey = cached.map { token.fitsSome(of: $0.jwks) } ?? false
        if let cached, hasKey, cached.isFresh(at: now, limits) { return cached.jwks }
        let attempt = cache.lastAttempt(issuer: issuer, at: now)
        switch KeyDecision(cached: cached, hasKey: hasKey, attempt: attempt, limits: limits, at: now) {
        case .use(let keys):
            if let attempt, !attempt.succeeded { noteAge(keys, attempt.sentence) }
            return keys.jwks
        case .useAndRefresh(let keys):
            renew(keys, after: attempt)
            return keys.jwks
        case .ask(let unknownKeyID):
            return try ask(FetchRequest(unknownKeyID ? .unknownKeyID : .keys, of: issuer), settings)
        case .refuse(let reason): throw ServerSources.unavailable(issuer, reason)
        }
    }

    private mutating func ask(_ request: FetchRequest, _ settings: KeySettings) throws(Refusal) -> JWKSet {
        let answer: Fetcher.Answer
        do {
            answer = try fetcher.ask(request, timeout: settings.timeout)
        } catch {
            throw ServerSources.unavailable(request.issuer, "\(error)")
        }
        notes += answer.warnings.map { "keys: \($0)" }
        guard let keys = CachedKeys(parsing: answer.content, issuer: request.issuer) else {
            throw ServerSources.unavailable(request.issuer, "opk-fetch answered with something that is no record of this issuer's keys")
        }
        return keys.jwks
    }

    private static func unavailable(_ issuer: Text, _ reason: String) -> Refusal {
        Refusal(.keysUnavailable, "\(reason); to try at once: opk keys refresh \(issuer.escaped(limit: 256))")
    }

    private mutating func renew(_ keys: CachedKeys, after attempt: FetchAttempt?) {
        if let attempt, !attempt.succeeded { noteAge(keys, "the last fetch, at \(attempt.ended), failed: \(attempt.reason)") }
        do {
            try fetcher.refresh(keys.issuer)
        } catch {
            noteAge(keys, "they cannot be renewed: \(error)")
        }
    }

    private mutating func noteAge(_ keys: CachedKeys, _ why: String) {
        notes.append("keys: those of \(keys.fetchedAt) were used; \(why)")
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
        do {
            let request = FetchRequest(.userinfo, of: identity.issuer, accessToken: accessToken)
            return try fetcher.ask(request, timeout: KeySettings(for: identity.row, config).timeout).content
        } catch {
            notes.append("userinfo: \(error)")
            return nil
        }
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
