import AuditTrail
public import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why there is nothing to show.
public enum LogError: Error, Sendable {
    // The call (exit status 64)
    case usage(String)
    case time(Text)
    case type(Text)

    case absent(path: String)
    /// - Parameter group: who may read it besides its owner, where the group may.
    case denied(path: String, group: String?)
    case unreadable(path: String, errno: Int32)
    /// A folder, a device, a link.
    case notAFile(path: String)
    /// A rotated file cannot be had: the program that unpacks it is missing or says that it is broken.
    case unpacking(path: String, why: String)
    /// It was found, and is not there any more under any name: packed or deleted while the log was being read.
    case rotated(path: String)
    case output(errno: Int32)

    public var isUsage: Bool {
        switch self {
        case .usage, .time, .type: true
        default: false
        }
    }
}

extension LogError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .usage(let text): text
        case .time(let text): "this is not a time: \(text.escaped(limit: 80))"
        case .type(let text): "there is no such type of event: \(text.escaped(limit: 80))"
        case .absent(let path): "there is no \(LogError.shown(path)), so nothing is recorded here"
        case .denied(let path, let group):
            "\(LogError.shown(path)) cannot be read by you: it is for root"
                + (group.map { " and the group \(Text($0).escaped(limit: 40))" } ?? "")
        case .unreadable(let path, let number): "\(LogError.shown(path)) cannot be read: \(LogError.system(number))"
        case .notAFile(let path): "\(LogError.shown(path)) is no regular file"
        case .unpacking(let path, let why): "\(LogError.shown(path)) cannot be unpacked: \(why)"
        case .rotated(let path): "\(LogError.shown(path)) was packed or removed while the log was being read"
        case .output(let number): "standard output cannot be written: \(LogError.system(number))"
        }
    }

    public var hint: String? {
        switch self {
        case .time: "for example 2h, 30m, 7d, today, yesterday, 2026-11-27, 2026-11-27 18:00, 18:00 or 2026-11-27T18:00Z"
        case .type: "types are " + AuditKind.allCases.map(\.rawValue).joined(separator: ", ")
        case .absent(AuditTrail.defaultPath):
            "make it: sudo install -d -m 0755 /var/log/opk && sudo install -o opksshuser -g adm -m 0640 /dev/null \(AuditTrail.defaultPath)"
        case .denied(_, let group?):
            "use sudo, or become a member: sudo adduser \"$USER\" \(Text(group).escaped(limit: 40)), and log in anew"
        case .denied: "use sudo"
        case .rotated: "run the command again"
        default: nil
        }
    }

    private static func shown(_ path: String) -> String { Text(path).escaped(limit: 256) }

    static func system(_ number: Int32) -> String {
        // Copied before anything else can ask for a text.
        unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    }
}
