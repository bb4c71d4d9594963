import SafeFiles
import TestSupport
import Testing
import Vocabulary

@testable import Policy

/// The reader of `revoked` passes over most lines by their bytes. Here every line is taken apart as well: one that is passed over must be
/// well-formed and of somebody else.
@Suite struct RevocationDifferentialTests {
    private static let key = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"

    static let subjects = [
        RevocationSubject(
            emails: ["alice@example.com", "Alice@[x]"], subject: "1030", issuer: "https://idp.example.com", key: Text(key),
            issuedAt: UnixTime(seconds: 1_795_262_400)),
        RevocationSubject(
            emails: [], subject: "a@https://b.example", issuer: "https://idp.example.com/t/v2.0",
            key: "SHA256:0000000000000000000000000000000000000000000", issuedAt: UnixTime(seconds: 0)),
        RevocationSubject(
            emails: ["", "x@y", "{lice@exam}le.com"], subject: "", issuer: "https://a/@https://b", key: "",
            issuedAt: UnixTime.endOfYear9999),
    ]

    // In each list, the well-formed ones come first: `line` knows how many there are.
    static let words = [
        "email:alice@example.com", "email:ALICE@Example.com", "email:bob@example.com", "email:[lice@exam]le.com", "email:x@y",
        "email:a@b@c",
        "sub:1030@https://idp.example.com", "sub:1031@https://idp.example.com", "sub:auth0|1@https://tenant.example/x/y_z-1.0/",
        "sub:a@https://b.example@https://idp.example.com/t/v2.0", "key:" + key, "key:SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg",
        "issuer:https://idp.example.com", "issuer:https://idp.example.co",

        "email:alice@[x]", "email:x@", "email:@y", "email:o'neill@example.com", "email:\"a\"@b.example", "email:a*@b.example",
        "sub:@https://a.example", "sub:1@http://localhost:8080", "sub:1@http://x", "sub:1@https://a.example/.well",
        "sub:1@https://a.example/..",
        "sub:1@https://a.example/x/./y", "sub:1@https://a.example/%2e", "sub:1@https://.a", "sub:1@https://a:443", "sub:1@https://[::1]/",
        "sub:1@https://a@b", "sub:1@https://a/@https://b", "sub:1@https:///x", "key:SHA256:0000000000000000000000000000000000000000000",
        "key:SHA256:n4bQgYhMfWWaL-qgxVrQFaO/TxsrC4Is0V1sFbDwCgg", "key:SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgh",
        "issuer:https://idp.example.com/t/v2.0", "issuer:http://127.0.0.1", "issuer:https://a_b.example/x?y", "issuer:https://a.example//",
        "", "x", "'email:bob@example.com'", "email:bob\\@example.com",
    ]
    static let times = [
        "", "", "", "", "2026-11-21T12:00Z", "2026-11-21T12:00:59Z", "2026-02-28T23:59Z", "1971-01-01T00:00Z", "9999-12-31T23:59:59Z",

        "2028-02-29T00:00Z", "2026-02-29T00:00Z", "2026-04-31T00:00Z", "2026-12-31T23:59:60Z", "2026-13-01T00:00Z", "2026-00-01T00:00Z",
        "2026-01-00T00:00Z", "2026-11-21T24:00Z", "2026-11-21T12:60Z", "1970-01-01T00:00Z", "2026-11-21T12:00:00.5Z",
        "2026-11-21T12:00+01:00", "2026-11-21t12:00z", "2026-11-21 12:00Z", "2026-11-21T12:00:0Z", "2026-11-21T12:00:Z", "2026-11-21", "x",
    ]
    static let blanks = [" ", " ", "  ", "\t", " \t ", "", "\u{A0}"]
    static let endings = ["", "", "", "", " ", "\t ", " # why", " #", "# why", "\r", " x", " # \u{1}", " # \u{E9}", " #\tx", " \u{7F}"]

