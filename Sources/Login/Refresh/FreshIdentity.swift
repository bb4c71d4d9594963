import Identities
import JOSE
import OIDC
import PKToken
import SSHKeys
import SafeFiles
import TokenStore
import Vocabulary

/// What the provider gave for a refresh token, verified: the same login's (OpenID Connect Core section 12.2), signed, and good now.
struct FreshIdentity: Sendable {
    private let held: HeldCertificate
    private let token: RefreshedIDToken
    private let accessToken: Secret?
    private let row: ProviderRow
    private let keys: JWKSet

    /// - Parameter again: fetches the keys once more, for a provider that has just changed them.
    init(
        _ answer: RefreshAnswer, _ held: HeldCertificate, _ stored: StoredRefreshToken, keys: JWKSet,
        again: @Sendable () throws(RefreshError) -> JWKSet, now: UnixTime
    ) throws(RefreshError) {
        guard let text = answer.idToken?.exposed else { throw .noIDToken }
        try FreshIdentity.checkClaims(text, held)
        // As a server would look at it.
        row = ProviderRow(issuer: stored.issuer, clientID: stored.clientID, expiry: .oidcRefreshed)
        self.held = held
        do throws(Refusal) {
            token = try RefreshedIDToken(verifying: text, after: held.token, row: row, keys: keys, at: now)
            self.keys = keys
        } catch  where error.code == .noFittingKey || error.code == .providerSignature {
            let newer = try again()
            do throws(Refusal) {
                token = try RefreshedIDToken(verifying: text, after: held.token, row: row, keys: newer, at: now)
            } catch {
                throw .identity(error)
            }
            self.keys = newer
        } catch {
            throw .identity(error)
        }
        accessToken = try FreshIdentity.accessToken(answer, token)
        if held.carriesAccessToken && accessToken == nil { throw .noAccessToken }
    }

    /// C29, before anything else is believed of it.
    private static func checkClaims(_ text: [UInt8], _ held: HeldCertificate) throws(RefreshError) {
        let claims: JSONObject
        do throws(JWSError) {
            claims = try JWS(parsing: text).payload()
        } catch {
            throw .provider("its ID token cannot be read")
        }
        do throws(OIDCError) {
            try RefreshedToken.check(claims, against: held.token.payload)
        } catch {
            throw .notThisLogin("\(error)")
        }
    }

    /// C26.
    private static func accessToken(_ answer: RefreshAnswer, _ token: RefreshedIDToken) throws(RefreshError) -> Secret? {
        guard token.claims["at_hash"] != nil else { return answer.accessToken }
        guard let accessToken = answer.accessToken,
            AccessTokenHash.matches(token.claims, accessToken: accessToken, algorithm: token.algorithm)
        else { throw .accessTokenHash }
        return accessToken
    }

    /// The old certificate with the fresh token in it, and believed only after it went through the steps that a server takes.
    func certificate(signedBy signer: IdentitySigner, movesEnd: Bool, now: UnixTime) throws(RefreshError) -> SSHCertificate {
        let old = held.certificate
        guard let key = old.key else { throw .key("it is of a kind that opk does not use") }
        var principals: [Principal] = []
        for bytes in old.principals {
            guard let principal = Text(validating: bytes).flatMap({ Principal($0) }) else {
                throw .certificate(path: held.place.certificate, why: "an account name in it is malformed", isGone: false)
            }
            principals.append(principal)
        }
        let end = movesEnd && old.validBefore != .max ? UInt64(max(0, token.expires.seconds)) : old.validBefore
        let request = CertificateRequest(
            keyID: old.keyID, principals: principals, validAfter: old.validAfter, validBefore: end, token: token.added(to: held.compact),
            accessToken: held.carriesAccessToken ? accessToken?.exposed : nil)
        let certificate = try signer.certificate(request, for: key)
        do throws(Refusal) {
            _ = try certificate.selfSigned(at: now).token().checked(against: row, at: now).verify(with: keys)
        } catch {
            throw .identity(error)
        }
        return certificate
    }
}

extension HeldCertificate {
    /// Puts another certificate of the same key in the place of this one, as a whole. One that somebody has put there meanwhile stays.
    func replace(by certificate: SSHCertificate, of identity: StoredIdentity) throws(RefreshError) {
        let lock = FolderLock(place.folder.path)
        defer { lock?.release() }
        do throws(Fault) {
            _ = try identity.heldCertificate()
        } catch {
            var isGone = true
            if case .unusable = error { isGone = false }
            throw .certificate(path: place.certificate, why: error.sentence, isGone: isGone)
        }
        do throws(WriteFailure) {
            let line = SSHKeyLine(blob: certificate.blob, type: certificate.type, comment: comment)
            // Everybody may read it, except one with an access token in it, which opens more than servers.
            try AtomicFile.write(line.bytes, to: place.certificate, mode: carriesAccessToken ? 0o600 : 0o644)
        } catch {
            throw .writing(error)
        }
    }
}
