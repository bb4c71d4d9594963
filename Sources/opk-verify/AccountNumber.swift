import Policy
import SSHKeys

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The number of an account, from the system's own list of accounts (getpwnam_r, so whatever nsswitch.conf names).
enum AccountNumber {
    static func answer(for account: Principal) -> UserIDAnswer {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        // Bigger than what any entry needs; where one is bigger still, the number is not known, and nobody is admitted by it.
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        // The call writes into `entry` and the buffer, both of which outlive it.
        let error = unsafe getpwnam_r(account.description, &entry, &buffer, buffer.count, &found)
        return unsafe error == 0 && found != nil ? .known(entry.pw_uid) : .unknown
    }
}
