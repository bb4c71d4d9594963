public import HTTP
public import KeyCache
import SafeFiles
public import Vocabulary

/// Fetches an issuer's keys into the cache, one fetch at a time for each issuer, however many ask.
///
/// - Whoever waited while another fetched takes that fetch's outcome, good or bad.
/// - For an unknown key id an issuer is asked at most once in ten seconds (C12); a failure counts.
/// - After a failure an issuer is left alone for a second, or for ten where there are keys to go on with.
/// - A bad answer leaves the cache as it was (C13).
public struct KeyFetcher: Sendable {
    public let cache: KeyCache
    public let client: HTTPClient

    /// Seconds.
    public static let refetchInterval: Int64 = 10
    static let shortPause: Int64 = 1
    /// For waiting and fetching together. `opk-verify` gives up after seven seconds.
    static let patience: Duration = .milliseconds(6500)

    public init(cache: KeyCache, client: HTTPClient = HTTPClient()) {
        self.cache = cache
        self.client = client
    }

    public struct Answer: Sendable {
        public let keys: CachedKeys
        /// What went wrong beside it, a sentence each: the keys could not be kept, for instance.
        public let warnings: [String]
    }

    public enum Failure: Error, Sendable, CustomStringConvertible {
        case provider(OIDCError)
        /// Another fetch for the same issuer, which this one waited for, failed.
        case sharedFailure
        /// Still not ended.
        case busy
        case tooSoon

        public var description: String {
            switch self {
            case .provider(let error): error.description
            case .sharedFailure: "another fetch of this issuer's keys failed just now"
            case .busy: "another fetch of this issuer's keys has not ended yet"
            case .tooSoon: "the last fetch of this issuer's keys failed a moment ago; it is not tried again yet"
            }
        }
    }

    /// - Parameters:
    ///   - unknownKeyID: there are keys, but not the one that a token names.
    ///   - asked: when this fetch was asked for; a fetch that ended later will do.
    public func keys(issuer: Text, unknownKeyID: Bool, asked: UnixTime = .now()) throws(Failure) -> Answer {
        let end = ContinuousClock.now + KeyFetcher.patience
        do {
            _ = try DiscoveryDocument.url(for: issuer)
        } catch {
            throw .provider(error)
        }
        var warnings: [String] = []
        var isBusy = false
        let lock: FileLock?
        do throws(WriteFailure) {
            lock = try cache.lock(issuer: issuer, waitingAtMost: 5500)
            isBusy = lock == nil
        } catch {
            warnings.append("fetching without a lock: \(error)")
            lock = nil
        }
        if isBusy { throw .busy }
        if let keys = try outcomeOfAnother(issuer, unknownKeyID, asked) { return Answer(keys: keys, warnings: warnings) }
        let keys = try fetch(issuer, before: end, &warnings)
        _ = consume lock
        return Answer(keys: keys, warnings: warnings)
    }

    /// What the last fetch says about this one; nil where this one has to ask the provider.
    private func outcomeOfAnother(_ issuer: Text, _ unknownKeyID: Bool, _ asked: UnixTime) throws(Failure) -> CachedKeys? {
        let now = UnixTime.now()
        guard let last = cache.lastAttempt(issuer: issuer, at: now) else { return nil }
        let kept = cache.read(issuer: issuer).flatMap { $0.isUsable(at: now) ? $0 : nil }
        if last.succeeded {
            let isRecent = last.ended >= asked || (unknownKeyID && now < last.ended + KeyFetcher.refetchInterval)
            return isRecent ? kept : nil
        }
        if last.ended >= asked { throw .sharedFailure }
        let pause = unknownKeyID || kept != nil ? KeyFetcher.refetchInterval : KeyFetcher.shortPause
        if now < last.ended + pause { throw .tooSoon }
        return nil
    }

    private func fetch(_ issuer: Text, before end: ContinuousClock.Instant, _ warnings: inout [String]) throws(Failure) -> CachedKeys {
        var client = client
        client.timeout = min(client.timeout, max(.milliseconds(1), ContinuousClock.now.duration(to: end)))
        let keys: CachedKeys
        do throws(OIDCError) {
            keys = try ProviderKeys.fetch(issuer: issuer, client: client)
        } catch {
            try? cache.note(FetchAttempt(ended: .now(), succeeded: false), issuer: issuer)
            throw .provider(error)
        }
        do throws(WriteFailure) {
            try cache.write(keys)
            try cache.note(FetchAttempt(ended: .now(), succeeded: true), issuer: issuer)
        } catch {
            warnings.append("the keys are not kept: \(error)")
        }
        return keys
    }
}
