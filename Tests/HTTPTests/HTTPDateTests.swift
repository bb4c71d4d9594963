import Testing
import Vocabulary

@testable import HTTP

@Suite("HTTPDate: RFC 9110 section 5.6.7")
struct HTTPDateTests {
    @Test(
        "all three forms are read",
        arguments: ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
    func forms(text: String) {
        #expect(HTTPDate.time(text, age: nil) == UnixTime(seconds: 784_111_777))
    }

    @Test("C40: years after 2038, leap days and leap seconds are read, and what a cache's Age says is added")
    func times() {
        #expect(HTTPDate.time("Mon, 29 Feb 2044 00:00:00 GMT", age: nil) == UnixTime(seconds: 2_340_316_800))
        #expect(HTTPDate.time("Sat, 31 Dec 2016 23:59:60 GMT", age: nil) == UnixTime(seconds: 1_483_228_799))
        #expect(HTTPDate.time("Sun, 06 Nov 1994 08:49:37 GMT", age: " 60 ") == UnixTime(seconds: 784_111_837))
        #expect(HTTPDate.time("Sun, 06 Nov 1994 08:49:37 GMT", age: "x") == UnixTime(seconds: 784_111_777))
    }

    @Test(
        "anything else is no date",
        arguments: [
            "", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT and very much more than that, over sixty-four bytes",
        ])
    func malformed(text: String) {
        #expect(HTTPDate.time(text, age: nil) == nil)
    }
}