    /// A line, mostly of well-formed parts, mostly with a few bytes changed.
    static func line(_ random: inout Seeded) -> [UInt8] {
        // Of three parts, two are as most people write them.
        func pick(_ parts: [String], _ ordinary: Int) -> String {
            let count = Int.random(in: 0..<3, using: &random) > 0 ? ordinary : parts.count
            return parts[Int.random(in: 0..<count, using: &random)]
        }
        var text = Int.random(in: 0..<12, using: &random) == 0 ? pick(blanks, 5) : ""
        text += pick(words, 14)
        let time = pick(times, 9)
        if !time.isEmpty { text += pick(blanks, 5) + time }
        text += pick(endings, 8)
        var line = Array(text.utf8)
        let interesting = Array(" \t#'\"\\*@:/.-_TZz0123456789AaZz=+%?[]`|\r\u{0}\u{1F}\u{7F}".utf8) + [0x80, 0xC3, 0xFF]
        for _ in 0..<([0, 0, 1, 1, 2, 3].randomElement(using: &random) ?? 0) {
            let position = Int.random(in: 0...line.count, using: &random)
            let byte = interesting.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<6, using: &random) {
            case 0 where position < line.count: line[position] = byte
            case 1: line.insert(byte, at: position)
            case 2 where position < line.count: line.remove(at: position)
            case 3 where position < line.count: line[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 4 where Int.random(in: 0..<4, using: &random) == 0: line = Array(line[..<position])
            case 5 where Int.random(in: 0..<4, using: &random) == 0:
                line = Array(line[..<position]) + Array((words.randomElement(using: &random) ?? "").utf8)
            default: break
            }
        }
        return line.filter { $0 != 0x0A }
    }

    /// What the parser says: nil where there is no row.
    static func parsed(_ line: [UInt8]) throws(RowFault) -> Revocation? {
        guard let columns = try Columns(line[...]) else { return nil }
        return try Revocation(columns, line: 1)
    }

    @Test("a line is passed over only where it says nothing, or is well-formed and of somebody else", arguments: 0..<6)
    func impliesGood(group: UInt64) {
        let others = Self.subjects.map(RevokedOthers.init(apartFrom:))
        var random = Seeded(state: group)
        var (passedOver, good, bad) = (0, 0, 0)
        for _ in 0..<20_000 {
            let line = Self.line(&random)
            let isPassedOver = others.map { $0.have(line.span) }
            do throws(RowFault) {
                let row = try Self.parsed(line)
                good += 1
                for (subject, isPassedOver) in zip(Self.subjects, isPassedOver) where isPassedOver {
                    #expect(row?.what.concerns(subject) != true, "\(escaped(line))")
                    passedOver += 1
                }
            } catch {
                bad += 1
                #expect(!isPassedOver.contains(true), "\(escaped(line)): \(error.text)")
            }
        }
        // Not for want of lines of either kind.
        #expect(good > 3000 && bad > 3000 && passedOver > 3000, Comment(rawValue: "\(good) \(bad) \(passedOver)"))
    }

