import FlyingFox
import JOSE
import Vocabulary

extension ProviderCore {
    /// RFC 6749 section 3.2.
    func token(_ request: Request, now: UnixTime) throws(ProtocolError) -> HTTPResponse {
        let client = try clients.client(of: request)
        switch request.form["grant_type"] {
        case "authorization_code"?: return try exchangeCode(request.form, client: client, now: now)
        case "refresh_token"?: return try refresh(request.form, client: client, now: now)
        case "urn:ietf:params:oauth:grant-type:device_code"?: return try pollDevice(request.form, client: client, now: now)
        case nil: throw ProtocolError(.invalidRequest, "grant_type is missing")
        default: throw ProtocolError(.unsupportedGrantType, "this grant_type is not supported")
        }
    }

    private func exchangeCode(_ form: Form, client: Client, now: UnixTime) throws(ProtocolError) -> HTTPResponse {
        let (session, code) = try grants.redeem(
            code: try form.required("code"), client: client.identifier, redirectURI: try form.required("redirect_uri"),
            verifier: try form.required("code_verifier"), now: now)
        return try tokens(for: session, nonce: code.nonce, isRefresh: false, now: now)
    }

    private func refresh(_ form: Form, client: Client, now: UnixTime) throws(ProtocolError) -> HTTPResponse {
        let session = try grants.redeem(refreshToken: try form.required("refresh_token"), client: client.identifier)
        return try tokens(for: session, nonce: nil, isRefresh: true, now: now)
    }

    private func pollDevice(_ form: Form, client: Client, now: UnixTime) throws(ProtocolError) -> HTTPResponse {
        let (grant, person) = try devices.poll(
            deviceCode: try form.required("device_code"), client: client.identifier, now: now)
        let session = grants.open(person: person, client: client.identifier, scope: grant.scope, now: now)
        return try tokens(for: session, nonce: behaviour.deviceNonce ? grant.nonce : nil, isRefresh: false, now: now)
    }

    private func tokens(for session: Session, nonce: Text?, isRefresh: Bool, now: UnixTime) throws(ProtocolError) -> HTTPResponse {
        let accessToken = grants.issueAccessToken(for: session, now: now)
        var response = JSONObject([
            ("access_token", .string(accessToken)),
            ("token_type", "Bearer"),
            ("expires_in", .number(JSONNumber(Grants.accessTokenLifetime))),
            ("scope", .string(session.scope)),
        ])
        if behaviour.givesRefreshToken { response["refresh_token"] = .string(grants.issueRefreshToken(for: session)) }
        if !isRefresh || behaviour.refreshesIDToken {
            let minter = IDTokenMinter(issuer: issuer, behaviour: behaviour, signing: keys.signing)
            let occasion = IDTokenMinter.Occasion(
                session: session, nonce: nonce, accessToken: accessToken, isRefresh: isRefresh, now: now)
            guard let token = try? minter.mint(occasion) else { throw ProtocolError(.serverError, "no signature") }
            response["id_token"] = .string(token)
        }
        return Answer.json(.object(response.overridden(by: behaviour.overrides[.tokenResponse])))
    }

    /// RFC 7009: the answer is the same whether the token was one or not.
    func revoke(_ request: Request) throws(ProtocolError) -> HTTPResponse {
        let client = try clients.client(of: request)
        grants.revoke(token: try request.form.required("token"), client: client.identifier)
        return Answer.empty()
    }
}

extension Form {
    func required(_ name: Text) throws(ProtocolError) -> Text {
        guard let value = self[name], !value.isEmpty else { throw ProtocolError(.invalidRequest, "\(name) is missing") }
        return value
    }
}
