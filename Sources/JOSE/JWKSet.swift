public import LibCrypto
public import Vocabulary

/// A provider's signing keys (RFC 7517 section 5). Keys that do not count are passed over; a set that is no set is an error.
public struct JWKSet: Sendable {
    /// The keys that count, in order.
    public let keys: [JWK]

    public init(parsing bytes: [UInt8]) throws(JSONError) {
        try self.init(JSON(parsing: bytes))
    }

    /// - Throws: `.notAnObject` for a bare array, a bare key, or an object whose `keys` is not an array.
    public init(_ json: JSON) throws(JSONError) {
        guard let elements = json["keys"]?.array else { throw JSONError(.notAnObject, at: 0) }
        var keys: [JWK] = []
        for element in elements where keys.count < JWKSet.maximumKeys {
            if let object = element.object, let key = JWK(object) { keys.append(key) }
        }
        self.keys = keys
    }

    /// Keys that count beyond this many are passed over: making a key costs time, and a provider has a handful.
    public static let maximumKeys = 256
    /// Good keys of one `kid` that are tried.
    static let maximumTried = 4
    /// Keys of one `kid` that are looked at for good ones.
    static let maximumMade = 16

    /// Whether any key can be used at all. A set without one must not replace a good one (C13).
    public var hasUsableKey: Bool { keys.contains { $0.publicKey() != nil } }

    public enum Selection: Sendable {
        /// One to four keys to try.
        case keys([PublicKey])
        case none
        /// Several fit and the token does not say which (RFC 7515 section 4.1.4, V08).
        case ambiguous
    }

    /// The keys that may have made a signature: those of that `kid` and algorithm, at most four; without a `kid`, the one that fits.
    public func select(keyID: Text?, algorithm: JWSAlgorithm) -> Selection {
        let fitting = keys.filter { $0.algorithm == algorithm && (keyID == nil || $0.keyID == keyID) }
        // Loops: the types of lazy chains are put together at run time, which costs as much here as a signature of the provider's.
        var usable: [PublicKey] = []
        if keyID == nil {
            for key in fitting where usable.count < 2 {
                if let key = key.publicKey() { usable.append(key) }
            }
            return usable.isEmpty ? .none : usable.count == 1 ? .keys(usable) : .ambiguous
        }
        for key in fitting.prefix(JWKSet.maximumMade) where usable.count < JWKSet.maximumTried {
            if let key = key.publicKey() { usable.append(key) }
        }
        return usable.isEmpty ? .none : .keys(usable)
    }
}
