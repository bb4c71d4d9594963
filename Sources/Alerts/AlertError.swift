import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why nobody could be told, or nothing counted.
public enum AlertError: Error, Hashable, Sendable {
    case log(path: String, errno: Int32)
    /// A sentence about /etc/opk/config.yml.
    case configuration(String)
    case state(path: String, reason: String)
    case writing(String)
    case busy(path: String)
    /// A rotated file was renamed or packed while it was to be read: the next run reads it.
    case rotated(path: String)
}

extension AlertError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .log(let path, let number): "\(Text(path).escaped) cannot be read: \(AlertError.text(number))"
        case .configuration(let sentence): sentence
        case .state(let path, let reason): "\(Text(path).escaped) cannot be used: \(reason)"
        case .writing(let sentence): sentence
        case .rotated(let path): "\(Text(path).escaped) was renamed or packed while it was to be read; the next run reads it"
        case .busy(let path): "another one is at work: \(Text(path).escaped) is locked"
        }
    }

    /// What to type next; nil where that is plain.
    public var hint: String? {
        switch self {
        case .log(_, EACCES): "only root may read the log: sudo opk log"
        case .log: nil
        case .configuration: "sudo opk audit"
        case .state(let path, _):
            "it only says what was told already: remove \(Text(path).escaped), and nobody is told twice of what is older"
        case .writing, .busy, .rotated: nil
        }
    }

    private static func text(_ number: Int32) -> String {
        // The text is copied before anything else can ask for one.
        unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    }
}
