public import JOSE
public import LibCrypto
public import Vocabulary

/// The client instance claims (PROTOCOL section 1): the protected header in which the client says which key is its own.
public struct ClientInstanceClaims: Sendable {
    /// The user's key, from `upk`.
    public let key: PublicKey
    public let algorithm: JWSAlgorithm
    /// Base64url of SHA3-256 of the header, written in the one way that everybody writes it.
    public let commitment: Text
    /// The header's JSON, for the client to sign with.
    public let header: JSONObject

    /// Letters, digits and so on: Unicode scalars.
    static let maximumRandomLength = 128

    /// Step 3 of PROTOCOL section 5, as far as it concerns the client's header.
    init(_ header: JSONObject) throws(Refusal) {
        guard let name = header["alg"]?.string, let algorithm = JWSAlgorithm(name: name),
            [.es256, .edDSA, .rs256].contains(algorithm)
        else { throw Refusal(.algorithm, "the client's header") }
        guard header["typ"]?.string == "CIC" else { throw Refusal(.clientClaims, "typ") }
        guard let random = header["rz"]?.string,
            (1...ClientInstanceClaims.maximumRandomLength).contains(random.string.unicodeScalars.count)
        else { throw Refusal(.clientClaims, "rz") }
        guard let members = header["upk"]?.object, members["alg"]?.string == name else { throw Refusal(.clientClaims, "upk") }
        guard let key = PublicKey(jwkMembers: members), algorithm.fits(key) else {
            throw Refusal(.clientClaims, "upk is not a key that may be used")
        }
        guard let rewritten = JSON.object(header).withGoNumbers else { throw Refusal(.clientClaims, "a number beyond a float64") }
        self.key = key
        self.algorithm = algorithm
        self.header = header
        commitment = Text(Base64URL.encode(Digest.sha3_256(rewritten.serialized)))
    }

    /// Claims for a key that was just made.
    public init(for key: PublicKey) throws(Refusal) {
        let algorithm: JWSAlgorithm =
            switch key {
            case .rsa: .rs256
            case .p256: .es256
            case .ed25519: .edDSA
            }
        let name = JSON.string(Text(algorithm.rawValue))
        var upk = key.jwk
        upk["alg"] = name
        let random = randomBytes(32).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        var header = JSONObject()
        header["alg"] = name
        header["rz"] = .string(Text(random))
        header["typ"] = "CIC"
        header["upk"] = .object(upk)
        try self.init(header)
    }
}
