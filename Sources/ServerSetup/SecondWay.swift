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
    static func find(_ question: SSHDQuestion, invoker: String?, other: OtherCommand?) -> SecondWay? {
        if let other { return SecondWay(description: "keys that \(Text(other.program).escaped) knows") }
        for account in administrators(invoker) {
            guard let settings = question.settings(for: account.name), SSHDAccountLists(settings).reasonToRefuse(account) == nil else {
                continue
            }
            let root = account.user == 0 ? settings.first("permitrootlogin") ?? "yes" : "yes"
            if root == "no" || root == "forced-commands-only" { continue }
            if allows("publickey", settings), settings.says("pubkeyauthentication", "yes") {
                if let file = keyFile(of: account, settings) {
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
            if byPassword, root == "yes", hasPassword(account) {
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

    private static func keyFile(of account: Account, _ settings: SSHDSettings) -> String? {
        let patterns = SSHDFiles.words(settings.first("authorizedkeysfile") ?? "none").filter { $0 != "none" }
        return patterns.map { SSHDAccountLists.expand($0, account) }.first { path in
            guard let bytes = try? BoundedInput.read(path, limit: 4 << 20) else { return false }
            return bytes.split(separator: UInt8(ascii: "\n")).contains { line in
                let text = line.drop { $0 == 0x20 || $0 == 0x09 }
                return text.first.map { $0 != UInt8(ascii: "#") } ?? false && text.count > 40
            }
        }
    }

    /// shadow(5): a field that begins with ! or * fits no password.
    private static func hasPassword(_ account: Account) -> Bool {
        guard let bytes = try? BoundedInput.read("/etc/shadow", limit: 16 << 20) else { return false }
        let start = Array(account.name.utf8) + [UInt8(ascii: ":")]
        guard let line = bytes.split(separator: UInt8(ascii: "\n")).first(where: { $0.starts(with: start) }),
            let first = line.dropFirst(start.count).first
        else { return false }
        return first != UInt8(ascii: "!") && first != UInt8(ascii: "*") && first != UInt8(ascii: ":")
    }
}
