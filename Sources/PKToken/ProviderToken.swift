import JOSE
import LibCrypto
import Vocabulary

/// One token that a provider signed: the ID token, or a refreshed one. The checks that both go through stand here once.
struct ProviderToken: Sendable {
    let jws: JWS
    let type: ProviderTokenType
    let claims: JSONObject
    let algorithm: JWSAlgorithm
    /// Of the header that the provider itself wrote.
    let keyID: Text?
    let issuer: Text
    let subject: Text
    let issuedAt: UnixTime
    let expires: UnixTime?
    private let notBefore: UnixTime?

    /// Step 5 for `row`, and the shape of the times.
    init(_ jws: JWS, claims: JSONObject, row: ProviderRow) throws(Refusal) {
        guard let type = ProviderTokenType(jws.header.type) else { throw Refusal(.tokenType) }
        guard type.isAllowed(by: row) else { throw Refusal(.tokenTypeNotAllowed) }
        self.jws = jws
        self.type = type
        self.claims = claims
        do {
            algorithm = try jws.header.algorithm()
        } catch {
            throw Refusal(error, in: "the provider's header")
        }
        keyID = try ProviderToken.keyID(jws.header, algorithm, row)
        guard let issuer = claims["iss"]?.string, issuer == row.issuer else { throw Refusal(.issuerUnknown) }
        self.issuer = issuer
        try ProviderToken.checkAudience(claims, row)
        guard let subject = claims["sub"]?.string, !subject.isEmpty else { throw Refusal(.subject) }
        self.subject = subject
        guard let issuedAt = try ProviderToken.time("iat", claims) else { throw Refusal(.timeClaim, "iat is missing") }
        self.issuedAt = issuedAt
        expires = try ProviderToken.time("exp", claims)
        notBefore = try ProviderToken.time("nbf", claims)
    }

    /// Step 7 as far as it is the same under every policy.
    func checkBegun(at now: UnixTime, skew: Int64) throws(Refusal) {
        guard issuedAt <= now + skew else {
            throw Refusal(.issuedInFuture, "at \(issuedAt) by the provider's clock (iat); by this machine's it is \(now)")
        }
        if let notBefore, notBefore > now + skew {
            throw Refusal(.notYetValid, "before \(notBefore) by the provider's clock (nbf); by this machine's it is \(now)")
        }
    }

    /// Whether `exp` is there and lies ahead.
    func isUnexpired(at now: UnixTime) throws(Refusal) -> Bool {
        guard let expires else { throw Refusal(.expired, "exp is missing, which the provider's row asks for") }
        return now < expires
    }

    /// Step 8.
    func verify(with keys: JWKSet) throws(Refusal) {
        let signedBy: JWSAlgorithm = algorithm == .gq256 ? .rs256 : algorithm
        switch keys.select(keyID: keyID, algorithm: signedBy) {
        case .none: throw Refusal(.noFittingKey, "\(signedBy.rawValue), kid \(keyID.map { $0.escaped(limit: 64) } ?? "absent")")
        case .ambiguous: throw Refusal(.ambiguousKey)
        case .keys(let candidates):
            guard candidates.contains(where: isSigned(by:)) else { throw Refusal(.providerSignature) }
        }
    }

    private func isSigned(by key: PublicKey) -> Bool {
        guard algorithm == .gq256 else { return jws.verifies(with: key, algorithm) }
        guard case .rsa(let key) = key, let original = jws.header.keyID else { return false }
        let identity = original.utf8 + [UInt8(ascii: ".")] + jws.encodedPayload
        return GQSignature.verifies(jws.signature, identity: identity, message: jws.signedBytes, key: key)
    }

    /// The `kid` by which the provider's key is found. Under GQ256 the header's own `kid` holds the header that the provider wrote, which
    /// has to obey the same rules.
    private static func keyID(_ header: JWSHeader, _ algorithm: JWSAlgorithm, _ row: ProviderRow) throws(Refusal) -> Text? {
        guard algorithm == .gq256 else {
            guard !row.commitmentPlace.requiresGQ else { throw Refusal(.algorithm, "this provider's tokens must come with GQ256") }
            return header.keyID
        }
        guard let encoded = header.keyID, let bytes = Base64URL.decode(encoded.utf8) else {
            throw Refusal(.tokenMalformed, "the original header in kid")
        }
        do {
            let original = try JWSHeader(parsing: bytes)
            guard try original.algorithm() == .rs256 else { throw Refusal(.algorithm, "GQ256 of a token that is not RS256") }
            guard let type = ProviderTokenType(original.type) else { throw Refusal(.tokenType, "the original header") }
            guard type.isAllowed(by: row) else { throw Refusal(.tokenTypeNotAllowed, "the original header") }
            return original.keyID
        } catch let refusal as Refusal {
            throw refusal
        } catch let error as JWSError {
            throw Refusal(error, in: "the original header")
        } catch {
            throw Refusal(.tokenMalformed, "the original header")
        }
    }

    /// OpenID Connect Core section 3.1.3.7, 3 to 5: `azp`, if present, is the client id, and where `aud` names others too it must be
    /// present, since another client's login could have chosen the nonce.
    private static func checkAudience(_ claims: JSONObject, _ row: ProviderRow) throws(Refusal) {
        let audience = try Audience(claims)
        guard audience.fits(row) else { throw Refusal(.audience, "aud \(audience.description)") }
        guard row.commitmentPlace != .audience else { return }
        if let party = claims["azp"] {
            guard party.string == row.clientID else { throw Refusal(.authorizedParty) }
        } else if audience.names.contains(where: { $0 != row.clientID }) {
            throw Refusal(.authorizedParty, "aud names several clients and azp is missing")
        }
    }

    /// Absent is nil; present and not a NumericDate up to the year 9999 is a refusal: unreadable is not absent (V60).
    private static func time(_ name: Text, _ claims: JSONObject) throws(Refusal) -> UnixTime? {
        guard let value = claims[name] else { return nil }
        guard let time = value.number?.time else { throw Refusal(.timeClaim, name.string) }
        return time
    }
}
