public import Vocabulary

/// The clock on the wall in a zone of the tz database: for times that are written without a zone.
public struct WallClock: Hashable, Sendable {
    private let zone: Zone

    public static let utc = WallClock(zone: .utc)

    /// Nil for a zone that this system does not have.
    public init?(zone name: Text) {
        guard let zone = try? Zone(name) else { return nil }
        self.zone = zone
    }

    private init(zone: Zone) { self.zone = zone }

    /// What this clock shows at that moment, as seconds since it showed 1970-01-01 00:00; nil where the system does not say.
    public func shown(at time: UnixTime) -> Int64? { zone.offset(at: time.seconds).map { time.seconds + $0 } }

    /// A moment at which this clock shows that: of two the later, and where the clocks are put forward over it, one nearby.
    public func moment(showing seconds: Int64) -> UnixTime? {
        guard let first = zone.offset(at: seconds), let second = zone.offset(at: seconds - first) else { return nil }
        return UnixTime(seconds: seconds - second)
    }
}
