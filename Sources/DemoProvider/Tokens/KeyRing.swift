import JOSE
import LibCrypto
import Vocabulary

/// The algorithms that this provider signs with.
enum SigningAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case ps256 = "PS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"

    var scheme: SignatureScheme {
        switch self {
        case .rs256: .rsaPKCS1SHA256
        case .ps256: .rsaPSSSHA256
        case .es256: .ecdsaP256SHA256
        case .edDSA: .ed25519
        }
    }

    /// OpenID Connect Core section 3.1.3.6: the left half of the hash that goes with the algorithm.
    func halfHash(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .rs256, .ps256, .es256: Array(Digest.sha256(bytes).prefix(16))
        case .edDSA: Array(Digest.sha512(bytes).prefix(32))
        }
    }

    func newKey() throws(KeyError) -> PrivateKey {
        switch self {
        case .rs256, .ps256: try PrivateKey(generating: .rsa(bits: 2048))
        case .es256: try PrivateKey(generating: .p256)
        case .edDSA: try PrivateKey(generating: .ed25519)
        }
    }
}

/// The signing keys: the newest signs, all are published.
struct KeyRing: Sendable {
    struct Entry: Sendable {
        let identifier: Text
        let algorithm: SigningAlgorithm
        let key: PrivateKey
    }

    private(set) var signing: Entry
    private(set) var older: [Entry] = []
    private var made = 1

    init(_ algorithm: SigningAlgorithm) throws(KeyError) {
        signing = Entry(identifier: KeyRing.identifier(1), algorithm: algorithm, key: try algorithm.newKey())
    }

    /// A new key of that algorithm signs from now on; the ones before stay published if `keeping`, else they are gone at once.
    mutating func rotate(to algorithm: SigningAlgorithm, keeping: Bool) throws(KeyError) {
        let key = try algorithm.newKey()
        made += 1
        older = keeping ? [signing] + older : []
        signing = Entry(identifier: KeyRing.identifier(made), algorithm: algorithm, key: key)
    }

    var published: [Entry] { [signing] + older }

    private static func identifier(_ number: Int) -> Text {
        Text("demo-\(number)-" + Base64URL.encode(randomBytes(6)))
    }
}
