public import Vocabulary

/// What to do about an issuer's keys, given what is cached and how the last fetch ended. Pure: it looks at nothing but its arguments.
public enum KeyDecision: Sendable {
    /// They are used as they are.
    case use(CachedKeys)
    /// They are used, and renewed without anybody waiting for it.
    case useAndRefresh(CachedKeys)
    /// Nobody gets on without an answer of the provider.
    case ask(unknownKeyID: Bool)
    /// The provider was asked a moment ago, in vain, and is not asked again yet: why, one sentence.
    case refuse(String)

    /// - Parameters:
    ///   - cached: what the cache has; nil where that is nothing that may be believed.
    ///   - hasKey: whether it has a key of the token's `kid`.
    ///   - attempt: how the last fetch ended, where one is known.
    public init(cached: CachedKeys?, hasKey: Bool, attempt: FetchAttempt?, limits: KeyLimits, at now: UnixTime) {
        let isResting = attempt.map { now < $0.mayAskAgain(haveKeys: true) } ?? false
        guard let cached, cached.isUsable(at: now, limits) else {
            if let attempt, !attempt.succeeded, now < attempt.mayAskAgain(haveKeys: false) {
                self = .refuse(attempt.sentence)
            } else {
                self = .ask(unknownKeyID: false)
            }
            return
        }
        if hasKey {
            self = cached.isFresh(at: now, limits) || isResting ? .use(cached) : .useAndRefresh(cached)
        } else if isResting {
            // Asked at most once in ten seconds (C12, V10): what is cached is all there is, and its lack of the key is the answer.
            if let attempt, !attempt.succeeded { self = .refuse(attempt.sentence) } else { self = .use(cached) }
        } else {
            self = .ask(unknownKeyID: true)
        }
    }
}
