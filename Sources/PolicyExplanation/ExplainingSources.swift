import JOSE
import KeyCache
import PKToken
import Policy
import SSHKeys
import Verifier
import Vocabulary

/// The verifier's sources for an explanation: the same files, every row of the account, nothing fetched unless `Outside` does it; and notes of
/// what was looked at.
final class ExplainingSources: VerifierSources {
    let folder: PolicyFolder
    let outside: Outside
    let now: UnixTime
    let clientAddress: NetworkAddress?
    let notes: [String] = []

    /// What was found about the keys: which record, how old, what opk-verify would do.
    private(set) var keysText = ""
    /// opk-verify would have fetched keys here.
    private(set) var lacksFetch = false
    private(set) var home: HomeReading?
    /// The account's home rows that count for nothing.
    private(set) var homeProblems: [RowProblem] = []
    private(set) var pluginsWereAsked = false
    /// What they said beside their answers; escaped.
    private(set) var pluginNotes: [String] = []
    private(set) var userinfoWasWanted = false
    private(set) var authID: AuthID?
    private(set) var config: ServerConfig?
    private var found: Result<JWKSet, Refusal>?

    init(_ folder: PolicyFolder, _ outside: Outside, at now: UnixTime, from address: NetworkAddress?) {
        self.folder = folder
        self.outside = outside
        self.now = now
        clientAddress = address
    }

    func serverConfig() throws(Refusal) -> ServerConfig {
        let config = try folder.config()
        self.config = config
        return config
    }

    func providers() throws(Refusal) -> Providers { try folder.providers() }

    func authID(for account: Principal, naming identity: VerifiedIdentity, _ userinfo: UserinfoAnswer) throws(Refusal) -> AuthID {
        try authID(for: account, of: identity.issuer)
    }

    func authID(for account: Principal, of issuer: Text) throws(Refusal) -> AuthID {
        let rows = try folder.authID(for: account, of: issuer)
        authID = rows
        return rows
    }

    func revocations(about subject: RevocationSubject) throws(Refusal) -> Revocations { try folder.revocations(about: subject) }

    func userID(of account: Principal) -> UserIDAnswer {
        let answer = outside.userID(account)
        if case .notAsked = answer { return .unknown }
        return answer
    }

    func home(of account: Principal, naming identity: VerifiedIdentity) -> HomeAnswer { home(of: account) }

    func home(of account: Principal) -> HomeAnswer {
        let reading = outside.home(account)
        home = reading
        switch reading {
        case .absent: return .absent
        case .unread: return .absent
        case .unusable(let why): return .unusable(why)
        case .content(let bytes):
            let rows = AuthID(home: bytes, of: account)
            homeProblems = rows.problems
            return .rows(rows)
        }
    }

    var hasPlugins: Bool { !outside.pluginNames.isEmpty }

    func askPlugins(about identity: VerifiedIdentity, as account: Principal, _ userinfo: UserinfoAnswer) -> PluginAnswer {
        pluginsWereAsked = true
        let answer = outside.runPlugins?(identity, account, userinfo) ?? .refused([])
        pluginNotes = answer.notes
        if case .notAsked = answer { return .refused([]) }
        return answer
    }

    /// For somebody who is only supposed, plugins cannot be asked.
    func supposedPlugins() -> PluginAnswer {
        pluginsWereAsked = true
        return hasPlugins ? .refused([]) : .none
    }

    func userinfo(for identity: VerifiedIdentity, accessToken: Secret) -> [UInt8]? {
        userinfoWasWanted = true
        return outside.askUserinfo?(identity, accessToken)
    }
}

// Keys: as opk-verify decides about them, without a fetch of its own.
extension ExplainingSources {
    func keys(for token: TimelyToken) throws(Refusal) -> JWKSet {
        // The same answer, however often it is asked for.
        if let found { return try found.get() }
        do throws(Refusal) {
            let keys = try lookUp(token)
            found = .success(keys)
            return keys
        } catch {
            found = .failure(error)
            throw error
        }
    }

    private func lookUp(_ token: TimelyToken) throws(Refusal) -> JWKSet {
        let issuer = token.row.issuer
        let settings = KeySettings(for: token.row, config ?? ServerConfig())
        let limits = KeyLimits(refreshAfter: settings.refreshAfter.seconds, maximumAge: settings.maximumAge.seconds)
        let (cached, why) = record(of: issuer)
        let hasKey = cached.map { token.fitsSome(of: $0.jwks) } ?? false
        let attempt = folder.cache.lastAttempt(issuer: issuer, at: now)
        switch KeyDecision(cached: cached, hasKey: hasKey, attempt: attempt, limits: limits, at: now) {
        case .use(let keys):
            note(keys, "fresh")
            return keys.jwks
        case .useAndRefresh(let keys):
            note(keys, "due for renewal")
            return keys.jwks
        case .refuse(let reason):
            if outside.fetchKeys != nil { return try fetch(issuer) }
            throw Refusal(.keysUnavailable, reason)
        case .ask(let unknownKeyID):
            if outside.fetchKeys != nil { return try fetch(issuer) }
            lacksFetch = true
            if unknownKeyID, let cached {
                note(cached, "without the token's key; opk-verify would fetch them anew, which this does only with --fetch")
                return cached.jwks
            }
            let there = cached.map { "those in the cache are too old (fetched \(Words.when($0.fetchedAt, now)))" } ?? why
            throw Refusal(.keysUnavailable, "\(there); opk-verify would fetch them now, which this does only with --fetch")
        }
    }

    private func record(of issuer: Text) -> (keys: CachedKeys?, why: String) {
        switch folder.cache.lookUp(issuer: issuer) {
        case .found(let keys): (keys, "")
        case .absent: (nil, "there are none in the cache")
        case .unusable(let why): (nil, why)
        }
    }

    private func fetch(_ issuer: Text) throws(Refusal) -> JWKSet {
        if let why = outside.fetchKeys?(issuer) { throw Refusal(.keysUnavailable, why) }
        let (cached, why) = record(of: issuer)
        guard let cached else { throw Refusal(.keysUnavailable, why) }
        note(cached, "fetched for this explanation")
        return cached.jwks
    }

    private func note(_ keys: CachedKeys, _ state: String) {
        keysText = "keys of \(keys.keysURI.escaped(limit: 200)), fetched \(Words.when(keys.fetchedAt, now)), \(state)"
    }
}
