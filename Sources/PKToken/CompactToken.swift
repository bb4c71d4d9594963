public import JOSE
public import Vocabulary

/// The compact form of a PK token (PROTOCOL section 2), taken apart and not yet believed:
///
///     payload ":" protected1 ":" signature1 ":" protected2 ":" signature2 [":" protected3 ":" signature3] ["." refreshed-ID-token]
public struct CompactToken: Sendable {
    public let payload: JSONObject
    /// The ID token: header and signature of the provider's.
    public let provider: JWS
    public let providerType: ProviderTokenType
    public let client: JWS
    /// Carried along and not believed.
    let cosigner: JWS?
    /// The whole compact JWS that followed the full stop: three parts of base64url, which nobody reads before it is needed.
    public let refreshed: [UInt8]?

    /// Payload and three pairs: provider, client, cosigner.
    static let maximumSegments = 7

    public init(parsing bytes: [UInt8]) throws(Refusal) {
        let dot = bytes.firstIndex(of: UInt8(ascii: "."))
        let refreshed = dot.map { Array(bytes[($0 + 1)...]) }
        let segments = bytes[..<(dot ?? bytes.endIndex)]
            .split(separator: UInt8(ascii: ":"), maxSplits: CompactToken.maximumSegments, omittingEmptySubsequences: false)
        guard [3, 5, 7].contains(segments.count) else { throw Refusal(.tokenMalformed, "not 3, 5 or 7 parts") }
        let signatures = try stride(from: 1, to: segments.count, by: 2).map { index throws(Refusal) in
            try CompactToken.jws(header: segments[index], payload: segments[0], signature: segments[index + 1])
        }
        (provider, providerType, client, cosigner) = try CompactToken.sort(signatures)
        do {
            payload = try provider.payload()
        } catch {
            throw Refusal(error, in: "the payload")
        }
        if let refreshed, !CompactToken.isCompactJWS(refreshed) { throw Refusal(.tokenMalformed, "the refreshed ID token") }
        self.refreshed = refreshed
    }

    private static func isCompactJWS(_ text: [UInt8]) -> Bool {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count == 3 && parts.allSatisfy { Base64URL.decode($0) != nil }
    }

    private static func jws(header: ArraySlice<UInt8>, payload: ArraySlice<UInt8>, signature: ArraySlice<UInt8>) throws(Refusal) -> JWS {
        do {
            return try JWS(encodedHeader: Array(header), encodedPayload: Array(payload), encodedSignature: Array(signature))
        } catch {
            throw Refusal(error, in: "a header or a signature")
        }
    }

    /// Whose signature is whose: by `typ`, in any order; exactly one provider's and one client's, at most one cosigner's (V21 to V27).
    private static func sort(_ signatures: [JWS]) throws(Refusal)
        -> (provider: JWS, type: ProviderTokenType, client: JWS, cosigner: JWS?)
    {
        var provider: (jws: JWS, type: ProviderTokenType)?
        var client: JWS?
        var cosigner: JWS?
        for signature in signatures {
            switch signature.header.type {
            case "CIC":
                guard client == nil else { throw Refusal(.tokenType, "two client signatures") }
                client = signature
            case "COS":
                guard cosigner == nil else { throw Refusal(.tokenType, "two cosigner signatures") }
                cosigner = signature
            case let type:
                guard let providerType = ProviderTokenType(type) else {
                    throw Refusal(.tokenType, "typ \(type?.escaped(limit: 32) ?? "")")
                }
                guard provider == nil else { throw Refusal(.tokenType, "two provider signatures") }
                provider = (signature, providerType)
            }
        }
        guard let provider else { throw Refusal(.tokenType, "no provider signature") }
        guard let client else { throw Refusal(.tokenType, "no client signature") }
        return (provider.jws, provider.type, client, cosigner)
    }
}

/// What kind of token a provider signed, by its header's `typ`.
public enum ProviderTokenType: Hashable, Sendable {
    case idToken
    /// `dpop+id_token`: the provider binds the token to the user's key.
    case keyBoundIDToken
    /// `at+jwt` (RFC 9068).
    case accessToken

    init?(_ type: Text?) {
        switch type {
        case nil: self = .idToken
        case let type? where type.equalsIgnoringASCIICase("JWT"): self = .idToken
        case "dpop+id_token": self = .keyBoundIDToken
        case let type? where type.equalsIgnoringASCIICase("at+jwt"): self = .accessToken
        default: return nil
        }
    }

    /// Whether the row allows it: `key-binding` means key-bound tokens and no others.
    func isAllowed(by row: ProviderRow) -> Bool {
        switch self {
        case .idToken: !row.options.contains(.keyBinding)
        case .keyBoundIDToken: row.options.contains(.keyBinding)
        case .accessToken: row.options.contains(.accessTokenType) && !row.options.contains(.keyBinding)
        }
    }
}

extension Refusal {
    /// What a malformed JWS means for the login.
    init(_ error: JWSError, in place: String) {
        switch error {
        case .parts, .base64: self.init(.tokenMalformed, place)
        case .json(let error): self.init(.tokenJSON, "\(place): \(error.reason.rawValue)")
        case .headerMember: self.init(.tokenMalformed, "\(place): typ or kid is not a string")
        case .extensionRequired: self.init(.criticalHeader)
        case .algorithmMissing, .algorithmUnknown: self.init(.algorithm, place)
        }
    }
}
