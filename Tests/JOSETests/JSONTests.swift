import Testing
import Vocabulary

@testable import JOSE

private func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

private func reason(_ bytes: [UInt8]) -> JSONError.Reason? {
    do {
        _ = try JSON(parsing: bytes)
        return nil
    } catch {
        return error.reason
    }
}

private func reason(_ text: String) -> JSONError.Reason? { reason(Array(text.utf8)) }

@Suite("JSON is read so that no two readers can disagree")
struct JSONReadingTests {
    @Test("Values of every kind come out")
    func values() throws {
        #expect(
            try parse(#"{"a":[1,-0.5e+3,true,false,null,"x"],"b":{}}"#) == [
                "a": .array([1, try parse("-0.5e+3"), true, false, nil, "x"]), "b": [:],
            ])
        #expect(try parse(" \t\r\n[ ] ") == [])
        #expect(try parse("\"\"") == "")
    }

    @Test("Escapes are read, surrogate pairs too")
    func escapes() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\tA\u00e9\ud83d\uDE00\u0000""#) == "\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{1F600}\0")
    }

    @Test(
        "A member twice is refused at any level, however its name is spelled (V15)",
        arguments: [
            #"{"alg":"a","alg":"b"}"#, #"{"alg":"a","\u0061lg":"b"}"#, #"{"a":1,"b":2,"a":1}"#, #"[{"x":{"":1,"":1}}]"#,
            #"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"\u0061":1}"#, #"{"\ud83d\ude00":1,"😀":2}"#,
        ])
    func duplicates(_ text: String) {
        #expect(reason(text) == .duplicateMember)
    }

    @Test("Names that differ by a byte are different members (V16)")
    func exactNames() throws {
        let claims = try parse(#"{"email":"a","Email":"b","EMAIL":"c","caf\u00e9":1,"cafe\u0301":2}"#)
        #expect(claims["email"] == "a")
        #expect(claims["Email"] == "b")
        #expect(claims["eMail"] == nil)
        #expect(claims["caf\u{E9}"] == 1)
        #expect(claims["cafe\u{301}"] == 2)
    }

    @Test("Nesting ends at 64 levels, also where it never ends (V70)")
    func depth() {
        func nested(_ levels: Int) -> String { String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }
        func objects(_ levels: Int) -> String {
            String(repeating: #"{"a":"#, count: levels - 1) + "{}" + String(repeating: "}", count: levels - 1)
        }
        #expect(reason(nested(64)) == nil)
        #expect(reason(nested(65)) == .tooDeep)
        #expect(reason(objects(64)) == nil)
        #expect(reason(objects(65)) == .tooDeep)
        let started = ContinuousClock.now
        #expect(reason([UInt8](repeating: UInt8(ascii: "["), count: 100_000)) == .tooDeep)
        #expect(ContinuousClock.now - started < .milliseconds(500))
    }

    @Test("A number ends at 256 characters (V70)")
    func numberLength() {
        #expect(reason(String(repeating: "1", count: 256)) == nil)
        #expect(reason(String(repeating: "1", count: 257)) == .numberTooLong)
        #expect(reason("1." + String(repeating: "0", count: 254)) == nil)
        #expect(reason("1." + String(repeating: "0", count: 255)) == .numberTooLong)
        #expect(reason([UInt8](repeating: UInt8(ascii: "9"), count: 1_000_000)) == .numberTooLong)
    }

    static let notJSON: [[UInt8]] = [
        [], [0x20], [0xEF, 0xBB, 0xBF, 0x7B, 0x7D], [0xFF, 0xFE, 0x7B, 0], [0x22, 0xFF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
        [0x22, 0xC0, 0x80, 0x22],
        [0x22, 0x0A, 0x22], [0x22, 0, 0x22], [0x22, 0x41], [0x22, 0x5C, 0x22], [0, 0x7B, 0x7D], [0x7B, 0x7D, 0], [0x7B, 0x7D, 0x7D],
        [0xA0, 0x7B, 0x7D],
    ]

    @Test("A byte order mark, what is not UTF-8, a raw control character or something after the text is refused (V70)", arguments: notJSON)
    func refused(_ bytes: [UInt8]) {
        #expect(reason(bytes) != nil)
    }

    @Test(
        "Lone surrogates, bad escapes, bad numbers, bad words and commas are refused (V70)",
        arguments: [
            #""\ud800""#, #""\ud800A""#, #""\udc00\ud800""#, #""\ud800\ud800""#, #""\ud800\u""#, #""\u12""#, #""\u 041""#, #""\u+041""#,
            #""\x41""#,
            #""\u{41}""#, #""\U0041""#, "01", "-01", "1.", ".5", "-", "+1", "1e", "1e+", "0x10", "1_000", "１", "NaN", "Infinity",
            "-Infinity", "nul",
            "True", "truee", "'a'", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "{1:1}", "{\"a\":}", "[", "{", "]",
            "\"a\" \"b\"", "// c\n1", "1 /**/",
        ])
    func refusedTexts(_ text: String) {
        #expect(reason(text) != nil)
    }

    @Test("An object is asked for by name: an array is none")
    func notAnObject() {
        #expect(throws: JSONError(.notAnObject, at: 0)) { try JSONObject(parsing: Array("[]".utf8)) }
        #expect(throws: JSONError(.notAnObject, at: 0)) { try JSONObject(parsing: Array("null".utf8)) }
    }

    @Test("Accessors say nil for values of another kind")
    func accessors() {
        let values: [JSON] = [nil, true, 1, "1", [], [:]]
        #expect(values.map { $0.bool != nil } == [false, true, false, false, false, false])
        #expect(values.map { $0.number != nil } == [false, false, true, false, false, false])
        #expect(values.map { $0.string != nil } == [false, false, false, true, false, false])
        #expect(values.map { $0.array != nil } == [false, false, false, false, true, false])
        #expect(values.map { $0.object != nil } == [false, false, false, false, false, true])
        #expect(JSON.string("a")["a"] == nil)
    }
}

@Suite("JSON is written as Go writes it")
struct JSONWritingTests {
    /// From Go's encoding/json: json.Marshal of a map.
    static let table: [(value: JSON, written: String)] = [
        ([:], "{}"), ([], "[]"), (nil, "null"), ([true, false], "[true,false]"), (-12, "-12"),
        (["b": 1, "a": 2, "B": 3, "": 4, "aa": 5, "\u{E9}": 6, "z": 7], "{\"\":4,\"B\":3,\"a\":2,\"aa\":5,\"b\":1,\"z\":7,\"\u{E9}\":6}"),
        (["x": ["b": ["d": 1, "c": 2], "a": 3]], #"{"x":{"a":3,"b":{"c":2,"d":1}}}"#),
        ("<script>&", #""\u003cscript\u003e\u0026""#), (["<": "a"], #"{"\u003c":"a"}"#),
        ("a\u{2028}b\u{2029}", #""a\u2028b\u2029""#), ("\u{2027}\u{202A}", "\"\u{2027}\u{202A}\""),
        ("\u{A8}\u{E028}", "\"\u{A8}\u{E028}\""),
        ("\u{8}\u{C}\n\r\t", #""\b\f\n\r\t""#), ("\0\u{1}\u{B}\u{1F}", #""\u0000\u0001\u000b\u001f""#),
        ("\u{7F}\u{80}", "\"\u{7F}\u{80}\""),
        (#""\/"#, #""\"\\/""#), ("日本\u{1F600}", "\"日本\u{1F600}\""), ("\u{FFFE}", "\"\u{FFFE}\""),
    ]

    @Test("Names sorted by bytes, no white space, Go's escapes (V32)", arguments: table.indices)
    func writes(_ index: Int) {
        let (value, written) = Self.table[index]
        #expect(String(decoding: value.serialized, as: UTF8.self) == written)
        #expect(Text(String(decoding: value.serialized, as: UTF8.self)) == Text(written), "byte for byte")
    }

    @Test("A number is written as it was read", arguments: ["1e5", "1E+5", "-0", "0.10", "12345678901234567890", "1.0"])
    func numbers(_ text: String) throws {
        #expect(try JSON(parsing: Array(text.utf8)).serialized == Array(text.utf8))
    }

    @Test("What is written is read as the same value")
    func roundTrip() throws {
        for (value, _) in Self.table {
            let again = try JSON(parsing: value.serialized)
            #expect(again.serialized == value.serialized)
        }
    }

    @Test("Members keep the order in which they came, and change in place")
    func objectEditing() {
        var object = JSONObject()
        object["b"] = 1
        object["a"] = 2
        object["b"] = 3
        #expect(object.members.map(\.name) == ["b", "a"])
        object["b"] = nil
        object["c"] = nil
        #expect(object.members.map(\.name) == ["a"])
        let twice = JSONObject.init([.init(name: "a", value: 1), .init(name: "a", value: 2)])
        #expect(twice == nil)
    }
}

@Suite("A NumericDate")
struct NumericDateTests {
    static let table: [(text: String, time: UnixTime?)] = [
        ("0", UnixTime(seconds: 0)), ("1", UnixTime(seconds: 1)), ("-0", UnixTime(seconds: 0)), ("-0.0e5", UnixTime(seconds: 0)),
        ("1790000000", UnixTime(seconds: 1_790_000_000)), ("1790000000.5", UnixTime(seconds: 1_790_000_000, nanoseconds: 500_000_000)),
        ("1.79e9", UnixTime(seconds: 1_790_000_000)), ("17900000000E-1", UnixTime(seconds: 1_790_000_000)),
        ("1.5", UnixTime(seconds: 1, nanoseconds: 500_000_000)),
        ("0.000000001", UnixTime(seconds: 0, nanoseconds: 1)), ("0.0000000009", UnixTime(seconds: 0)), ("1e-400", UnixTime(seconds: 0)),
        ("0e999999999999999999999", UnixTime(seconds: 0)), ("1e-99999999999999999999", UnixTime(seconds: 0)),
        ("1790000000.9999999999999999", UnixTime(seconds: 1_790_000_000, nanoseconds: 999_999_999)),
        ("253402300799", .endOfYear9999), ("253402300799.999", UnixTime(seconds: 253_402_300_799, nanoseconds: 999_000_000)),
        ("253402300800", nil), ("1e12", nil), ("1e18", nil), ("9223372036854775807", nil), ("9223372036854775808", nil), ("1e400", nil),
        ("1e99999999999999999999", nil), ("-1", nil), ("-0.1", nil), ("-1e-400", nil), ("-9223372036854775808", nil),
        ("0." + String(repeating: "0", count: 200) + "1e210", UnixTime(seconds: 1_000_000_000)),
        (String(repeating: "1", count: 256), nil), ("1" + String(repeating: "0", count: 250) + "e-250", UnixTime(seconds: 1)),
    ]

    @Test("It is from 0 to the end of the year 9999, fraction and exponent allowed (V60)", arguments: table.indices)
    func times(_ index: Int) throws {
        let (text, time) = Self.table[index]
        let number = try #require(try JSON(parsing: Array(text.utf8)).number)
        #expect(number.time == time, "\(text)")
    }

    @Test("An integer is one that is written as one, within 64 bits")
    func integers() throws {
        func integer(_ text: String) throws -> Int64? { try JSON(parsing: Array(text.utf8)).number?.integer }
        #expect(try integer("9223372036854775807") == .max)
        #expect(try integer("-9223372036854775808") == .min)
        #expect(try integer("9223372036854775808") == nil)
        #expect(try integer("1.0") == nil)
        #expect(try integer("1e3") == nil)
    }
}
