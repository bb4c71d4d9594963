import Audit
import Foundation
import KeyCache
import Vocabulary

extension Spoiling {
    static let sshd: [Spoiling] = [
        Spoiling(.sshdAbsent, "no sshd") { $0.places.sshd = nil },
        Spoiling(.sshdConfig, "a word that it does not know") { try $0.sshd("Nonsense yes\n") },
        Spoiling(.sshdNone, "no command") { server in
            try server.sshd("")
            try server.write("ssh/60-opk.conf", "# nothing\n")
        },
        Spoiling(.sshdOther, "another program", file: "ssh/60-opk.conf", line: 1) { try $0.sshd("", command: "/usr/bin/true %u") },
        Spoiling(.sshdOrder, "one that sorts first", file: "ssh/60-a.conf", line: 2) { server in
            try server.write("ssh/60-a.conf", "# opkssh's\nAuthorizedKeysCommand /usr/local/bin/opkssh verify %u %k %t\n")
        },
        Spoiling(.sshdOrder, "one in front of the Include", file: "ssh/sshd_config", line: 2) { server in
            try server.sshd("AuthorizedKeysCommand /usr/bin/true\n")
        },
        Spoiling(.sshdPath, "not there", file: "ssh/60-opk.conf", line: 1) { unlink($0.places.verifier) },
        Spoiling(.sshdPath, "somebody's", file: "usr/libexec/opk/opk-verify") { chown($0.places.verifier, 2, 2) },
        Spoiling(.sshdPath, "in a folder that all can write", file: "usr/libexec") { chmod($0.folder + "/usr/libexec", 0o777) },
        Spoiling(.sshdArguments, "in another order", file: "ssh/60-opk.conf", line: 1) { server in
            try server.sshd("", command: "\(server.places.verifier) -- %k %u %t")
        },
        Spoiling(.sshdDashes, "without --", file: "ssh/60-opk.conf", line: 1) { server in
            try server.sshd("", command: "\(server.places.verifier) %u %k %t")
        },
        Spoiling(.sshdUser, "no such account", file: "ssh/60-opk.conf", line: 2) { try $0.sshd("", user: "opk-no-such-account") },
        Spoiling(.sshdUserRoot, "root", file: "ssh/60-opk.conf", line: 2) { try $0.sshd("", user: "root") },
        Spoiling(.sshdUserShell, "a user with a shell", file: "ssh/60-opk.conf", line: 2) { try $0.sshd("", user: "sync") },
        Spoiling(.sshdPublicKeys, "no") { try $0.sshd("PubkeyAuthentication no\n") },
        Spoiling(.sshdMethods, "two at once") { try $0.sshd("AuthenticationMethods publickey,password\n") },
        Spoiling(.sshdNoAlgorithm, "no certificate") { try $0.sshd("PubkeyAcceptedAlgorithms ssh-ed25519\n") },
        Spoiling(.sshdAlgorithms, "one of the two") { try $0.sshd("CASignatureAlgorithms ssh-ed25519\n") },
        Spoiling(.sshdMatch, "no keys for some", file: "ssh/sshd_config") { server in
            try server.sshd("", behind: "Match User bin\nPubkeyAuthentication no\nMatch all")
        },
        Spoiling(.sshdMatch, "another command for some", file: "ssh/sshd_config") { server in
            try server.sshd("", behind: "Match Address 10.0.0.0/8\nAuthorizedKeysCommand none\nMatch all")
        },
        Spoiling(.sshdRoot, "root may not come in", file: "etc/auth_id", line: 2) { server in
            try server.rows("root oidc:groups:a \(issuer) hours=\"08:00-18:00\"")
            try server.sshd("PermitRootLogin no\n")
        },
        Spoiling(.sshdLockedOut, "DenyUsers", file: "etc/auth_id", line: 1) { try $0.sshd("DenyUsers b?n\n") },
        Spoiling(.sshdLockedOut, "AllowUsers", file: "etc/auth_id", line: 1) { try $0.sshd("AllowUsers alice bob\n") },
        Spoiling(.sshdLockedOut, "AllowGroups", file: "etc/auth_id", line: 1) { try $0.sshd("AllowGroups wheel\n") },
        Spoiling(.sshdLockedOut, "DenyUsers in a Match block", file: "etc/auth_id", line: 1) { server in
            try server.sshd("", behind: "Match User bin\nDenyUsers bin\nMatch all")
        },
        Spoiling(.sshdKeyFiles, "keys of its own", file: "keys-bin") { server in
            try server.write("keys-bin", "ssh-ed25519 AAAA\n")
            try server.sshd("AuthorizedKeysFile \(server.folder)/keys-%u\n")
        },
        Spoiling(.sshdPrincipals, "is set") { server in
            try server.sshd("AuthorizedPrincipalsCommand /usr/bin/true\nAuthorizedPrincipalsCommandUser nobody\n")
        },
        Spoiling(.sshdAuthorities, "is set") { try $0.sshd("TrustedUserCAKeys /etc/ssh/ca.pub\n") },
        Spoiling(.sshdLogLevel, "QUIET") { try $0.sshd("LogLevel QUIET\n") },
        Spoiling(.sshdPAM, "no") { try $0.sshd("UsePAM no\n") },
        Spoiling(.pamEnvironment, "after pam_env", file: "pam.d/sshd", line: 2) { server in
            try server.pam("session required pam_env.so user_readenv=1 envfile=/etc/default/locale", Server.sessionLine)
        },
        Spoiling(.pamEnvironment, "after a file that is included", file: "pam.d/sshd", line: 3) { server in
            try server.write("pam.d/other", "-session [success=1 default=ignore] \\\n  /lib/security/pam_env.so user_readenv=1\n")
            try server.pam("auth required pam_permit.so", "@include other", Server.sessionLine)
        },
        Spoiling(.pamEnvironment, "in the stack that sets credentials", file: "pam.d/sshd", line: 1) { server in
            try server.write("pam.d/login", "auth required pam_env.so user_readenv=1\n")
            try server.pam(Server.sessionLine, "auth substack login")
        },
        Spoiling(.pamClose, "at both ends", file: "pam.d/sshd", line: 1) { server in
            try server.pam("session optional pam_exec.so quiet /usr/libexec/opk/opk-session")
        },
        Spoiling(.pamSession, "a limit and no line", file: "etc/config.yml") { server in
            try server.config("session_limit: 8h")
            try server.pam("# " + Server.sessionLine, "account required pam_permit.so")
        },
        Spoiling(.pamSession, "the identity's end and no PAM", file: "etc/config.yml") { server in
            try server.config("end_with_identity: true")
            try server.sshd("UsePAM no\n")
        },
        Spoiling(.pamSession, "somebody to be told and no file", file: "etc/config.yml") { server in
            try server.config("notify:\n  - on: [break-glass]\n    command: /usr/bin/true")
            unlink(server.folder + "/pam.d/sshd")
        },
        Spoiling(.sshdExpose, "yes") { try $0.sshd("ExposeAuthInfo yes\n") },
        Spoiling(.sshdEnvironment, "yes") { try $0.sshd("PermitUserEnvironment yes\n") },
        Spoiling(.rowEnvironment, "off", file: "etc/auth_id", line: 2) { try $0.rows("bin oidc:groups:a \(issuer) environment=\"A=b\"") },
    ]

