import JOSE
import LibCrypto
import OIDC
import PKToken
import SSHKeys
import Vocabulary

/// What the provider gave for a code.
struct ProviderTokens: Sendable {
    /// A compact JWS, as received.
    let idToken: Secret
    let accessToken: Secret?
    var refreshToken: Secret? = nil
}

/// Makes a certificate of an ID token (PROTOCOL sections 2 and 3), and believes it only after it went through the very steps that a
/// server takes.
struct IdentityCertificate {
    let key: PrivateKey
    let claims: ClientInstanceClaims
    /// How a server that trusts this provider would look at it; its expiry is what the person asked for.
    let row: ProviderRow
    let principals: [Principal]
    let sendsAccessToken: Bool

    /// Nothing of `tokens` counts before this returns.
    func mint(_ tokens: ProviderTokens, keys: JWKSet, at now: UnixTime) throws(LoginError) -> LoginResult {
        let idToken: JWS
        do throws(JWSError) {
            idToken = try JWS(parsing: tokens.idToken.exposed)
        } catch {
            throw .tokenEndpoint("its ID token cannot be used (\(IdentityCertificate.wording(error)))")
        }
        return try mint(idToken, tokens, isFresh: true, keys, now)
    }

    /// The same of a proof (GQ256) that the provider's token is there, without the token.
    ///
    /// - Parameter isFresh: whether the token has just been issued.
    func mint(proven token: JWS, isFresh: Bool, keys: JWKSet, at now: UnixTime) throws(LoginError) -> LoginResult {
        try mint(token, ProviderTokens(idToken: Secret([]), accessToken: nil), isFresh: isFresh, keys, now)
    }

    private func mint(_ idToken: JWS, _ tokens: ProviderTokens, isFresh: Bool, _ keys: JWKSet, _ now: UnixTime) throws(LoginError)
        -> LoginResult
    {
        let unverified: JSONObject
        let algorithm: JWSAlgorithm
        do throws(JWSError) {
            unverified = try idToken.payload()
            algorithm = try idToken.header.algorithm()
        } catch {
            throw .tokenEndpoint("its ID token cannot be used (\(IdentityCertificate.wording(error)))")
        }
        let certificate = try certificate(idToken, unverified, tokens)
        let identity: VerifiedIdentity
        do throws(Refusal) {
            // Steps 1 to 8 of PROTOCOL section 5, by the server's own code.
            identity = try certificate.selfSigned(at: now).token().checked(against: row, at: now).verify(with: keys)
            try IdentityCertificate.checkForClient(identity, at: now)
        } catch {
            throw .identity(error, clockOff: isFresh ? IdentityCertificate.clockOff(unverified["iat"]?.number?.time, now) : nil)
        }
        // C26. A token that speaks of an access token which did not come was made for another answer.
        if identity.claims["at_hash"] != nil {
            guard let accessToken = tokens.accessToken,
                AccessTokenHash.matches(identity.claims, accessToken: accessToken, algorithm: algorithm)
            else { throw .accessTokenHash }
        }
        return LoginResult(
            identity: identity, key: CertifiedKey(privateKey: key, certificate: certificate), refreshToken: tokens.refreshToken)
    }

    private func certificate(_ idToken: JWS, _ unverified: JSONObject, _ tokens: ProviderTokens) throws(LoginError) -> SSHCertificate {
        var accessToken: [UInt8]?
        if sendsAccessToken {
            guard let secret = tokens.accessToken, !secret.exposed.isEmpty else { throw .noAccessToken }
            accessToken = secret.exposed
        }
        let keyID = EmailClaim(unverified)?.address ?? unverified["sub"]?.string ?? ""
        do throws(KeyError) {
            let request = CertificateRequest(
                keyID: keyID.utf8, principals: principals, validBefore: end(unverified),
                token: try claims.compactToken(idToken: idToken, signedBy: key), accessToken: accessToken)
            let blob = try request.signed(by: key)
            guard let certificate = try? SSHCertificate(parsing: blob) else { throw KeyError.wrongLength }
            return certificate
        } catch {
            throw .key(error)
        }
    }

    /// The second at which the identity ends, rounded down. Where the claim that decides is missing the certificate has no end of its
    /// own; then verification refuses the token.
    private func end(_ unverified: JSONObject) -> UInt64 {
        let end: UnixTime? =
            switch row.expiry {
            case .maximumAge(let seconds): unverified["iat"]?.number?.time.map { $0 + seconds }
            case .oidc: unverified["exp"]?.number?.time
            case .oidcRefreshed, .never: nil
            }
        return end.map { UInt64(max(0, $0.seconds)) } ?? .max
    }

    /// What OpenID Connect Core section 2 asks of every ID token, and a server need not: `exp`, and a `sub` of at most 255 bytes.
    private static func checkForClient(_ identity: VerifiedIdentity, at now: UnixTime) throws(Refusal) {
        guard let expires = identity.claims["exp"]?.number?.time else { throw Refusal(.timeClaim, "exp is missing") }
        guard now < expires + 60 else { throw Refusal(.expired, "the ID token, at \(expires)") }
        guard identity.subject.count <= 255 else { throw Refusal(.subject, "it is longer than 255 bytes") }
    }

    /// An ID token has just been issued: how far `iat` is from this machine's time says how wrong one of the two clocks is. Nil below a
    /// minute.
    private static func clockOff(_ issuedAt: UnixTime?, _ now: UnixTime) -> Int64? {
        guard let issuedAt else { return nil }
        let difference = issuedAt.seconds.subtractingReportingOverflow(now.seconds).partialValue
        return difference.magnitude >= 60 ? difference : nil
    }

    private static func wording(_ error: JWSError) -> String {
        switch error {
        case .parts, .base64: "it is not three parts of base64url"
        case .json(let error): "its JSON: \(error.reason.rawValue)"
        case .headerMember: "typ or kid is not a string"
        case .extensionRequired: "its header asks for an extension"
        case .algorithmMissing: "it names no algorithm"
        case .algorithmUnknown: "its algorithm is none that may be used"
        }
    }
}

extension IdentityCertificate {
    /// For a new key, and for a server that trusts the provider for as long as was asked for.
    init(for options: LoginOptions) throws(LoginError) {
        let key: PrivateKey
        do throws(KeyError) {
            key = try PrivateKey(generating: options.keyKind == .ecdsa ? .p256 : .ed25519)
        } catch {
            throw .key(error)
        }
        do throws(Refusal) {
            self.init(
                key: key, claims: try ClientInstanceClaims(for: key.publicKey),
                row: ProviderRow(issuer: options.provider.issuer, clientID: options.provider.clientID, expiry: options.lifetime),
                principals: options.principals, sendsAccessToken: options.provider.sendsAccessToken)
        } catch {
            throw .identity(error, clockOff: nil)
        }
    }
}
