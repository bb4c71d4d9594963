/// When to ask next whether the person has been at the provider's page (RFC 8628 section 3.5, C32).
public struct DevicePace: Sendable {
    /// Seconds; only ever grows.
    private var interval: Int64
    /// Questions in a row to which no answer came.
    private var failures = 0

    /// After failures it is not waited longer than this, unless the provider wants it.
    static let longestBackoff: Int64 = 60

    public init(interval: Int64) {
        self.interval = max(interval, DeviceAuthorization.shortestInterval)
    }

    /// Seconds to wait before the next question. Without an answer twice as long each time.
    public var wait: Int64 {
        guard failures > 0 else { return interval }
        return max(interval, min(interval << Int64(min(failures, 16)), DevicePace.longestBackoff))
    }

    public mutating func wasAnswered() { failures = 0 }

    /// The provider said `slow_down`.
    public mutating func slowDown() {
        failures = 0
        // No code lives so long that more would matter.
        interval = min(interval + 5, DeviceAuthorization.longestLife)
    }

    public mutating func wasNotAnswered() { failures += 1 }
}
