import Foundation
import PKToken
import SafeFiles
import Testing
import Vocabulary

@testable import Policy

@Suite struct ServerConfigTests {
    func read(_ text: String) throws(ConfigurationError) -> ServerConfig { try ServerConfig(parsing: Array(text.utf8)) }

    /// The line of the error; nil where there is none.
    func faultLine(_ bytes: [UInt8]) -> Int? {
        do {
            _ = try ServerConfig(parsing: bytes)
            return nil
        } catch { return error.line }
    }

    @Test("the three keys are read, in block and in flow style, quoted or not")
    func reads() throws {
        let config = try read(
            """
            # what holds for everybody
            deny_users: [postgres, "backup"]
            deny_emails:
              - mallory@example.com
              - 'eve@example.com' # gone
            env_vars:
              HTTPS_PROXY: "http://proxy.example.com:3128"
              SSL_CERT_FILE: /etc/opk/ca.pem
              _X1: ""
            """)
        #expect(config.denyUsers == ["postgres", "backup"])
        #expect(config.denyEmails == ["mallory@example.com", "eve@example.com"])
        #expect(
            config.environment == [
                .init(name: "HTTPS_PROXY", value: "http://proxy.example.com:3128"), .init(name: "SSL_CERT_FILE", value: "/etc/opk/ca.pem"),
                .init(name: "_X1", value: ""),
            ])
        #expect(try read("{deny_users: [a], deny_emails: []}").denyUsers == ["a"])
    }

    @Test(
        "nothing said is the default",
        arguments: [
            "", "\n\n", "# only a comment\n", "---\n", "---\n...\n", "\u{FEFF}", "{}", "~", "deny_users:\n",
            "deny_users: []\nenv_vars: {}\n",
        ])
    func empty(text: String) throws {
        #expect(try read(text) == ServerConfig())
    }

    @Test("V66 a byte order mark and CRLF are tolerated")
    func windows() throws {
        #expect(try read("\u{FEFF}deny_users:\r\n  - a\r\n  - b\r\n").denyUsers == ["a", "b"])
    }

    @Test("a scalar of a deny list counts as it is written: 0123, true and 1e3 are accounts")
    func scalars() throws {
        #expect(try read("deny_users: [0123, true, 1e3, 'null', a-b]").denyUsers == ["0123", "true", "1e3", "null", "a-b"])
    }

    @Test(
        "a key that this version does not know is an error with its line",
        arguments: [
            "deny_group: [x]", "requires: []", "home-policy: true", "keys: {max-age: 24h}", "Skew: 60s", "deny_user: [x]",
            "Deny_users: [x]", "<<: {}",
            "denyusers: []", "\"\": []", "env_vars : {}\nx: y",
        ])
    func unknown(text: String) {
        #expect(faultLine(Array("# c\ndeny_users: [a]\n\(text)\n".utf8)) == (text.hasPrefix("env_vars") ? 4 : 3))
    }

    @Test("keys says how providers' keys are kept: times within bounds, and a renewal not later than the end")
    func keys() throws {
        let keys = try read("keys: {max_age: 2d, refresh_after: 90m, timeout: 3s}").keys
        #expect(keys.maximumAge?.seconds == 172_800 && keys.refreshAfter?.seconds == 5400 && keys.timeout?.seconds == 3)
        #expect(try read("keys:\n").keys == KeyOptions() && read("keys: {}").keys == KeyOptions())
        for bad in [
            "max_age: 24", "max_age: 0h", "max_age: 59s", "max_age: 366d", "max_age: 24H", "max_age: never", "max_age: [1h]", "max_age:",
            "refresh_after: 59s", "timeout: 31s", "timeout: 0s", "timeout: 1m", "maxage: 1h", "max_age: 1h, max_age: 2h",
            "refresh_after: 2h, max_age: 1h",
        ] {
            #expect(faultLine(Array("# c\nkeys: {\(bad)}\n".utf8)) == 2, "\(bad)")
        }
        #expect(faultLine(Array("keys: [1h]\n".utf8)) == 1 && faultLine(Array("keys: 1h\n".utf8)) == 1)
    }

    @Test(
        "an entry of a deny list that could deny nobody is an error",
        arguments: [
            "deny_users: ['*']", "deny_users: ['root ']", "deny_users: [a b]", "deny_users: ['@ops']", "deny_emails: [example.com]",
            "deny_emails: ['@example.com']", "deny_emails: ['mallory@']", "deny_emails: ['mallory @example.com']",
        ])
    func deniesNobody(text: String) {
        #expect(faultLine(Array("# c\n\(text)\n".utf8)) == 2)
    }

    @Test(
        "what is not of the right type is an error",
        arguments: [
            "deny_users: postgres", "deny_users: {a: b}", "deny_users: [[a]]", "deny_users: [{a: b}]", "deny_users: [a, ~]",
            "deny_users: [a, null]",
            "deny_users: ['']", "deny_users:\n  -\n", "deny_emails: mallory@example.com", "env_vars: [A]", "env_vars: x",
            "env_vars: {A: [b]}",
            "env_vars: {A: {b: c}}", "env_vars: {A: }", "env_vars: {A: ~}", "- deny_users", "deny_users", "[]", "1", "? [a]\n: b",
            "? {a: b}\n: c",
        ])
    func wrongTypes(text: String) {
        #expect(faultLine(Array(text.utf8)) != nil)
    }

    @Test("a deny list with a pattern denies nobody, so it is an error", arguments: ["@example.com", "'*@example.com'", "'mallory@*'"])
    func patterns(address: String) {
        #expect(faultLine(Array("deny_emails: [\(address.hasPrefix("@") ? "'\(address)'" : address)]".utf8)) == 1)
    }

    @Test(
        "whatever could be read in two ways is an error",
        arguments: [
            "deny_users: [a]\ndeny_users: [b]", "env_vars: {A: b, A: c}", "env_vars: {A: b, \"A\": c}", "deny_users: &x [a]",
            "deny_users: [&x a]",
            "deny_users: &x [a]\ndeny_emails: *x", "deny_emails: *x", "&a deny_users: [b]", "deny_users: !!seq [a]",
            "deny_users: [!!str a]",
            "deny_users: [! a]", "!!map {}", "%YAML 1.1\n---\ndeny_users: [a]", "%TAG ! tag:x,2000:\n---\n{}",
            "deny_users: [a]\n---\ndeny_emails: [b]",
            "---\n---\n", "{}\n...\n{}", "deny_users: [a", "deny_users: 'a", "deny_users:\n\t- a", "deny_users: [a]]", "}", "\"\\",
            "deny_users: [\"a\\0b\"]",
            "deny_users: [\"\\ud800\"]", "deny_users: [a\u{1}b]", "deny_users: [a]\n b: c",
        ])
    func ambiguous(text: String) {
        #expect(faultLine(Array(text.utf8)) != nil)
    }

    @Test("V66 NUL, invalid UTF-8 and UTF-16 are errors")
    func encodings() {
        #expect(faultLine(Array("deny_users: [a]\n\0".utf8)) == 2)
        #expect(faultLine(Array("deny_users: [".utf8) + [0xFF, 0x5D]) == 0)
        #expect(faultLine([0xFF, 0xFE] + "{}".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }) == 0)
        #expect(faultLine([0xFE, 0xFF] + "{}".utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }) == 0)
    }

    @Test("V70 nesting of more than 16 levels is refused at once, in every style")
    func deep() {
        let begin = Date()
        for opening in ["[", "{a: ", "- ", "? ", "{? "] {
            #expect(faultLine(Array("deny_users:\n  ".utf8) + Array(String(repeating: opening, count: 100_000).utf8)) != nil)
        }
        #expect(Date().timeIntervalSince(begin) < 2)
        // The root is a level of its own: fifteen lists in it are the sixteenth.
        let nested = String(repeating: "[", count: 15) + String(repeating: "]", count: 15)
        #expect(throws: ConfigurationError(1, "deny_users has an element that is not a word")) { try read("deny_users: " + nested) }
        #expect(throws: ConfigurationError(1, "nested deeper than 16")) { try read("deny_users: [" + nested + "]") }
    }

    @Test("more than 16 MiB is refused, and ten thousand addresses are read quickly")
    func size() throws {
        #expect(faultLine([UInt8](repeating: 0x20, count: (16 << 20) + 1)) == 0)
        let begin = Date()
        let config = try read("deny_emails:\n" + (0..<10_000).map { "  - person\($0)@example.com\n" }.joined())
        #expect(config.denyEmails.count == 10_000)
        #expect(Date().timeIntervalSince(begin) < 5)
    }

    @Test(
        "a variable that changes which code runs, or is none, is an error",
        arguments: [
            "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "PATH", "IFS", "ENV", "BASH_ENV", "GCONV_PATH",
            "GLIBC_TUNABLES",
            "OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "SWIFT_BACKTRACE", "SSLKEYLOGFILE", "MALLOC_CHECK_", "1A", "A-B", "A B",
            "''", "Ä", "A=B",
            "A.B",
        ])
    func variables(name: String) {
        #expect(faultLine(Array("# c\nenv_vars:\n  OK: x\n  \(name): x\n".utf8)) == 4)
    }

    @Test("a file is read by the rules of POLICY.md: absent is the default, unsafe and malformed name the file")
    func files() throws {
        let folder = NSTemporaryDirectory() + "/opk-config-" + UUID().uuidString
        mkdir(folder, 0o755)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/config.yml"
        let trust = FileTrust.rootOrUser(getuid())
        #expect(try ServerConfig.read(path, trust: trust) == ServerConfig())
        try AtomicFile.write(Array("deny_users: [a]\n".utf8), to: path, mode: 0o640)
        #expect(try ServerConfig.read(path, trust: trust).denyUsers == ["a"])
        try AtomicFile.write(Array("\nskews: 60s\n".utf8), to: path, mode: 0o640)
        let keys =
            "deny_users, deny_emails, deny_groups, home_policy, require, keys, skew, env_vars, session_limit, end_with_identity, session_identity, notify"
        let expected = ConfigurationError(2, "skews is not a key that this version knows (\(keys))")
        let failure = #expect(throws: ServerConfig.Failure.malformed(path: path, expected)) { try ServerConfig.read(path, trust: trust) }
        #expect(failure?.description == "\(path), line 2: \(expected.text)")
        chmod(path, 0o646)
        #expect(throws: ServerConfig.Failure.unsafe(UnsafeFile(path, .writableByOthers(mode: 0o646)))) {
            try ServerConfig.read(path, trust: trust)
        }
    }

    @Test("sessions and notifications are read, each with its bounds")
    func sessionsAndNotifications() throws {
        let config = try read(
            """
            session_limit: 12h
            end_with_identity: true
            session_identity: true
            notify:
              - on: [break-glass, revoked]
                command: /usr/local/sbin/page 'on call'
              - on: [policy-changed]
                webhook: https://hooks.example.com/services/x
            """)
        #expect(config.sessionLimit == TimeSpan(seconds: 43_200))
        #expect(config.endsWithIdentity && config.tellsSession)
        #expect(config.notifications.map(\.events) == [[.breakGlass, .revoked], [.policyChanged]])
        #expect(
            config.notifications.map(\.channel) == [
                .command(["/usr/local/sbin/page", "on call"]), .webhook("https://hooks.example.com/services/x"),
            ])
        #expect(try read("") == ServerConfig())
    }

    @Test(
        "what nobody could be told by, and a session that ends before its warning, are errors",
        arguments: [
            "session_limit: 9m", "session_limit: 1y", "session_limit: ", "end_with_identity: yes", "session_identity: 1", "notify: x",
            "notify: [x]", "notify: [{command: /bin/true}]", "notify: [{on: [], command: /bin/true}]",
            "notify: [{on: [login], command: /bin/true}]",
            "notify: [{on: [revoked]}]", "notify: [{on: [revoked], command: /bin/true, webhook: 'https://a.example'}]",
            "notify: [{on: [revoked], command: page}]", "notify: [{on: [revoked], command: \"/bin/sh 'x\"}]",
            "notify: [{on: [revoked], webhook: 'http://hooks.example.com/'}]",
            "notify: [{on: [revoked], webhook: 'http://localhost.example.com/'}]",
            "notify: [{on: [revoked], webhook: 'https://'}]", "notify: [{on: [revoked], webhook: 'file:///etc/passwd'}]",
            "notify: [{on: [revoked], wehbook: 'https://a.example'}]",
        ])
    func wrongSessionsAndNotifications(text: String) {
        #expect(throws: ConfigurationError.self) { try read(text) }
    }

    @Test("an address that is wrong is not repeated in the error, since it may be a secret")
    func webhookIsSecret() {
        let error = #expect(throws: ConfigurationError.self) {
            try read("notify: [{on: [revoked], webhook: 'http://hooks.example.com/S3CRET'}]")
        }
        #expect(error?.text.contains("S3CRET") == false)
    }
}
