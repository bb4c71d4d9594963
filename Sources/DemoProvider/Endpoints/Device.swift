import FlyingFox
import JOSE
import Vocabulary

extension ProviderCore {
    /// RFC 8628 section 3.1.
    func deviceAuthorization(_ request: Request, now: UnixTime) throws(ProtocolError) -> HTTPResponse {
        let client = try clients.client(of: request)
        let scope = request.form["scope"] ?? "openid"
        let (deviceCode, grant) = devices.open(
            client: client.identifier, scope: scope, nonce: request.form["nonce"], behaviour: behaviour, now: now)
        let page = issuer.string + Endpoint.device.rawValue
        let document = JSONObject([
            ("device_code", .string(deviceCode)),
            ("user_code", .string(grant.userCode)),
            ("verification_uri", .string(Text(page))),
            ("verification_uri_complete", .string(Text(page + "?user_code=" + grant.userCode.string))),
            ("expires_in", .number(JSONNumber(behaviour.deviceLifetime))),
            ("interval", .number(JSONNumber(grant.interval))),
        ])
        return Answer.json(.object(document.overridden(by: behaviour.overrides[.deviceAuthorization])))
    }

    /// The page on which a person types the code (section 3.3) and then says who they are. A POST with `user_code` and `person` (a demo
    /// person's name, or `refuse`) decides.
    func devicePage(_ request: Request, now: UnixTime) -> HTTPResponse {
        let parameters = request.query.joined(with: request.form)
        guard let typed = parameters["user_code"], !typed.isEmpty else { return Answer.page(Pages.deviceCode(problem: nil)) }
        guard let grant = devices.pending(userCode: typed, now: now) else {
            return Answer.page(Pages.deviceCode(problem: "This code is not known, or it has expired."), status: .badRequest)
        }
        guard request.method == "POST", let chosen = request.form["person"], let decision = LoginDecision(chosen) else {
            return Answer.page(Pages.deviceApproval(userCode: grant.userCode, client: grant.client))
        }
        guard devices.decide(userCode: grant.userCode, decision, now: now) else {
            return Answer.page(Pages.deviceCode(problem: "This code has expired."), status: .badRequest)
        }
        return Answer.page(Pages.deviceDone(decision))
    }
}
