import Audit
import Foundation
import Testing
import Vocabulary

/// One thing that is done to a server on which nothing is wrong, and what an audit has to say then.
struct Spoiling: CustomTestStringConvertible, Sendable {
    let code: FindingCode
    let how: String
    /// The finding's file, below the server's folder, and its line.
    var file: String?
    var line: Int?
    let act: @Sendable (Server) throws -> Void

    init(
        _ code: FindingCode, _ how: String, file: String? = nil, line: Int? = nil, _ act: @escaping @Sendable (Server) throws -> Void
    ) {
        (self.code, self.how, self.file, self.line, self.act) = (code, how, file, line, act)
    }

    var testDescription: String { "\(code.rawValue): \(how)" }

    static let issuer = Server.issuer

    /// A row of auth_id behind the good one.
    private static func row(_ code: FindingCode, _ how: String, _ text: String) -> Spoiling {
        Spoiling(code, how, file: "etc/auth_id", line: 2) { try $0.rows(text) }
    }

    private static func provider(_ code: FindingCode, _ how: String, _ text: String) -> Spoiling {
        Spoiling(code, how, file: "etc/providers", line: 2) { try $0.providers("\(issuer) opk 24h\n\(text)\n") }
    }

    static let files: [Spoiling] = [
        Spoiling(.fileLink, "auth_id is a link", file: "etc/auth_id") { server in
            rename(server.places.authID, server.folder + "/real")
            symlink(server.folder + "/real", server.places.authID)
        },
        Spoiling(.fileKind, "providers is a folder", file: "etc/providers") { server in
            unlink(server.places.providers)
            mkdir(server.places.providers, 0o755)
        },
        Spoiling(.fileKind, "auth_id is a FIFO", file: "etc/auth_id") { server in
            unlink(server.places.authID)
            mkfifo(server.places.authID, 0o644)
        },
        Spoiling(.fileOwner, "auth_id is somebody's", file: "etc/auth_id") { try $0.own($0.places.authID, "bin:nogroup") },
        Spoiling(.fileMode, "providers can be written by its group", file: "etc/providers") { chmod($0.places.providers, 0o660) },
        Spoiling(.fileMode, "config.yml can be written by all", file: "etc/config.yml") { server in
            try server.config("skew: 60s")
            chmod(server.places.config, 0o646)
        },
        Spoiling(.fileHardLinks, "auth_id has a second name") { link($0.places.authID, $0.folder + "/second") },
        Spoiling(.fileSize, "auth_id is too long") { truncate($0.places.authID, (256 << 20) + 1) },
        Spoiling(.fileNUL, "providers has a NUL") { try $0.providers("\(issuer) opk 24h\n\0\n") },
        Spoiling(.folderOwner, "the folder is somebody's") { chown($0.places.configFolder, 2, 2) },
        Spoiling(.folderMode, "the folder can be written by all") { chmod($0.places.configFolder, 0o777) },
        Spoiling(.folderAbove, "the folder above is somebody's") { chown($0.folder, 2, 2) },
        Spoiling(.fileUnreadable, "auth_id is for root alone", file: "etc/auth_id") { chmod($0.places.authID, 0o600) },
        Spoiling(.fileUnreadable, "so is the folder") { chmod($0.places.configFolder, 0o700) },
        Spoiling(.fileUnreadable, "who fetches keys may not read providers", file: "etc/providers") { server in
            server.places.fetcherUser = "daemon"
        },
        Spoiling(.fileUnread, "rules in config.yaml", file: "etc/config.yaml") { try $0.write("etc/config.yaml", "require: []\n") },
        Spoiling(.fileUnread, "Revoked", file: "etc/Revoked") { try $0.write("etc/Revoked", "email:a@b.c\n") },
        Spoiling(.fileUnread, "a plugin in a .yaml", file: "etc/policy.d/a.yaml") { server in
            mkdir(server.places.pluginFolder, 0o755)
            try server.write("etc/policy.d/a.yaml", "name: a\n")
        },
        Spoiling(.fileExposed, "all may read auth_id", file: "etc/auth_id") { chmod($0.places.authID, 0o644) },
    ]

