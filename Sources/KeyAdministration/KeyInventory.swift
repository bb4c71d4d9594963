import FetchSetup
import JOSE
public import KeyCache
public import Policy
public import Vocabulary

/// What `opk keys` shows: for each issuer that providers names, and for each record that is there beside them, what there is and how good it is.
public struct KeyInventory: Sendable {
    public let cacheFolder: String
    /// Those that providers names first, in its order.
    public let entries: [Entry]
    public let fetcher: FetcherUser
    /// Rows of providers that count for nothing.
    public let problems: [RowProblem]
    public let time: UnixTime

    public struct Entry: Sendable {
        public let subject: Subject
        /// Whether a row of providers names it.
        public let isNamed: Bool
        public let state: State
        public let keys: CachedKeys?
        public let settings: KeySettings
        /// In seconds: what is configured, and the provider's Cache-Control within its bounds.
        public let refreshAfter: Int64
        public let lastAttempt: FetchAttempt?
    }

    public enum Subject: Hashable, Sendable {
        case issuer(Text)
        /// A file of which nobody can say whose keys are in it.
        case file(String)
    }

    public enum State: Hashable, Sendable {
        /// Used without asking the provider.
        case fresh
        /// Used, and renewed by the next login.
        case stale
        /// Used no more.
        case tooOld
        /// From so far in the future that they are not used: the clock was changed.
        case fromFuture
        case absent
        /// Something is there and is as good as absent: one sentence that says why.
        case unusable(String)
    }

    public init(_ store: KeyStore, verifier: String = FetcherUser.verifierUser, at now: UnixTime) throws(KeysError) {
        let cache = store.cache
        let strays: [KeyCache.Stray]
        do {
            strays = try cache.strays(beside: store.settings.issuers)
        } catch {
            throw .cache(error)
        }
        cacheFolder = store.cacheFolder
        entries =
            store.settings.issuers.map { Entry($0, cache.lookUp(issuer: $0), isNamed: true, store, now) }
            + strays.map { stray in
                switch stray {
                case .keys(let keys): Entry(keys.issuer, .found(keys), isNamed: false, store, now)
                case .unusable(let file, let why): Entry(file: file, why: why, store)
                }
            }
        fetcher = FetcherUser(cacheFolder: store.cacheFolder, verifier: verifier)
        problems = store.settings.problems
        time = now
    }
}

extension KeyInventory.Entry {
    fileprivate init(_ issuer: Text, _ lookup: KeyCache.Lookup, isNamed: Bool, _ store: KeyStore, _ now: UnixTime) {
        let limits = store.limits(issuer)
        subject = .issuer(issuer)
        self.isNamed = isNamed
        settings = store.settings.keySettings(of: issuer)
        lastAttempt = store.cache.lastAttempt(issuer: issuer, at: now)
        switch lookup {
        case .found(let found):
            keys = found
            state = KeyInventory.State(found, limits, now)
            refreshAfter = limits.refreshAfter(providerSays: found.cacheSeconds)
        case .absent: (keys, state, refreshAfter) = (nil, .absent, limits.refreshAfter)
        case .unusable(let why): (keys, state, refreshAfter) = (nil, .unusable(why), limits.refreshAfter)
        }
    }

    fileprivate init(file: String, why: String, _ store: KeyStore) {
        subject = .file(file)
        isNamed = false
        settings = store.settings.keySettings(of: "")
        (keys, state, refreshAfter, lastAttempt) = (nil, .unusable(why), settings.refreshAfter.seconds, nil)
    }

    /// Until when they are used, unless they are renewed before.
    var usedUntil: UnixTime? { keys.map { $0.fetchedAt + settings.maximumAge.seconds } }

    /// Those that a signature can be checked with; `kid` is hostile.
    var usableKeys: [(keyID: Text?, algorithm: String)] {
        keys?.jwks.keys.filter { $0.publicKey() != nil }.map { ($0.keyID, $0.algorithm.rawValue) } ?? []
    }
}

extension KeyInventory.State {
    init(_ keys: CachedKeys, _ limits: KeyLimits, _ now: UnixTime) {
        if keys.isFresh(at: now, limits) {
            self = .fresh
        } else if keys.isUsable(at: now, limits) {
            self = .stale
        } else {
            self = keys.fetchedAt > now ? .fromFuture : .tooOld
        }
    }
}
