public import JOSE
public import LibCrypto
public import PKToken
import SSHKeys
public import Vocabulary

/// One good login, taken apart: a test changes one thing and looks what the verification says.
///
/// It stands at `now`, with a token issued one minute before, valid for an hour, at a provider that signs with ES256.
public struct MintedLogin: Sendable {
    public static let issuer: Text = "https://issuer.example.com"
    public static let clientID: Text = "test-client"
    public static let now = UnixTime(seconds: 1_790_000_000)

    public var providerKey: PrivateKey = TestKeys.p256
    public var providerAlgorithm: JWSAlgorithm = .es256
    public var userKey: PrivateKey
    /// The header of the ID token; `alg` is written from `providerAlgorithm`, unless it is here.
    public var header: JSONObject = MintedLogin.object(["typ": "JWT", "kid": "key-1"])
    /// The claims. `nonce` gets the commitment, unless it is here (`null` takes it out).
    public var claims: JSONObject
    /// The client's header.
    public var clientHeader: JSONObject
    /// JSON texts that stand for the above, where they must be of a shape that no writer makes.
    public var headerText: [UInt8]?
    public var claimsText: [UInt8]?
    public var clientHeaderText: [UInt8]?
    /// The provider's signature, where it must be another than the right one.
    public var providerSignature: [UInt8]?
    public var clientSignature: [UInt8]?
    /// Turns the ID token's RS256 signature into a GQ256 proof, with these further members in its header.
    public var gqHeader: JSONObject?
    /// Goes after the full stop.
    public var refreshed: [UInt8]?
    /// The last word on the compact token.
    public var rewriteToken: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    /// The last word on the certificate.
    public var rewriteCertificate: @Sendable (inout CertificateForm) -> Void = { _ in }

    public var rows: [ProviderRow] = [ProviderRow(issuer: issuer, clientID: clientID, expiry: .maximumAge(seconds: 86_400), line: 1)]
    /// The provider's JWKS, as JSON.
    public var keys: [JSON]
    public var now = MintedLogin.now

    public init(userKey: PrivateKey = TestKeys.ed25519) throws {
        self.userKey = userKey
        clientHeader = try ClientInstanceClaims(for: userKey.publicKey).header
        claims = MintedLogin.object([
            "iss": .string(MintedLogin.issuer), "aud": .string(MintedLogin.clientID), "sub": "alice-1", "email": "alice@example.com",
            "email_verified": true, "iat": .number(JSONNumber(MintedLogin.now.seconds - 60)),
            "exp": .number(JSONNumber(MintedLogin.now.seconds + 3600)),
        ])
        keys = [MintedLogin.jwk(TestKeys.p256.publicKey, ["kid": "key-1", "alg": "ES256", "use": "sig"])]
    }

    /// The provider signs with this key and algorithm from now on, and its JWKS says so.
    public mutating func sign(with key: PrivateKey, _ algorithm: JWSAlgorithm) {
        providerKey = key
        providerAlgorithm = algorithm
        let named: JWSAlgorithm = algorithm == .gq256 ? .rs256 : algorithm
        keys = [MintedLogin.jwk(key.publicKey, ["kid": "key-1", "alg": .string(Text(named.rawValue)), "use": "sig"])]
    }

    /// A GQ256 proof in place of the provider's signature.
    public mutating func proveGQ(_ members: JSON = [:]) {
        sign(with: TestKeys.rsa, .rs256)
        gqHeader = members.object
    }

    public static func object(_ json: JSON) -> JSONObject { json.object ?? JSONObject() }

    public static func jwk(_ key: PublicKey, _ members: JSON) -> JSON {
        var object = key.jwk
        for member in members.object?.members ?? [] { object[member.name] = member.value }
        return .object(object)
    }
}

extension MintedLogin {
    /// Base64url of SHA3-256 of the client's header, as PROTOCOL section 1 has it: computed here by other means than the code under test.
    public var commitment: Text {
        Text(Base64URL.encode(Digest.sha3_256(clientHeaderText ?? JSON.object(clientHeader).serialized)))
    }

