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
        keys = elements.compactMap { $0.object.flatMap(JWK.init) }
    }

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
        let fitting = keys.lazy.filter { $0.algorithm == algorithm && (keyID == nil || $0.keyID == keyID) }
        var usable: [PublicKey] = []
        for key in fitting {
            if let key = key.publicKey() { usable.append(key) }
            if usable.count == (keyID == nil ? 2 : 4) { break }
        }
        if usable.isEmpty { return .none }
        return keyID == nil && usable.count > 1 ? .ambiguous : .keys(usable)
    }
}
