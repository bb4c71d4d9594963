import Audit
import Foundation
import Testing
import Vocabulary

/// What looks like a fault and is none.
struct Innocence: CustomTestStringConvertible, Sendable {
    let code: FindingCode
    let how: String
    let act: @Sendable (Server) throws -> Void

    var testDescription: String { "\(code.rawValue): \(how)" }

    private static let issuer = Server.issuer

    private static func row(_ code: FindingCode, _ how: String, _ text: String) -> Innocence {
        Innocence(code: code, how: how) { try $0.rows(text) }
    }

    static let all: [Innocence] = [
        row(.rowExpired, "in years", "bin oidc:groups:a \(issuer) expires=\"2999-01-01T00:00Z\""),
        row(.rowFuture, "has started", "bin oidc:groups:a \(issuer) starts=\"2020-01-01T00:00Z\""),
        row(.rowTwice, "another account", "daemon oidc:groups:release \(issuer)"),
        row(.rowTwice, "other conditions", "bin oidc:groups:release \(issuer) restrict"),
        row(.rowVoid, "another identity", "bin oidc:groups:dev \(issuer) restrict"),
        row(.rowPublicDomain, "a domain that ends like one", "bin oidc-match-end:email:@notgmail.com \(issuer)"),
        row(.rowWholeTenant, "the account is the person's own", "* oidc:iss:\(issuer) \(issuer) account-claim=\"preferred_username\""),
        row(.rowTypo, "a number", "bin 103030642802723203118 \(issuer)"),
        row(.rowTypo, "a version", "bin service.v2 \(issuer)"),
        row(.rowTypo, "an email", "bin alice@example.com \(issuer)"),
        row(.rowWideRepository, "one repository", "bin repo:acme/app:ref:refs/heads/* \(issuer)"),
        row(.rowAnyRef, "one repository's branches", "bin repo:acme/app:ref:refs/heads/* \(issuer)"),
        row(.rowBreakGlass, "with an end", "bin oidc:groups:a \(issuer) break-glass,expires=\"2999-01-01T00:00Z\""),
        row(.rowRoot, "with a condition", "root oidc:groups:a \(issuer) amr=\"hwk\""),
        Innocence(code: .rowRoot, how: "with a requirement") { server in
            try server.config("require:\n  - accounts: [root]\n    amr: [hwk]")
            try server.rows("root oidc:groups:a \(issuer)")
        },
        row(.rowCommand, "a program", "bin oidc:groups:a \(issuer) command=\"/usr/bin/env true\""),
        row(.opksshClaim, "a claim whose name has colons", "bin 'oidc:\"https://acme.com/roles\":dev' \(issuer)"),
        row(.opksshComment, "a real comment", "bin oidc:groups:a \(issuer) # x"),
        Innocence(code: .rowRevoked, how: "only what was issued before") { try $0.revoked("issuer:\(issuer) 2026-01-01T00:00Z") },
        Innocence(code: .rowRevoked, how: "the same subject of another issuer") { server in
            try server.revoked("sub:123@https://other.example")
            try server.rows("bin 123 \(issuer)")
        },
        Innocence(code: .rowDenied, how: "a group that is another's end") { try $0.config("deny_groups: [release-managers]") },
        Innocence(code: .requireNobody, how: "one of two accounts exists") { server in
            try server.config("require:\n  - accounts: [opk-no-such-account, bin]\n    verified_email: true")
        },
        Innocence(code: .requireGlass, how: "a row is marked") { server in
            try server.config("require:\n  - accounts: [bin]\n    verified_email: true\n    except_break_glass: true")
            try server.rows("bin oidc:groups:a \(issuer) break-glass,expires=\"2999-01-01T00:00Z\"")
        },
        Innocence(code: .providerUnused, how: "home files may name it") {
            try $0.providers("\(issuer) opk 24h\nhttps://b.example b 24h\n")
        },
        Innocence(code: .providerTwice, how: "another client") { try $0.providers("\(issuer) opk 24h\n\(issuer) other 24h\n") },
        Innocence(code: .providerLong, how: "a week") { try $0.providers("\(issuer) opk 1week\n") },
        Innocence(code: .providerAuthority, how: "root's, for all to read") { server in
            let path = try server.write("ca.pem", "x")
            try server.providers("\(issuer) opk 24h ca=\"\(path)\"\n")
        },
        Innocence(code: .homeFile, how: "as it should be") { try $0.home("nobody a@example.com \(issuer)") },
        Innocence(code: .homeRow, how: "switched off") { server in
            try server.config("home_policy: false")
            try server.home("nonsense")
        },
        Innocence(code: .pluginProgram, how: "a program of the system's") { server in
            mkdir(server.places.pluginFolder, 0o755)
            try server.write("etc/policy.d/a.yml", "name: a\ncommand: /usr/bin/env x\n", mode: 0o640, as: "root:nogroup")
        },
        Innocence(code: .sshdLockedOut, how: "AllowUsers has it, from one address") { try $0.sshd("AllowUsers bi?@10.0.0.1\n") },
        Innocence(code: .sshdLockedOut, how: "DenyUsers has it, from one address") { try $0.sshd("DenyUsers bin@10.0.0.1\n") },
        Innocence(code: .sshdRoot, how: "with keys root may") { server in
            try server.rows("root oidc:groups:a \(issuer)")
            try server.sshd("PermitRootLogin prohibit-password\n")
        },
        Innocence(code: .sshdRoot, how: "with commands root may") { server in
            try server.rows("root oidc:groups:a \(issuer) command=\"/usr/bin/true\"")
            try server.sshd("PermitRootLogin forced-commands-only\n")
        },
        Innocence(code: .sshdMethods, how: "one of two ways is a key") { try $0.sshd("AuthenticationMethods publickey password\n") },
        Innocence(code: .sshdOrder, how: "ours comes first") { server in
            try server.sshd("", behind: "AuthorizedKeysCommand /usr/bin/true\n")
        },
        Innocence(code: .sshdPath, how: "a link to it") { server in
            symlink(server.places.verifier, server.folder + "/usr/verify")
            try server.sshd("", command: "\(server.folder)/usr/verify -- %u %k %t")
        },
        Innocence(code: .rowEnvironment, how: "sshd permits it") { server in
            try server.rows("bin oidc:groups:a \(issuer) environment=\"LANG=C\"")
            try server.sshd("PermitUserEnvironment LANG,LC_*\n")
        },
        Innocence(code: .pamEnvironment, how: "before pam_env, or where it reads no file of the user's") { server in
            try server.pam(
                "password required pam_env.so user_readenv=1", "session required pam_env.so user_readenv=0", "session required pam_env.so",
                Server.sessionLine, "session required pam_env.so user_readenv=1")
        },
        Innocence(code: .pamSession, how: "with a limit and a line") { try $0.config("session_limit: 8h\nend_with_identity: true") },
        Innocence(code: .pamSession, how: "no line, and nothing that wants one") { try $0.pam("account required pam_permit.so") },
        Innocence(code: .minuteTimer, how: "no run, and nothing that wants one") { unlink($0.places.enforced) },
        Innocence(code: .minuteTimer, how: "a run just now") { try $0.config("session_limit: 8h") },
        Innocence(code: .keysOld, how: "a day is not over") { try $0.keep(age: 86_000) },
    ]
}