    public var claimsBytes: [UInt8] {
        if let claimsText { return claimsText }
        var claims = claims
        if claims["nonce"] == nil { claims["nonce"] = .string(commitment) }
        if claims["nonce"] == .null { claims["nonce"] = nil }
        return JSON.object(claims).serialized
    }

    public var headerBytes: [UInt8] {
        if let headerText { return headerText }
        var header = header
        if header["alg"] == nil { header["alg"] = .string(Text(providerAlgorithm.rawValue)) }
        return JSON.object(header).serialized
    }

    /// The ID token's encoded header, encoded payload and signature, GQ256 or not.
    func idTokenParts() throws -> (header: [UInt8], payload: [UInt8], signature: [UInt8]) {
        let header = Base64URL.encodeBytes(headerBytes)
        let payload = Base64URL.encodeBytes(claimsBytes)
        let signed = header + [UInt8(ascii: ".")] + payload
        var signature: [UInt8] = []
        if let scheme = providerAlgorithm.scheme { signature = try providerKey.sign(signed, scheme) }
        guard let gqHeader else { return (header, payload, providerSignature ?? signature) }
        guard case .rsa(let key) = providerKey.publicKey else { throw KeyError.scheme }
        var outer = gqHeader
        if outer["alg"] == nil { outer["alg"] = "GQ256" }
        if outer["typ"] == nil { outer["typ"] = "JWT" }
        if outer["kid"] == nil { outer["kid"] = .string(Text(String(decoding: header, as: UTF8.self))) }
        let outerBytes = Base64URL.encodeBytes(JSON.object(outer).serialized)
        let message = outerBytes + [UInt8(ascii: ".")] + payload
        guard let proof = GQSignature.prove(signature, identity: signed, message: message, key: key) else { throw KeyError.scheme }
        return (outerBytes, payload, providerSignature ?? proof)
    }

    /// The ID token as a compact JWS.
    public func idToken() throws -> [UInt8] {
        let parts = try idTokenParts()
        return Array([parts.header, parts.payload, Base64URL.encodeBytes(parts.signature)].joined(separator: [UInt8(ascii: ".")]))
    }

    /// The compact PK token, written here and not by the code under test.
    public func token() throws -> [UInt8] {
        let provider = try idTokenParts()
        let clientBytes = clientHeaderText ?? JSON.object(clientHeader).serialized
        let client = Base64URL.encodeBytes(clientBytes)
        let signed = client + [UInt8(ascii: ".")] + provider.payload
        let scheme: SignatureScheme =
            switch userKey.publicKey {
            case .rsa: .rsaPKCS1SHA256
            case .p256: .ecdsaP256SHA256
            case .ed25519: .ed25519
            }
        let signature = try clientSignature ?? userKey.sign(signed, scheme)
        let parts = [
            provider.payload, provider.header, Base64URL.encodeBytes(provider.signature), client, Base64URL.encodeBytes(signature),
        ]
        let token = Array(parts.joined(separator: [UInt8(ascii: ":")]))
        return rewriteToken(token + (refreshed.map { [UInt8(ascii: ".")] + $0 } ?? []))
    }

    public func certificate() throws -> [UInt8] {
        var form = CertificateForm(for: userKey.publicKey, token: try token())
        rewriteCertificate(&form)
        return try form.signed(by: userKey)
    }

    public var keySet: JWKSet {
        get throws { try JWKSet(.object(MintedLogin.object(["keys": .array(keys)]))) }
    }

    /// Steps 1 to 8 of PROTOCOL section 5 over what was minted.
    public func verified() throws -> VerifiedIdentity {
        let certificate = try SSHCertificate(parsing: try certificate()).selfSigned(at: now)
        let bound = try certificate.token()
        let row = try bound.row(in: rows)
        return try bound.checked(against: row, at: now).verify(with: try keySet)
    }

    /// The code of the refusal, or nil where the login is admitted. Any error that is no `Refusal` is thrown on.
    public func refusal() throws -> Refusal.Code? {
        do {
            _ = try verified()
            return nil
        } catch let refusal as Refusal {
            return refusal.code
        }
    }

    /// This login with one change.
    public func with(_ change: (inout MintedLogin) throws -> Void) rethrows -> MintedLogin {
        var login = self
        try change(&login)
        return login
    }
}
