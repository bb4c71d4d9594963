import Vocabulary

/// When an identity is refreshed: ahead of its end, and never more often than once a minute.
struct RefreshSchedule: Sendable {
    /// Seconds.
    static let shortest: Int64 = 60
    /// Seconds from the first failure to the next try; doubled each time, up to `longestPause`.
    static let firstPause: Int64 = 30
    static let longestPause: Int64 = 900

    /// At three quarters of the life of the ID token that it has now. Nil where that says nothing about its life.
    static func due(_ held: HeldCertificate) -> UnixTime? {
        guard let begun = held.issuedAt, let ends = held.tokenExpires else { return nil }
        let life = max(0, ends - begun)
        return begun + max(shortest, life / 4 * 3)
    }

    /// Seconds to wait after so many failures in a row, a fifth more or less so that a thousand laptops do not come back in the same second.
    static func pause(after failures: Int, jitter: Double = .random(in: -0.2...0.2)) -> Int64 {
        let doublings = min(max(failures - 1, 0), 16)
        let pause = min(firstPause << Int64(doublings), longestPause)
        return Int64(Double(pause) * (1 + min(max(jitter, -0.2), 0.2)))
    }
}
