import Audit
import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A way into the machine that does without our certificates: what is left when a provider is gone, or a policy wrong.
struct SecondWay: Sendable {
    /// One sentence, escaped.
    let description: String

    private static let groups = ["sudo", "wheel", "admin"]
    private static let most = 20

    /// The first that is found for somebody who may become root: a key in a file that sshd reads, a password, an authority for certificates, or
    /// another command that is asked. Nil where there is none.
    ///
    /// - Parameters:
    ///   - question: about the configuration as it will be.
    ///   - other: asked after us, and able to answer.
    static func find(_ question: SSHDQuestion, invoker: String?, other: OtherCommand?, at now: UnixTime = .now()) -> SecondWay? {
        if let other { return SecondWay(description: "keys that \(Text(other.program).escaped) knows") }
        for account in administrators(invoker) {
            guard let settings = question.settings(for: account.name), SSHDAccountLists(settings).reasonToRefuse(account) == nil,
                mayComeIn(account, settings, at: now)
            else { continue }
            let root = account.user == 0 ? settings.first("permitrootlogin") ?? "yes" : "yes"
            if root == "no" || root == "forced-commands-only" { continue }
            if allows("publickey", settings), settings.says("pubkeyauthentication", "yes") {
                if let file = keyFile(of: account, settings, at: now) {
                    return SecondWay(description: "\(Text(account.name).escaped) with a key in \(Text(file).escaped)")
                }
                if let authority = settings.all("trustedusercakeys").first {
                    return SecondWay(description: "certificates of \(Text(authority).escaped)")
                }
            }
            let byPassword =
                settings.says("passwordauthentication", "yes") && allows("password", settings)
                || settings.says("kbdinteractiveauthentication", "yes") && settings.says("usepam", "yes")
                    && allows("keyboard-interactive", settings)
            if byPassword, root == "yes", ShadowEntry(of: account.name)?.hasPassword ?? false {
                return SecondWay(description: "\(Text(account.name).escaped) with a password")
            }
        }
        return nil
    }

    /// Root, whoever called, and members of the groups that sudo knows.
    private static func administrators(_ invoker: String?) -> [Account] {
        var names = ["root"] + (invoker.map { [$0] } ?? [])
        for group in groups {
            guard let entry = unsafe getgrnam(group), let members = unsafe entry.pointee.gr_mem else { continue }
            // A list that ends with null, which lives until the next question; its strings are copied.
            var index = 0
            while let member = unsafe members[index] {
                names.append(unsafe String(cString: member))
                index += 1
            }
        }
        var seen = Set<String>()
        return names.filter { seen.insert($0).inserted }.prefix(most).compactMap(Account.named)
    }

    /// One method alone must do.
    private static func allows(_ method: String, _ settings: SSHDSettings) -> Bool {
        guard let methods = settings.first("authenticationmethods") else { return true }
        return SSHDFiles.words(methods).contains { $0 == "any" || $0 == method || $0.hasPrefix(method + ":") }
    }

    /// Whether somebody who has proved who they are gets a shell.
    private static func mayComeIn(_ account: Account, _ settings: SSHDSettings, at now: UnixTime) -> Bool {
        guard settings.first("forcecommand") ?? "none" == "none", account.hasLoginShell else { return false }
        // An empty one is the system's own.
        guard unsafe account.shell.isEmpty || access(account.shell, X_OK) == 0 else { return false }
        guard let shadow = ShadowEntry(of: account.name) else { return true }
        return !shadow.hasExpired(at: now) && (settings.says("usepam", "yes") || !shadow.isLocked)
    }

    private static func keyFile(of account: Account, _ settings: SSHDSettings, at now: UnixTime) -> String? {
        let patterns = SSHDFiles.words(settings.first("authorizedkeysfile") ?? "none").filter { $0 != "none" }
        return patterns.map { SSHDAccountLists.expand($0, account) }.first { path in
            guard StrictModes.admits(path, of: account, isStrict: !settings.says("strictmodes", "no")),
                let bytes = try? BoundedInput.read(path, limit: 4 << 20)
            else { return false }
            return bytes.split(separator: UInt8(ascii: "\n")).contains { line in
                AuthorizedKeyLine(line).map { $0.givesShell(at: now) && accepts($0, settings) } ?? false
            }
        }
    }

    private static func accepts(_ key: AuthorizedKeyLine, _ settings: SSHDSettings) -> Bool {
        if let bits = key.rsaBits, bits < settings.first("requiredrsasize").flatMap({ Int($0) }) ?? 1024 { return false }
        guard let accepted = settings.list("pubkeyacceptedalgorithms") ?? settings.list("pubkeyacceptedkeytypes") else { return true }
        let algorithms = key.type == "ssh-rsa" ? ["rsa-sha2-256", "rsa-sha2-512", "ssh-rsa"] : [key.type]
        return algorithms.contains(where: accepted.contains)
    }
}