    static let machine: [Spoiling] = [
        Spoiling(.programAbsent, "opk-fetch", file: "usr/libexec/opk/opk-fetch") { unlink($0.places.helperFolder + "/opk-fetch") },
        Spoiling(.programMode, "opk-fetch is somebody's", file: "usr/libexec/opk/opk-fetch") { server in
            chown(server.places.helperFolder + "/opk-fetch", 2, 2)
        },
        Spoiling(.programMode, "its folder can be written by all", file: "usr/libexec/opk") { chmod($0.places.helperFolder, 0o777) },
        Spoiling(.programMode, "opk-session is everybody's to start", file: "usr/libexec/opk/opk-session") { server in
            chmod(server.places.helperFolder + "/opk-session", 0o755)
        },
        Spoiling(.programVersion, "another", file: "usr/libexec/opk/opk-home") { server in
            try server.write("usr/libexec/opk/opk-home", "#!/bin/sh\necho opk-home 0.0.1\n", mode: 0o755)
        },
        Spoiling(.userAbsent, "no such account") { server in
            server.places.verifierUser = "opk-no-such-account"
            try server.sshd("", user: "opk-no-such-account")
        },
        Spoiling(.userAbsent, "nobody to fetch keys") { $0.places.fetcherUser = "opk-no-such-account" },
        Spoiling(.sudoersBad, "not in its grammar", file: "sudoers.d/opk") {
            try $0.write("sudoers.d/opk", "nobody ALL=((\n", mode: 0o440)
        },
        Spoiling(.sudoersBad, "that sudo is not told of", file: "sudoers.d/opk") { server in
            try server.write("sudoers", "Defaults env_reset\n# @includedir \(server.folder)/sudoers.d\n", mode: 0o440)
        },
        Spoiling(.programMode, "opk is somebody's", file: "usr/bin/opk") { server in
            mkdir(server.folder + "/usr/bin", 0o755)
            try server.write("usr/bin/opk", "#!/bin/sh\n", mode: 0o755, as: "bin:bin")
        },
        Spoiling(.programMode, "opk's folder can be written by all", file: "usr/bin") { server in
            mkdir(server.folder + "/usr/bin", 0o755)
            chmod(server.folder + "/usr/bin", 0o777)
            try server.write("usr/bin/opk", "#!/bin/sh\n", mode: 0o755)
        },
        Spoiling(.sudoersRule, "another rule", file: "sudoers.d/opk") { server in
            try server.write("sudoers.d/opk", "nobody ALL=(daemon) NOPASSWD: /usr/bin/true\n", mode: 0o440)
        },
        Spoiling(.sudoersMode, "that all can write", file: "sudoers.d/opk") { chmod($0.places.sudoers, 0o666) },
        Spoiling(.fetchWay, "neither socket nor rule") { unlink($0.places.sudoers) },
        Spoiling(.fetchSeparate, "the verifier's own cache", file: "cache") { try $0.own($0.places.cacheFolder, "nobody:nogroup") },
        Spoiling(.fetchSeparate, "root's cache", file: "cache") { try $0.own($0.places.cacheFolder, "root:root") },
        Spoiling(.homeWay, "no rule", file: "sudoers.d/opk") { unlink($0.places.sudoers) },
        Spoiling(.cacheAbsent, "no folder", file: "none") { $0.places.cacheFolder = $0.folder + "/none" },
        Spoiling(.cacheMode, "that all can write", file: "cache") { chmod($0.places.cacheFolder, 0o777) },
        Spoiling(.keysNone, "never", file: "cache") { unlink($0.keyFile()) },
        Spoiling(.keysOld, "two days", file: "cache") { try $0.keep(age: 2 * 86_400) },
        Spoiling(.keysFuture, "in three hours", file: "cache") { try $0.keep(age: -3 * 3600) },
        Spoiling(.keysUnusable, "damaged", file: "cache") { server in
            try Data("{".utf8).write(to: URL(fileURLWithPath: server.keyFile()))
        },
        Spoiling(.keysFailing, "no connection", file: "cache") { server in
            try KeyCache(directory: server.places.cacheFolder).note(
                .failure(at: server.now, "no connection", after: nil), issuer: Text(issuer))
            try server.own(server.places.cacheFolder, "_apt:nogroup")
        },
        Spoiling(.keysStray, "an issuer that no row names", file: "cache") { try $0.keep(age: 1, issuer: "https://gone.example") },
        Spoiling(.stateMode, "not there", file: "state/refusals") { unlink($0.folder + "/state/refusals") },
        Spoiling(.stateMode, "somebody's", file: "state/refusals") { chown($0.folder + "/state/refusals", 2, 2) },
        Spoiling(.stateMode, "a folder that all can write", file: "state") { chmod($0.places.stateFolder, 0o777) },
        Spoiling(.auditLog, "not there", file: "auditlog/audit.jsonl") { unlink($0.folder + "/auditlog/audit.jsonl") },
        Spoiling(.auditLog, "somebody's", file: "auditlog/audit.jsonl") { chown($0.folder + "/auditlog/audit.jsonl", 2, 2) },
        Spoiling(.auditLog, "that all can read", file: "auditlog/audit.jsonl") { chmod($0.folder + "/auditlog/audit.jsonl", 0o644) },
        Spoiling(.auditLog, "a second name", file: "auditlog/audit.jsonl") {
            link($0.folder + "/auditlog/audit.jsonl", $0.folder + "/other")
        },
        Spoiling(.auditLog, "a folder that all can write", file: "auditlog") { chmod($0.places.auditFolder, 0o777) },
        Spoiling(.minuteTimer, "a limit, and no run", file: "etc/config.yml") { server in
            try server.config("session_limit: 8h")
            unlink(server.places.enforced)
        },
        Spoiling(.minuteTimer, "somebody to be told, and a run ten minutes ago", file: "etc/config.yml") { server in
            try server.config("notify:\n  - on: [break-glass]\n    command: /usr/bin/true")
            let past = Date(timeIntervalSinceNow: -600)
            try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: server.places.enforced)
        },
        Spoiling(.clockFree, "nothing keeps it") { $0.places.clock = { .free } },
        Spoiling(.clockContainer, "the host's") { $0.places.clock = { .container } },
        Spoiling(.logAbsent, "no socket", file: "log") { unlink($0.places.logSocket) },
    ]

    static let all = files + providers + rows + others + sshd + machine

    /// Findings that cannot be had here, and where they are tested instead.
    static let elsewhere: [FindingCode] = [
        .notLookedAt,  // "who is not root"
        .sshdAddressFatal, .sshdAddressUnknown, .sshdAddressAbsent,  // "%C"
        .rowNeverOpen,  // hours that never come cannot be written: WeeklyHours refuses them
    ]
}
