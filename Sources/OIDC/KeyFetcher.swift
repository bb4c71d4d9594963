public import HTTP
public import KeyCache
import SafeFiles
public import Vocabulary

/// Fetches an issuer's keys into the cache, one fetch at a time for each issuer, however many ask.
///
/// - Whoever waited while another fetched takes that fetch's outcome, good or bad. Who only wants to renew does not wait.
/// - For an unknown key id, and to renew, an issuer is asked at most once in ten seconds (C12); failures back off (`FetchAttempt`).
/// - A bad answer leaves the cache as it was (C13).
/// - The lock is an flock, so a fetcher that is killed leaves none behind; only fetchers ever take it. One that is stuck holds up others for
///   the time that a fetch may take, and no longer.
public struct KeyFetcher: Sendable {
    public let cache: KeyCache
    public let client: HTTPClient

    /// For waiting, beside the client's own timeout for the fetch itself. `opk-verify` gives up half a second later.
    static let slack: Duration = .milliseconds(1000)

    public init(cache: KeyCache, client: HTTPClient = HTTPClient()) {
        self.cache = cache
        self.client = client
    }

    /// Why keys are wanted.
    public enum Purpose: Sendable, Hashable {
        /// There are none that may be used.
        case missing
        /// There are, but not of the `kid` that a token names.
        case unknownKeyID
        /// Those there are shall be renewed.
        case refresh
        /// Somebody who may says: now, whatever happened a moment ago.
        case demanded
    }

    public struct Answer: Sendable {
        public let keys: CachedKeys
        /// What went wrong beside it, a sentence each: the keys could not be kept, for instance.
        public let warnings: [String]
    }

    public enum Failure: Error, Sendable, CustomStringConvertible {
        case provider(OIDCError)
        /// Another fetch for the same issuer, which this one waited for, failed.
        case sharedFailure(FetchAttempt)
        /// Still not ended; only where keys were to be renewed.
        case busy
        case tooSoon(FetchAttempt)

        public var description: String {
            switch self {
            case .provider(let error): error.sentence
            case .sharedFailure(let attempt): attempt.reason
            case .busy: "another fetch of this issuer's keys has not ended yet"
            case .tooSoon(let attempt): attempt.sentence
            }
        }
    }

    /// - Parameter asked: when this fetch was asked for; a fetch that ended later will do.
    public func keys(issuer: Text, _ purpose: Purpose, asked: UnixTime = .now()) throws(Failure) -> Answer {
        let end = ContinuousClock.now + client.timeout + KeyFetcher.slack
        do {
            _ = try DiscoveryDocument.url(for: issuer)
        } catch {
            throw .provider(error)
        }
        let timeout = Int(client.timeout / .milliseconds(1))
        // Every fetch ends within its timeout, so whoever holds the lock for longer is stopped or stuck, and must not keep others out.
        return try cache.withLock(issuer: issuer, waitingAtMost: purpose == .refresh ? 0 : timeout + 500, stuckAfter: timeout + 1000) {
            state throws(Failure) in
            var warnings: [String] = []
            var begun: UnixTime?
            switch state {
            case .held(let before): begun = before
            case .busy where purpose == .refresh: throw .busy
            case .busy, .stuck:
                warnings.append(
                    "another fetch of this issuer's keys does not end (a process that is stopped, or stuck?): fetching beside it")
            case .unavailable(let error): warnings.append("fetching without a lock: \(error)")
            }
            if let keys = try outcomeOfAnother(issuer, purpose, asked) { return Answer(keys: keys, warnings: warnings) }
            try checkUnkept(begun, issuer, purpose)
            let keys = try fetch(issuer, before: end, &warnings)
            return Answer(keys: keys, warnings: warnings)
        }
    }

    /// What the last fetch says about this one; nil where this one has to ask the provider.
    private func outcomeOfAnother(_ issuer: Text, _ purpose: Purpose, _ asked: UnixTime) throws(Failure) -> CachedKeys? {
        let now = UnixTime.now()
        guard let last = cache.lastAttempt(issuer: issuer, at: now) else { return nil }
        let kept = cache.read(issuer: issuer).flatMap { $0.fetchedAt <= now ? $0 : nil }
        let isRenewal = purpose == .unknownKeyID || purpose == .refresh
        if last.succeeded {
            // Who found no keys may have looked a moment before they came.
            let isRecent = last.ended >= asked || purpose != .demanded && now < last.mayAskAgain(haveKeys: true)
            return isRecent ? kept : nil
        }
        if last.ended >= asked { throw .sharedFailure(last) }
        if purpose != .demanded && now < last.mayAskAgain(haveKeys: isRenewal) { throw .tooSoon(last) }
        return nil
    }

    /// Where a fetch began whose outcome could not be kept (a full disk), or that was killed: for what can wait it counts as one that failed.
    private func checkUnkept(_ begun: UnixTime?, _ issuer: Text, _ purpose: Purpose) throws(Failure) {
        let now = UnixTime.now()
        guard purpose == .unknownKeyID || purpose == .refresh, let begun, begun <= now, now < begun + FetchAttempt.interval else { return }
        if let noted = cache.noted(issuer: issuer), noted >= begun { return }
        throw .tooSoon(.failure(at: begun, "how it ended could not be kept (is the disk of the cache folder full?)", after: nil))
    }

    private func fetch(_ issuer: Text, before end: ContinuousClock.Instant, _ warnings: inout [String]) throws(Failure) -> CachedKeys {
        var client = client
        client.timeout = min(client.timeout, max(.milliseconds(1), ContinuousClock.now.duration(to: end)))
        let keys: CachedKeys
        do throws(OIDCError) {
            keys = try ProviderKeys.fetch(issuer: issuer, client: client)
        } catch {
            let now = UnixTime.now()
            try? cache.note(.failure(at: now, error.sentence, after: cache.lastAttempt(issuer: issuer, at: now)), issuer: issuer)
            throw .provider(error)
        }
        do throws(WriteFailure) {
            try cache.write(keys)
        } catch {
            warnings.append("the keys are not kept: \(error)")
        }
        do throws(WriteFailure) {
            try cache.note(.success(at: .now()), issuer: issuer)
        } catch  where warnings.isEmpty {
            warnings.append("when they were fetched is not kept: \(error)")
        } catch {}
        return keys
    }
}
