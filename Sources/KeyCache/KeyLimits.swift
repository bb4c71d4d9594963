public import Vocabulary

/// For how long cached keys are good, in seconds.
public struct KeyLimits: Hashable, Sendable {
    /// Used without asking again.
    public let refreshAfter: Int64
    /// Used at all.
    public let maximumAge: Int64

    /// What holds where nothing is configured.
    public static let standard = KeyLimits(refreshAfter: 3600, maximumAge: 86_400)

    public init(refreshAfter: Int64, maximumAge: Int64) {
        self.refreshAfter = min(refreshAfter, maximumAge)
        self.maximumAge = maximumAge
    }

    /// How far in the future a record may seem to have been fetched: the clock was set back since. Such a one is used, and renewed at once.
    static let clockTolerance: Int64 = 7200

    /// When to ask again, the provider's own wish (Cache-Control) counted: it can make the time a tenth as long, or six times, but never
    /// longer than the keys may be used.
    public func refreshAfter(providerSays wish: Int64?) -> Int64 {
        guard let wish else { return refreshAfter }
        return min(max(wish, refreshAfter / 10, 1), refreshAfter &* 6, maximumAge)
    }
}

extension CachedKeys {
    /// Young enough to be used without asking the provider. A record from the future is not: the clock was changed.
    public func isFresh(at now: UnixTime, _ limits: KeyLimits = .standard) -> Bool {
        fetchedAt <= now && now < fetchedAt + limits.refreshAfter(providerSays: cacheSeconds)
    }

    /// Young enough to be used at all.
    public func isUsable(at now: UnixTime, _ limits: KeyLimits = .standard) -> Bool {
        fetchedAt <= now + min(KeyLimits.clockTolerance, limits.maximumAge) && now < fetchedAt + limits.maximumAge
    }
}
