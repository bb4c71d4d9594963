public import LibCrypto
public import Vocabulary

/// The signature algorithms of RFC 7518 and RFC 8037 that opk accepts, and OpenPubkey's GQ256: a closed list. There is no `none` and no
/// HMAC in it, so none can be confused with these (V02 to V04).
public enum JWSAlgorithm: String, Hashable, Sendable, CaseIterable {
    case rs256 = "RS256"
    case ps256 = "PS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
    /// A proof of knowing an RS256 signature; not a signature by itself. PROTOCOL section 2.
    case gq256 = "GQ256"

    /// By its name in a header or a JWK, byte for byte.
    public init?(name: Text) {
        guard let found = JWSAlgorithm.allCases.first(where: { Text($0.rawValue) == name }) else { return nil }
        self = found
    }

    /// Nil for GQ256, which no key signs with directly.
    public var scheme: SignatureScheme? {
        switch self {
        case .rs256: .rsaPKCS1SHA256
        case .ps256: .rsaPSSSHA256
        case .es256: .ecdsaP256SHA256
        case .edDSA: .ed25519
        case .gq256: nil
        }
    }

    /// Whether a key of this kind signs with this algorithm.
    public func fits(_ key: PublicKey) -> Bool {
        switch (self, key) {
        case (.rs256, .rsa), (.ps256, .rsa), (.es256, .p256), (.edDSA, .ed25519): true
        default: false
        }
    }
}
