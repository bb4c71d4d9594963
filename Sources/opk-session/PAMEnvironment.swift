import ChildProcess
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What pam_exec gives a program: first what modules put into PAM's environment, which pam_env may have read from a file of the user's, then pam_exec's own
/// variables, PAM_USER and its like (Linux-PAM, pam_exec.c). So of two with one name the last is PAM's.
struct PAMEnvironment {
    private let entries: [[UInt8]]

    init(_ environment: ProcessEnvironment) { entries = environment.entries }

    /// This process's, which has none from then on: no library finds a word in it.
    static func taken() -> PAMEnvironment {
        let environment = PAMEnvironment(.inherited())
        clearenv()
        return environment
    }

    /// The last of that name.
    subscript(_ name: String) -> String? {
        let prefix = Array((name + "=").utf8)
        return entries.last { $0.starts(with: prefix) }.map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) }
    }

    /// A variable that only somebody puts there who wants to have a say in a program of root's: what the loader, the C library, OpenSSL or Swift's runtime
    /// act on, or a name of PAM's or sshd's that is there twice. Nil where there is none.
    var intruder: Text? {
        var seen = Set<Text>()
        for entry in entries {
            let name = Text(String(decoding: entry.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self))
            if PAMEnvironment.actedOn.contains(where: { name.hasPrefix($0) }) { return name }
            let isPAMs = name.hasPrefix("PAM_") || name == "SSH_AUTH_INFO_0"
            if isPAMs, !seen.insert(name).inserted { return name }
        }
        return nil
    }

    private static let actedOn = ["LD_", "GCONV_PATH", "GLIBC_TUNABLES", "OPENSSL_", "SWIFT_"].map { Text($0) }
}
