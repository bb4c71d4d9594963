import SafeFiles
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The lock of a file of policy, which everybody holds who changes it: flock(2) on `.NAME.lock` beside it (0600, empty), which the system lets go when its
/// holder ends. It stays there; who removes one holds it meanwhile.
package struct PolicyLock: Sendable {
    /// The lock itself.
    package let path: String
    private let file: String

    /// How long one command may keep others waiting, in milliseconds; and how long these wait for however many.
    static let patience = 10_000
    static let longestQueue = 120_000

    /// - Parameter file: the file of policy.
    package init(_ file: String) {
        let bytes = Array(file.utf8)
        let start = (bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        self.file = file
        path = String(decoding: bytes[..<start], as: UTF8.self) + "." + String(decoding: bytes[start...], as: UTF8.self) + ".lock"
    }

    /// What `body` does, once nobody else has the lock.
    func held<Result>(_ body: () throws(PolicyError) -> Result) throws(PolicyError) -> Result {
        try held({ $0 }, body)
    }

    /// - Parameter failing: what it is to the caller that the lock was not to be had.
    package func held<Result, Failure: Error>(
        _ failing: (PolicyError) -> Failure, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var left = PolicyLock.longestQueue
        while true {
            let begun = UnixTime.now()
            let result: Result? = try FileLock.attempt(path, waitingAtMost: left, stuckAfter: PolicyLock.patience) {
                state throws(Failure) in
                switch state {
                case .held: return try body()
                case .stuck where left > PolicyLock.longestQueue - PolicyLock.patience: return nil
                case .busy, .stuck: throw failing(.busy(file))
                case .unavailable(let failure): throw failing(.writing(failure))
                }
            }
            if let result { return result }
            // Whoever has it may have taken it this moment, and not have said so yet: the time that was seen is then its last holder's.
            usleep(50_000)
            left -= max(50, Int(clamping: UnixTime.now() - begun) * 1000)
        }
    }
}
