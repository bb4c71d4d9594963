public import LibCrypto
public import Vocabulary

/// Why a text is not a JSON Web Signature that opk reads.
public enum JWSError: Error, Equatable, Sendable {
    case parts
    case base64
    case json(JSONError)
    /// `typ` or `kid` is not a string.
    case headerMember
    /// `crit` or `b64` is there (RFC 7515 section 4.1.11, RFC 7797): we implement no extension.
    case extensionRequired
    case algorithmMissing
    /// Not in the closed list.
    case algorithmUnknown
}

/// A protected header (RFC 7515 section 4): JSON, checked as far as can be without knowing whose it is. `jwk`, `jku`, `x5u` and `x5c` are
/// not looked at by anybody.
public struct JWSHeader: Sendable {
    /// All members, as received.
    public let members: JSONObject
    public let type: Text?
    public let keyID: Text?

    /// - Parameter bytes: the decoded header.
    public init(parsing bytes: [UInt8]) throws(JWSError) {
        do {
            members = try JSONObject(parsing: bytes)
        } catch {
            throw .json(error)
        }
        guard members["crit"] == nil, members["b64"] == nil else { throw .extensionRequired }
        type = try JWSHeader.text(members["typ"])
        keyID = try JWSHeader.text(members["kid"])
    }

    public func algorithm() throws(JWSError) -> JWSAlgorithm {
        guard let name = members["alg"]?.string else { throw .algorithmMissing }
        guard let algorithm = JWSAlgorithm(name: name) else { throw .algorithmUnknown }
        return algorithm
    }

    private static func text(_ member: JSON?) throws(JWSError) -> Text? {
        guard let member else { return nil }
        guard let text = member.string else { throw .headerMember }
        return text
    }
}

/// One signature: its header and signature, and what it signs. The encoded texts are kept as they came, since they are what is signed.
public struct JWS: Sendable {
    /// base64url, as received.
    public let encodedHeader: [UInt8]
    /// base64url, as received.
    public let encodedPayload: [UInt8]
    public let header: JWSHeader
    public let signature: [UInt8]

    /// One of the signatures of a PK token: header and signature of its own, a payload that it shares.
    public init(encodedHeader: [UInt8], encodedPayload: [UInt8], encodedSignature: [UInt8]) throws(JWSError) {
        guard let header = Base64URL.decode(encodedHeader), let signature = Base64URL.decode(encodedSignature) else { throw .base64 }
        self.encodedHeader = encodedHeader
        self.encodedPayload = encodedPayload
        self.header = try JWSHeader(parsing: header)
        self.signature = signature
    }

    /// The compact form (RFC 7515 section 7.1): three parts.
    public init(parsing text: [UInt8]) throws(JWSError) {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .parts }
        try self.init(encodedHeader: Array(parts[0]), encodedPayload: Array(parts[1]), encodedSignature: Array(parts[2]))
    }

    public func payload() throws(JWSError) -> JSONObject {
        guard let bytes = Base64URL.decode(encodedPayload) else { throw .base64 }
        do {
            return try JSONObject(parsing: bytes)
        } catch {
            throw .json(error)
        }
    }

    /// What is signed (RFC 7515 section 5.1): the encoded header, a full stop, the encoded payload.
    public var signedBytes: [UInt8] { encodedHeader + [UInt8(ascii: ".")] + encodedPayload }

    /// Whether this is `key`'s signature by `algorithm`, which must be one that signs by itself.
    public func verifies(with key: PublicKey, _ algorithm: JWSAlgorithm) -> Bool {
        guard algorithm.fits(key), let scheme = algorithm.scheme else { return false }
        return key.verifies(signature, over: signedBytes, scheme)
    }

    /// A compact JWS. `header` gets its `alg` from `algorithm`.
    public static func sign(_ payload: [UInt8], header: JSONObject, with key: PrivateKey, _ algorithm: JWSAlgorithm) throws(KeyError)
        -> [UInt8]
    {
        guard algorithm.fits(key.publicKey), let scheme = algorithm.scheme else { throw .scheme }
        var header = header
        header["alg"] = .string(Text(algorithm.rawValue))
        let signed = Base64URL.encodeBytes(JSON.object(header).serialized) + [UInt8(ascii: ".")] + Base64URL.encodeBytes(payload)
        return signed + [UInt8(ascii: ".")] + Base64URL.encodeBytes(try key.sign(signed, scheme))
    }
}
