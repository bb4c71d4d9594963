import ChildProcess
import HTTP
import JOSE
import Vocabulary

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How a job of GitHub's or Forgejo's asks for its identity: GET of an address that the runner gives, with `audience` added and a bearer
/// token that the runner gives too; the answer is `{"value": "…"}`.
struct ActionsTokenRequest: Sendable {
    let issuer: Text
    private let system: CISystem
    private let url: WebURL
    private let bearer: Secret

    /// In bytes; such a token has about 2000.
    private static let answerLimit = 64 << 10
    /// Seconds before a service that is out of breath is asked again.
    private static let pauses: [UInt32] = [1, 3]

    init(_ system: CISystem, _ environment: ProcessEnvironment) throws(CITokenError) {
        guard let address = environment.value(Variable.requestURL), let token = environment.value(Variable.requestToken) else {
            throw .notPermitted(system)
        }
        let url: WebURL
        do throws(WebURLError) {
            url = try WebURL(parsing: address)
        } catch {
            throw .requestURL("\(error)")
        }
        guard let origin = ActionsOrigin(requestURL: url), origin.system == system else { throw .unknownOrigin(host: Text(url.host.text)) }
        self.system = system
        self.url = url
        issuer = origin.issuer
        bearer = Secret(Array(token.utf8))
    }

    func token(for audience: Text, client: HTTPClient) throws(CITokenError) -> JWS {
        var client = client
        client.bodyLimit = ActionsTokenRequest.answerLimit
        // Whoever is redirected would take the bearer token along.
        client.maximumRedirects = 0
        let response = try ask(try url(for: audience), client)
        guard response.status == 200 else { throw .status(system, response.status) }
        guard response.isJSON else { throw .answer(system, "it is not JSON by its content type") }
        let object: JSONObject
        do throws(JSONError) {
            object = try JSONObject(parsing: response.body)
        } catch {
            throw .answer(system, "\(error.reason.rawValue) (byte \(error.offset))")
        }
        guard let value = object["value"]?.string, !value.isEmpty else { throw .answer(system, "it has no value") }
        let token: JWS
        let claims: JSONObject
        do throws(JWSError) {
            token = try JWS(parsing: value.utf8)
            claims = try token.payload()
        } catch {
            throw .answer(system, "its value is not a token")
        }
        guard claims["aud"]?.string == audience else { throw .answer(system, "its token is for another audience than was asked for") }
        return token
    }

    /// What is there of a query stays, but for an audience.
    private func url(for audience: Text) throws(CITokenError) -> WebURL {
        let kept = (url.query ?? "").split(separator: "&").filter { !$0.hasPrefix("audience=") }
        let query = (kept.map(String.init) + ["audience=" + Form.escape(audience.string)]).joined(separator: "&")
        do throws(WebURLError) {
            return try WebURL(parsing: url.shown + "?" + query)
        } catch {
            throw .requestURL("\(error)")
        }
    }

    private func ask(_ url: WebURL, _ client: HTTPClient) throws(CITokenError) -> HTTPResponse {
        let credentials = HTTPClient.Credentials.bearer(String(decoding: bearer.exposed, as: UTF8.self))
        for pause in ActionsTokenRequest.pauses {
            do throws(HTTPError) {
                let response = try client.get(url, credentials: credentials)
                guard response.status == 429 || response.status >= 500 else { return response }
            } catch {
                guard [.nameNotResolved, .connectionFailed, .timeout, .cutOff].contains(error.code) else { throw .request(system, error) }
            }
            sleep(pause)
        }
        do throws(HTTPError) {
            return try client.get(url, credentials: credentials)
        } catch {
            throw .request(system, error)
        }
    }
}
