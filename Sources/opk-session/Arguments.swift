import SafeFiles
import Sessions
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `opk-session [--config-dir DIR] [--sessions-dir DIR] [--audit-log FILE]`.
enum Arguments {
    /// Nil for a wrong call.
    static func places(_ words: [[UInt8]]) -> SessionPlaces? {
        var places = SessionPlaces()
        var rest = words[...]
        while let word = rest.popFirst() {
            guard let path = rest.popFirst().flatMap({ Text(validating: $0) }), path.hasPrefix("/"), !path.contains(0) else { return nil }
            switch String(decoding: word, as: UTF8.self) {
            case "--config-dir": (places.configFolder, places.trust) = (path.string, .rootOrUser(geteuid()))
            case "--sessions-dir": places.sessions = SessionFolder(path.string)
            case "--audit-log": places.log = path.string
            default: return nil
            }
        }
        return places
    }

    static let help = """
        usage: opk-session [--config-dir DIR] [--sessions-dir DIR] [--audit-log FILE]

        Called by pam_exec for sshd, as root, when a session begins. Writes down whose it is, where a certificate with an identity of opk logged
        in: a file in /run/opk/sessions, and the event login of the audit log. For every other session it does nothing, nor at a session's end:
        `opk sessions enforce`, which a timer calls every minute, writes the event logout. Keeps nobody out: it always ends with status 0, after
        3 seconds at the latest.

        The line for /etc/pam.d/sshd, at its top, before anything that takes variables from the user (pam_env):
          session optional pam_exec.so quiet type=open_session /usr/local/libexec/opk/opk-session
        """
}
