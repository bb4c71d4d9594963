import Testing
import Vocabulary

@testable import Policy

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

private func time(_ text: String) throws -> UnixTime { try #require(UnixTime(rfc3339: Text(text)), "\(text)") }

/// 2026-11-23 is a Monday.
@Suite("Hours of the week")
struct WeeklyHoursTests {
    @Test(
        "hours hold on their days from their begin to before their end",
        arguments: [
            ("mon-fri 08:00-18:00", "2026-11-23T08:00Z", true), ("mon-fri 08:00-18:00", "2026-11-23T07:59:59Z", false),
            ("mon-fri 08:00-18:00", "2026-11-27T17:59:59.9Z", true), ("mon-fri 08:00-18:00", "2026-11-27T18:00Z", false),
            ("mon-fri 08:00-18:00", "2026-11-28T12:00Z", false), ("mon-fri 08:00-18:00", "2026-11-29T12:00Z", false),
            ("08:00-18:00", "2026-11-29T12:00Z", true), ("MON,Wed 08:00-18:00", "2026-11-25T12:00Z", true),
            ("mon,wed 08:00-18:00", "2026-11-24T12:00Z", false),
            ("fri-mon 08:00-18:00", "2026-11-29T12:00Z", true), ("fri-mon 08:00-18:00", "2026-11-23T12:00Z", true),
            ("fri-mon 08:00-18:00", "2026-11-24T12:00Z", false), ("fri-mon 08:00-18:00", "2026-11-26T12:00Z", false),
            ("tue-tue 08:00-18:00", "2026-11-24T12:00Z", true), ("tue-tue 08:00-18:00", "2026-11-25T12:00Z", false),
            ("mon,wed-fri 08:00-18:00", "2026-11-24T12:00Z", false), ("mon,wed-fri 08:00-18:00", "2026-11-26T12:00Z", true),
            ("mon 08:00-12:00 13:00-18:00", "2026-11-23T12:30Z", false), ("mon 08:00-12:00 13:00-18:00", "2026-11-23T13:00Z", true),
            ("mon 08:00-12:00,13:00-18:00", "2026-11-23T11:59Z", true), ("mon 08:00-12:00,13:00-18:00 UTC", "2026-11-23T12:00Z", false),
            ("mon 20:00-24:00", "2026-11-23T23:59:59Z", true), ("mon 20:00-24:00", "2026-11-24T00:00Z", false),
            ("mon 00:00-24:00", "2026-11-23T00:00Z", true),
            ("mon 00:00-24:00", "2026-11-22T23:59:59Z", false), ("mon 23:59-00:00", "2026-11-23T23:59:30Z", true),
            ("mon 23:59-00:00", "2026-11-24T00:00Z", false),
            // Over midnight: the night belongs to the day on which it begins.
            ("22:00-06:00", "2026-11-23T23:00Z", true), ("22:00-06:00", "2026-11-23T05:59:59Z", true),
            ("22:00-06:00", "2026-11-23T06:00Z", false),
            ("fri 22:00-06:00", "2026-11-28T05:59Z", true), ("fri 22:00-06:00", "2026-11-28T06:00Z", false),
            ("fri 22:00-06:00", "2026-11-27T05:00Z", false),
            ("fri 22:00-06:00", "2026-11-27T22:00Z", true), ("fri 22:00-06:00", "2026-11-28T22:00Z", false),
            ("sun 22:00-06:00", "2026-11-30T05:59Z", true), ("sun 22:00-06:00", "2026-11-29T21:59Z", false),
            ("sun 22:00-06:00", "2026-11-30T22:00Z", false),
            ("sun 22:00-06:00", "2026-11-29T03:00Z", false),
            // Years' ends and leap days: 2028-02-29 is a Tuesday, 2027-01-01 a Friday, 1970-01-01 a Thursday.
            ("tue 00:00-24:00", "2028-02-29T12:00Z", true), ("wed 00:00-24:00", "2028-03-01T00:00Z", true),
            ("thu 22:00-06:00", "2027-01-01T05:00Z", true),
            ("fri 00:00-01:00", "2027-01-01T00:00Z", true), ("thu 00:00-24:00", "1970-01-01T00:00Z", true),
            ("wed 00:00-24:00", "1970-01-01T00:00Z", false),
            ("fri 00:00-24:00", "9999-12-31T23:59:59Z", true),
            // Zones: CET, CEST, EST, EDT, +05:45, +13:00.
            ("mon-fri 08:00-18:00 Europe/Berlin", "2026-11-23T07:00Z", true),
            ("mon-fri 08:00-18:00 Europe/Berlin", "2026-11-23T06:59Z", false),
            ("mon-fri 08:00-18:00 Europe/Berlin", "2026-07-06T06:00Z", true),
            ("mon-fri 08:00-18:00 Europe/Berlin", "2026-07-06T16:00Z", false),
            ("mon-fri 09:00-17:00 America/New_York", "2026-11-23T14:00Z", true),
            ("mon-fri 09:00-17:00 America/New_York", "2026-11-23T13:59Z", false),
            ("mon-fri 09:00-17:00 America/New_York", "2026-07-06T13:00Z", true),
            ("mon-fri 09:00-17:00 America/New_York", "2026-07-06T21:00Z", false),
            ("09:00-17:00 Asia/Kathmandu", "2026-11-23T03:15Z", true), ("09:00-17:00 Asia/Kathmandu", "2026-11-23T03:14:59Z", false),
            ("09:00-17:00 Asia/Kathmandu", "2026-11-23T11:15Z", false), ("mon 08:00-09:00 Pacific/Apia", "2026-11-22T19:00Z", true),
            ("mon 08:00-09:00 Pacific/Apia", "2026-11-23T19:00Z", false), ("mon 08:00-09:00 Etc/GMT+5", "2026-11-23T13:00Z", true),
            // 29 March 2026 in Berlin: 02:00 to 03:00 is left out, at 01:00Z.
            ("sun 02:00-03:00 Europe/Berlin", "2026-03-29T00:59:59Z", false), ("sun 02:00-03:00 Europe/Berlin", "2026-03-29T01:00Z", false),
            ("sun 02:30-03:30 Europe/Berlin", "2026-03-29T01:00Z", true), ("sun 02:30-03:30 Europe/Berlin", "2026-03-29T01:30Z", false),
            ("sat 22:00-03:00 Europe/Berlin", "2026-03-29T00:59:59Z", true), ("sat 22:00-03:00 Europe/Berlin", "2026-03-29T01:00Z", false),
            // 25 October: 02:00 to 03:00 comes twice, from 00:00Z to 02:00Z.
            ("sun 02:00-03:00 Europe/Berlin", "2026-10-25T00:00Z", true), ("sun 02:00-03:00 Europe/Berlin", "2026-10-25T01:59:59Z", true),
            ("sun 02:00-03:00 Europe/Berlin", "2026-10-25T02:00Z", false), ("sun 02:30-03:30 Europe/Berlin", "2026-10-25T00:30Z", true),
            ("sun 02:30-03:30 Europe/Berlin", "2026-10-25T01:00Z", false), ("sun 02:30-03:30 Europe/Berlin", "2026-10-25T01:30Z", true),
            ("sat 22:00-02:30 Europe/Berlin", "2026-10-25T00:30Z", false), ("sat 22:00-02:30 Europe/Berlin", "2026-10-25T01:00Z", true),
            // New York: 8 March at 07:00Z, 1 November at 06:00Z. Apia had no 30 December 2011.
            ("sun 02:00-03:00 America/New_York", "2026-03-08T07:00Z", false),
            ("sun 01:00-02:00 America/New_York", "2026-03-08T06:59Z", true),
            ("sun 01:00-02:00 America/New_York", "2026-11-01T05:30Z", true),
            ("sun 01:00-02:00 America/New_York", "2026-11-01T06:30Z", true),
            ("sun 01:00-02:00 America/New_York", "2026-11-01T07:00Z", false),
            ("thu 00:00-24:00 Pacific/Apia", "2011-12-30T09:59:59Z", true),
            ("fri 00:00-24:00 Pacific/Apia", "2011-12-30T10:00Z", false), ("sat 00:00-24:00 Pacific/Apia", "2011-12-30T10:00Z", true),
        ])
    func contains(hours: String, at: String, expected: Bool) throws {
        #expect(try WeeklyHours(Text(hours)).contains(time(at)) == expected)
    }

    @Test(
        "the next opening is the first moment that is in the hours, this one too",
        arguments: [
            ("mon-fri 08:00-18:00", "2026-11-23T08:00:00.5Z", "2026-11-23T08:00:00.5Z"),
            ("mon-fri 08:00-18:00", "2026-11-23T07:59:59.5Z", "2026-11-23T08:00Z"),
            ("mon-fri 08:00-18:00", "2026-11-27T18:00Z", "2026-11-30T08:00Z"),
            ("mon 08:00-09:00", "2026-11-23T09:00Z", "2026-11-30T08:00Z"),
            ("mon 08:00-08:01", "2026-11-23T08:01Z", "2026-11-30T08:00Z"), ("fri 22:00-06:00", "2026-11-28T06:00:01Z", "2026-12-04T22:00Z"),
            ("09:00-17:00 Asia/Kathmandu", "2026-11-23T12:00:13Z", "2026-11-24T03:15Z"),
            ("mon 08:00-09:00 Pacific/Apia", "2026-11-23T00:00Z", "2026-11-29T19:00Z"),
            ("sun 02:30-03:30 Europe/Berlin", "2026-03-28T12:00Z", "2026-03-29T01:00Z"),
            ("sun 02:30-03:30 Europe/Berlin", "2026-10-25T01:00:07Z", "2026-10-25T01:30Z"),
            ("sun 02:15-02:45 Europe/Berlin", "2026-03-22T02:00Z", "2026-04-05T00:15Z"),
            ("sun 02:15-02:45 Europe/Berlin", "2026-10-25T00:45Z", "2026-10-25T01:15Z"),
            ("mon-fri 09:00-17:00 America/New_York", "2026-03-06T22:00Z", "2026-03-09T13:00Z"),
            ("fri 00:00-24:00 Pacific/Apia", "2011-12-30T00:00Z", "2012-01-05T10:00Z"),
            ("sat 00:00-24:00 Pacific/Apia", "2011-12-29T10:00Z", "2011-12-30T10:00Z"),
        ])
    func nextOpening(hours: String, after: String, expected: String) throws {
        #expect(try WeeklyHours(Text(hours)).nextOpening(after: time(after)) == time(expected))
    }

    @Test(
        "the next opening is what looking at every minute finds, where clocks are changed too",
        arguments: [
            ("UTC", "2026-03-28T20:00Z"), ("America/New_York", "2026-03-07T20:00Z"), ("America/New_York", "2026-10-31T20:00Z"),
            ("Europe/Berlin", "2026-03-28T20:00Z"), ("Europe/Berlin", "2026-10-24T20:00Z"), ("Australia/Lord_Howe", "2026-10-03T06:00Z"),
            ("Australia/Lord_Howe", "2026-04-04T06:00Z"), ("Asia/Kathmandu", "2026-10-03T06:00Z"), ("Pacific/Apia", "2011-12-29T20:00Z"),
        ])
    func everyMinute(zone: String, start: String) throws {
        for text in ["sun 01:40-02:20 02:50-03:10", "sat-sun 01:07-01:09 23:00-02:10"] {
            let hours = try WeeklyHours(Text("\(text) \(zone)"))
            let minutes = try (0..<1440).map { try time(start) + Int64($0) * 60 }
            let open = minutes.map(hours.contains)
            #expect(zone == "Pacific/Apia" || open.contains(true))
            for index in stride(from: 0, to: 1440, by: 37) {
                guard let first = open[index...].firstIndex(of: true) else { continue }
                #expect(hours.nextOpening(after: minutes[index]) == minutes[first], "\(hours) after \(minutes[index])")
            }
        }
    }

    @Test("the ends of time are closed or open, and do not trap")
    func extremes() throws {
        let hours = try WeeklyHours("mon 08:00-09:00 Europe/Berlin")
        for seconds in [Int64.min, .min + 1, -1, .max - 1, .max] {
            _ = hours.contains(UnixTime(seconds: seconds))
            _ = hours.nextOpening(after: UnixTime(seconds: seconds))
        }
        #expect(hours.nextOpening(after: UnixTime(seconds: .max)) == nil)
    }

    @Test(
        "hours are written in one way",
        arguments: [
            ("08:00-18:00", "08:00-18:00 UTC"), ("MON-FRI 08:00-18:00", "mon-fri 08:00-18:00 UTC"),
            ("mon-sun  08:00-18:00 UTC", "08:00-18:00 UTC"),
            ("fri-mon\t22:00-06:00 Europe/Berlin ", "fri-mon 22:00-06:00 Europe/Berlin"),
            ("wed,mon,tue 00:00-24:00", "mon-wed 00:00-24:00 UTC"),
            ("sun,mon,thu 01:02-03:04,05:06-07:08", "thu,sun-mon 01:02-03:04 05:06-07:08 UTC"), ("tue-mon 08:00-09:00", "08:00-09:00 UTC"),
        ])
    func descriptions(text: String, written: String) throws {
        let hours = try WeeklyHours(Text(text))
        #expect("\(hours)" == written)
        #expect(try WeeklyHours(Text(written)) == hours)
    }

    @Test(
        "anything else is a fault: a limit that cannot be read is not one without limit (V61)",
        arguments: [
            "", " ", "mon", "mon-fri", "Europe/Berlin", "mon-fri Europe/Berlin", "08:00", "08:00-", "-18:00", "8:00-18:00", "08:00-18",
            "0800-1800", "08:00-18:00-19:00",
            "08:00-24:01", "24:00-06:00", "08:00-25:00", "08:60-09:00", "08:00-08:00", "00:00-00:00", "24:00-24:00", "08:00 -18:00",
            "08:00-18:00,", ",08:00-18:00",
            "08:00-18:00,,19:00-20:00", "08:00-18:00, 19:00-20:00", "monday 08:00-18:00", "mo 08:00-18:00", "mon-fri-sun 08:00-18:00",
            "mon, 08:00-18:00",
            ",mon 08:00-18:00", "mon,,tue 08:00-18:00", "mon- 08:00-18:00", "-mon 08:00-18:00", "mon tue 08:00-18:00",
            "mon-fri 08:00-18:00 sat 10:00-12:00",
            "08:00-18:00 UTC UTC", "08:00-18:00 Europe/Berlin 19:00-20:00", "08:00-18:00 +01:00", "08:00-18:00\u{A0}UTC",
            "08:00\u{2013}18:00", "०8:00-18:00",
            "mon;08:00-18:00", "08:00-18:00 utc;", "08:00:00-18:00:00", "8am-6pm",
        ])
    func bad(text: String) {
        #expect(throws: RowFault.self) { try WeeklyHours(Text(text)) }
    }

    @Test(
        "a zone that this system does not have is a fault that names it, never UTC without a word",
        arguments: [
            "Europe/Atlantis", "Europe", "europe/berlin/", "/Europe/Berlin", ":Europe/Berlin", "../zoneinfo/Europe/Berlin",
            "Europe/../Europe/Berlin", "Europe//Berlin",
            "Europe/Berlin/", "./UTC", "UTC0", "CET-1CEST", "EST5EDT,M3.2.0,M11.1.0", "<+01>-1", "leapseconds", "tzdata.zi", "zone1970.tab",
            "Europe/Berlin\u{0}",
            "/etc/localtime", "../../../etc/localtime", String(repeating: "a", count: 65),
        ])
    func zones(name: String) {
        do throws(RowFault) {
            _ = try WeeklyHours(Text("08:00-18:00 \(name)"))
            Issue.record("\(name) was taken for a zone")
        } catch {
            #expect(error.text.contains(Text(name).escaped(limit: 65)))
        }
    }

    @Test("the zone that was found last need not be looked for again, and another one is")
    func knownZone() throws {
        var known: Text?
        #expect(
            "\(try WeeklyHours("08:00-18:00 Europe/Berlin", knownZone: &known))" == "08:00-18:00 Europe/Berlin" && known == "Europe/Berlin")
        #expect(throws: RowFault.self) { try WeeklyHours("08:00-18:00 Europe/Atlantis", knownZone: &known) }
        #expect(known == "Europe/Berlin")
        #expect("\(try WeeklyHours("08:00-18:00", knownZone: &known))" == "08:00-18:00 UTC" && known == "Europe/Berlin")
    }

    @Test("the process's own zone is the same as before, for the lines of its log")
    func ownZone() throws {
        func local() -> Int {
            var (seconds, parts) = (time_t(1_798_135_200), tm())
            localtime_r(&seconds, &parts)
            return parts.tm_gmtoff
        }
        let before = (getenv("TZ").map { String(cString: $0) }, local())
        #expect(try WeeklyHours("mon-fri 08:00-18:00 Asia/Kathmandu").contains(time("2026-11-23T03:15Z")))
        #expect(before == (getenv("TZ").map { String(cString: $0) }, local()))
    }
}
