import Foundation
import JOSE
import TestSupport
import Testing
import Vocabulary

@Suite("JSONTestSuite", .enabled(if: SharedData.isThere, SharedData.absence))
struct JSONTestSuiteTests {
    private func files(_ prefix: String) throws -> [URL] {
        try SharedData.files("JSONTestSuite/test_parsing", ending: ".json").filter { $0.lastPathComponent.hasPrefix(prefix) }
    }

    private func accepts(_ file: URL) throws -> Bool {
        let bytes = Array(try Data(contentsOf: file))
        return (try? JSON(parsing: bytes)) != nil
    }

    @Test("What RFC 8259 says is JSON is read; but a member twice is refused (V15)")
    func yes() throws {
        let files = try files("y_")
        #expect(files.count == 95)
        let duplicated = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"]
        for file in files {
            let accepted = try accepts(file)
            #expect(accepted == !duplicated.contains(file.lastPathComponent), "\(file.lastPathComponent)")
        }
    }

    @Test("What RFC 8259 says is not JSON is refused, quickly (V60, V70)")
    func no() throws {
        let files = try files("n_")
        #expect(files.count == 188)
        for file in files {
            let started = ContinuousClock.now
            let accepted = try accepts(file)
            #expect(!accepted, "\(file.lastPathComponent)")
            #expect(ContinuousClock.now - started < .milliseconds(500), "\(file.lastPathComponent)")
        }
    }

    @Test("What RFC 8259 leaves open ends in a value or an error, and a value is written as it can be read (V70)")
    func either() throws {
        let files = try files("i_")
        #expect(files.count == 35)
        for file in files {
            guard let value = try? JSON(parsing: Array(try Data(contentsOf: file))) else { continue }
            let again = try JSON(parsing: value.serialized)
            #expect(again.serialized == value.serialized, "\(file.lastPathComponent)")
        }
    }

    /// Nil is a refusal.
    static let transforms: [String: [UInt8]?] = {
        func text(_ string: String) -> [UInt8]? { Array(string.utf8) }
        return [
            "number_-9223372036854775808.json": text("[-9223372036854775808]"),
            "number_-9223372036854775809.json": text("[-9223372036854775809]"),
            "number_1.0.json": text("[1.0]"), "number_1.000000000000000005.json": text("[1.000000000000000005]"),
            "number_1000000000000000.json": text("[1000000000000000]"), "number_10000000000000000999.json": text("[10000000000000000999]"),
            "number_1e-999.json": text("[1E-999]"), "number_1e6.json": text("[1E6]"),
            "number_9223372036854775807.json": text("[9223372036854775807]"),
            "number_9223372036854775808.json": text("[9223372036854775808]"),
            // Names that look alike are two members, in the order of their bytes.
            "object_key_nfc_nfd.json": text("{\"e\u{301}\":\"NFD\",\"\u{E9}\":\"NFC\"}"),
            "object_key_nfd_nfc.json": text("{\"e\u{301}\":\"NFD\",\"\u{E9}\":\"NFC\"}"),
            "object_same_key_different_values.json": nil, "object_same_key_same_value.json": nil,
            "object_same_key_unclear_values.json": nil,
            "string_1_escaped_invalid_codepoint.json": nil, "string_1_invalid_codepoint.json": nil,
            "string_2_escaped_invalid_codepoints.json": nil,
            "string_2_invalid_codepoints.json": nil, "string_3_escaped_invalid_codepoints.json": nil,
            "string_3_invalid_codepoints.json": nil,
            "string_with_escaped_NULL.json": text(#"["A\u0000B"]"#),
        ]
    }()

    @Test("Numbers keep their text, names their bytes; a member twice or a lone surrogate is refused (V15, V60)")
    func transform() throws {
        let files = try SharedData.files("JSONTestSuite/test_transform", ending: ".json")
        #expect(files.count == 22)
        for file in files {
            let expected = try #require(Self.transforms[file.lastPathComponent], "\(file.lastPathComponent)")
            let written = (try? JSON(parsing: Array(try Data(contentsOf: file))))?.serialized
            #expect(written == expected, "\(file.lastPathComponent)")
        }
    }
}
