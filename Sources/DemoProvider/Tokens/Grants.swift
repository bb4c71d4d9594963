import JOSE
import LibCrypto
import Vocabulary

/// One login of one person at one client; every code and token belongs to one, and dies with it.
struct Session: Sendable {
    let identifier: Int
    let person: Text
    let client: Text
    let scope: Text
    let authenticatedAt: UnixTime
}

/// What is open: sessions, authorization codes, access and refresh tokens. All of them random, all of them in memory.
struct Grants: Sendable {
    struct Code: Sendable {
        let session: Int
        let redirectURI: Text
        /// RFC 7636, S256.
        let challenge: Text
        let nonce: Text?
        let expires: UnixTime
        var used = false
    }

    struct RefreshToken: Sendable {
        let session: Int
        /// False once it was exchanged for the next one.
        var current = true
    }

    private var sessions: [Int: Session] = [:]
    private var nextSession = 1
    private var codes: [Text: Code] = [:]
    private var accessTokens: [Text: (session: Int, expires: UnixTime)] = [:]
    private var refreshTokens: [Text: RefreshToken] = [:]

    /// Seconds that a code and an access token live.
    static let codeLifetime: Int64 = 60
    static let accessTokenLifetime: Int64 = 3600

    static func secret() -> Text {
        Text(Base64URL.encode(randomBytes(32)))
    }

    mutating func open(person: Text, client: Text, scope: Text, now: UnixTime) -> Session {
        prune(now)
        let session = Session(identifier: nextSession, person: person, client: client, scope: scope, authenticatedAt: now)
        nextSession += 1
        sessions[session.identifier] = session
        return session
    }

    mutating func issueCode(for session: Session, redirectURI: Text, challenge: Text, nonce: Text?, now: UnixTime) -> Text {
        let code = Grants.secret()
        codes[code] = Code(
            session: session.identifier, redirectURI: redirectURI, challenge: challenge, nonce: nonce,
            expires: now + Grants.codeLifetime)
        return code
    }

    /// RFC 6749 section 4.1.2: a code works once; the second time everything that came of it is revoked.
    mutating func redeem(code: Text, client: Text, redirectURI: Text, verifier: Text, now: UnixTime)
        throws(ProtocolError) -> (Session, Code)
    {
        guard let found = codes[code], let session = sessions[found.session], session.client == client else {
            throw ProtocolError(.invalidGrant, "this code is not known")
        }
        guard !found.used else {
            revoke(session: found.session)
            throw ProtocolError(.invalidGrant, "this code was used before; its tokens are revoked")
        }
        codes[code]?.used = true
        guard now < found.expires else { throw ProtocolError(.invalidGrant, "this code has expired") }
        guard found.redirectURI == redirectURI else { throw ProtocolError(.invalidGrant, "redirect_uri is another than before") }
        guard PKCE.holds(verifier: verifier, challenge: found.challenge) else {
            throw ProtocolError(.invalidGrant, "code_verifier does not fit")
        }
        return (session, found)
    }

    mutating func issueAccessToken(for session: Session, now: UnixTime) -> Text {
        let token = Grants.secret()
        accessTokens[token] = (session.identifier, now + Grants.accessTokenLifetime)
        return token
    }

    mutating func issueRefreshToken(for session: Session) -> Text {
        let token = Grants.secret()
        refreshTokens[token] = RefreshToken(session: session.identifier)
        return token
    }

    /// RFC 9700 section 4.14: each refresh token works once; one that comes again ends the session.
    mutating func redeem(refreshToken: Text, client: Text) throws(ProtocolError) -> Session {
        guard let found = refreshTokens[refreshToken], let session = sessions[found.session], session.client == client else {
            throw ProtocolError(.invalidGrant, "this refresh token is not known")
        }
        guard found.current else {
            revoke(session: found.session)
            throw ProtocolError(.invalidGrant, "this refresh token was used before; the session is revoked")
        }
        refreshTokens[refreshToken]?.current = false
        return session
    }

    func session(accessToken: Text, now: UnixTime) -> Session? {
        guard let found = accessTokens[accessToken], now < found.expires else { return nil }
        return sessions[found.session]
    }

    /// RFC 7009: an access token alone, or a refresh token with its whole session.
    mutating func revoke(token: Text, client: Text) {
        let session = accessTokens[token]?.session ?? refreshTokens[token]?.session
        guard let session, sessions[session]?.client == client else { return }
        if accessTokens.removeValue(forKey: token) == nil { revoke(session: session) }
    }

    mutating func revoke(session: Int) {
        sessions[session] = nil
        accessTokens = accessTokens.filter { $0.value.session != session }
        refreshTokens = refreshTokens.filter { $0.value.session != session }
    }

    /// All sessions of one person at one client: what RP-initiated logout ends.
    mutating func revokeAll(person: Text, client: Text) {
        for session in sessions.values where session.person == person && session.client == client {
            revoke(session: session.identifier)
        }
    }

    private mutating func prune(_ now: UnixTime) {
        codes = codes.filter { now < $0.value.expires + 600 }
        accessTokens = accessTokens.filter { now < $0.value.expires }
    }
}
