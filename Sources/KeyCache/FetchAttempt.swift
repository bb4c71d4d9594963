public import Vocabulary

/// How the last attempt to fetch an issuer's keys ended. On disk one line: `SECONDS NANOSECONDS ok` or `… failed`.
public struct FetchAttempt: Equatable, Sendable {
    public let ended: UnixTime
    public let succeeded: Bool

    public init(ended: UnixTime, succeeded: Bool) {
        self.ended = ended
        self.succeeded = succeeded
    }

    init?(parsing bytes: [UInt8]) {
        let words = bytes.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 3, let seconds = Int64(words[0]), let nanoseconds = Int32(words[1]), (0..<1_000_000_000).contains(nanoseconds),
            seconds >= 0, words[2] == "ok\n" || words[2] == "failed\n"
        else { return nil }
        ended = UnixTime(seconds: seconds, nanoseconds: nanoseconds)
        succeeded = words[2] == "ok\n"
    }

    var line: [UInt8] { Array("\(ended.seconds) \(ended.nanoseconds) \(succeeded ? "ok" : "failed")\n".utf8) }
}