    @Test("a file read about somebody says what the whole file says about them, or has the same fault", arguments: 0..<4)
    func agrees(group: UInt64) {
        var random = Seeded(state: 1000 + group)
        for _ in 0..<500 {
            var text: [UInt8] = Bool.random(using: &random) ? [] : [0xEF, 0xBB, 0xBF]
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                var line = Self.line(&random)
                // Mostly good ones, else hardly a file would be.
                if (try? Self.parsed(line)) == nil, Int.random(in: 0..<8, using: &random) > 0 { line = Array("email:bob@example.com".utf8) }
                text += line + (Bool.random(using: &random) ? [0x0A] : [0x0D, 0x0A])
            }
            for subject in Self.subjects {
                do throws(ConfigurationError) {
                    let all = try Revocations(parsing: text)
                    let about = try? Revocations(parsing: text, about: subject)
                    #expect(about?.rows == all.rows.filter { $0.what.concerns(subject) }, "\(escaped(text))")
                    #expect(about.map { $0.revoking(subject) } == .some(all.revoking(subject)), "\(escaped(text))")
                } catch {
                    #expect(throws: error, "\(escaped(text))") { try Revocations(parsing: text, about: subject) }
                }
            }
        }
    }

    @Test(
        "ordinary rows about others are passed over, with a time and a comment too",
        arguments: [
            "", " ", "# a comment", "\t # a comment", "email:bob@example.com", "email:alice@example.org",
            "key:SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg",
            "sub:1031@https://idp.example.com", "sub:auth0|x@y@https://login.example.com/11-22/v2.0", "issuer:https://other.example.com/",
        ])
    func isFast(row: String) {
        for ending in ["", " ", " # why", " 2026-11-21T12:00Z", "\t2026-11-21T12:00:01Z\t ", "  2026-12-31T23:59Z  # why"] {
            let line = Array((row + (row.contains(":") ? ending : "")).utf8)
            let isPassedOver = RevokedOthers(apartFrom: Self.subjects[0]).have(line.span)
            #expect(isPassedOver, "\(row)\(ending)")
        }
    }

    /// The bytes for which the answer holds, one by one, in every place and beside every neighbour that could disturb it.
    private func bytes(_ range: ClosedRange<UInt8>, _ answer: (EightBytes) -> UInt64) -> Set<UInt8> {
        var found = Set<UInt8>()
        for byte in range {
            for place in 0..<8 {
                for neighbour in [range.lowerBound, 0x21, 0x2F, 0x7A, range.upperBound] {
                    var eight = [UInt8](repeating: neighbour, count: 8)
                    eight[place] = byte
                    let bits = answer(EightBytes(eight.span, 0))
                    #expect(bits & ~EightBytes.high == 0)
                    let holds = bits >> (8 * place) & 0x80 != 0
                    if place == 0 && neighbour == range.lowerBound && holds { found.insert(byte) }
                    if found.contains(byte) != holds { Issue.record("\(byte) at \(place) beside \(neighbour)") }
                }
            }
        }
        return found
    }

    @Test("eight bytes at once: each is told apart, wherever it stands and whatever stands beside it")
    func eightBytes() {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        let plain = Set((0x21...0x7E).map { UInt8($0) }).subtracting("'\"\\#*".utf8)
        #expect(bytes(0...0xFF) { $0.special } == Set(UInt8.min...UInt8.max).subtracting(plain))
        #expect(bytes(0...0x7F) { $0.base64 } == Set((letters + "+/").utf8))
        #expect(bytes(0...0x7F) { $0.pathCharacters } == Set((letters + "-._/").utf8))
        for place in 0..<8 {
            for other in 0..<8 where other != place {
                var eight = Array("aaaaaaaa".utf8)
                (eight[place], eight[other]) = (UInt8(ascii: "/"), UInt8(ascii: "."))
                let found = EightBytes(eight.span, 0).slashDots
                #expect(found == (other == place + 1 ? 0x80 << (8 * UInt64(other)) : 0), "\(place) \(other)")
            }
        }
    }

    @Test("the numbers of the prefixes are their letters")
    func prefixes() {
        let prefixes: [(String, UInt64)] = [
            ("email:", EightBytes.email), ("sub:", EightBytes.sub), ("key:SHA2", EightBytes.keySHA2), (":SHA256:", EightBytes.colonSHA256),
            ("issuer:", EightBytes.issuer), ("https://", EightBytes.https),
        ]
        for (text, number) in prefixes {
            let count = UInt64(text.utf8.count)
            for changed in 0..<8 {
                var bytes = Array((text + "xxxxxxxx").utf8.prefix(8))
                let whole = EightBytes(bytes.span, 0).begin(count, number)
                bytes[changed] ^= 1
                let other = EightBytes(bytes.span, 0).begin(count, number)
                #expect(whole && other == (changed >= text.utf8.count), "\(text)")
            }
        }
    }

    @Test("of the last characters of a digest, those are good that leave no bit over")
    func digestEnds() {
        for byte in UInt8(0x21)...0x7E where !"'\"\\#*".utf8.contains(byte) {
            let line = Array("key:SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCg".utf8) + [byte]
            let isPassedOver = RevokedOthers(apartFrom: Self.subjects[0]).have(line.span)
            #expect(isPassedOver == "AEIMQUYcgkosw048".utf8.contains(byte), "\(byte)")
        }
    }
}
