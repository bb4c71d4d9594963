import CSystem
import Identities

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The kernel's keyring of the user (user-keyring(7)): a key of type `user`, `opk:refresh:NAME`, that only processes of this user may read. It
/// outlives a session and a logout, and is gone when the machine starts anew; it is never written to a disk (unless the machine swaps).
struct KeyringTokens: Sendable {
    func check() throws(TokenStoreError) {
        let error = opk_keyring_probe()
        guard error == 0 else { throw .keyring(errno: error) }
    }

    func write(_ bytes: [UInt8], _ name: IdentityName) throws(TokenStoreError) {
        // The kernel copies both.
        let error = unsafe opk_keyring_set(KeyringTokens.description(of: name), bytes, bytes.count, 0)
        guard error == 0 else { throw .keyring(errno: error) }
    }

    func read(_ name: IdentityName) throws(TokenStoreError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: StoredRefreshToken.largest)
        let count = unsafe opk_keyring_get(KeyringTokens.description(of: name), &bytes, bytes.count)
        guard count >= 0 else {
            if KeyringTokens.meansAbsent(errno) { return nil }
            throw .keyring(errno: errno)
        }
        guard count <= bytes.count else { throw .malformed(.keyring) }
        return Array(bytes.prefix(count))
    }

    func remove(_ name: IdentityName) throws(TokenStoreError) {
        let error = unsafe opk_keyring_remove(KeyringTokens.description(of: name))
        guard error == 0 || KeyringTokens.meansAbsent(error) else { throw .keyring(errno: error) }
    }

    static func description(of name: IdentityName) -> String { "opk:refresh:\(name.text)" }

    private static func meansAbsent(_ number: Int32) -> Bool {
        #if os(Linux)
            number == ENOKEY || number == EKEYEXPIRED || number == EKEYREVOKED
        #else
            false
        #endif
    }
}
