import Testing
import Vocabulary

@testable import Display

@Suite("RelativeTime: times for people")
struct RelativeTimeTests {
    @Test("a span has its two largest units")
    func spans() {
        let cases: [(Int64, String)] = [
            (0, "0 s"), (1, "1 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (86_399, "23 h 59 min"), (86_400, "1 d"),
            (180_000, "2 d 2 h"), (40_000_000, "1 y 97 d"), (-7200, "2 h"), (.min, "292277024626 y 338 d"),
        ]
        for (seconds, text) in cases { #expect(RelativeTime.span(seconds) == text) }
    }

    @Test("the past is ago and the future is in")
    func relative() {
        let now = UnixTime(seconds: 1_000_000)
        #expect(RelativeTime.text(now + 90, from: now) == "in 1 min 30 s")
        #expect(RelativeTime.text(now + -10_800, from: now) == "3 h ago")
        #expect(RelativeTime.text(now, from: now) == "now")
    }
}
