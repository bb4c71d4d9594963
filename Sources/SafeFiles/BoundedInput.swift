internal import CSystem
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a person hands over to be read: any file they may read, or standard input. Nothing about it is trusted.
public enum BoundedInput {
    public enum Failure: Error, Sendable, Hashable {
        case unreadable(path: String, errno: Int32)
        /// Over `limit` bytes.
        case tooLarge(path: String, limit: Int)
    }

    /// - Parameter path: `-` for standard input.
    public static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        let number = path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : unsafe opk_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0)
        guard let file = Descriptor(number) else { throw .unreadable(path: path, errno: errno) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            guard let count = file.read(into: &buffer) else { throw .unreadable(path: path, errno: errno) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            if bytes.count > limit { throw .tooLarge(path: path, limit: limit) }
        }
    }
}

extension BoundedInput.Failure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let path, let number): "\(BoundedInput.Failure.name(path)) cannot be read: \(systemErrorText(number))"
        case .tooLarge(let path, let limit): "\(BoundedInput.Failure.name(path)) is over \(limit) bytes"
        }
    }

    private static func name(_ path: String) -> String { path == "-" ? "standard input" : Text(path).escaped }
}
