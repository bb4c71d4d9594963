import FlyingFox
import JOSE
import Vocabulary

extension ProviderCore {
    /// OpenID Connect Core section 5.3; the access token in the Authorization header only.
    func userinfo(_ request: Request, now: UnixTime) throws(ProtocolError) -> HTTPResponse {
        guard let token = request.bearerToken, let session = grants.session(accessToken: token, now: now) else {
            throw ProtocolError(.invalidToken, "the access token is missing, expired or not known")
        }
        return Answer.json(.object(behaviour.claims(of: session.person).overridden(by: behaviour.overrides[.userinfo])))
    }

    /// OpenID Connect RP-Initiated Logout 1.0. This provider keeps no browser session; the client's sessions of the person whom
    /// `id_token_hint` names end.
    func endSession(_ request: Request) -> HTTPResponse {
        let parameters = request.query.joined(with: request.form)
        if let hint = parameters["id_token_hint"], let claims = try? JWS(parsing: hint.utf8).payload(),
            let audience = claims["aud"]?.string,
            let person = Person.all.first(where: { behaviour.claims(of: $0.name)["sub"] == claims["sub"] })
        {
            grants.revokeAll(person: person.name, client: audience)
        }
        guard let uri = parameters["post_logout_redirect_uri"] else { return Answer.page(Pages.loggedOut()) }
        guard RedirectURI.isAllowed(uri, registered: redirectURIs) else {
            return Answer.page(Pages.problem("This redirect URI is not registered for the client."), status: .badRequest)
        }
        let state = parameters["state"].map { [(name: Text("state"), value: $0)] } ?? []
        return Answer.redirect(to: state.isEmpty ? uri.string : RedirectURI.adding(Form(fields: state), to: uri))
    }
}
