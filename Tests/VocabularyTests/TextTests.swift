import Testing
import Vocabulary

@Suite("Text is compared byte by byte")
struct TextTests {
    @Test("Texts that only look the same are not equal")
    func lookalikes() {
        let composed: Text = "caf\u{E9}"
        let decomposed: Text = "cafe\u{301}"
        #expect(composed != decomposed)
        #expect(composed.string == decomposed.string, "as Swift's strings they would be")
        #expect(composed == "caf\u{E9}")
        #expect(Set([composed, decomposed]).count == 2)
    }

    static let notUTF8: [[UInt8]] = [
        [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xED, 0xA0, 0x80],
        [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0x61, 0xE2, 0x28, 0xA1],
    ]

    @Test("What is not UTF-8 is no text (RFC 3629)", arguments: notUTF8)
    func refusesNonUTF8(_ bytes: [UInt8]) {
        #expect(Text(validating: bytes) == nil)
    }

    @Test("Every scalar there is, is text, and its bytes stay as they are")
    func everyScalar() {
        for value in stride(from: UInt32(0), through: 0x10FFFF, by: 7) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array(String(scalar).utf8)
            guard Text(validating: bytes)?.utf8 == bytes else {
                Issue.record("U+\(String(value, radix: 16))")
                return
            }
        }
    }

    @Test("Only A to Z are folded, never the Kelvin sign or the long s (V63)")
    func folding() {
        #expect(Text("ALICE@Example.COM").equalsIgnoringASCIICase("alice@example.com"))
        #expect(!Text("\u{212A}").equalsIgnoringASCIICase("k"))
        #expect(!Text("\u{17F}").equalsIgnoringASCIICase("s"))
        #expect(!Text("\u{C9}").equalsIgnoringASCIICase("\u{E9}"))
        #expect(!Text("a\u{FF20}b").equalsIgnoringASCIICase("a@b"))
        #expect(!Text("[").equalsIgnoringASCIICase("{"))
        #expect(!Text("a").equalsIgnoringASCIICase("ab"))
    }

    @Test("Beginnings and ends are found by bytes")
    func affixes() {
        let text: Text = "user@corp.com"
        #expect(text.hasSuffix("@corp.com"))
        #expect(!text.hasSuffix("@evilcorp.com"))
        #expect(text.hasPrefix("user"))
        #expect(!text.hasPrefix("User"))
        #expect(!Text("a").hasSuffix("aa"))
        #expect(text.hasSuffix("") && text.hasPrefix(""))
        #expect(Text("e\u{301}x").dropFirst(2) == nil, "a character cut in two")
        #expect(Text("abc").dropFirst(9) == "")
    }

    @Test("The order is that of the bytes")
    func order() {
        #expect(Text("B") < Text("a"))
        #expect(Text("a") < Text("aa"))
        #expect(Text("\u{FFFF}") < Text("\u{10000}"))
    }
}

@Suite("Hostile text is harmless once it is escaped")
struct EscapingTests {
    static let hostile: [(text: Text, escaped: String)] = [
        ("plain", "plain"), ("a\nb", #"a\u{a}b"#), ("\u{1B}[31m", #"\u{1b}[31m"#), ("a\rb", #"a\u{d}b"#), ("\"\\", #"\"\\"#),
        ("\0", #"\u{0}"#),
        ("\u{7F}", #"\u{7f}"#), ("\u{202E}abc", #"\u{202e}abc"#), ("\u{2066}", #"\u{2066}"#), ("\u{85}", #"\u{85}"#),
        ("\u{2028}", #"\u{2028}"#),
        ("\u{200B}", #"\u{200b}"#), ("\u{A0}", #"\u{a0}"#), ("\u{E000}", #"\u{e000}"#), ("\u{FEFF}", #"\u{feff}"#), ("\u{E9}", "\u{E9}"),
        ("日本", "日本"),
    ]

    @Test("Control, invisible and direction-turning characters are written as numbers (V67, C35)", arguments: hostile.indices)
    func escapes(_ index: Int) {
        let (text, escaped) = Self.hostile[index]
        #expect(text.escaped == escaped)
        #expect("\(text)" == escaped, "interpolation escapes, too")
    }

    @Test("A long text is cut")
    func limit() {
        #expect(Text("abcdef").escaped(limit: 3) == "abc…")
        #expect(Text("abc").escaped(limit: 3) == "abc")
    }

    @Test("Bytes that are no text are shown all the same")
    func bytes() {
        #expect(escaped([0x61, 0xFF, 0x0A]) == "a\u{FFFD}" + #"\u{a}"#)
    }

    @Test("A secret shows nothing of itself")
    func secret() {
        let secret = Secret(Array("hunter2".utf8))
        #expect(!"\(secret)".contains("hunter2"))
        #expect(!String(reflecting: secret).contains("hunter2"))
        #expect(!"\([secret])".contains("104"))
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("104") && !dumped.contains("hunter2"))
    }
}
