import AuditTrail
import SafeFiles
import Verifier
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `opk-verify [--config-dir DIR] [--cache-dir DIR] [--state-dir DIR] [--audit-log FILE] [--] USER KEY TYPE [EXTRA…]`, as sshd calls it: PROTOCOL section 4.
struct Arguments {
    var configFolder = Arguments.defaultConfigFolder
    var cacheFolder = "/var/cache/opk"
    var stateFolder = Arguments.defaultStateFolder
    /// Nil: decisions are not audited. So with another configuration than the system's, unless the file is named.
    var auditLog: String?
    var request: LoginRequest
    /// Words after the third, which a later sshd or a plugin may have a use for.
    var extra: [[UInt8]]

    static let defaultConfigFolder = "/etc/opk"
    static let defaultStateFolder = "/var/lib/opk"

    enum Call {
        case verify(Arguments)
        case help
        case version
        /// What is wrong with the call.
        case wrong(String)
    }

    /// - Parameter words: the arguments without the program's name. Only a word before the first that is not an option can be one, so a
    ///   user name after `--` never is (CWE-88). Help and version are only for who asks nothing else: with three words the answer on
    ///   standard output is sshd's.
    static func parse(_ words: [[UInt8]]) -> Call {
        var rest = words[...]
        var configFolder: String?
        var cacheFolder: String?
        var stateFolder: String?
        var auditLog: String?
        options: while let word = rest.first, word.first == UInt8(ascii: "-"), word.count > 1 {
            rest.removeFirst()
            switch String(decoding: word, as: UTF8.self) {
            case "--": break options
            case "--help" where words.count == 1, "-h" where words.count == 1: return .help
            case "--version" where words.count == 1: return .version
            case "--config-dir":
                guard let folder = Arguments.folder(rest.popFirst()) else { return .wrong("--config-dir wants an absolute path") }
                configFolder = folder
            case "--cache-dir":
                guard let folder = Arguments.folder(rest.popFirst()) else { return .wrong("--cache-dir wants an absolute path") }
                cacheFolder = folder
            case "--state-dir":
                guard let folder = Arguments.folder(rest.popFirst()) else { return .wrong("--state-dir wants an absolute path") }
                stateFolder = folder
            case "--audit-log":
                guard let file = Arguments.folder(rest.popFirst()) else { return .wrong("--audit-log wants an absolute path") }
                auditLog = file
            default: return .wrong("unknown option \(escaped(word, limit: 64))")
            }
        }
        guard rest.count >= 3 else { return .wrong("a user, a key and a key type are wanted") }
        let request = LoginRequest(account: rest[rest.startIndex], key: rest[rest.startIndex + 1], type: rest[rest.startIndex + 2])
        var arguments = Arguments(request: request, extra: Array(rest.dropFirst(3)))
        if let configFolder { arguments.configFolder = configFolder }
        if let cacheFolder { arguments.cacheFolder = cacheFolder }
        if let stateFolder { arguments.stateFolder = stateFolder }
        arguments.auditLog = auditLog ?? (arguments.isOwnConfiguration ? nil : AuditTrail.defaultPath)
        return .verify(arguments)
    }

    /// Whether the files may belong to the user who runs this: so with `--config-dir`, as in tests.
    var isOwnConfiguration: Bool { configFolder != Arguments.defaultConfigFolder }

    /// Whose files count.
    var trust: FileTrust { isOwnConfiguration ? .rootOrUser(geteuid()) : .rootOnly }

    private static func folder(_ word: [UInt8]?) -> String? {
        let slash = UInt8(ascii: "/")
        guard let word, let text = Text(validating: word), word.first == slash, !text.contains(0) else { return nil }
        // One way to write a folder: `/etc/opk/` is /etc/opk, whose files must be root's.
        var path: [UInt8] = []
        var start = 0
        while start < word.count {
            var end = start
            while end < word.count && word[end] != slash { end += 1 }
            if end > start && !(end == start + 1 && word[start] == UInt8(ascii: ".")) {
                path.append(slash)
                path += word[start..<end]
            }
            start = end + 1
        }
        return path.isEmpty ? "/" : String(decoding: path, as: UTF8.self)
    }

    static let help = """
        usage: opk-verify [--config-dir DIR] [--cache-dir DIR] [--state-dir DIR] [--audit-log FILE] [--] USER KEY TYPE [EXTRA…]

        sshd's AuthorizedKeysCommand for OpenPubkey certificates. In sshd_config:

            AuthorizedKeysCommand /usr/local/libexec/opk/opk-verify -- %u %k %t
            AuthorizedKeysCommandUser opksshuser

          --config-dir DIR   where providers, auth_id and config.yml lie (/etc/opk)
          --cache-dir DIR    where the providers' keys are kept (/var/cache/opk)
          --state-dir DIR    where refusals that are not logged one by one are counted (/var/lib/opk)
          --audit-log FILE   where decisions are recorded (/var/log/opk/audit.jsonl; with --config-dir, nowhere)
          --version          print the version

        Prints the line that admits, with exit status 0; nothing and 0 for a key that is no OpenPubkey certificate; nothing and 1 for a
        refusal; nothing and 2 for a wrong call or a configuration file that cannot be used. One line in the log says why.
        """
}
