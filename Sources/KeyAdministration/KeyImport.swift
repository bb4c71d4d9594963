import FetchSetup
public import JOSE
public import KeyCache
import OIDC
import Policy
import SafeFiles
public import Vocabulary

/// Puts keys that were fetched elsewhere into the cache, one record at a time. What is taken is what opk-fetch could have fetched.
public struct KeyImport: Sendable {
    private let store: KeyStore
    private let options: Options
    private let now: UnixTime

    public struct Options: Sendable {
        /// Those too that no row of providers names.
        public var anyIssuer = false
        /// Older ones in the place of newer ones, and such as are too old to be used.
        public var force = false
        public var dryRun = false

        public init() {}
    }

    public enum Outcome: Sendable {
        case taken(CachedKeys)
        /// The cache has this one, or a newer one.
        case left(CachedKeys)
        /// One sentence.
        case refused(String)
    }

    /// Seconds that another machine's clock may be ahead of this one's.
    static let tolerance: Int64 = 60

    /// After `KeyStore.becomeOwner`, unless it is a dry run.
    public init(_ store: KeyStore, _ options: Options, at now: UnixTime) {
        self.store = store
        self.options = options
        self.now = now
    }

    public func take(_ json: JSON) -> Outcome {
        guard let issuer = json["issuer"]?.string, let keys = CachedKeys(parsing: json.serialized, issuer: issuer) else {
            return .refused("it is damaged, or is no record of keys")
        }
        if let fault = fault(of: keys) { return .refused(fault) }
        if options.dryRun { return newer(than: keys).map(Outcome.left) ?? .taken(keys) }
        do {
            return try write(keys)
        } catch {
            return .refused("\(error)")
        }
    }

    private func write(_ keys: CachedKeys) throws(WriteFailure) -> Outcome {
        let cache = store.cache
        // A fetch that is under way knows better, and may take its timeout and a second.
        let patience = store.settings.keySettings(of: keys.issuer).timeout.seconds * 1000 + 1500
        let outcome = try cache.withLock(issuer: keys.issuer, waitingAtMost: Int(patience)) { state throws(WriteFailure) -> Outcome in
            switch state {
            case .held: break
            case .busy, .stuck: return .refused("a fetch of its keys has not ended yet; try again")
            case .unavailable(let error): throw error
            }
            if let here = newer(than: keys) { return .left(here) }
            try cache.write(keys)
            return .taken(keys)
        }
        guard case .taken = outcome else { return outcome }
        if case .unusable(let why) = cache.lookUp(issuer: keys.issuer) { return .refused("it was written, but \(why)") }
        return .taken(keys)
    }

    /// Until when they are used, unless they are renewed before.
    public func usedUntil(_ keys: CachedKeys) -> UnixTime { keys.fetchedAt + store.limits(keys.issuer).maximumAge }

    public func isUsable(_ keys: CachedKeys) -> Bool { keys.isUsable(at: now, store.limits(keys.issuer)) }

    private func fault(of keys: CachedKeys) -> String? {
        guard options.anyIssuer || store.settings.isTrusted(keys.issuer) else {
            return "no row of providers names this issuer (--any-issuer takes its keys all the same)"
        }
        guard keys.fetchedAt <= now + KeyImport.tolerance else {
            return "it was fetched at \(keys.fetchedAt), which is in the future: is a clock wrong?"
        }
        do {
            try ProviderKeys.check(keys)
        } catch {
            return "\(error)"
        }
        guard options.force || isUsable(keys) else {
            let age = TimeSpan(seconds: store.limits(keys.issuer).maximumAge)
            return "it was fetched at \(keys.fetchedAt), so it is too old to be used (max-age \(age)); --force takes it all the same"
        }
        return nil
    }

    /// What the cache has instead; one from the future, by a clock that was wrong, is not newer than anything.
    private func newer(than keys: CachedKeys) -> CachedKeys? {
        guard let here = store.cache.read(issuer: keys.issuer), here.fetchedAt <= now + KeyImport.tolerance else { return nil }
        return here.fetchedAt >= keys.fetchedAt && !options.force ? here : nil
    }
}