    static let providers: [Spoiling] = [
        Spoiling(.providerNone, "an empty file") { try $0.providers("# nobody\n") },
        Spoiling(.providerNone, "no folder") { $0.places.configFolder += "/none" },
        provider(.providerRow, "an expiry that is none", "https://b.example b 24H"),
        provider(.providerTwice, "the same again", "\(issuer) opk 1h"),
        provider(.providerNever, "never", "https://b.example b never"),
        provider(.providerLong, "8 days", "https://b.example b 8d"),
        provider(.providerUnverifiedEmail, "trust-unverified-email", "https://b.example b 24h trust-unverified-email"),
        provider(.providerHTTP, "http", "http://localhost:8080 b 24h"),
        provider(.providerAuthority, "ca= is not there", "https://b.example b 24h ca=\"/nonexistent.pem\""),
        Spoiling(.providerAuthority, "ca= can be changed by all", file: "etc/providers", line: 1) { server in
            let path = try server.write("ca.pem", "x", mode: 0o666)
            try server.providers("\(issuer) opk 24h ca=\"\(path)\"\n")
        },
        Spoiling(.providerAuthority, "ca= is not for the fetcher to read", file: "etc/providers", line: 1) { server in
            let path = try server.write("ca.pem", "x", mode: 0o600)
            try server.providers("\(issuer) opk 24h ca=\"\(path)\"\n")
        },
        provider(.providerKeyAge, "31 days", "https://b.example b 24h max-age=\"31d\""),
        Spoiling(.providerUnused, "an issuer without rows", file: "etc/providers", line: 2) { server in
            try server.config("home_policy: false")
            try server.providers("\(issuer) opk 24h\nhttps://b.example b 24h\n")
        },
    ]

