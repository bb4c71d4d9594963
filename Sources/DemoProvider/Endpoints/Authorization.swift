import FlyingFox
import JOSE
import Vocabulary

/// A well-formed authorization request: its client and its redirect URI are known to belong together.
struct AuthorizationRequest: Sendable {
    let client: Text
    let redirectURI: Text
    let state: Text?
    let scope: Text
    let nonce: Text?
    let challenge: Text
}

extension ProviderCore {
    /// RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2. A GET shows the login page, or logs in at once as `auto_login` says. A
    /// POST to the same URL with the form field `person` (a demo person's name, or `refuse`) is what the page's buttons send.
    func authorize(_ request: Request, now: UnixTime) -> HTTPResponse {
        let parameters = request.query.joined(with: request.form)
        // Before these two hold nothing may be redirected anywhere (section 4.1.2.1).
        guard !parameters.repeats, let client = parameters["client_id"], clients.clients.contains(where: { $0.identifier == client })
        else { return Answer.page(Pages.problem("This client is not known."), status: .badRequest) }
        guard let redirectURI = parameters["redirect_uri"], RedirectURI.isAllowed(redirectURI, registered: redirectURIs) else {
            return Answer.page(Pages.problem("This redirect URI is not registered for the client."), status: .badRequest)
        }
        let state = parameters["state"]
        do throws(ProtocolError) {
            let wanted = try authorizationRequest(parameters, client: client, redirectURI: redirectURI)
            guard let decision = try loginDecision(request, prompt: parameters["prompt"]) else {
                return Answer.page(Pages.login(wanted, parameters: parameters))
            }
            guard case .person(let person) = decision else { throw ProtocolError(.accessDenied, "the person refused") }
            let session = grants.open(person: person, client: client, scope: wanted.scope, now: now)
            let code = grants.issueCode(
                for: session, redirectURI: redirectURI, challenge: wanted.challenge, nonce: wanted.nonce, now: now)
            return callBack(redirectURI, state, JSONObject([("code", .string(code))]))
        } catch {
            return callBack(redirectURI, state, error.document.object ?? JSONObject())
        }
    }

    private func authorizationRequest(_ parameters: Form, client: Text, redirectURI: Text) throws(ProtocolError) -> AuthorizationRequest {
        guard parameters["response_type"] == "code" else {
            throw ProtocolError(.unsupportedResponseType, "response_type must be code")
        }
        guard parameters["response_mode"] ?? "query" == "query" else {
            throw ProtocolError(.invalidRequest, "response_mode must be query")
        }
        guard parameters["request"] == nil, parameters["request_uri"] == nil else {
            throw ProtocolError(.invalidRequest, "request objects are not supported")
        }
        let scope = parameters["scope"] ?? ""
        guard scope.utf8.split(separator: UInt8(ascii: " ")).contains(where: { $0.elementsEqual("openid".utf8) }) else {
            throw ProtocolError(.invalidScope, "scope must hold openid")
        }
        guard parameters["code_challenge_method"] == "S256", let challenge = parameters["code_challenge"],
            PKCE.isChallenge(challenge)
        else { throw ProtocolError(.invalidRequest, "code_challenge with method S256 is required") }
        return AuthorizationRequest(
            client: client, redirectURI: redirectURI, state: parameters["state"], scope: scope, nonce: parameters["nonce"],
            challenge: challenge)
    }

    /// Nil where the login page is to be shown.
    private func loginDecision(_ request: Request, prompt: Text?) throws(ProtocolError) -> LoginDecision? {
        if let chosen = request.form["person"] {
            guard let decision = LoginDecision(chosen) else { throw ProtocolError(.accessDenied, "there is no such person") }
            return decision
        }
        if behaviour.autoLogin == nil, prompt == "none" { throw ProtocolError(.loginRequired, "nobody is logged in") }
        return behaviour.autoLogin
    }

    /// The redirect back to the client, with `state` as it came and `iss` (RFC 9207).
    private func callBack(_ redirectURI: Text, _ state: Text?, _ answer: JSONObject) -> HTTPResponse {
        var parameters = answer
        parameters["state"] = state.map { .string($0) }
        parameters["iss"] = .string(issuer)
        parameters = parameters.overridden(by: behaviour.overrides[.callback])
        let fields = parameters.members.flatMap { member in
            (member.value.array ?? [member.value]).map { (name: member.name, value: $0.string ?? Text(validating: $0.serialized) ?? "") }
        }
        return Answer.redirect(to: RedirectURI.adding(Form(fields: fields), to: redirectURI))
    }
}
