public import LibCrypto
public import Vocabulary

/// A public JSON Web Key (RFC 7517) of a kind that opk can use.
public struct JWK: Sendable {
    public let keyID: Text?
    /// What the key says it is for, or what its type means where it says nothing: RS256 for RSA, ES256 for P-256, EdDSA for Ed25519.
    public let algorithm: JWSAlgorithm
    private let material: Material

    fileprivate enum Material: Sendable {
        case rsa(modulus: [UInt8], exponent: [UInt8])
        case p256(x: [UInt8], y: [UInt8])
        case ed25519([UInt8])

        func publicKey() -> PublicKey? {
            switch self {
            case .rsa(let modulus, let exponent): (try? RSAPublicKey(modulus: modulus, exponent: exponent)).map(PublicKey.rsa)
            case .p256(let x, let y): (try? P256PublicKey(x: x, y: y)).map(PublicKey.p256)
            case .ed25519(let bytes): (try? Ed25519PublicKey(bytes)).map(PublicKey.ed25519)
            }
        }
    }

    /// RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2, and the key of a MAC.
    fileprivate static let privateMembers: [Text] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

    /// Nil for a key that does not count: an unknown kty or alg, one that do not go together, a private member, a `use` other than
    /// `sig`, `key_ops` without `verify`, a `kid` that is no string, or numbers that are not strict base64url.
    public init?(_ object: JSONObject) {
        guard !object.members.contains(where: { JWK.privateMembers.contains($0.name) }) else { return nil }
        guard let material = JWK.material(object) else { return nil }
        if let use = object["use"], use.string != "sig" { return nil }
        if let operations = object["key_ops"], operations.array?.contains("verify") != true { return nil }
        if let keyID = object["kid"] {
            guard let text = keyID.string else { return nil }
            self.keyID = text
        } else {
            keyID = nil
        }
        let natural: JWSAlgorithm =
            switch material {
            case .rsa: .rs256
            case .p256: .es256
            case .ed25519: .edDSA
            }
        if let named = object["alg"] {
            guard let name = named.string, let algorithm = JWSAlgorithm(name: name),
                algorithm == natural || (natural == .rs256 && algorithm == .ps256)
            else { return nil }
            self.algorithm = algorithm
        } else {
            algorithm = natural
        }
        self.material = material
    }

    /// The key itself; nil where its numbers make none that may be used (V34, V35, V40).
    public func publicKey() -> PublicKey? { material.publicKey() }

    fileprivate static func material(_ object: JSONObject) -> Material? {
        func number(_ name: Text) -> [UInt8]? { object[name]?.string.flatMap { Base64URL.decode($0.utf8) } }
        switch (object["kty"]?.string, object["crv"]?.string) {
        case ("RSA", _):
            guard let modulus = number("n"), let exponent = number("e") else { return nil }
            return .rsa(modulus: modulus, exponent: exponent)
        case ("EC", "P-256"):
            guard let x = number("x"), let y = number("y") else { return nil }
            return .p256(x: x, y: y)
        case ("OKP", "Ed25519"):
            guard let x = number("x") else { return nil }
            return .ed25519(x)
        default: return nil
        }
    }
}

extension PublicKey {
    /// The key that a JWK holds, whatever its other members say it is for; nil where there is a private member, or no key that may be used.
    public init?(jwkMembers object: JSONObject) {
        guard !object.members.contains(where: { JWK.privateMembers.contains($0.name) }),
            let key = JWK.material(object)?.publicKey()
        else { return nil }
        self = key
    }

    /// The members that make a key (RFC 7638 section 3.2, RFC 8037 section 2) and no others.
    public var jwk: JSONObject {
        let json: JSON =
            switch self {
            case .rsa(let key):
                [
                    "kty": "RSA", "n": .string(Text(Base64URL.encode(key.modulus))),
                    "e": .string(Text(Base64URL.encode(key.exponent))),
                ]
            case .p256(let key):
                [
                    "kty": "EC", "crv": "P-256", "x": .string(Text(Base64URL.encode(key.x))),
                    "y": .string(Text(Base64URL.encode(key.y))),
                ]
            case .ed25519(let key): ["kty": "OKP", "crv": "Ed25519", "x": .string(Text(Base64URL.encode(key.bytes)))]
            }
        return json.object ?? JSONObject()
    }

    /// RFC 7638 with SHA-256, in base64url.
    public var jwkThumbprint: Text {
        Text(Base64URL.encode(Digest.sha256(JSON.object(jwk).serialized)))
    }
}
