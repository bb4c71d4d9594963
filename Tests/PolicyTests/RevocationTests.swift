import Foundation
import SafeFiles
import Testing
import Vocabulary

@testable import Policy

/// The fingerprint of nobody's key.
private let someKey: Text = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
private let noon = UnixTime(seconds: 1_795_262_400)

/// Bob, who logs in.
private let bob = RevocationSubject(
    emails: ["Bob@Example.com", "bob@home.example"], subject: "1030@30", issuer: "https://idp.example.com", key: someKey, issuedAt: noon)

@Suite struct RevocationTests {
    func read(_ text: String, about subject: RevocationSubject? = nil) throws(ConfigurationError) -> Revocations {
        try Revocations(parsing: Array(text.utf8), about: subject)
    }

    func faultLine(_ bytes: [UInt8], about subject: RevocationSubject? = nil) -> Int? {
        do {
            _ = try Revocations(parsing: bytes, about: subject)
            return nil
        } catch { return error.line }
    }

    @Test("every form is read, with and without a time, quoted or not, and comments say nothing")
    func forms() throws {
        let text = """
            # what                 before
            email:bob@example.com
            sub:103030642802723203118@https://accounts.google.com  # left
            key:\(someKey.string)
            issuer:https://idp.example.com   2026-11-21T12:00Z

            \t'sub:a b#c@http://localhost:8080/x' "2026-11-21T12:00:00Z"
            sub:a@https://b.example@https://c.example
            """
        let noon = UnixTime(seconds: 1_795_262_400)
        let rows = try read(text).rows
        #expect(rows.map(\.line) == [2, 3, 4, 5, 7, 8])
        #expect(
            rows.map(\.what) == [
                .email("bob@example.com"), .subject("103030642802723203118", issuer: "https://accounts.google.com"), .key(someKey),
                .issuer("https://idp.example.com"), .subject("a b#c", issuer: "http://localhost:8080/x"),
                .subject("a@https://b.example", issuer: "https://c.example"),
            ])
        #expect(rows.map(\.before) == [nil, nil, nil, noon, noon, nil])
        #expect(try read("").rows == [] && read("\u{FEFF}").rows == [] && read("# x").rows == [] && read("\n \n\t\r\n").rows == [])
    }

    @Test(
        "a row means whom it names and nobody else",
        arguments: [
            ("email:bob@example.com", true), ("email:BOB@EXAMPLE.COM", true), ("email:bob@home.example", true),
            ("'email:bob@home.example'", true), ("email:bo@example.com", false), ("email:bob@example.co", false),
            ("email:bob@example.comm", false), ("email:b\u{F6}b@example.com", false), ("email:bob@\u{212A}ome.example", false),
            ("email:rbob@example.com", false), ("email:\"bob@example.com\"", true),
            ("sub:1030@30@https://idp.example.com", true), ("'sub:1030@30@https://idp.example.com'", true),
            ("sub:1030@https://idp.example.com", false), ("sub:1030@30@https://idp.example.com/", false),
            ("sub:1030@30@https://idp.example.co", false), ("sub:1030@30@https://IDP.example.com", false),
            ("sub:30@https://idp.example.com", false), ("sub:1030@30@https://other.example", false),
            ("key:SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", true),
            ("key:SHA256:47deQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", false),
            ("key:SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFQ", false),
            ("issuer:https://idp.example.com", true), ("issuer:https://idp.example.com/", false), ("issuer:https://idp.example", false),
            ("issuer:https://idp.example.com.evil.example", false), ("issuer:https://Idp.example.com", false),
            ("issuer:https://idp.example.com:443", false),
        ])
    func means(row: String, isOut: Bool) throws {
        #expect((try read(row).revoking(bob) != nil) == isOut)
        // Passed over or not: it comes to the same.
        let about = try read("# x\n\(row) # why\n", about: bob)
        #expect((about.revoking(bob) != nil) == isOut && about.rows.count == (isOut ? 1 : 0))
        #expect(about.revoking(bob)?.line == (isOut ? 2 : nil))
    }

    @Test(
        "one row that cannot be read makes the whole file malformed, whoever logs in",
        arguments: [
            "bob@example.com", "email:", "email:bob", "email:@example.com", "email:bob@", "email:*@example.com", "'email:bob @example.com'",
            "email:bob@example.com\u{7F}", "EMAIL:bob@example.com", "Email:bob@example.com", "mail:bob@example.com", "''", ":", "email",
            "sub:1030", "sub:@https://idp.example.com", "sub:1030@", "sub:1030@idp.example.com", "sub:1030@https://",
            "sub:1030@https://idp.example.com?x", "sub:1030@http://idp.example.com", "sub:1030@HTTPS://idp.example.com",
            "sub:1030@https://user@idp.example.com", "sub:1030@https://idp.example.com/../x", "sub:1030@https://.example.com",
            "sub:1030 @https://idp.example.com", "sub:https://idp.example.com", "'sub:a\tb@https://idp.example.com'",
            "key:", "key:SHA256:", "key:SHA256:4sk", "key:SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF",
            "key:SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUU", "key:SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "key:SHA256:47DEQpj8HBSa-_TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "key:SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV",
            "key:sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "key:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "key:MD5:d4:1d:8c:d9:8f:00:b2:04:e9:80:09:98:ec:f8:42:7e", "issuer:", "issuer:idp.example.com", "issuer:*",
            "issuer:http://idp.example.com", "issuer:https://idp.example.com/.", "issuer:https://idp.example.com/%2e%2e",
            "issuer:https://idp.example.com:0", "email:a@b.example x", "email:a@b.example 2026-11-21",
            "email:a@b.example 2026-02-30T12:00Z",
            "email:a@b.example 2026-11-21T12:00", "email:a@b.example 2026-11-21T24:01Z", "email:a@b.example 1795262400",
            "email:a@b.example 0026-11-21T12:00Z", "email:a@b.example 1970-01-01T00:00Z", "email:a@b.example ''",
            "email:a@b.example 2026-11-21T12:00Z x", "email:a@b.example c@d.example", "email:a@b.example 2026-11-21 12:00Z",
            "email:a@b.example# x", "email:a#b@c.example", "email:a@b.example 2026-11-21T12:00Z#", "'email:a@b.example",
            "email:a@b.example\\",
            "email:a@b.example\u{0}", "email:a@b\rc.example",
        ])
    func malformed(row: String) {
        for about in [nil, bob] {
            #expect(faultLine(Array("email:x@y.example\n\(row)\nemail:x@y.example\n".utf8), about: about) == 2)
            #expect(faultLine(Array("key:\(someKey.string)\n\n\(row)".utf8), about: about) == 3)
        }
    }

    @Test("bytes that are not UTF-8 and lines of more than 64 KiB make the file malformed, in a comment too; an 8 KiB word is the longest")
    func bounds() throws {
        for about in [nil, bob] {
            #expect(faultLine(Array("# ".utf8) + [0xFF, 0x0A], about: about) == 1)
            #expect(faultLine(Array("email:a".utf8) + [0xC3, 0x28] + Array("@b.example\n".utf8), about: about) == 1)
            #expect(faultLine(Array("\n# \u{1B}[2J\n".utf8), about: about) == 2)
            let long = String(repeating: "x", count: (64 << 10) - 2)
            #expect(faultLine(Array("# \(long)\n".utf8), about: about) == nil)
            #expect(faultLine(Array("# \(long)x\n".utf8), about: about) == 1)
            let word = "email:" + String(repeating: "x", count: (8 << 10) - 16) + "@b.example"
            #expect(word.utf8.count == 8 << 10 && faultLine(Array(word.utf8), about: about) == nil)
            #expect(faultLine(Array((word + "x").utf8), about: about) == 1)
        }
    }

    @Test("with a time, only what was issued before it is out: not at it, nor after it")
    func before() throws {
        let revocations = try read("email:bob@example.com 2026-11-21T12:00Z", about: bob)
        func isOut(_ issuedAt: UnixTime) -> Bool {
            var subject = bob
            subject.issuedAt = issuedAt
            return revocations.revoking(subject) != nil
        }
        #expect(isOut(noon + -1) && !isOut(noon) && !isOut(noon + 1))
        #expect(
            isOut(UnixTime(seconds: noon.seconds - 1, nanoseconds: 999_999_999)) && !isOut(UnixTime(seconds: noon.seconds, nanoseconds: 1)))
        // A row whose time has passed lets the next one speak.
        let rows = try read("email:bob@example.com 2026-11-21T11:00Z\nissuer:https://idp.example.com\nkey:\(someKey.string)", about: bob)
        #expect(rows.revoking(bob)?.line == 2 && rows.rows.count == 3)
        // Half a second counts where it is written.
        let half = try read("email:bob@example.com 2026-11-21T12:00:00.5Z")
        #expect(half.revoking(bob) != nil && half.rows[0].description == "email:bob@example.com  2026-11-21T12:00:00.5Z")
    }

    @Test("V66 a byte order mark, CRLF and a missing last line feed are tolerated")
    func windows() throws {
        let text = "\u{FEFF}email:a@b.example\r\n# x\r\n\r\nemail:bob@example.com 2030-01-01T00:00Z \r\nissuer:https://idp.example.com"
        #expect(try read(text).rows.map(\.line) == [1, 4, 5] && read(text, about: bob).rows.map(\.line) == [4, 5])
        #expect(faultLine(Array("email:a@b.example\n\u{FEFF}email:c@d.example".utf8), about: bob) == 2)
    }

    @Test("V66 a file whose last row is half-written refuses everybody, wherever it ends, unless what is there is a row or nothing")
    func halfWritten() {
        let row = "key:\(someKey.string)\n"
        for length in 1..<(row.utf8.count - 1) {
            #expect(faultLine(Array("email:a@b.example\n".utf8) + row.utf8.prefix(length), about: bob) == 2, "\(length)")
        }
    }

    @Test("V66 the file is read by the rules of POLICY.md: absent revokes nobody, and an unsafe one names its fault")
    func files() throws {
        let folder = NSTemporaryDirectory() + "/opk-revoked-" + UUID().uuidString
        mkdir(folder, 0o755)
        defer {
            chmod(folder, 0o755)
            try? FileManager.default.removeItem(atPath: folder)
        }
        let path = folder + "/revoked"
        func fault(_ path: String) -> UnsafeFile.Fault? {
            do throws(Revocations.Failure) {
                _ = try Revocations.read(path, trust: .rootOrUser(getuid()), about: bob)
                return nil
            } catch {
                if case .unsafe(let file) = error { return file.fault }
                return nil
            }
        }
        func write(_ bytes: [UInt8], mode: UInt32 = 0o640) throws { try AtomicFile.write(bytes, to: path, mode: mode_t(mode)) }
        let trust = FileTrust.rootOrUser(getuid())
        #expect(try Revocations.read(path, trust: trust, about: bob) == Revocations())
        #expect(try Revocations.read(folder + "/none/revoked", trust: trust, about: nil) == Revocations())

        let good = Array("email:a@b.example\nemail:bob@example.com\n".utf8)
        try write(good)
        #expect(try Revocations.read(path, trust: trust, about: bob).revoking(bob)?.line == 2)
        #expect(try Revocations.read(path, trust: trust, about: nil).rows.count == 2)

        symlink(path, folder + "/link")
        #expect(fault(folder + "/link") == .symbolicLink)
        mkfifo(folder + "/pipe", 0o600)
        #expect(fault(folder + "/pipe") == .notARegularFile)
        chmod(path, 0o660)
        #expect(fault(path) == .writableByOthers(mode: 0o660))
        chmod(path, 0o640)
        link(path, folder + "/second")
        #expect(fault(path) == .hardLinks(count: 2))
        unlink(folder + "/second")
        chmod(folder, 0o777)
        #expect(fault(path) == .folderWritableByOthers(mode: 0o777))
        chmod(folder, 0o755)
        #expect(fault(path) == nil)
        try write(good + [0])
        #expect(fault(path) == .containsNUL)

        try write(good + Array("key:SHA256:4sk".utf8))
        let failure = #expect(throws: Revocations.Failure.self) { try Revocations.read(path, trust: trust, about: bob) }
        #expect(failure?.description.hasPrefix("\(path), line 3: key: takes a fingerprint") == true)
        // A directory cannot be read either, and a bad row anywhere is not made good by what comes behind it.
        try write(Array("x\n".utf8) + good)
        let first = #expect(throws: Revocations.Failure.self) { try Revocations.read(path, trust: trust, about: bob) }
        #expect(first?.description.hasPrefix("\(path), line 1: ") == true)
    }

    @Test("100,000 rows are read in chunks: one that matters or is bad is found wherever it stands")
    func many() throws {
        var text = ""
        for index in 0..<100_000 {
            text += index % 10_000 == 7 ? "email:bob@example.com\n" : "email:user\(index)@example.com  2026-11-21T12:00Z # left\n"
        }
        let folder = NSTemporaryDirectory() + "/opk-revoked-" + UUID().uuidString
        mkdir(folder, 0o755)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/revoked"
        try AtomicFile.write(Array(text.utf8), to: path, mode: 0o640)
        let trust = FileTrust.rootOrUser(getuid())
        #expect(try Revocations.read(path, trust: trust, about: bob).rows.map(\.line) == (0..<10).map { $0 * 10_000 + 8 })
        try AtomicFile.write(Array((text + "email:x\n" + text).utf8), to: path, mode: 0o640)
        #expect(throws: Revocations.Failure.self) { try Revocations.read(path, trust: trust, about: bob) }
    }

    @Test("what is written is read back as the same, quoted only where it must be")
    func writes() throws {
        let fraction = UnixTime(seconds: 1_795_262_400, nanoseconds: 120_000_000)
        let rows: [(Revocation.What, UnixTime?, String)] = [
            (.email("bob@example.com"), nil, "email:bob@example.com"),
            (.email("bob@example.com"), noon, "email:bob@example.com  2026-11-21T12:00:00Z"),
            (.email("o'neill@example.com"), nil, "\"email:o'neill@example.com\""),
            (.email("a#b\"@example.com"), nil, "'email:a#b\"@example.com'"),
            (
                .subject("auth0|1\\2 $`\"'", issuer: "https://a.example/x"), fraction,
                "\"sub:auth0|1\\\\2 \\$\\`\\\"'@https://a.example/x\"  2026-11-21T12:00:00.12Z"
            ),
            (.subject("x@http://", issuer: "https://a.example"), nil, "sub:x@http://@https://a.example"),
            (.key(someKey), nil, "key:\(someKey.string)"), (.issuer("https://a.example/it's"), nil, "\"issuer:https://a.example/it's\""),
            (.subject("j\u{F6}rg", issuer: "https://a.example"), .endOfYear9999, "sub:j\u{F6}rg@https://a.example  9999-12-31T23:59:59Z"),
        ]
        for (what, before, text) in rows {
            let row = try Revocation(what, before: before)
            #expect(row.written == Text(text) && row.description == text && row.line == 0)
            let again = try read(text).rows
            #expect(again.count == 1 && again[0].what == what && again[0].before == before && again[0].line == 1)
            #expect(try Revocation.What(what.word) == what)
        }
        let hidden = try Revocation(.subject("a\u{202E}b", issuer: "https://a.example"))
        #expect(hidden.description == "sub:a\\u{202e}b@https://a.example" && hidden.written == "sub:a\u{202E}b@https://a.example")
    }

    @Test("a new row that the file could not say, or by which nobody would be out, is refused with a sentence")
    func refusesNew() {
        let rows: [(Revocation.What, UnixTime?)] = [
            (.email("bob"), nil), (.email("a b@c.example"), nil), (.email("a\n@c.example"), nil), (.email("*@c.example"), nil),
            (.subject("", issuer: "https://a.example"), nil), (.subject("a\nb", issuer: "https://a.example"), nil),
            (.subject("a", issuer: "a.example"), nil), (.subject("a", issuer: "https://a.example/@https://b.example"), nil),
            (.key("SHA256:x"), nil), (.key(Text("key:\(someKey.string)")), nil), (.issuer("https://a.example?x"), nil),
            (.issuer("http://a.example"), nil), (.email("a@b.example"), UnixTime(seconds: 0)),
            (.email("a@b.example"), UnixTime(seconds: -5)),
            (.email("a@b.example"), UnixTime.endOfYear9999 + 1), (.email(Text(String(repeating: "x", count: 8190) + "@b.example")), nil),
        ]
        for (what, before) in rows {
            let problem = #expect(throws: RowProblem.self, "\(what)") { try Revocation(what, before: before) }
            #expect(problem?.description == problem?.text && problem?.text.contains("\n") == false)
        }
        #expect(throws: RowProblem.self) { try Revocation.What("bob@example.com") }
    }
}
