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
    /// Made when it is asked, since it looks at whose the folder is: a key that is not ours has nothing looked at.
    private lazy var cache = KeyCache(directory: cacheFolder)
    private let cacheFolder: String
    private let mode: FetchMode
    private var helpers: Helpers
    private let now: UnixTime
    private var config = ServerConfig()
    /// When everything that is fetched has to be here, on the clock of `TimedStream.now`; nil before the first fetch.
    private var deadline: Int64?
    private(set) var notes: [String] = []
    let clientAddress: NetworkAddress?
    private let request: LoginRequest
    private let extra: [[UInt8]]

    init(_ arguments: Arguments, _ mode: FetchMode, _ helpers: Helpers, at now: UnixTime) {
        configFolder = arguments.configFolder
        trust = arguments.trust
        cacheFolder = arguments.cacheFolder
        self.mode = mode
        self.helpers = helpers
        self.now = now
        request = arguments.request
        extra = arguments.extra
        clientAddress = ConnectionWords.clientAddress(in: arguments.extra)
    }

    /// What is waited for from here on belongs to this step, should it take too long.
    private func begin(_ step: Refusal.Step) { LastWords.note(step: step.rawValue) }

    mutating func serverConfig() throws(Refusal) -> ServerConfig {
        begin(.providerRow)
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

    func authID(for account: Principal, naming identity: VerifiedIdentity, _ userinfo: UserinfoAnswer) throws(Refusal) -> AuthID {
        begin(.policy)
        do {
            return try AuthID(for: account, naming: identity, userinfo: userinfo, at: configFolder + "/auth_id", trust: trust)
        } catch {
            throw Refusal(.unsafeFile, "\(error)")
        }
    }

    func revocations(about subject: RevocationSubject) throws(Refusal) -> Revocations {
        begin(.policy)
        do {
            return try Revocations.read(configFolder + "/revoked", trust: trust, about: subject)
        } catch {
            throw Refusal(error)
        }
    }

    /// The account's number, as the system knows it.
    mutating func userID(of account: Principal) -> UserIDAnswer {
        begin(.policy)
        do {
            let answer = try helpers.ask(.account, within: time(atMost: ServerSources.homeTime))
            if answer.status == .done, let number = UInt32(String(decoding: answer.content, as: UTF8.self)) { return .known(number) }
        } catch {
            notes.append("the account's number: \(error)")
        }
        return .unknown
    }

    var hasPlugins: Bool { unsafe access(configFolder + "/policy.d", F_OK) == 0 }

    mutating func askPlugins(about identity: VerifiedIdentity, as account: Principal, _ userinfo: UserinfoAnswer) -> PluginAnswer {
        begin(.policy)
        var answer: VerifiedUserinfo?
        if case .verified(let claims) = userinfo { answer = claims }
        let question = PluginQuestion(
            account: account, key: request.key, type: request.type, extra: extra, identity: identity, userinfo: answer,
            groupsClaim: identity.row.groupsClaim ?? "groups")
        do {
            let said = try helpers.ask(.plugins, question.encoded, within: time(atMost: ServerSources.pluginTime))
            if let answer = PluginAnswer(parsing: said.content) {
                notes += answer.notes
                return answer
            }
            notes.append("plugins: their answer cannot be read")
        } catch {
            notes.append("plugins: \(error)")
        }
        return .refused([])
    }

    /// The cache while it may be used, renewed behind the answer where it is not fresh; else one fetch.
    mutating func keys(for token: TimelyToken) throws(Refusal) -> JWKSet {
        begin(.providerSignature)
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
            let time = time(for: settings.timeout)
            answer = try Fetcher.ask(request, by: mode, &helpers, within: time)
        } catch {
            throw ServerSources.unavailable(request.issuer, "\(error)")
        }
        notes += answer.warnings.map { "keys: \($0)" }
        guard let keys = CachedKeys(parsing: answer.content, issuer: request.issuer) else {
            throw ServerSources.unavailable(request.issuer, "opk-fetch answered with something that is no record of this issuer's keys")
        }
        return keys.jwks
    }

    /// Milliseconds for one fetch, so that there is time left to say how it went: userinfo may be asked after the keys.
    private mutating func time(for timeout: TimeSpan) -> Int64 {
        if deadline == nil, timeout.seconds + 3 > Confinement.seconds { setDeadline(after: timeout.seconds + 3, isLonger: true) }
        return time(atMost: timeout.seconds * 1000 + ServerSources.beside)
    }

    /// Milliseconds for a helper that is given at most so many.
    private mutating func time(atMost wanted: Int64) -> Int64 {
        if deadline == nil { setDeadline(after: Int64(Confinement.seconds), isLonger: false) }
        return max(0, min(wanted, (deadline ?? 0) - TimedStream.now()))
    }

    private mutating func setDeadline(after seconds: Int64, isLonger: Bool) {
        if isLonger { Confinement.extend(to: Int(seconds)) }
        deadline = TimedStream.now() + seconds * 1000 - ServerSources.lastWords
    }

    /// Milliseconds for opk-home: sudo may have to look names up.
    private static let homeTime: Int64 = 2_000
    /// Milliseconds for all plugins: each has a deadline of its own, 6 s at most.
    private static let pluginTime: Int64 = 6_500

    /// Milliseconds beside the fetch itself: opk-fetch starts, and waits for another's fetch.
    private static let beside: Int64 = 1_500
    /// Milliseconds that are kept back for policy, answer and log.
    private static let lastWords: Int64 = 500

    private static func unavailable(_ issuer: Text, _ reason: String) -> Refusal {
        Refusal(.keysUnavailable, "\(reason); to try at once: sudo opk keys refresh \(issuer.escaped(limit: 256))")
    }

    private mutating func renew(_ keys: CachedKeys, after attempt: FetchAttempt?) {
        if let attempt, !attempt.succeeded { noteAge(keys, "the last fetch, at \(attempt.ended), failed: \(attempt.reason)") }
        do {
            try Fetcher.refresh(keys.issuer, by: mode, &helpers)
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

    /// The rows of the account's own file, for this account alone, whatever their first column says of others.
    mutating func home(of account: Principal, naming identity: VerifiedIdentity) -> HomeAnswer {
        begin(.policy)
        let answer: HelperAnswer
        do {
            answer = try helpers.ask(.home, within: time(atMost: ServerSources.homeTime))
        } catch {
            return unusableHome("\(error)")
        }
        switch answer.status {
        case .done: return .rows(AuthID(home: answer.content, of: account, naming: identity))
        case .absent: return .absent
        // Its sentence was made beside this process, of what an account wrote.
        case .failed: return unusableHome(Text(String(decoding: answer.content, as: UTF8.self)).escapedOnce(limit: 1024))
        }
    }

    private mutating func unusableHome(_ reason: String) -> HomeAnswer {
        notes.append("home: \(reason)")
        return .unusable(reason)
    }

    mutating func userinfo(for identity: VerifiedIdentity, accessToken: Secret) -> [UInt8]? {
        do {
            let request = FetchRequest(.userinfo, of: identity.issuer, accessToken: accessToken)
            let time = time(for: KeySettings(for: identity.row, config).timeout)
            return try Fetcher.ask(request, by: mode, &helpers, within: time).content
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
