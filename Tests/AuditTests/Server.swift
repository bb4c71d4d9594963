import Audit
import ChildProcess
import Foundation
import JOSE
import KeyCache
import LibCrypto
import MintingKit
import SafeFiles
import TestSupport
import Vocabulary

/// A server on which nothing is wrong, in a folder of its own, to be spoilt by one thing at a time. Root's: that is what an audit is about.
final class Server {
    let folder: String
    var places: AuditPlaces
    let now = UnixTime.now()

    static let isRoot: Bool = geteuid() == 0
    static let hasSSHD: Bool = isRoot && Installation.sshd != nil
    static let issuer = "https://idp.example.com"
    init() throws {
        folder = (Server.isRoot ? "/run" : "/tmp") + "/opk-audit-" + UUID().uuidString.prefix(8)
        places = AuditPlaces(prefix: folder + "/usr")
        for name in [
            "", "/etc", "/cache", "/state", "/auditlog", "/usr", "/usr/libexec", "/usr/libexec/opk", "/usr/share", "/usr/share/opk",
            "/sudoers.d",
            "/ssh", "/pam.d",
        ] {
            mkdir(folder + name, 0o755)
        }
        places.configFolder = folder + "/etc"
        places.isSystem = true
        places.cacheFolder = folder + "/cache"
        places.stateFolder = folder + "/state"
        places.auditFolder = folder + "/auditlog"
        places.auditGroup = "nogroup"
        places.sudoers = folder + "/sudoers.d/opk"
        places.systemd = folder + "/no-systemd"
        places.fetchSocket = folder + "/no-socket"
        places.logSocket = folder + "/log"
        places.pamFolder = folder + "/pam.d"
        places.enforced = folder + "/enforced"
        places.dropIn = folder + "/ssh/60-opk.conf"
        places.cron = folder + "/no-cron"
        places.opksshFiles = [folder + "/opkssh"]
        // Two accounts that every Debian has, of one group, and nobody logs in to.
        places.verifierUser = "nobody"
        places.fetcherUser = "_apt"
        places.homes = []
        places.clock = { .synchronised }
        places.sshd = Server.hasSSHD ? Installation.sshd : nil
        places.sshdConfig = folder + "/ssh/sshd_config"

        try write("etc/providers", "\(Server.issuer) opk 24h\n", mode: 0o640, as: "root:nogroup")
        try write("etc/auth_id", "bin oidc:groups:release \(Server.issuer)\n", mode: 0o640, as: "root:nogroup")
        for program in ["opk-verify", "opk-fetch", "opk-home"] {
            try write("usr/libexec/opk/" + program, "#!/bin/sh\necho \(program) \(Version.text)\n", mode: 0o755)
        }
        try write("usr/libexec/opk/opk-session", "#!/bin/sh\n", as: "root:nogroup")
        chmod(folder + "/usr/libexec/opk/opk-session", 0o2750)
        try pam(Server.sessionLine)
        _ = try ChildProcess.run(
            "/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder + "/ssh/host_key"], environment: .empty, deadline: 20_000)
        // Without it sshd says nothing; the package makes it when sshd starts.
        mkdir("/run/sshd", 0o755)
        try sshd("")
        let rule = "nobody ALL=(_apt) NOPASSWD: \(places.helperFolder)/opk-fetch serve\n"
        try write("usr/share/opk/sudoers", rule)
        try write("sudoers.d/opk", rule, mode: 0o440)
        places.mainSudoers = folder + "/sudoers"
        try write("sudoers", "Defaults env_reset\n@includedir \(folder)/sudoers.d\n", mode: 0o440)
        _ = FileManager.default.createFile(atPath: folder + "/state/refusals", contents: Data(count: 4096))
        chmod(folder + "/state/refusals", 0o600)
        try own(folder + "/state/refusals", "nobody:nogroup")
        try write("enforced", "", mode: 0o600)
        try write("auditlog/audit.jsonl", "", mode: 0o640, as: "nobody:nogroup")
        try keep(age: 60)
        try own(folder + "/cache", "_apt:nogroup")
        try listen(at: folder + "/log")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// sshd's configuration; `command` in the place of the documented call, and `more` in front of it.
    func sshd(_ more: String, command: String? = nil, user: String? = "nobody", behind: String = "") throws {
        let call = command ?? "\(places.helperFolder)/opk-verify -- %u %k %t"
        let ours = "AuthorizedKeysCommand \(call)\n" + (user.map { "AuthorizedKeysCommandUser \($0)\n" } ?? "")
        try write("ssh/60-opk.conf", ours)
        let log = "UsePAM yes\nAuthorizedKeysFile none\n"
        try write("ssh/sshd_config", "HostKey \(folder)/ssh/host_key\n\(more)Include \(folder)/ssh/60-*.conf\n\(behind)\n\(log)")
    }

    static let sessionLine = "session optional pam_exec.so quiet type=open_session /usr/libexec/opk/opk-session"

    /// Lines of PAM's file for sshd.
    func pam(_ lines: String...) throws { try write("pam.d/sshd", lines.map { $0 + "\n" }.joined()) }

    @discardableResult
    func write(_ name: String, _ text: String, mode: mode_t = 0o644, as owner: String? = nil) throws -> String {
        let path = folder + "/" + name
        unlink(path)
        guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else { throw CocoaError(.fileWriteUnknown) }
        chmod(path, mode)
        if let owner { try own(path, owner) }
        return path
    }

    func own(_ path: String, _ owner: String) throws {
        guard Server.isRoot else { return }
        let run = try ChildProcess.run("/bin/chown", ["-h", "-R", owner, path], environment: .empty, deadline: 10_000)
        guard run.succeeded else { throw CocoaError(.fileWriteNoPermission) }
    }

    func providers(_ text: String) throws { try write("etc/providers", text, mode: 0o640, as: "root:nogroup") }
    /// Rows beside a good one, which is the first line.
    func rows(_ text: String) throws {
        try write("etc/auth_id", "bin oidc:groups:release \(Server.issuer)\n\(text)\n", mode: 0o640, as: "root:nogroup")
    }
    func config(_ text: String) throws { try write("etc/config.yml", text + "\n", mode: 0o640, as: "root:nogroup") }
    func revoked(_ text: String) throws { try write("etc/revoked", text + "\n", mode: 0o640, as: "root:nogroup") }

    /// A home file of the account nobody's, and the audit looks at it.
    func home(_ text: String, mode: mode_t = 0o600) throws {
        mkdir(folder + "/home", 0o755)
        mkdir(folder + "/home/.opk", 0o700)
        try write("home/.opk/auth_id", text + "\n", mode: mode)
        try own(folder + "/home", "nobody:nogroup")
        places.homes = [Account(name: "nobody", user: 65534, group: 65534, home: folder + "/home", shell: "/bin/false")]
    }

    /// The issuer's keys, fetched so many seconds ago.
    func keep(age: Int64, issuer: String = Server.issuer) throws {
        let key = MintedLogin.jwk(TestKeys.ed25519.publicKey, ["kid": "one", "alg": "EdDSA", "use": "sig"])
        let body = (["keys": .array([key])] as JSON).serialized
        let record = CachedKeys(
            issuer: Text(issuer), keysURI: Text(issuer + "/jwks"), userinfoEndpoint: nil, fetchedAt: now + -age, cacheSeconds: nil,
            body: body)
        guard let record else { throw CocoaError(.coderInvalidValue) }
        try KeyCache(directory: places.cacheFolder).write(record)
        try own(folder + "/cache", "_apt:nogroup")
    }

    func keyFile(_ issuer: String = Server.issuer) -> String {
        folder + "/cache/" + Digest.sha256(Text(issuer).utf8).map { String(format: "%02x", $0) }.joined() + ".json"
    }

    private var listener: Int32 = -1

    private func listen(at path: String) throws {
        listener = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { place in
            for (index, byte) in path.utf8.enumerated() { place[index] = byte }
        }
        let answer = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        close(listener)
        guard answer == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func audit() -> AuditReport { Auditor.audit(places, at: now) }
}

extension AuditReport {
    var codes: Set<FindingCode> { Set(findings.map(\.code)) }
    func first(_ code: FindingCode) -> Finding? { findings.first { $0.code == code } }
}
