import Testing
import Vocabulary

@Suite("Points in time")
struct UnixTimeTests {
    static let dates: [(seconds: Int64, text: String)] = [
        (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (1_709_164_800, "2024-02-29T00:00:00Z"),
        (2_147_483_648, "2038-01-19T03:14:08Z"), (4_107_542_400, "2100-03-01T00:00:00Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
        (253_402_300_800, "10000-01-01T00:00:00Z"),
    ]

    @Test("Dates come out as the calendar has them, after 2038 too (C40)", arguments: dates.indices)
    func descriptions(_ index: Int) {
        #expect("\(UnixTime(seconds: Self.dates[index].seconds))" == Self.dates[index].text)
    }

    @Test("The ends of time have a description and do not trap")
    func extremes() {
        #expect(!"\(UnixTime(seconds: .max))".isEmpty)
        #expect(!"\(UnixTime(seconds: .min))".isEmpty)
        #expect(!"\(UnixTime(seconds: .min + 1))".isEmpty)
    }

    @Test("Sums and differences stop at the ends instead of overflowing")
    func saturation() {
        #expect((UnixTime(seconds: .max) + 1).seconds == .max)
        #expect((UnixTime(seconds: .min) + -1).seconds == .min)
        #expect(UnixTime(seconds: .max) - UnixTime(seconds: .min) == .max)
        #expect(UnixTime(seconds: .min) - UnixTime(seconds: .max) == .min)
        #expect(UnixTime(seconds: 10, nanoseconds: 1) - UnixTime(seconds: 7, nanoseconds: 2) == 2)
    }

    @Test("A nanosecond decides")
    func order() {
        #expect(UnixTime(seconds: 5) < UnixTime(seconds: 5, nanoseconds: 1))
        #expect(UnixTime(seconds: 5, nanoseconds: 999_999_999) < UnixTime(seconds: 6))
    }

    @Test("The clock runs")
    func now() {
        #expect(UnixTime.now() > UnixTime(seconds: 1_750_000_000))
    }
}

@Suite("Refusals")
struct RefusalTests {
    @Test("Two refusals are equal if their codes are, whatever the wording")
    func equality() {
        #expect(Refusal(.expired, "a") == Refusal(.expired, "b"))
        #expect(Refusal(.expired) != Refusal(.notYetValid))
    }

    @Test("Every code has a wording of its own and a step")
    func wording() {
        #expect(Set(Refusal.Code.allCases.map(\.wording)).count == Refusal.Code.allCases.count)
        for code in Refusal.Code.allCases {
            #expect(!code.wording.isEmpty && (1...10).contains(code.step.rawValue))
            #expect(code.isConfiguration == [.unsafeFile, .configuration].contains(code))
        }
    }
}
