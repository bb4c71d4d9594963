import JOSE
public import Vocabulary

/// How the last attempt to fetch an issuer's keys ended. On disk one JSON text:
///
///     {"version":1,"ended":1795291636.000000005,"failures":2,"reason":"…"}
public struct FetchAttempt: Equatable, Sendable {
    public let ended: UnixTime
    /// How many have failed since the last that succeeded; 0 where this one did.
    public let failures: Int
    /// Why it failed: one sentence, escaped.
    public let reason: String

    public var succeeded: Bool { failures == 0 }

    static let maximumSize = 4096
    /// Characters of a reason that are kept.
    private static let longestReason = 800
    private static let mostFailures = 1_000_000

    public static func success(at ended: UnixTime) -> FetchAttempt { FetchAttempt(ended: ended, failures: 0, reason: "") }

    /// - Parameter last: the attempt before, where one is known.
    public static func failure(at ended: UnixTime, _ reason: String, after last: FetchAttempt?) -> FetchAttempt {
        let kept = String(String.UnicodeScalarView(reason.unicodeScalars.prefix(longestReason)))
        return FetchAttempt(ended: ended, failures: min((last?.failures ?? 0) + 1, mostFailures), reason: kept)
    }

    private init(ended: UnixTime, failures: Int, reason: String) {
        self.ended = ended
        self.failures = failures
        self.reason = reason
    }

    init?(parsing bytes: [UInt8]) {
        guard let object = try? JSONObject(parsing: bytes), object["version"] == 1, let ended = object["ended"]?.number?.time,
            let count = object["failures"]?.number?.integer, let failures = Int(exactly: count),
            (0...FetchAttempt.mostFailures).contains(failures), let reason = object["reason"]?.string
        else { return nil }
        self.ended = ended
        self.failures = failures
        self.reason = reason.escapedOnce(limit: FetchAttempt.longestReason)
    }

    var record: [UInt8] {
        let nanoseconds = String(ended.nanoseconds)
        let fraction = String(repeating: "0", count: max(0, 9 - nanoseconds.count)) + nanoseconds
        let quoted = String(decoding: JSON.string(Text(reason)).serialized, as: UTF8.self)
        return Array("{\"version\":1,\"ended\":\(ended.seconds).\(fraction),\"failures\":\(failures),\"reason\":\(quoted)}\n".utf8)
    }

    /// When the provider may be asked again. Ten seconds later where there are keys to go on with, after failures twice as long for each up
    /// to five minutes; without keys, where somebody is waiting, from one second to ten.
    public func mayAskAgain(haveKeys: Bool) -> UnixTime {
        let doubled = Int64(1) << Int64(min(max(failures - 1, 0), 10))
        if haveKeys { return ended + min(FetchAttempt.interval * doubled, 300) }
        return succeeded ? ended : ended + min(doubled, FetchAttempt.interval)
    }

    /// Seconds between two fetches for keys that are unknown, or that are only to be renewed.
    public static let interval: Int64 = 10

    public var sentence: String { "they were asked for at \(ended) in vain and are not asked for again yet: \(reason)" }
}
