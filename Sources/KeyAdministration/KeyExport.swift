public import KeyCache
public import Vocabulary

/// What of a cache can be carried to another machine.
public struct KeyExport: Sendable {
    public private(set) var keys: [CachedKeys] = []
    /// Whose cannot, and why.
    public private(set) var missing: [(issuer: Text, why: String)] = []

    /// - Parameter issuers: whose; if empty, of all that providers names.
    public init(_ store: KeyStore, of issuers: [Text], at now: UnixTime) throws(KeysError) {
        let cache = store.cache
        for issuer in try store.issuers(issuers) {
            switch cache.lookUp(issuer: issuer) {
            case .found(let found) where found.fetchedAt > now + KeyImport.tolerance:
                missing.append((issuer, "they were fetched in the future, by this machine's clock"))
            case .found(let found): keys.append(found)
            case .absent: missing.append((issuer, "the cache has none"))
            case .unusable(let why): missing.append((issuer, why))
            }
        }
    }

    public var text: [UInt8] { KeyBundle.text(keys) }
}
