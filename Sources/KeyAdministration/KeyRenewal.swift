import FetchSetup
public import KeyCache
import OIDC
public import Vocabulary

/// Fetches keys because somebody who may says so, whatever the cache has.
public struct KeyRenewal: Sendable {
    private let store: KeyStore
    private let youngest: TimeSpan?

    public enum Outcome: Sendable {
        /// And what went wrong beside it, a sentence each.
        case renewed(CachedKeys, warnings: [String])
        /// They are young enough, and were left.
        case left(CachedKeys)
        /// One sentence.
        case failed(String)
    }

    /// After `KeyStore.becomeFetcher`.
    ///
    /// - Parameter youngest: keys that are younger, and still fresh, are left as they are; nil for none.
    public init(_ store: KeyStore, leavingYoungerThan youngest: TimeSpan? = nil) {
        self.store = store
        self.youngest = youngest
    }

    public func renew(_ issuer: Text) -> Outcome {
        let cache = store.cache
        if let youngest, let keys = cache.read(issuer: issuer), isYoung(keys, youngest, at: .now()) { return .left(keys) }
        let answer: KeyFetcher.Answer
        do {
            answer = try KeyFetcher(cache: cache, client: store.settings.client(for: issuer)).keys(issuer: issuer, .demanded)
        } catch {
            return .failed("\(error)")
        }
        // Fetched is not enough: the next login must find them.
        switch cache.lookUp(issuer: issuer) {
        case .found(let kept) where kept.fetchedAt >= answer.keys.fetchedAt: return .renewed(kept, warnings: answer.warnings)
        case .unusable(let why): return .failed("they were fetched, but \(why)")
        case .found, .absent:
            return .failed(answer.warnings.isEmpty ? "they were fetched and are not in the cache" : answer.warnings.joined(separator: "; "))
        }
    }

    private func isYoung(_ keys: CachedKeys, _ youngest: TimeSpan, at now: UnixTime) -> Bool {
        keys.isFresh(at: now, store.limits(keys.issuer)) && now < keys.fetchedAt + youngest.seconds
    }
}
