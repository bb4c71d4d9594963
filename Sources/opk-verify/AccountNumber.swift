import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The number of an account, from the system's own list of accounts (getpwnam_r, so whatever nsswitch.conf names).
enum AccountNumber {
    /// In decimal.
    static func answer(for account: [UInt8]) -> HelperAnswer {
        guard AccountName.isSafe(account) else { return .failed("the account's name is not one that may be written down") }
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        // Bigger than what any entry needs; where one is bigger still, the number is not known, and nobody is admitted by it.
        var buffer = [CChar](repeating: 0, count: 64 << 10)
        // The call writes into `entry` and the buffer, both of which outlive it.
        let error = unsafe getpwnam_r(String(decoding: account, as: UTF8.self), &entry, &buffer, buffer.count, &found)
        if error != 0 { return .failed("the account cannot be looked up: error \(error)") }
        return unsafe found == nil ? HelperAnswer(.absent) : HelperAnswer(.done, Array(String(entry.pw_uid).utf8))
    }
}
