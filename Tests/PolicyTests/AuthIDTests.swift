import Foundation
import SSHKeys
import SafeFiles
import Testing
import Vocabulary

@testable import Policy

func principal(_ name: String) -> Principal {
    guard let principal = Principal(Text(name)) else { preconditionFailure("not an account: \(name)") }
    return principal
}

@Suite struct AuthIDTests {
    func read(_ text: String, for account: String? = nil, of issuer: Text? = nil) -> AuthID {
        AuthID(parsing: Array(text.utf8), for: account.map(principal), of: issuer)
    }

    @Test("every identity form is read, and only rows of the account and issuer are kept")
    func rows() throws {
        let text = """
            # account identity issuer
            root   alice@example.com                https://accounts.google.com
            deploy oidc:groups:release               https://idp.example.com
            dev    'oidc:"https://acme.com/roles":a:b' https://idp.example.com   # quoted
            www    oidc-match-end:email:@example.com https://idp.example.com
            ci     repo:acme/app:ref:refs/heads/*    https://token.actions.githubusercontent.com
            "root" 103030642802723203118 'https://accounts.google.com'
            ro\\ot "oidc:groups:dev team" https://other.example
            """
        let all = read(text)
        #expect(all.problems == [] && all.rows.map(\.line) == Array(2...8))
        #expect(
            all.rows.map(\.identity) == [
                .emailOrSubject("alice@example.com"), .claim(name: "groups", value: "release"),
                .claim(name: "https://acme.com/roles", value: "a:b"), .emailDomain("@example.com"),
                .repository(try #require(Glob("repo:acme/app:ref:refs/heads/*"))), .subject("103030642802723203118"),
                .claim(name: "groups", value: "dev team"),
            ])
        let root = read(text, for: "root", of: "https://accounts.google.com")
        #expect(root.rows.map(\.line) == [2, 7] && root.accountRows == 3 && root.problems == [])
        #expect(read(text, for: "roo").rows == [] && read(text, for: "root2").rows == [] && read(text, for: "ROOT").rows == [])
    }

    @Test(
        "V64 an identity that would match everybody, or could mean two things, grants nothing",
        arguments: [
            "''", "\"\"", "oidc:", "oidc::", "oidc:::", "oidc::x", "oidc:groups", "oidc:groups:", "'oidc:\"groups:x'", "'oidc:\"\":x'",
            "'oidc:gro\"ups:x'", "'oidc:\"groups\"x'", "'oidc:\"groups\"'", "oidc-match-end:", "oidc-match-end:email:",
            "oidc-match-end:email:example.com", "oidc-match-end:email:corp.com", "oidc-match-end:email:@", "oidc-match-end:groups:@x",
            "oidc-match-end:email", "oidc-match-end:EMAIL:@example.com", "repo:", "repo:[", "OIDC:groups:x", "Repo:acme/app",
            "oidc:https://a/b:c",
            "OIDC-match-end:email:@example.com", "oidc-match-end:email:oidc-match-end:email:@example.com",
        ])
    func badIdentities(identity: String) {
        let authID = read("root \(identity) https://a.example\nroot alice@example.com https://a.example", for: "root")
        #expect(authID.rows.map(\.line) == [2])
        #expect(authID.problems.map(\.line) == [1])
    }

    @Test(
        "V56 an account that is no proper name grants nothing",
        arguments: [
            "-v", "--config=/tmp/x", "../x", "'a b'", "'$(id)'", "''", "ü", "*", "a,b", "a:b", "root!", String(repeating: "a", count: 4096),
            ".a", "@a",
        ])
    func badAccounts(account: String) {
        let authID = read("\(account) alice@example.com https://a.example")
        #expect(authID.rows == [] && authID.problems.count == 1)
    }

    @Test(
        "any other bad row grants nothing and is named",
        arguments: [
            "root", "root alice@example.com", "root alice@example.com https://a.example expires=\"2026-12-24\"",
            "root alice@example.com https://a.example unheard-of", "root alice@example.com https://a.example ''",
            "root alice@example.com https://a.example#x", "root# alice@example.com https://a.example", "root#x",
            "root 'alice@example.com https://a.example",
            "root alice@example.com http://a.example", "root alice@example.com accounts.google.com", "root alice@example.com ''",
            "root alice@example.com https://a.example/?x", "root ali\0ce@example.com https://a.example",
        ])
    func badRows(row: String) {
        let authID = read("\(row)\nroot bob@example.com https://a.example", for: "root")
        #expect(authID.rows.map(\.line) == [2] && authID.problems.map(\.line) == [1])
    }

    @Test("a bad row of another account is not this account's problem")
    func others() {
        #expect(read("other bad\nroot2 'x\nroot a https://a.example", for: "root").problems == [])
        #expect(read("other bad\nroot2 'x\nroot a https://a.example").problems.map(\.line) == [1, 2])
    }

    @Test("V66 BOM, CRLF, blank lines and a last line without an end are fine")
    func shapes() {
        let text = "\u{FEFF}root a https://a.example\r\n\r\n \t\r\nroot b https://a.example # x\r\n\troot c https://a.example"
        #expect(read(text, for: "root").rows.map(\.line) == [1, 4, 5])
    }

    @Test("a line of more than 64 KiB is a bad row of the account that it begins with, and the next rows count")
    func long() {
        let text = "root a https://a.example " + String(repeating: "#", count: 1 << 20) + "\nroot b https://a.example\n"
        let authID = read(text, for: "root")
        #expect(authID.rows.map(\.line) == [2] && authID.problems.map(\.line) == [1])
        #expect(read(text, for: "other").problems == [])
    }

    @Test("a file of 200,000 rows is read in chunks: rows across every edge of a chunk are found")
    func file() throws {
        let folder = NSTemporaryDirectory() + "/opk-auth-" + UUID().uuidString
        mkdir(folder, 0o755)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var text = "# a comment\n"
        for index in 0..<200_000 {
            text += index % 1000 == 7 ? "root sub-\(index) https://a.example\n" : "user\(index) sub-\(index) https://a.example\n"
        }
        let path = folder + "/auth_id"
        _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8))
        chmod(path, 0o640)
        let trust = FileTrust.rootOrUser(getuid())
        func named(_ account: String, at path: String) throws(UnsafeFile) -> AuthID {
            try AuthID(AuthID.Request(account: principal(account), issuer: "https://a.example"), at: path, trust) { identity in
                identity != .subject("sub-7007")
            }
        }
        let kept = (0..<200).filter { $0 != 7 }
        let authID = try named("root", at: path)
        #expect(authID.accountRows == 200 && authID.issuerRows == 200 && authID.problems == [])
        #expect(authID.rows.map(\.identity) == kept.map { Identity.subject(Text("sub-\($0 * 1000 + 7)")) })
        #expect(authID.rows.map(\.line) == kept.map { $0 * 1000 + 9 })
        #expect(try named("none", at: path).rows == [])
        #expect(try named("root", at: folder + "/absent") == AuthID(parsing: []))

        try FileHandle(forWritingTo: URL(fileURLWithPath: path)).seekToEndAndWrite([0])
        #expect(throws: UnsafeFile(path, .containsNUL)) {
            try named("root", at: path)
        }
        chmod(path, 0o666)
        #expect(throws: UnsafeFile(path, .writableByOthers(mode: 0o666))) { try AuthID(at: path, trust: trust) }
    }
}

extension FileHandle {
    fileprivate func seekToEndAndWrite(_ bytes: [UInt8]) throws {
        try seekToEnd()
        try write(contentsOf: Data(bytes))
        try close()
    }
}
