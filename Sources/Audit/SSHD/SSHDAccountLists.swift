import Vocabulary

/// AllowUsers and its like: whom sshd itself refuses, whoever vouches for them (sshd_config(5), auth.c allowed_user).
package struct SSHDAccountLists {
    private let denyUsers: [String]
    private let allowUsers: [String]
    private let denyGroups: [String]
    private let allowGroups: [String]

    package init(_ sshd: SSHDSettings) {
        denyUsers = sshd.all("denyusers").flatMap(SSHDFiles.words)
        allowUsers = sshd.all("allowusers").flatMap(SSHDFiles.words)
        denyGroups = sshd.all("denygroups").flatMap(SSHDFiles.words)
        allowGroups = sshd.all("allowgroups").flatMap(SSHDFiles.words)
    }

    /// Nil where connections from somewhere may log in. A pattern with a host may fit some connections, so it refuses nobody for certain.
    package func reasonToRefuse(_ account: Account) -> String? {
        if let pattern = denyUsers.first(where: { !$0.contains("@") && Wildcard.matches($0, account.name) }) {
            return "DenyUsers has \(Text(pattern))"
        }
        let names = allowUsers.map { $0.prefix { $0 != "@" } }
        if !allowUsers.isEmpty && !names.contains(where: { Wildcard.matches(String($0), account.name) }) {
            return "AllowUsers does not have it"
        }
        if denyGroups.isEmpty && allowGroups.isEmpty { return nil }
        let groups = account.groups.map(Group.name(of:))
        if let pattern = denyGroups.first(where: { pattern in groups.contains { Wildcard.matches(pattern, $0) } }) {
            return "DenyGroups has \(Text(pattern))"
        }
        if !allowGroups.isEmpty && !allowGroups.contains(where: { pattern in groups.contains { Wildcard.matches(pattern, $0) } }) {
            return "AllowGroups has none of its groups"
        }
        return nil
    }

    /// `%h`, `%u` and `%U`; below the home where it is no absolute path.
    package static func expand(_ pattern: String, _ account: Account) -> String {
        var path = ""
        var isToken = false
        for character in pattern {
            switch (isToken, character) {
            case (false, "%"): isToken = true
            case (true, "h"): (path, isToken) = (path + account.home, false)
            case (true, "u"): (path, isToken) = (path + account.name, false)
            case (true, "U"): (path, isToken) = (path + "\(account.user)", false)
            default:
                path.append(character)
                isToken = false
            }
        }
        return path.hasPrefix("/") ? path : account.home + "/" + path
    }
}

/// sshd's patterns: `*` and `?`.
enum Wildcard {
    static func matches(_ pattern: String, _ text: String) -> Bool {
        let (pattern, text) = (Array(pattern.utf8), Array(text.utf8))
        var (p, t) = (0, 0)
        var retry: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count && pattern[p] == UInt8(ascii: "*") {
                retry = (p + 1, t)
                p += 1
            } else if p < pattern.count && (pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t]) {
                p += 1
                t += 1
            } else if let last = retry {
                retry = (last.pattern, last.text + 1)
                (p, t) = (last.pattern, last.text + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
