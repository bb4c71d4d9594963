import Policy
import PolicyExplanation
import SSHKeys

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What an explanation asks this system for.
enum SystemOutside {
    static func outside(runPlugins: Bool) -> Outside {
        var outside = Outside()
        outside.userID = number
        return outside
    }

    /// As opk-verify asks.
    private static func number(of account: Principal) -> UserIDAnswer {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        // The call writes into `entry` and the buffer, both of which outlive it.
        let error = unsafe getpwnam_r(account.description, &entry, &buffer, buffer.count, &found)
        return unsafe error == 0 && found != nil ? .known(entry.pw_uid) : .unknown
    }
}