    static let rows: [Spoiling] = [
        Spoiling(.rowNone, "an empty file") { try $0.write("etc/auth_id", "", mode: 0o640, as: "root:nogroup") },
        row(.rowBad, "two columns", "bin alice@example.com"),
        row(.rowBad, "an option that is not known", "bin alice@example.com \(issuer) nonsense"),
        row(.rowIssuer, "an issuer that is not trusted", "bin a@example.com https://other.example"),
        row(.rowIssuer, "a slash too much", "bin a@example.com \(issuer)/"),
        row(.rowAccount, "no such account", "opk-no-such-account oidc:groups:a \(issuer)"),
        row(.rowExpired, "yesterday", "bin oidc:groups:a \(issuer) expires=\"\(UnixTime.now() + -86_400)\""),
        row(.rowExpiredLong, "years ago", "bin oidc:groups:a \(issuer) expires=\"2020-01-01T00:00Z\""),
        row(.rowFuture, "in years", "bin oidc:groups:a \(issuer) starts=\"2999-01-01T00:00Z\""),
        row(.rowTwice, "the same again", "bin oidc:groups:release \(issuer)"),
        row(.rowVoid, "conditions beside a row without", "bin oidc:groups:release \(issuer) hours=\"08:00-18:00\""),
        Spoiling(.rowDenied, "deny_users", file: "etc/auth_id", line: 1) { try $0.config("deny_users: [BIN]") },
        Spoiling(.rowDenied, "deny_groups", file: "etc/auth_id", line: 1) { try $0.config("deny_groups: [release]") },
        Spoiling(.rowDenied, "deny_emails", file: "etc/auth_id", line: 2) { server in
            try server.config("deny_emails: [bob@example.com]")
            try server.rows("bin Bob@example.com \(issuer)")
        },
        Spoiling(.rowRevoked, "the email", file: "etc/auth_id", line: 2) { server in
            try server.revoked("email:bob@example.com")
            try server.rows("bin Bob@example.com \(issuer)")
        },
        Spoiling(.rowRevoked, "the issuer", file: "etc/auth_id", line: 1) { try $0.revoked("issuer:\(issuer)") },
        row(.rowPublicDomain, "gmail.com", "bin oidc-match-end:email:@GMail.com \(issuer)"),
        Spoiling(.rowPublicDomain, "everybody at Google", file: "etc/auth_id", line: 2) { server in
            try server.providers("\(issuer) opk 24h\nhttps://accounts.google.com x 24h\n")
            try server.rows("bin oidc:email_verified:true https://accounts.google.com")
        },
        row(.rowWholeTenant, "a claim that everybody has", "bin oidc:iss:\(issuer) \(issuer)"),
        Spoiling(.rowOpenIssuer, "an email that nobody proves", file: "etc/auth_id", line: 2) { server in
            try server.providers("\(issuer) opk 24h\nhttps://gitlab.com x 24h trust-unverified-email\n")
            try server.rows("bin bob@example.com https://gitlab.com")
        },
        row(.rowTypo, "an address with a comma behind it", "root alice@example.com, \(issuer)"),
        row(.rowTypo, "an address with a semicolon behind it", "root alice@example.com; \(issuer)"),
        row(.rowTypo, "two addresses in one", "root alice@example.com,bob@example.com \(issuer)"),
        row(.rowTypo, "a full stop for the @", "bin alice.example.com \(issuer)"),
        row(.rowTypo, "another @", "bin alice＠example.com \(issuer)"),
        row(.rowWideRepository, "everybody's", "bin repo:*/*:ref:refs/heads/main \(issuer)"),
        row(.rowWideRepository, "a beginning", "bin repo:acm*/app:ref:refs/heads/main \(issuer)"),
        row(.rowAnyRef, "pull requests", "bin repo:acme/app:* \(issuer)"),
        row(.rowAnyRef, "repositories to come", "bin repo:acme/*:ref:refs/heads/main \(issuer)"),
        row(.rowBreakGlass, "for ever", "bin oidc:groups:oncall \(issuer) break-glass"),
        row(.rowRoot, "nothing but an identity", "root oidc:groups:admins \(issuer)"),
        row(.rowCommand, "no such program", "bin oidc:groups:a \(issuer) command=\"/no/such/program x\""),
        Spoiling(.rowCommand, "somebody's", file: "etc/auth_id", line: 2) { server in
            let path = try server.write("shell", "#!/bin/sh\n", mode: 0o755, as: "bin:bin")
            try server.rows("bin oidc:groups:a \(issuer) command=\"\(path)\"")
        },
        Spoiling(.rowCommand, "that all can change", file: "etc/auth_id", line: 2) { server in
            let path = try server.write("shell", "#!/bin/sh\n", mode: 0o777)
            try server.rows("bin oidc:groups:a \(issuer) command=\"\(path)\"")
        },
    ]

