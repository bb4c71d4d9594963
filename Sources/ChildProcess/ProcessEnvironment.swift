internal import CSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a child finds in its environment: given whole, never inherited by accident.
public struct ProcessEnvironment: Sendable, Hashable {
    /// "NAME=value", without NUL. Bytes, since an environment need not be UTF-8.
    public private(set) var entries: [[UInt8]]

    public static let empty = ProcessEnvironment(entries: [])

    /// A copy of this process's.
    public static func inherited() -> ProcessEnvironment {
        var entries: [[UInt8]] = []
        // The entry lives until somebody changes the environment, which we never do.
        while let entry = unsafe opk_environment(entries.count) {
            entries.append(unsafe UnsafeBufferPointer(start: entry, count: strlen(entry)).map { UInt8(bitPattern: $0) })
        }
        return ProcessEnvironment(entries: entries)
    }

    /// - Parameter entries: "NAME=value", no name twice. One with a NUL is an error when the child is started.
    public init(entries: [[UInt8]]) {
        self.entries = entries
    }

    /// The variable's value; nil where it is not set or, setting it, to unset it.
    public subscript(_ name: String) -> String? {
        get {
            let prefix = Array((name + "=").utf8)
            return entries.first { $0.starts(with: prefix) }.map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) }
        }
        set {
            let prefix = Array((name + "=").utf8)
            entries.removeAll { $0.starts(with: prefix) }
            if let newValue { entries.append(prefix + Array(newValue.utf8)) }
        }
    }

    /// Without what may hold a secret of ours or of a CI system's: for a program that is not ours, and whatever that starts.
    public var withoutSecrets: ProcessEnvironment {
        ProcessEnvironment(entries: entries.filter { entry in !ProcessEnvironment.secretPrefixes.contains { entry.starts(with: $0.utf8) } })
    }

    /// OPKSSH_PROVIDERS carries client secrets, OPENPUBKEY_JWT and ACTIONS_ID_TOKEN_REQUEST_TOKEN are tokens.
    private static let secretPrefixes = ["OPK_", "OPKSSH_", "OPENPUBKEY_", "ACTIONS_ID_TOKEN_"]
}
