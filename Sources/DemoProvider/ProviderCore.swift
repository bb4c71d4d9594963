import FlyingFox
import JOSE
import LibCrypto
import Vocabulary

/// The provider's state, and which endpoint answers which request.
actor ProviderCore {
    /// The issuer: no slash at its end.
    let issuer: Text
    let clients: ClientAuthentication
    let redirectURIs: [Text]
    let controlToken: Text
    private let initialBehaviour: Behaviour

    var behaviour: Behaviour
    var keys: KeyRing
    var grants = Grants()
    var devices = DeviceGrants()
    private var counts: [Text: Int64] = [:]

    init(issuer: Text, options: DemoProviderOptions, behaviour: Behaviour, rotation: ControlDocument.Rotation?) throws(KeyError) {
        self.issuer = issuer
        clients = ClientAuthentication(clients: options.clients)
        redirectURIs = options.redirectURIs
        controlToken = options.controlToken ?? Grants.secret()
        initialBehaviour = behaviour
        self.behaviour = behaviour
        keys = try KeyRing(rotation?.algorithm ?? .rs256)
    }

    /// Requests so far by path, those to /control not counted.
    var requestCounts: [Text: Int64] { counts }

    /// Never fails: what goes wrong is an answer, too.
    func respond(to request: Request) async -> HTTPResponse {
        guard request.isForLoopback else {
            return Answer.plain("This demo provider answers to localhost, 127.0.0.1 and [::1] only.", status: .misdirected)
        }
        if request.path == Endpoint.control.rawValue || request.path == Endpoint.controlRequests.rawValue {
            return control(request)
        }
        guard let endpoint = Endpoint(rawValue: request.path) else {
            return Answer.plain("There is nothing here.", status: .notFound)
        }
        counts[Text(endpoint.rawValue), default: 0] += 1
        guard endpoint.methods.contains(request.method) else {
            var response = Answer.plain("This method is not for this page.", status: .methodNotAllowed)
            response.headers[HTTPHeader("Allow")] = endpoint.methods.joined(separator: ", ")
            return response
        }
        let fault = endpoint.faulty.flatMap { takeFault($0) }
        if let answer = await FaultyAnswer.before(fault, request: request, issuer: issuer) { return answer }
        return FaultyAnswer.after(fault, answer(request, at: endpoint, fault: fault))
    }

    private func answer(_ request: Request, at endpoint: Endpoint, fault: Fault?) -> HTTPResponse {
        let now = UnixTime.now()
        do throws(ProtocolError) {
            switch endpoint {
            case .home: return Answer.page(Pages.home(issuer: issuer))
            case .styleSheet: return Answer.styleSheet(Pages.styleSheet)
            case .discovery: return Answer.json(discoveryDocument(fault: fault))
            case .jwks: return Answer.json(keySet())
            case .authorize: return authorize(request, now: now)
            case .token: return try token(request, now: now)
            case .userinfo: return try userinfo(request, now: now)
            case .deviceAuthorization: return try deviceAuthorization(request, now: now)
            case .device: return devicePage(request, now: now)
            case .revoke: return try revoke(request)
            case .endSession: return endSession(request)
            case .control, .controlRequests: return Answer.plain("There is nothing here.", status: .notFound)
            }
        } catch {
            return error.answer
        }
    }

    private func takeFault(_ endpoint: FaultyEndpoint) -> Fault? {
        guard let fault = behaviour.faults[endpoint] else { return nil }
        if let remaining = fault.remaining {
            behaviour.faults[endpoint]?.remaining = remaining - 1
            if remaining <= 1 { behaviour.faults[endpoint] = nil }
        }
        return fault
    }

    // MARK: Control

    /// Changes the behaviour as a control document says; all of it or, with an error, nothing.
    func change(_ document: [UInt8]) throws(ControlDocument.Problem) {
        let (new, rotation) = try ControlDocument(parsing: document).applied(to: behaviour, atStart: initialBehaviour)
        if let rotation {
            do {
                try keys.rotate(to: rotation.algorithm ?? keys.signing.algorithm, keeping: rotation.keeping)
            } catch {
                throw ControlDocument.Problem(text: "no new key: \(error)")
            }
        }
        behaviour = new
    }

    private func control(_ request: Request) -> HTTPResponse {
        guard let token = request.bearerToken, equalInConstantTime(token.utf8, controlToken.utf8) else {
            return ProtocolError(.invalidToken, "the control token is wrong or missing").answer
        }
        switch (request.method, request.path) {
        case ("GET", Endpoint.controlRequests.rawValue):
            return Answer.json(.object(JSONObject(counts.sorted { $0.key < $1.key }.map { ($0.key, .number(JSONNumber($0.value))) })))
        case ("DELETE", Endpoint.controlRequests.rawValue):
            counts = [:]
            return Answer.empty(.noContent)
        case ("POST", Endpoint.control.rawValue):
            do {
                try change(request.body)
                return Answer.json(["ok": true])
            } catch {
                return Answer.json(["error": .string(Text(error.text))], status: .badRequest)
            }
        default: return Answer.plain("This method is not for this page.", status: .methodNotAllowed)
        }
    }
}

extension HTTPStatusCode {
    /// RFC 9110 section 15.5.20.
    static let misdirected = HTTPStatusCode(421, phrase: "Misdirected Request")
}