    static let others: [Spoiling] = [
        Spoiling(.configBad, "a key that is not known", file: "etc/config.yml", line: 2) { try $0.config("skew: 60s\nnonsense: 1") },
        Spoiling(.requireNobody, "no such account", file: "etc/config.yml") { server in
            try server.config("require:\n  - accounts: [opk-no-such-account]\n    verified_email: true")
        },
        Spoiling(.requireGlass, "no row for it", file: "etc/config.yml") { server in
            try server.config("require:\n  - accounts: [\"*\"]\n    verified_email: true\n    except_break_glass: true")
        },
        Spoiling(.denyNobody, "no such account", file: "etc/config.yml") { try $0.config("deny_users: [opk-no-such-account]") },
        Spoiling(.revokedBad, "a row that cannot be read", file: "etc/revoked", line: 1) { try $0.revoked("bob@example.com") },
        Spoiling(.revokedIssuer, "nobody's", file: "etc/revoked", line: 1) { try $0.revoked("issuer:https://other.example") },
        Spoiling(.pluginBad, "no command", file: "etc/policy.d/a.yml") { server in
            mkdir(server.places.pluginFolder, 0o755)
            try server.write("etc/policy.d/a.yml", "name: a\n", mode: 0o640, as: "root:nogroup")
        },
        Spoiling(.pluginProgram, "not there", file: "etc/policy.d/a.yml") { server in
            mkdir(server.places.pluginFolder, 0o755)
            try server.write("etc/policy.d/a.yml", "name: a\ncommand: /no/such/program\n", mode: 0o640, as: "root:nogroup")
        },
        Spoiling(.pluginProgram, "that all can change", file: "etc/policy.d/a.yml") { server in
            mkdir(server.places.pluginFolder, 0o755)
            let path = try server.write("plugin", "#!/bin/sh\n", mode: 0o777)
            try server.write("etc/policy.d/a.yml", "name: a\ncommand: \(path) x\n", mode: 0o640, as: "root:nogroup")
        },
        Spoiling(.pluginName, "two of one name", file: "etc/policy.d/b.yml") { server in
            mkdir(server.places.pluginFolder, 0o755)
            for file in ["a", "b"] {
                try server.write("etc/policy.d/\(file).yml", "name: a\ncommand: /usr/bin/true\n", mode: 0o640, as: "root:nogroup")
            }
        },
        Spoiling(.homeFile, "all may read it", file: "home/.opk/auth_id") { try $0.home("nobody a@example.com \(issuer)", mode: 0o644) },
        Spoiling(.homeFile, "a link on the way", file: "home/.opk/auth_id") { server in
            try server.home("nobody a@example.com \(issuer)")
            rename(server.folder + "/home/.opk", server.folder + "/elsewhere")
            symlink(server.folder + "/elsewhere", server.folder + "/home/.opk")
        },
        Spoiling(.homeRow, "a row that cannot be read", file: "home/.opk/auth_id", line: 1) { try $0.home("nobody x") },
        Spoiling(.homeRow, "an issuer that is not trusted", file: "home/.opk/auth_id", line: 1) { server in
            try server.home("nobody a@example.com https://other.example")
        },
        Spoiling(.homeIdle, "another account's", file: "home/.opk/auth_id", line: 1) { try $0.home("root a@example.com \(issuer)") },
        Spoiling(.homeIdle, "denied by the system", file: "home/.opk/auth_id", line: 1) { server in
            try server.config("deny_users: [nobody]")
            try server.home("nobody a@example.com \(issuer)")
        },
        row(.opksshAdmits, "a domain without its @", "bin oidc-match-end:email:corp.com \(issuer)"),
        row(.opksshAdmits, "no identity", "bin '' \(issuer)"),
        row(.opksshComment, "a # inside of a word", "bin oidc:groups:a \(issuer)#x"),
        row(.opksshClaim, "a colon in the value", "bin oidc:groups:a:b \(issuer)"),
        Spoiling(.opksshEmail, "an email", file: "etc/auth_id") { try $0.rows("bin a@example.com \(issuer)") },
        Spoiling(.opksshOptions, "options", file: "etc/auth_id") { try $0.rows("bin oidc:groups:a \(issuer) restrict") },
        Spoiling(.opksshProviders, "options", file: "etc/providers") { try $0.providers("\(issuer) opk 24h require-verified-email\n") },
        Spoiling(.opksshProviders, "an issuer twice", file: "etc/providers") { try $0.providers("\(issuer) opk 24h\n\(issuer) b 24h\n") },
        Spoiling(.opksshConfig, "deny_groups", file: "etc/config.yml") { try $0.config("deny_groups: [x]") },
        Spoiling(.opksshConfig, "revoked", file: "etc/revoked") { try $0.revoked("email:mallory@example.com") },
        Spoiling(.opksshInstalled, "its program", file: "opkssh") { try $0.write("opkssh", "") },
    ]
}
