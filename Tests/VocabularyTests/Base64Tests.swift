import Testing
import Vocabulary

@Suite("Base64 has one spelling for one sequence of bytes")
struct Base64Tests {
    @Test("What is written is read again, at every length")
    func roundTrip() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 89 + 251) }
            #expect(Base64URL.decode(Base64URL.encodeBytes(bytes)) == bytes)
            #expect(Base64.decode(Array(Base64.encode(bytes).utf8)) == bytes)
        }
    }

    @Test("The known answers of RFC 4648 section 10")
    func knownAnswers() {
        let answers = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=", "foobar": "Zm9vYmFy"]
        for (plain, encoded) in answers {
            #expect(Base64.encode(Array(plain.utf8)) == encoded)
            #expect(Base64URL.encode(Array(plain.utf8)) == encoded.replacing("=", with: ""))
        }
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
        #expect(Base64.encode([0xFB, 0xFF]) == "+/8=")
    }

    @Test(
        "Base64url with padding, the other alphabet, white space, stray bits or an impossible length is refused (V17)",
        arguments: [
            "Zg==", "Zg=", "Zm9v=", "=", "Zm+v", "Zm/v", "Zm 9v", " Zm9v", "Zm9v ", "Zm9v\n", "Zm9v\r\n", "Zm\t9v", "?Zm9v", "Zm9v#", "Z",
            "A", "Zm9vZ", "Zm9vA",
            "Zh", "Zn9", "Zm-", "Zm9vYh", "Zm9v\u{0}", "Zm9\u{E9}",
        ])
    func strictURL(_ text: String) {
        #expect(Base64URL.decode(Array(text.utf8)) == nil)
    }

    @Test(
        "Base64 without its padding, with too much of it, the other alphabet, white space or stray bits is refused (V55)",
        arguments: [
            "Zg", "Zg=", "Zg===", "Zm8", "Zm9v=", "Zm9v====", "====", "=", "==", "Z===", "Zm-v", "Zm_v", "Zm9v Zm9v", "Zm9v\n", "Zh==",
            "Zm9=", "Zg==Zg==",
            "=Zm9", "Z=m9", "Zm=v", "A", "A===",
        ])
    func strictStandard(_ text: String) {
        #expect(Base64.decode(Array(text.utf8)) == nil)
    }

    @Test("Of all texts of two characters exactly 256 are base64url, one for each byte")
    func twoCharacters() {
        var found: [[UInt8]] = []
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                if let bytes = Base64URL.decode([first, second]) { found.append(bytes) }
            }
        }
        #expect(found.count == 256)
        #expect(Set(found).count == 256)
    }
}
